"""Images as PNG files over the wire."""

import io
import time
import zlib

import numpy as np
import PIL.Image
import PIL.ImageCms
import pytest
import tensorflow as tf

from tests.png_files import UNPACKED, chunk, png
from tests.specimens import compiled, images
from tfgen import __main__ as command
from tfgen.serving.errors import Code, ServingError
from tfgen.serving.png import decode, encode
from tfgen.serving.png_files import MOST, MOST_PACKED_BYTES, MOST_PIXELS
from tfgen.serving.servable import Servable
from tfgen.serving.verify import verify


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    model, folder = compiled("wae"), tmp_path_factory.mktemp("export")
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
    return png(side, side, pixels=b"")


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


def refusal(path, files, seconds=2.0):
    """Returns what a server says to files, which it must say at once."""
    servable, started = Servable(path), time.monotonic()
    with pytest.raises(ServingError) as raised:
        servable.signature("encode_png")({"images_bytes": np.array(files, object)})
    assert time.monotonic() - started < seconds
    assert raised.value.code is Code.INVALID_ARGUMENT
    return raised.value.message


def test_pixels_of_a_request_are_bounded_before_they_are_unpacked(exported):
    largest = png(MOST, MOST)
    assert len(largest) < 20_000
    message = refusal(exported[1], 300 * [largest])
    assert message == (
        f"The images of a request may have at most {MOST_PIXELS} pixels together. "
        f"Received: {300 * MOST_PIXELS}."
    )
    exported[2].signatures["encode_png"](images_bytes=tf.constant([largest]))  # one may be so large


def test_images_that_are_made_of_files_are_bounded_too():
    with pytest.raises(tf.errors.InvalidArgumentError, match="pixels together"):
        decode(tf.fill([300], png(1, 1)), (256, 256, 3))


def test_pixels_that_are_packed_are_bounded():
    packed = tf.function(encode).get_concrete_function(tf.TensorSpec([None, None, None, 1]))
    images = tf.zeros([2, MOST, MOST // 2, 1])
    assert packed(images).shape == [2]
    with pytest.raises(tf.errors.InvalidArgumentError, match="pixels together"):
        packed(tf.zeros([3, MOST, MOST // 2, 1]))


@pytest.mark.parametrize(
    "kind",
    [each if each == b"iCCP" else pytest.param(each, marks=pytest.mark.slow) for each in UNPACKED],
)
def test_chunks_that_unpack_to_more_are_refused(exported, kind):
    many = 100 * chunk(kind, UNPACKED[kind])
    assert "has more bytes" in refusal(exported[1], [png(1, 1, many)])
    large = {"width": 400, "height": 400}  # of which a file may have as many bytes
    for file in (png(**large, before=many), png(**large, after=many)):
        message = refusal(exported[1], [png(8, 8), file])
        assert "at most 65536 bytes of packed texts and colour profiles" in message


def test_pixels_beyond_the_image_are_refused(exported):
    file = png(1, 1, pixels=zlib.compress(bytes(100_000_000), 9))
    assert "has more bytes" in refusal(exported[1], [file])


def test_chunks_without_end_are_refused(exported):
    assert "at most 8192 chunks" in refusal(exported[1], [png(400, 400, 9000 * chunk(b"abCd"))])


@pytest.mark.parametrize(
    "kind",
    ["JPEG", *(pytest.param(each, marks=pytest.mark.slow) for each in ("GIF", "BMP", "WEBP"))],
)
def test_other_files_than_png_are_refused_with_words(exported, kind):
    file = io.BytesIO()
    PIL.Image.new("RGB", (2000, 2000)).save(file, kind)
    assert refusal(exported[1], [png(8, 8), file.getvalue()]) == "Each image must be a PNG file"


def test_a_png_file_begins_with_its_header(exported):
    file = png(8, 8)
    early = file[:8] + chunk(b"tEXt", b"a\0b") + file[8:]
    assert refusal(exported[1], [early]) == "Each image must be a PNG file"


def test_what_may_be_packed_takes_no_long_time(exported):
    """The worst that is let in: chunks that unpack to as much as they can."""
    count = MOST_PACKED_BYTES // len(UNPACKED[b"zTXt"])
    file = png(400, 400, count * chunk(b"zTXt", UNPACKED[b"zTXt"]))
    started = time.monotonic()
    exported[2].signatures["encode_png"](images_bytes=tf.constant([file]))
    assert time.monotonic() - started < 5


def test_files_with_a_colour_profile_are_taken(exported):
    """As cameras and drawing programs write them."""
    profile = PIL.ImageCms.ImageCmsProfile(PIL.ImageCms.createProfile("sRGB")).tobytes()
    file = io.BytesIO()
    PIL.Image.new("RGB", (40, 30)).save(file, "PNG", icc_profile=profile)
    assert b"iCCP" in file.getvalue()
    files = tf.constant(16 * [file.getvalue()])
    assert exported[2].signatures["encode_png"](images_bytes=files)["mean"].shape == [16, 3]


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_usual_files_are_taken(exported, mode):
    files = []
    for options in ({}, {"optimize": True}, {"dpi": (72, 72)}):
        file = io.BytesIO()
        PIL.Image.new(mode, (40, 30)).save(file, "PNG", **options)
        files.append(file.getvalue())
    files.append(files[0] + bytes(500))  # what follows the end is not looked at
    answer = exported[2].signatures["encode_png"](images_bytes=tf.constant(files))
    assert answer["mean"].shape == [4, 3]
