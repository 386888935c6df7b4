"""An export says of itself whether it can be served."""

import numpy as np
import pytest
import tensorflow as tf

import tfgen
from tests.servables import spec, write
from tests.specimens import compiled
from tfgen import __main__ as command
from tfgen.serving.guard import MOST
from tfgen.serving.verify import newest_version, verify
from tfgen.serving.warm_up import FILE, example, read_requests


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    folder = tmp_path_factory.mktemp("exports")
    model = compiled("cgan")
    model.save(folder / "model.keras")
    return model, tfgen.export(model, folder / "cgan"), folder / "model.keras"


@pytest.fixture(scope="module")
def signatures(exported):
    loaded = tf.saved_model.load(str(exported[1]))
    return loaded, loaded.signatures


def test_an_export_answers_as_its_model(exported):
    model, path, file = exported
    answers, compared = verify(path, file)
    assert compared == file
    assert [answer.signature for answer in answers] == sorted(model.signatures())
    assert all(answer.difference < 1e-5 for answer in answers)
    described = {answer.signature: answer for answer in answers}["sample_labels"]
    assert described.inputs == {"labels": "int32 [?]", "seed": "int64 []"}
    assert described.outputs == {"images": "float32 [?, 8, 8, 1]"}


def test_another_model_s_answers_are_told_apart(exported, tmp_path):
    _, path, file = exported
    other = tfgen.load(file)
    for variable in other.weights:
        if variable.dtype == "float32":
            variable.assign(variable + 0.1)
    other.save(tmp_path / "other.keras")
    with pytest.raises(ValueError, match=r"answers with \w+ that differ by .* from the model's"):
        verify(path, tmp_path / "other.keras")


def test_answers_that_are_not_finite_are_told(tmp_path):
    path = write(tmp_path, "log", 1, {"serving_default": (lambda x: {"y": x / 0.0}, [spec("x")])})
    with pytest.raises(ValueError, match="serving_default answers with y that are not finite"):
        verify(path)


def test_requests_to_warm_up_are_those_of_all_signatures(exported):
    model, path, _ = exported
    requests = read_requests(path / "assets.extra" / FILE)
    assert [each.model_spec.signature_name for each in requests] == list(model.signatures())
    for request in requests:
        _, specs = model.signatures()[request.model_spec.signature_name]
        assert set(request.inputs) == {each.name for each in specs}


def test_a_broken_file_of_requests_is_named(tmp_path):
    path = write(tmp_path, "log", 1, {"serving_default": (lambda x: {"y": x}, [spec("x")])})
    (path / "assets.extra").mkdir()
    (path / "assets.extra" / FILE).write_bytes(b"broken" * 10)
    with pytest.raises(ValueError, match=f"{FILE} does not hold requests"):
        verify(path)


def test_of_a_model_s_folder_the_newest_version_is_taken(tmp_path):
    for number in (2, 10):
        write(tmp_path, "log", number, {"serving_default": (lambda x: {"y": x}, [spec("x")])})
    (tmp_path / "log" / "11").mkdir()
    assert newest_version(tmp_path / "log").name == "10"
    with pytest.raises(FileNotFoundError, match="no SavedModel in"):
        newest_version(tmp_path)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_an_export_refuses_numbers_that_are_not_finite(signatures, exported, bad):
    _, functions = signatures
    latents = np.zeros([2, exported[0].latent_dim], np.float32)
    latents[1, 0] = bad
    with pytest.raises(tf.errors.InvalidArgumentError, match="latents must be finite"):
        functions["serving_default"](latents=latents, labels=np.zeros(2, np.int32))


@pytest.mark.parametrize(
    ("least", "most", "mend"),
    [
        (0, 255, "divide pixels by 255"),
        pytest.param(-1, 1, r"\(images \+ 1\) / 2", marks=pytest.mark.slow),
    ],
)
def test_an_export_refuses_images_that_are_far_outside_of_the_range(tmp_path, least, most, mend):
    loaded = tf.saved_model.load(str(tfgen.export(compiled("wae"), tmp_path, png=True)))
    images = np.zeros([3, 8, 8, 1], np.float32)
    images[1, :2] = [[[least]], [[most]]]
    for name in ("encode", "reconstruct", "score"):
        with pytest.raises(tf.errors.InvalidArgumentError, match=rf"must be in \[0, 1\]: {mend}"):
            loaded.signatures[name](images=images)
        assert loaded.signatures[name](images=np.clip(images, -0.1, 1.1))  # rounding and resizing


def test_a_model_of_any_values_takes_them(tmp_path):
    networks, shape = tfgen.networks, (8, 8, 1)
    model = tfgen.Autoencoder(
        networks.mlp_encoder(shape, 3, hidden_sizes=(16,), heads=1),
        networks.mlp_decoder(shape, 3, hidden_sizes=(16,)),
        likelihood=tfgen.distributions.Gaussian(scale=1.0),
    )
    loaded = tf.saved_model.load(str(tfgen.export(model, tmp_path)))
    images = np.full([2, 8, 8, 1], 255, np.float32)
    answer = loaded.signatures["encode"](images=images)
    np.testing.assert_allclose(answer["mean"], model.encode(images).mean(), rtol=1e-5, atol=1e-5)


def test_an_export_refuses_too_many_samples_and_none(tmp_path):
    loaded = tf.saved_model.load(str(tfgen.export(compiled("gan"), tmp_path)))
    sample = loaded.signatures["sample"]
    assert sample(count=tf.constant(1), seed=tf.constant(0, tf.int64))["images"].shape[0] == 1
    for count in (0, -1, MOST + 1):
        with pytest.raises(tf.errors.InvalidArgumentError, match=f"between 1 and {MOST}"):
            sample(count=tf.constant(count), seed=tf.constant(0, tf.int64))


def test_the_command_tells_what_is_served(exported, capsys):
    _, path, file = exported
    command.main(["verify", str(path), f"--model={file}"])
    printed = capsys.readouterr().out
    assert "sample_labels       labels int32 [?], seed int64 [] -> images float32" in printed
    with pytest.raises(SystemExit, match="tfgen: There is no SavedModel in"):
        command.main(["verify", str(path.parent.parent / "nothing")])


def test_a_number_for_all_rows_is_one_that_every_model_takes():
    for name, dtype, expected in (
        ("count", tf.int32, 3),
        ("seed", tf.int64, 0),
        ("steps", tf.int32, 1),
        ("guidance", tf.float32, 1.0),
        ("temperature", tf.float32, 1.0),
    ):
        assert example(tf.TensorSpec([], dtype, name), rows=3) == expected


@pytest.mark.slow
@pytest.mark.parametrize("name", ["autoregressive", "gated_autoregressive", "multi_scale"])
def test_an_export_of_pixels_answers_as_its_model_with_a_temperature(name, tmp_path):
    """A temperature of 0 was asked for, also when a server warms up."""
    model = compiled(name)
    model.save(tmp_path / "model.keras")
    found = verify(tfgen.export(model, tmp_path / name), tmp_path / "model.keras")
    assert found
