"""Users are told whose programs they run, and who reaches their server, when it matters."""

import json
import logging
import pathlib
import shutil

import pytest

import tfgen
from tests.releases import write_release
from tests.servables import half_plus, write
from tests.specimens import compiled
from tests.test_server import started
from tfgen import __main__ as command
from tfgen.serving.release import digest_of
from tfgen.serving.trust import PROGRAM, remarks_on
from tfgen.serving.verify import verify


@pytest.fixture(scope="module")
def release(tmp_path_factory):
    return write_release(tmp_path_factory.mktemp("packed") / "tiny.tfgen")[0]


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "::1", "localhost"])
def test_of_a_server_for_this_machine_nothing_is_remarked(host):
    assert remarks_on(host, None) == remarks_on(host, "secret") == []


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.0.7", "gpu-box"])
def test_of_a_server_that_others_reach_token_and_encryption_are_remarked(host):
    whoever, plain = remarks_on(host, None)
    assert f"Whoever reaches {host} can ask these models" in whoever and "--token-file" in whoever
    assert "are not encrypted" in plain and "TLS" in plain
    (plain,) = remarks_on(host, "secret")
    assert "the token are not encrypted" in plain


@pytest.mark.slow
def test_the_server_says_what_it_serves_and_who_reaches_it(tmp_path):
    with started(tmp_path, "--host=0.0.0.0") as (process, _, _):
        process.terminate()
        said = process.communicate()[1]
    assert said.splitlines()[:2] == remarks_on("0.0.0.0", None)


@pytest.mark.slow
def test_the_server_says_whose_programs_it_runs(release, tmp_path):
    """A release is somebody's; so is a SavedModel that tfgen did not export."""
    with started(release) as (process, _, _):
        process.terminate()
        assert f"{release} holds a SavedModel. {PROGRAM}" in process.communicate()[1]
    write(tmp_path / "both", "half", 1, half_plus(2))
    tfgen.export(compiled("wae"), tmp_path / "both" / "mine")
    with started(tmp_path / "both") as (process, _, _):
        process.terminate()
        said = process.communicate()[1]
    assert said.splitlines() == [f"half: not exported by tfgen. {PROGRAM}"]


def test_an_address_says_what_its_release_holds(release, caplog):
    with caplog.at_level(logging.WARNING):
        tfgen.load(release)
        assert PROGRAM not in caplog.text  # a file is the user's own
        tfgen.load(f"file://{release}#sha256={digest_of(release)}")
    assert PROGRAM in caplog.text


def test_unpacking_and_verifying_a_release_say_so(release, tmp_path, capsys):
    command.main(["unpack", str(release), str(tmp_path / "models")])
    assert PROGRAM in capsys.readouterr().err
    command.main(["verify", str(release)])
    assert PROGRAM in capsys.readouterr().err


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A folder with an export and with the run that it says it is of."""
    folder, model = tmp_path_factory.mktemp("made"), compiled("wae")
    (folder / "runs/mine").mkdir(parents=True)
    model.save(folder / "runs/mine/model.keras")
    tfgen.export(model, folder / "saved_models/mine", {"recipe": "mine"})
    return folder


@pytest.fixture
def exported(made, tmp_path, monkeypatch):
    """An export that a test may spoil, with its run, in the current folder."""
    monkeypatch.chdir(shutil.copytree(made, tmp_path / "here"))
    return pathlib.Path("saved_models/mine/1").resolve()


def test_verifying_one_s_own_run_says_nothing_of_trust(exported, capsys):
    command.main(["verify", str(exported)])
    assert PROGRAM not in capsys.readouterr().err
    description = exported / "assets.extra" / "tfgen.json"
    description.write_text(json.dumps({"recipe": "of_others"}))
    command.main(["verify", str(exported)])
    assert PROGRAM in capsys.readouterr().err


@pytest.mark.parametrize("recipe", ["../mine", "../runs/mine", "mine/", ".", "..", "", 3, "a\0b"])
def test_a_recipe_s_name_leads_to_no_other_folder(exported, recipe):
    pathlib.Path("mine").mkdir()
    pathlib.Path("mine/model.keras").write_bytes(b"not to be read")
    for folder in ("runs", "."):
        pathlib.Path(folder, "model.keras").write_bytes(b"not to be read")
    (exported / "assets.extra" / "tfgen.json").write_text(json.dumps({"recipe": recipe}))
    assert verify(exported)[1] is None


def test_an_absolute_path_is_no_recipe_s_name(exported):
    run = pathlib.Path("runs/mine").resolve()
    (exported / "assets.extra" / "tfgen.json").write_text(json.dumps({"recipe": str(run)}))
    assert verify(exported)[1] is None
