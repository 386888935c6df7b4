"""An export answers as the model does, loaded as TensorFlow Serving loads it."""

import functools
import json
import os
import subprocess
import sys

import httpx2
import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

import tfgen
from tests.specimens import CAPTIONS, SHAPE, SPECIMENS, VAES, compiled, each_of
from tests.test_server import started
from tfgen.serving.client import GrpcClient, RestClient
from tfgen.serving.description import derive, describe, read_description
from tfgen.serving.errors import ServingError
from tfgen.serving.servable import Servable

SERVE = """
import pathlib, sys

for name in ("tfgen", "keras", "tf_keras"):
    sys.modules[name] = None  # importing it fails

import numpy as np
import tensorflow as tf

for requests in pathlib.Path(".").glob("*/requests.npz"):
    with tf.compat.v1.Session(graph=tf.Graph()) as session, np.load(requests) as archive:
        export = str(requests.parent / "1")
        loaded = tf.compat.v1.saved_model.loader.load(session, ["serve"], export)
        answers = {}
        for name, signature in loaded.signature_def.items():
            if name.startswith("__"):
                continue
            feed = {info.name: archive[key] for key, info in signature.inputs.items()}
            fetch = {key: info.name for key, info in signature.outputs.items()}
            for key, value in session.run(fetch, feed).items():
                answers[f"{name}/{key}"] = value
    np.savez(requests.parent / "answers.npz", **answers)
"""


def requests_for(model):
    """Returns a value for every input of a model's signatures."""
    random = np.random.default_rng(0)
    values = {"count": np.int32(6), "seed": np.int64(2**40)}
    values |= {"steps": np.int32(2), "guidance": np.float32(1.5), "temperature": np.float32(0.8)}
    for _, specs in model.signatures().values():
        for spec in specs:
            shape = [5, *(3 if size is None else size for size in spec.shape[1:])]
            if spec.dtype == tf.string:
                values[spec.name] = np.resize(np.array(CAPTIONS, object), shape)
            elif spec.name == "mask":
                values["mask"] = random.integers(0, 2, shape).astype(np.float32)
            elif spec.dtype.is_integer:
                values.setdefault(spec.name, random.integers(0, 4, shape).astype(np.int32))
            else:
                values.setdefault(spec.name, random.random(shape, np.float32))
    return values


def storable(value):
    """Returns an array that a file keeps without pickle."""
    return value.astype("S") if value.dtype == object else value


def shaken(name):
    """Returns a specimen in which no weight is as it began: averages and statistics differ too."""
    model, random = compiled(name), np.random.default_rng(1)
    for variable in model.variables:
        if variable.dtype.startswith("float"):
            variable.assign(variable + 0.1 * random.random(variable.shape))
    return model


# One for each kind of inputs: latents, codes, labels, two domains, steps.
every_specimen = each_of(SPECIMENS, {"mlp_vae", "vq_vae", "cgan", "cyclegan", "diffusion"})


