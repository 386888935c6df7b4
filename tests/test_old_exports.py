"""An export of an earlier version (commit 7ecd756) is served, described and verified."""

import pathlib
import shutil

import httpx2
import numpy as np
import pytest

import tfgen
from tests.old_files import reads_old_files
from tests.test_server import started
from tfgen import __main__ as command
from tfgen.serving.client import GrpcClient, RestClient

OLD = pathlib.Path(__file__).parent / "data" / "commit_7ecd756"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return shutil.copytree(OLD / "exports", tmp_path_factory.mktemp("old") / "exports")


@pytest.mark.slow
@reads_old_files
def test_an_old_export_is_served_and_answers_as_its_model_did(folder):
    model = tfgen.load(OLD / "models" / "gan.keras")
    latents = np.random.default_rng(0).uniform(-1, 1, [4, 3]).astype(np.float32)
    with np.load(OLD / "models" / "expected.npz") as file:
        made = file["gan/made"]  # sample(3, seed=0)
    with started(folder) as (_, rest, grpc_address):
        for client in (RestClient(rest), GrpcClient(grpc_address)):
            drawn = client.predict("gan", "sample", count=np.int32(3), seed=np.int64(0))
            np.testing.assert_allclose(drawn["images"], made, rtol=1e-5, atol=1e-6)
            answer = client.predict("gan", latents=latents)
            np.testing.assert_allclose(answer["images"], model.generate(latents), atol=1e-5)
        described = httpx2.get(f"{rest}/tfgen/models/gan").json()
    assert described == {
        "name": "gan",
        "version": "1",
        "abilities": ["discriminate", "generate", "sample"],
        "latents": {"size": 3, "kind": "other", "path": "straight"},
    }


@reads_old_files
def test_an_old_export_is_verified(folder, capsys):
    command.main(["verify", str(folder / "gan"), f"--model={OLD / 'models' / 'gan.keras'}"])
    printed = capsys.readouterr().out
    assert "sample              count int32 [], seed int64 [] -> images float32" in printed
    assert "every signature answers" in printed
