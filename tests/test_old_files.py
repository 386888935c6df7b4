"""Files of an earlier version load, go on and end as they would have then."""

import pathlib
import shutil
import subprocess
import sys
import zipfile

import h5py
import numpy as np
import pytest

import tfgen
from tests.old_files import reads_old_files
from tests.specimens import batch, each_of, made, weights

FOLDER = pathlib.Path(__file__).parent / "data" / "commit_7ecd756"
NAMES = sorted(path.stem for path in (FOLDER / "models").glob("*.keras"))


@reads_old_files
@each_of(NAMES, {"conv_vae", "cgan"})
def test_a_saved_model_answers_and_goes_on(name):
    expected = np.load(FOLDER / "models" / "expected.npz")
    model = tfgen.load(FOLDER / "models" / f"{name}.keras")
    model.specimen = name
    np.testing.assert_allclose(made(model), expected[f"{name}/made"], rtol=1e-5, atol=1e-6)
    model.fit(*batch(name), batch_size=8, shuffle=False, verbose=0)
    sums = [np.sum(value.astype(np.float64)) for _, value in weights(model)]
    then = [expected[f"{name}/sum/{index}"] for index in range(len(sums))]
    # Other processors round otherwise, and Adam makes steps of that where a gradient is nearly 0.
    np.testing.assert_allclose(sums, then, rtol=1e-3, atol=0.05)


def test_there_is_one_of_each_family():
    assert {"mlp_vae", "gan", "cgan", "infogan", "began", "cyclegan"} < set(NAMES)


@pytest.mark.slow
def test_a_run_s_folder_goes_on_to_the_same_end(tmp_path):
    run = tmp_path / "run"
    shutil.copytree(FOLDER / "run", run)
    command = ["training.train", "infogan_demo", "--epochs=300", "--no-export", f"--output={run}"]
    result = subprocess.run([sys.executable, "-m", *command], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert "Going on after epoch 65 of 300" in result.stdout
    found, then = (arrays(path) for path in (run / "model.keras", FOLDER / "run_end.keras"))
    assert [each.shape for each in found] == [each.shape for each in then]
    # Other processors round otherwise, see above: single weights differ, the whole does not. Of
    # another run's weights the difference is as large as they are.
    found, then = (
        np.concatenate([each.ravel() for each in part if each.ndim]) for part in (found, then)
    )
    assert np.linalg.norm(found - then) < 0.15 * np.linalg.norm(then)
    rows = [len((folder / "log.csv").read_text().splitlines()) for folder in (run, FOLDER / "run")]
    assert rows == [301, 66]


def arrays(path):
    """Returns all arrays of a `.keras` file's weights, in the order of their names."""
    found = []
    with zipfile.ZipFile(path).open("model.weights.h5") as file, h5py.File(file) as weights:
        weights.visititems(
            lambda _, item: found.append(item[()]) if isinstance(item, h5py.Dataset) else None
        )
    return found
