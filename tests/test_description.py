"""What the server tells of a model beside its signatures."""

import dataclasses
import json
import shutil

import numpy as np
import pytest
from starlette.testclient import TestClient

import tfgen
from tests.servables import half_plus, write
from tests.specimens import compiled
from tfgen import codes, distributions
from tfgen.serving.backend import Backend
from tfgen.serving.description import describe
from tfgen.serving.metrics import Metrics
from tfgen.serving.models import Models
from tfgen.serving.scheduler import Limits, Scheduler
from tfgen.serving.servable import Servable
from tfgen.serving.server import application


@pytest.fixture
def ask(tmp_path):
    """Serves a folder; yields a function that asks for a path."""
    write(tmp_path, "half", 1, half_plus(1))
    tfgen.export(compiled("gan"), tmp_path / "gan")
    models, scheduler = Models(tmp_path), Scheduler(Limits())
    models.refresh()
    metrics = Metrics(models, scheduler)
    client = TestClient(application(Backend(models, scheduler, metrics)))
    client.metrics = metrics
    yield client
    scheduler.close()


def test_a_version_is_described_while_it_is_served_though_its_files_are_gone(ask, tmp_path):
    before = ask.get("/tfgen/models/gan/versions/1").json()
    assert before["latents"]["size"] == 3 and before["version"] == "1"
    shutil.rmtree(tmp_path / "gan")
    assert ask.get("/tfgen/models/gan/versions/1").json() == before
    assert ask.get("/tfgen/models/gan").json() == before
    assert b'tfgen_requests_total{code="OK",model="gan",protocol="rest"} 3.0' in ask.metrics.text()


def test_what_nobody_described_is_told_by_its_signatures(ask):
    assert ask.get("/tfgen/models/half").json() == {
        "name": "half",
        "version": "1",
        "abilities": [],
    }


@pytest.mark.parametrize(
    ("path", "status", "message"),
    [
        ("/tfgen/models/nothing", 404, "Servable not found for request: Latest(nothing)"),
        ("/tfgen/models/gan/versions/2", 404, "Specific(gan, 2)"),
        ("/tfgen/models/gan/labels/new", 400, "Unrecognized servable version label: new"),
        ("/tfgen/models", 400, "Malformed request: GET /tfgen/models"),
        ("/tfgen/models/gan/more", 400, "Malformed request"),
    ],
)
def test_descriptions_of_what_is_not_there_are_refused(ask, path, status, message):
    response = ask.get(path)
    assert response.status_code == status and message in response.json()["error"]


@pytest.mark.parametrize("content", [b"{", b"\xff", b"[1]"])
def test_a_broken_description_is_logged_and_the_signatures_tell(content, tmp_path, caplog):
    path = write(tmp_path, "half", 1, half_plus(1))
    (path / "assets.extra").mkdir()
    (path / "assets.extra" / "tfgen.json").write_bytes(content)
    assert Servable(path).description == {"abilities": []}
    assert f"What {path} says of its model cannot be read" in caplog.text


@dataclasses.dataclass(frozen=True)
class Sphere(distributions.Prior):
    """A prior of a user's own, which does not describe itself."""

    def distribution(self):
        raise NotImplementedError


def test_a_prior_of_one_s_own_is_of_another_kind():
    model = compiled("mlp_vae")
    model.prior = Sphere(3)
    assert describe(model)["latents"] == {"size": 3, "kind": "other", "path": "straight"}


def test_every_code_describes_what_it_draws():
    uniforms = np.random.default_rng(0).random([100, 3], np.float32)
    for code in (codes.Categorical(4), codes.UniformCode(3)):
        description = code.description
        drawn = np.asarray(code.from_uniform(uniforms[:, : code.uniforms]))
        assert drawn.shape[1] == description["size"]
        if description["kind"] == "uniform":
            assert drawn.min() >= description["low"] and drawn.max() <= description["high"]
        else:
            np.testing.assert_array_equal(np.sort(drawn)[:, -2:], [[0, 1]] * 100)


def test_metadata_cannot_contradict_the_model(tmp_path):
    model = compiled("gan")
    path = tfgen.export(model, tmp_path, {"abilities": [], "recipe": "gan"})
    said = json.loads((path / "assets.extra" / "tfgen.json").read_text())
    assert said["abilities"] == sorted(model.abilities) and said["recipe"] == "gan"
