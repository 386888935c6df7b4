"""What a newcomer's first runs on data of one's own meet: few images, another shape, few steps."""

import json
import pathlib
import subprocess
import sys

import numpy as np
import pytest

import tfgen
from training import train


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def few_images(path, count, shape=(28, 28, 1)):
    """Writes an archive of random images."""
    np.savez(path, x=np.random.default_rng(0).integers(0, 256, (count, *shape), np.uint8))


@pytest.mark.slow
def test_batches_are_no_larger_than_the_data(capsys):
    few_images("few.npz", 20)
    train.main(["vae_fashion", "--data=npz:few.npz", "--epochs=1", "--output=runs/few"])
    printed = capsys.readouterr().out
    assert "Batches of 18, not of 64: there are no more examples." in printed
    settings = json.loads(pathlib.Path("runs/few/config.json").read_text())["settings"]
    assert settings["batch_size"] == 18  # two are held out
    assert "That is few steps: 1. Samples need some thousand" in printed
    # The export is called as the run is: another's of the same recipe stays as it is.
    assert pathlib.Path("saved_models/few/1/saved_model.pb").exists()
    assert not pathlib.Path("saved_models/vae_fashion").exists()
    with pytest.raises(SystemExit, match="Take a smaller one .--batch-size 18.") as raised:
        train.main(["vae_fashion", "--data=npz:few.npz", "--batch-size=19", "--output=runs/more"])
    assert "batch_size=19" in str(raised.value)


@pytest.mark.slow
def test_a_run_of_another_shape_is_left_as_it_is(capsys):
    few_images("grey.npz", 20)
    few_images("colour.npz", 20, (16, 16, 3))
    args = ["vae_fashion", "--epochs=1", "--no-export", "--output=runs/mine"]
    train.main([*args, "--data=npz:grey.npz"])
    before = {path: path.read_bytes() for path in pathlib.Path("runs/mine").glob("*.*")}
    for change in ([], ["--change"]):
        with pytest.raises(SystemExit, match="another model: shape .* -> .16, 16, 3.") as raised:
            train.main([*args, "--data=npz:colour.npz", *change])
        assert "--change" not in str(raised.value) and "--output" in str(raised.value)
    after = {path: path.read_bytes() for path in pathlib.Path("runs/mine").glob("*.*")}
    assert after == before
    assert tfgen.load("runs/mine").encoder.input_shape == (None, 28, 28, 1)


@pytest.mark.parametrize(
    "module, arguments", [("training.train", []), ("tfgen.__main__", ["configure"])]
)
def test_without_tensorflow_it_says_where_it_is(module, arguments):
    root = str(pathlib.Path(tfgen.__file__).parents[1])
    command = (
        f"import sys, importlib.util; sys.path.insert(0, {root!r});"
        "found = importlib.util.find_spec;"
        "importlib.util.find_spec = lambda name: None if name == 'tensorflow' else found(name);"
        f"import importlib; importlib.import_module({module!r}).main({arguments})"
    )
    result = subprocess.run([sys.executable, "-c", command], capture_output=True, text=True)
    assert result.returncode == 1
    assert result.stderr.startswith("TensorFlow is not installed for ")
    assert "source .venv/bin/activate" in result.stderr and result.stderr.count("\n") == 1
