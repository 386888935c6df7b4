"""Images as PNG files over the wire."""

import struct
import zlib

import numpy as np
import pytest
import tensorflow as tf

from tests.specimens import compiled, images
from tfgen import __main__ as command
from tfgen.serving.png import decode, encode
from tfgen.serving.png_files import MOST
from tfgen.serving.verify import verify


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    model, folder = compiled("conv_vae"), tmp_path_factory.mktemp("export")
    model.save(folder / "model.keras")
    command.main(["export", str(folder / "model.keras"), str(folder / "vae"), "--png"])
    path = folder / "vae" / "1"
    return model, path, tf.saved_model.load(str(path))


def test_a_model_that_is_not_there_is_one_line(tmp_path):
    with pytest.raises(SystemExit, match="^tfgen: .*model.keras"):
        command.main(["export", str(tmp_path / "model.keras"), str(tmp_path / "vae")])
    assert not list(tmp_path.iterdir())


def decoded(files):
    return np.stack([tf.io.decode_png(file).numpy() for file in files.numpy()]) / 255.0


def test_every_signature_with_images_has_one_with_files(exported):
    model, path, loaded = exported
    own = set(model.signatures())
    assert set(loaded.signatures) == own | {f"{name}_png" for name in own}
    assert {answer.signature for answer in verify(path)[0]} == set(loaded.signatures)


def test_files_hold_the_same_images(exported):
    model, _, loaded = exported
    files = loaded.signatures["sample_png"](count=tf.constant(3), seed=tf.constant(1, tf.int64))
    expected = np.clip(model.sample(3, seed=1), 0, 1)
    np.testing.assert_allclose(
        decoded(files["images_bytes"]), expected, rtol=0, atol=0.5 / 255 + 1e-6
    )


def test_files_are_taken(exported):
    model, _, loaded = exported
    pixels = np.round(images(2) * 255) / 255
    files = encode(pixels)
    answer = loaded.signatures["encode_png"](images_bytes=files)
    np.testing.assert_allclose(answer["mean"], model.encode(pixels).mean(), rtol=1e-5, atol=1e-5)
    made = loaded.signatures["reconstruct_png"](images_bytes=files)["images_bytes"]
    np.testing.assert_allclose(
        decoded(made), np.clip(model.reconstruct(pixels), 0, 1), rtol=0, atol=0.5 / 255 + 1e-5
    )


def test_images_of_another_size_and_colour_are_brought_to_the_models():
    large = tf.fill([40, 60, 3], tf.constant(128, tf.uint8))
    found = decode(tf.io.encode_png(large)[tf.newaxis], (8, 8, 1))
    np.testing.assert_allclose(found, np.full([1, 8, 8, 1], 128 / 255), atol=1e-3)


def bomb(side):
    """A small file that claims to be a large image."""

    def chunk(kind, content):
        checksum = zlib.crc32(kind + content)
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum)

    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    "file", [b"", b"GIF89a" + b"0" * 30, b"\x89PNG\r\n\x1a\n" + b"0" * 8, bomb(8)]
)
def test_what_is_no_image_is_refused(exported, file):
    with pytest.raises(tf.errors.InvalidArgumentError):
        exported[2].signatures["encode_png"](images_bytes=tf.constant([file]))


@pytest.mark.parametrize("side", [MOST + 1, 2**31 - 1, 2**32 - 1])
def test_a_bomb_is_refused_before_it_is_unpacked(exported, side):
    with pytest.raises(tf.errors.InvalidArgumentError, match=f"at most {MOST} pixels a side"):
        exported[2].signatures["encode_png"](images_bytes=tf.constant([bomb(side)]))
