"""`python -m tfgen`: its options, and what it says where a user errs."""

import pathlib
import subprocess
import sys
import zipfile

import keras
import pytest

from tests.specimens import compiled
from tfgen import __main__ as command

OLD = pathlib.Path(__file__).parent / "data" / "commit_7ecd756" / "models"

RENAMED = {
    "--batch=1": "--max-batch-size=1",
    "--rows=2": "--max-request-rows=2",
    "--waiting=3": "--max-queue-rows=3",
    "--seconds=0.5": "--timeout=0.5",
    "--largest=4": "--max-request-mib=4",
}


@pytest.mark.parametrize("old", RENAMED)
def test_old_options_of_the_server_do_what_the_new_ones_do(old):
    new = RENAMED[old]
    with pytest.warns(FutureWarning, match=f"`{old.split('=')[0]}` is .* `{new.split('=')[0]}`"):
        found = vars(command.parse(["serve", old]))
    assert found == vars(command.parse(["serve", new])) != vars(command.parse(["serve"]))


@pytest.mark.slow
def test_an_old_option_s_warning_is_one_plain_line(tmp_path):
    result = subprocess.run(
        [sys.executable, "-m", "tfgen", "serve", str(tmp_path / "nothing"), "--batch=1"],
        capture_output=True,
        text=True,
        timeout=60,
    )
    first, second = result.stderr.splitlines()
    assert first.startswith("Warning: `--batch` is now called `--max-batch-size`.")
    assert second.startswith("tfgen: There is no folder")


def test_a_run_s_folder_is_exported_and_verified_against(tmp_path, capsys):
    (tmp_path / "run").mkdir()
    compiled("wae").save(tmp_path / "run" / "model.keras")
    for model in (tmp_path / "run", tmp_path / "run" / "model.keras"):
        command.main(["export", str(model), str(tmp_path / "exports" / "vae")])
    assert capsys.readouterr().out.split() == [str(tmp_path / f"exports/vae/{n}") for n in (1, 2)]
    command.main(["verify", str(tmp_path / "exports" / "vae"), f"--model={tmp_path / 'run'}"])
    assert f"answers as {tmp_path / 'run'} does" in capsys.readouterr().out


def test_what_cannot_be_exported_is_one_line(tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.keras").write_text("text")
    with zipfile.ZipFile(tmp_path / "zip.keras", "w") as archive:
        archive.writestr("other", "")
    keras.Sequential([keras.Input([2]), keras.layers.Dense(1)]).save(tmp_path / "keras.keras")
    for name, message in {
        "nothing": "There is no model in .*nothing. Expected a `.keras` file, or a run's folder",
        "nothing.keras": "There is no model in",
        "empty": "There is no model in",
        "text.keras": "accessible `.keras` zip file",
        "zip.keras": "zip.keras cannot be loaded: .*config.json",
        "keras.keras": "needs a model that says what its exports answer.* Received: a Sequential",
    }.items():
        with pytest.raises(SystemExit, match=f"(?s)^tfgen: .*{message}"):
            command.main(["export", str(tmp_path / name), str(tmp_path / "exports")])
    assert not (tmp_path / "exports").exists()
    with pytest.raises(SystemExit, match="tfgen: There is no model in"):
        command.main(["verify", str(OLD.parent / "exports" / "gan"), f"--model={tmp_path}"])


def test_litert_is_found_by_its_old_name(tmp_path):
    for target, message in {
        "litert": "There is no SavedModel in",
        "tflite": "There is no SavedModel in",
        "tfite": "`target` must be one of onnx, litert. Received: 'tfite'",
    }.items():
        with pytest.raises(SystemExit, match=f"^tfgen: {message}"):
            command.main(["convert", str(tmp_path), f"--to={target}"])
