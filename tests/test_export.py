"""An export answers as the model does, loaded as TensorFlow Serving loads it."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

import tfgen
from tests.specimens import SPECIMENS, compiled, images

SERVE = """
import json, sys

for name in ("tfgen", "keras", "tf_keras"):
    sys.modules[name] = None  # importing it fails

import numpy as np
import tensorflow as tf

path, requests, answers = sys.argv[1:]
with tf.compat.v1.Session(graph=tf.Graph()) as session, np.load(requests) as archive:
    loaded = tf.compat.v1.saved_model.loader.load(session, ["serve"], path)
    results = {}
    for name, signature in loaded.signature_def.items():
        if name.startswith("__"):
            continue
        feed = {info.name: archive[key] for key, info in signature.inputs.items()}
        fetch = {key: info.name for key, info in signature.outputs.items()}
        for key, value in session.run(fetch, feed).items():
            results[f"{name}/{key}"] = value
np.savez(answers, **results)
"""


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """Exports every specimen, and asks all their signatures in a process without tfgen."""
    folder = tmp_path_factory.mktemp("exports")
    models, results = {}, {}
    for name in SPECIMENS:
        model = compiled(name)
        model.fit(images(), batch_size=8, verbose=0)
        version = tfgen.export(model, folder / name, {"recipe": name})
        requests, answers = folder / f"{name}-in.npz", folder / f"{name}-out.npz"
        np.savez(
            requests,
            images=images(5),
            latents=np.random.default_rng(0).normal(size=(7, 3)).astype(np.float32),
            count=np.int32(6),
            seed=np.int64(2**40),
        )
        subprocess.run(
            [sys.executable, "-c", SERVE, str(version), str(requests), str(answers)],
            check=True,
            cwd=folder,  # where no tfgen can be found
            env={**os.environ, "PYTHONPATH": "", "TF_CPP_MIN_LOG_LEVEL": "3"},
            capture_output=True,
        )
        with np.load(requests) as asked, np.load(answers) as answered:
            models[name], results[name] = model, (dict(asked), dict(answered))
    return models, results, folder


@pytest.mark.parametrize("name", SPECIMENS)
def test_served_answers_are_the_models(name, exported):
    models, results, _ = exported
    model, (asked, answered) = models[name], results[name]
    posterior = model.encode(asked["images"])
    expected = {
        "serving_default/images": model.generate(asked["latents"]),
        "sample/images": model.sample(6, seed=2**40),
        "encode/mean": posterior.mean(),
        "encode/standard_deviation": posterior.stddev(),
        "reconstruct/images": model.reconstruct(asked["images"]),
        "score/elbo": model.elbo(asked["images"]),
    }
    assert answered.keys() == expected.keys()
    for key, value in expected.items():
        np.testing.assert_allclose(answered[key], value, rtol=1e-5, atol=1e-5, err_msg=key)


@pytest.mark.parametrize("name", SPECIMENS)
def test_the_description_names_what_was_exported(name, exported):
    description = json.loads((exported[2] / name / "1" / "assets.extra" / "tfgen.json").read_text())
    assert description["recipe"] == name and description["model"] == "VAE"
    assert description["versions"]["tfgen"] == tfgen.__version__


def test_versions_count_on_and_nothing_else_is_left(tmp_path):
    model = compiled("mlp_vae")
    (tmp_path / "7").mkdir()
    assert tfgen.export(model, tmp_path).name == "8"
    assert tfgen.export(model, tmp_path).name == "9"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["7", "8", "9"]


def test_a_failed_export_leaves_nothing(tmp_path, monkeypatch):
    model = compiled("mlp_vae")

    def fail(*args, **kwargs):
        raise OSError("disk full")

    monkeypatch.setattr("os.rename", fail)
    with pytest.raises(OSError, match="disk full"):
        tfgen.export(model, tmp_path / "new")
    assert not list((tmp_path / "new").iterdir())


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="Nothing can be written to the folder .*file/vae"):
        tfgen.export(compiled("mlp_vae"), tmp_path / "file" / "vae")
