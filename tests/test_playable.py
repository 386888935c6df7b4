"""The models that come with the project: small, whole, with their cards, served at once."""

import json
import pathlib
import subprocess
import sys
import urllib.request

import pytest

from tests.releases import write_run
from tfgen.serving.release import open_release
from tfgen.serving.verify import verify
from training import train
from training.tools import playable

FOLDER = pathlib.Path(__file__).parent.parent / "saved_models"
MODELS = sorted(FOLDER.glob("*.tfgen"))


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("TFGEN_CACHE", str(tmp_path / "cache"))


def test_they_are_those_that_the_command_makes():
    assert [path.stem for path in MODELS] == sorted(playable.PLAYABLE)


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(path, id=path.stem, marks=[pytest.mark.slow] * (path.stem != "cgan_fashion"))
        for path in MODELS
    ],
)
def test_each_is_small_answers_and_has_its_card_beside_it(path):
    assert path.stat().st_size <= 3_000_000
    release = open_release(path)
    assert path.with_suffix(".md").read_text() == release.card.read_text()
    assert release.manifest["training"]["half_precision"]
    _, compared = verify(path)  # the export answers as the model does
    assert compared == release.model


@pytest.mark.slow
def test_they_are_served_without_a_word_of_warning():
    server = subprocess.Popen(
        [sys.executable, "-m", "tfgen", "serve", "--rest-port=0", "--grpc-port=0"],
        cwd=FOLDER.parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        first, address, *_ = [server.stdout.readline().strip() for _ in range(4)]
        assert "Open the explorer in a browser" in first
        asked = {"signature_name": "sample", "inputs": {"count": 2, "seed": 0}}
        for name in ("cgan_fashion", "vae_fashion"):
            request = urllib.request.Request(
                f"{address}v1/models/{name}:predict", json.dumps(asked).encode()
            )
            with urllib.request.urlopen(request, timeout=60) as answer:
                assert len(json.load(answer)["outputs"]) == 2
    finally:
        server.terminate()
        _, errors = server.communicate(timeout=30)
    assert errors == ""


def test_a_complete_run_is_packed_with_its_card_beside(tmp_path, monkeypatch):
    run = write_run(tmp_path / "vae_demo")
    monkeypatch.setattr(train, "main", lambda arguments: None)
    playable.make("vae_demo", False, run, tmp_path / "shown")
    card = (tmp_path / "shown/vae_demo.md").read_text()
    assert card == open_release(tmp_path / "shown/vae_demo.tfgen").card.read_text()
    assert card.startswith("---\nlibrary_name: keras")