@pytest.fixture(scope="module")
def exported(tmp_path_factory, request):
    """Exports each specimen of the chosen tests, and asks all in a process without tfgen."""
    folder = tmp_path_factory.mktemp("exports")
    chosen = {
        item.callspec.params.get("name")
        for item in request.session.items
        if item.path == request.path and hasattr(item, "callspec")
    }
    models = {name: shaken(name) for name in SPECIMENS if name in chosen}
    for name, model in models.items():
        tfgen.export(model, folder / name, {"recipe": name})
        requests = tf.nest.map_structure(storable, requests_for(model))
        np.savez(folder / name / "requests.npz", **requests)
    subprocess.run(
        [sys.executable, "-c", SERVE],
        check=True,
        cwd=folder,  # where no tfgen can be found
        env={**os.environ, "PYTHONPATH": "", "TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
    )
    answers = {}
    for name in models:
        with np.load(folder / name / "answers.npz") as archive:
            answers[name] = dict(archive)
    return models, answers, folder


@pytest.fixture(scope="module")
def expected(exported):
    """Returns a function that gives the answers of a specimen's own signatures, computed once.

    In graphs: what is drawn in many steps takes ten times as long without.
    """

    @functools.cache
    def answers_of(name):
        model = exported[0][name]
        requests = requests_for(model)
        return {
            signature: tf.function(function, autograph=False)(
                *(requests[spec.name] for spec in specs)
            )
            for signature, (function, specs) in model.signatures().items()
        }

    return answers_of


@every_specimen
def test_served_answers_are_the_models(name, exported, expected):
    answers = exported[1][name]
    assert answers.keys() == {
        f"{signature}/{key}" for signature, values in expected(name).items() for key in values
    }
    for signature, values in expected(name).items():
        for key, value in values.items():
            np.testing.assert_allclose(
                answers[f"{signature}/{key}"], value, rtol=1e-5, atol=1e-5, err_msg=key
            )


@every_specimen
def test_an_answer_does_not_depend_on_who_else_asks(name, exported):
    requests = requests_for(exported[0][name])
    servable = Servable(exported[2] / name / "1")
    batched = [each for each in servable.signatures.values() if each.is_batched]
    # Of samples that are counted there are no rows to put together.
    counted = {name for name, each in servable.signatures.items() if "seed" in each.inputs}
    assert {each.name for each in batched} == servable.signatures.keys() - counted
    for signature in batched:
        together = {key: requests[key] for key in signature.inputs}
        last = {key: value[-1:] for key, value in together.items()}
        alone = signature(last)
        for key, value in signature(together).items():
            np.testing.assert_allclose(value[-1:], alone[key], rtol=1e-5, atol=1e-5, err_msg=key)


@pytest.fixture(scope="module")
def clients(exported):
    with started(exported[2]) as (_, rest, grpc_address):
        yield {"rest": RestClient(rest), "grpc": GrpcClient(grpc_address)}


@pytest.mark.parametrize("protocol", ["rest", "grpc"])
@every_specimen
def test_answers_over_the_wire_are_the_models(name, protocol, exported, expected, clients):
    model = exported[0][name]
    requests = requests_for(model)
    for signature, (_, specs) in model.signatures().items():
        inputs = {spec.name: requests[spec.name] for spec in specs}
        answer = clients[protocol].predict(name, signature, **inputs)
        assert answer.keys() == expected(name)[signature].keys()
        for key, value in expected(name)[signature].items():
            np.testing.assert_allclose(answer[key], value, rtol=1e-5, atol=1e-5, err_msg=key)


@each_of(VAES)
def test_an_autoencoder_answers_what_it_should(name, exported):
    models, answers, _ = exported
    model, asked = models[name], requests_for(models[name])
    posterior = model.encode(asked["images"])
    expected = {
        "serving_default/images": model.generate(asked["latents"]),
        "sample/images": model.sample(6, seed=2**40),
        "encode/mean": posterior.mean(),
        "encode/standard_deviation": posterior.stddev(),
        "reconstruct/images": model.reconstruct(asked["images"]),
        "score/elbo": [model.elbo(image[np.newaxis])[0] for image in asked["images"]],
        "impute/images": model.impute(
            asked["images"], asked["mask"], seed=2**40, pixel_noise=False
        ),
    }
    assert answers[name].keys() == expected.keys()
    for key, value in expected.items():
        np.testing.assert_allclose(answers[name][key], value, rtol=1e-5, atol=1e-5, err_msg=key)


@every_specimen
def test_the_description_names_what_was_exported(name, exported):
    models, _, folder = exported
    file = folder / name / "1" / "assets.extra" / "tfgen.json"
    description = json.loads(file.read_text())
    assert description["recipe"] == name
    assert description["model"] == type(models[name]).__name__
    assert description["versions"]["tfgen"] == tfgen.__version__


# Of what a model can do, what no signature shows: it is for Python alone.
NOT_EXPORTED = set(
    "average discriminate exact_likelihood importance_sampling impute_in_order latent_density "
    "log_likelihood redraw sample_trajectories".split()
)


@every_specimen
def test_an_export_says_what_its_model_can_do(name, exported, clients):
    models, _, folder = exported
    said = read_description(folder / name / "1")
    assert said["abilities"] == sorted(models[name].abilities)
    served = httpx2.get(f"{clients['rest'].url}/tfgen/models/{name}").json()
    assert (served.pop("name"), served.pop("version")) == (name, "1")
    assert served == {key: said[key] for key in ("abilities", "latents") if key in said}


@every_specimen
def test_where_an_export_says_nothing_its_signatures_tell_as_much(name, exported):
    models, _, folder = exported
    said = read_description(folder / name / "1")
    told = derive(Servable(folder / name / "1").signatures)
    assert set(told["abilities"]) | NOT_EXPORTED == set(said["abilities"]) | NOT_EXPORTED
    assert ("latents" in told) == ("latents" in said) == ("generate" in told["abilities"])
    if "latents" in said:  # but for the prior's distribution, which none of them shows
        prior = {"kind": "other", "path": "straight"}
        expected = {**said["latents"], **prior}
        assert {"low": -1.0, "high": 1.0, **expected} == {
            "low": -1.0,
            "high": 1.0,
            **told["latents"],
        }


def test_an_infogan_s_codes_are_told_from_its_noise():
    latents = describe(compiled("infogan"))["latents"]
    assert latents == {
        "size": 2 + 4 + 1,
        "kind": "uniform",
        "low": -1.0,
        "high": 1.0,
        "path": "straight",
        "codes": [
            {"name": "code_0", "size": 4, "kind": "categorical", "path": "straight"},
            {
                "name": "code_1",
                "size": 1,
                "kind": "uniform",
                "low": -1.0,
                "high": 1.0,
                "path": "straight",
            },
        ],
    }
    normal = describe(compiled("conv_vae"))["latents"]
    assert normal == {"size": 3, "kind": "normal", "path": "spherical"}


@pytest.mark.parametrize("name", ["cgan"])
def test_rows_beside_a_seed_are_bounded(name, exported):
    servable = Servable(exported[2] / name / "1")
    signature = servable.signature("sample_labels")
    labels = np.zeros(4097, np.int32)
    assert signature.rows({"labels": labels, "seed": np.int64(1)}) == 4097  # for the server's limit
    with pytest.raises(ServingError, match="labels must have at most 4096 rows"):
        signature({"labels": labels, "seed": np.int64(1)})


@pytest.mark.parametrize("steps", [0, 1001])
@pytest.mark.parametrize("name", ["diffusion"])
def test_steps_are_bounded(name, steps, exported):
    signature = Servable(exported[2] / name / "1").signature("sample_in_steps")
    asked = {"count": np.int32(1), "seed": np.int64(1)}
    assert signature({**asked, "steps": np.int32(2)})["images"].shape == (1, *SHAPE)
    with pytest.raises(ServingError, match="steps must be between 1 and 1000"):
        signature({**asked, "steps": np.int32(steps)})


@every_specimen
def test_a_weight_is_exported_once_and_one_that_nothing_asks_for_is_not(name, exported):
    reader = tf.train.load_checkpoint(str(exported[2] / name / "1" / "variables" / "variables"))
    kept = reader.get_variable_to_shape_map().keys() - {"_CHECKPOINTABLE_OBJECT_GRAPH"}
    loaded = tf.saved_model.load(str(exported[2] / name / "1"))
    used = {
        id(each) for signature in loaded.signatures.values() for each in signature.graph.variables
    }
    assert len(kept) == len(loaded.weights) == len(used)


def test_a_network_with_a_table_is_exported(tmp_path):
    latents = keras.Input((2,), dtype="int64")
    found = layers.IntegerLookup(vocabulary=[3, 5, 7])(latents)
    pixels = layers.Dense(64, "sigmoid")(layers.Flatten()(layers.Embedding(4, 2)(found)))
    model = keras.Model(latents, layers.Reshape((8, 8, 1))(pixels))
    specs = [tf.TensorSpec([None, 2], tf.int64, "latents")]
    model.signatures = lambda: {"serving_default": (lambda x: {"images": model(x)}, specs)}
    path = tfgen.export(model, tmp_path)
    signature = tf.saved_model.load(str(path)).signatures["serving_default"]
    asked = tf.constant([[3, 7], [5, 9]], tf.int64)
    np.testing.assert_allclose(signature(latents=asked)["images"], model(asked), atol=1e-6)


def test_versions_count_on_and_nothing_else_is_left(tmp_path):
    model = compiled("autoencoder")
    (tmp_path / "7").mkdir()
    assert tfgen.export(model, tmp_path).name == "8"
    assert tfgen.export(model, tmp_path).name == "9"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["7", "8", "9"]


def test_a_failed_export_leaves_nothing(tmp_path, monkeypatch):
    model = compiled("autoencoder")

    def fail(*args, **kwargs):
        raise OSError("disk full")

    monkeypatch.setattr("os.rename", fail)
    with pytest.raises(OSError, match="disk full"):
        tfgen.export(model, tmp_path / "new")
    assert not list((tmp_path / "new").iterdir())


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="Nothing can be written to the folder .*file/vae"):
        tfgen.export(compiled("autoencoder"), tmp_path / "file" / "vae")
