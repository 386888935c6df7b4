"""Which versions of which models are served."""

import shutil
import weakref

import numpy as np
import pytest

from tests.releases import write_served
from tests.servables import half_plus, write
from tfgen.serving.choices import Choice
from tfgen.serving.errors import Code, ServingError
from tfgen.serving.models import Models, State


def states(models, name="half"):
    return {version.number: version.state for version in models.status(name)}


def asked(models, *which):
    return models.get("half", *which).signature("serving_default")({"x": np.zeros(1, np.float32)})


def test_new_versions_take_over_and_what_runs_goes_on(tmp_path):
    write(tmp_path, "half", 1, half_plus(1))
    models = Models(tmp_path)
    models.refresh()
    assert states(models) == {1: State.AVAILABLE}
    old = models.get("half")
    write(tmp_path, "half", 3, half_plus(3))
    assert asked(models)["y"] == [1]
    models.refresh()
    assert states(models) == {3: State.AVAILABLE, 1: State.END}
    assert asked(models)["y"] == [3] and asked(models, 3)["y"] == [3]
    assert old.signature("serving_default")({"x": np.zeros(1, np.float32)})["y"] == [1]
    with pytest.raises(ServingError, match=r"Specific\(half, 1\)") as raised:
        models.get("half", 1)
    assert raised.value.code is Code.NOT_FOUND


def test_a_version_that_cannot_be_loaded_leaves_the_old_one_in_place(tmp_path):
    write(tmp_path, "half", 1, half_plus(1))
    broken = tmp_path / "half" / "2"
    broken.mkdir()
    (broken / "saved_model.pb").write_bytes(b"broken")
    models = Models(tmp_path)
    models.refresh()
    assert states(models) == {2: State.END, 1: State.AVAILABLE}
    (failed,) = models.status("half", 2)
    assert failed.error
    loaded = models.get("half")
    models.refresh()
    assert models.get("half") is loaded and models.status("half", 2)[0] is failed  # not again


def test_a_version_whose_copy_is_not_complete_is_loaded_once_it_is(tmp_path):
    complete = write(tmp_path / "elsewhere", "half", 1, half_plus(1))
    copied = tmp_path / "half" / "1"
    copied.mkdir(parents=True)
    (copied / "saved_model.pb").write_bytes((complete / "saved_model.pb").read_bytes()[:99])
    models = Models(tmp_path)
    models.refresh()
    assert states(models) == {1: State.END} and models.names() == []
    shutil.copytree(complete, copied, dirs_exist_ok=True)
    models.refresh()
    assert states(models) == {1: State.AVAILABLE} and models.names() == ["half"]


@pytest.mark.slow
def test_where_the_newest_version_is_taken_away_the_one_before_is_back(tmp_path):
    for number in (1, 2):
        write(tmp_path, "half", number, half_plus(number))
    models = Models(tmp_path)
    models.refresh()
    assert states(models) == {2: State.AVAILABLE}
    shutil.rmtree(tmp_path / "half" / "2")
    models.refresh()
    assert states(models) == {2: State.END, 1: State.AVAILABLE} and asked(models)["y"] == [1]
    shutil.rmtree(tmp_path / "half")
    models.refresh()
    with pytest.raises(ServingError, match=r"Latest\(half\)"):
        models.get("half")
    assert models.names() == []


def test_only_numbered_folders_of_visible_models_are_read(tmp_path):
    write(tmp_path, "half", 1, half_plus(1))
    (tmp_path / "half" / ".unfinished-1").mkdir()
    (tmp_path / "half" / "latest").mkdir()
    (tmp_path / "empty").mkdir()
    (tmp_path / "README.md").write_text("")
    write(tmp_path, ".hidden", 1, half_plus(1))
    models = Models(tmp_path)
    models.refresh()
    assert models.names() == ["half"]
    with pytest.raises(ServingError, match="Could not find any versions of model empty"):
        models.status("empty")


def test_one_bad_folder_does_not_keep_the_others_from_being_served(tmp_path):
    write(tmp_path, "half", 1, half_plus(1))
    broken = tmp_path / "a" / "1"
    broken.mkdir(parents=True)
    (broken / "saved_model.pb").symlink_to(tmp_path / "nowhere")
    (tmp_path / "half" / str(2**63)).mkdir()  # no number of 64 bits
    models = Models(tmp_path)
    for _ in range(2):
        models.refresh()
        assert models.names() == ["half"] and states(models) == {1: State.AVAILABLE}


def test_a_release_is_served_by_its_file_s_name(tmp_path):
    write_served(tmp_path / "any.tfgen", half_plus(1)).rename(tmp_path / "half.tfgen")
    write(tmp_path, "other", 2, half_plus(2))
    models = Models(tmp_path)
    models.refresh()
    assert models.names() == ["half", "other"]
    assert states(models) == {1: State.AVAILABLE} and asked(models)["y"] == [1]
    loaded = models.get("half")
    models.refresh()
    assert models.get("half") is loaded  # not again


@pytest.mark.slow
def test_releases_come_change_and_go_while_they_are_served(tmp_path):
    models = Models(tmp_path)
    models.refresh()
    assert models.names() == []
    for amount in (1, 2):
        write_served(tmp_path / "half.tfgen", half_plus(amount))
        models.refresh()
        assert states(models) == {1: State.AVAILABLE} and asked(models)["y"] == [amount]
    (tmp_path / "half.tfgen").unlink()
    models.refresh()
    assert models.names() == []


@pytest.mark.slow
def test_a_folder_of_versions_comes_before_a_release_of_its_name(tmp_path):
    write_served(tmp_path / "half.tfgen", half_plus(1))
    (tmp_path / "half").mkdir()
    models = Models(tmp_path)
    models.refresh()
    assert asked(models)["y"] == [1]  # the folder is empty yet
    write(tmp_path, "half", 1, half_plus(5))
    models.refresh()
    assert states(models) == {1: State.AVAILABLE} and asked(models)["y"] == [5]
    shutil.rmtree(tmp_path / "half")
    models.refresh()
    assert asked(models)["y"] == [1]


def test_a_broken_release_is_logged_once_and_the_others_are_served(tmp_path, caplog):
    write_served(tmp_path / "half.tfgen", half_plus(1))
    (tmp_path / "broken.tfgen").write_bytes(b"broken")
    (tmp_path / "folder.tfgen").mkdir()
    write_served(tmp_path / ".hidden.tfgen", half_plus(1))
    models = Models(tmp_path)
    for _ in range(2):
        models.refresh()
        assert models.names() == ["half"]
    (message,) = [each.getMessage() for each in caplog.records if each.levelname == "ERROR"]
    assert message.startswith("broken: ") and "no release file" in message
    write_served(tmp_path / "broken.tfgen", half_plus(2))
    models.refresh()
    assert models.names() == ["broken", "half"]


def test_a_release_that_is_overwritten_is_served_until_the_new_one_is_whole(tmp_path):
    path = write_served(tmp_path / "half.tfgen", half_plus(1))
    models = Models(tmp_path)
    models.refresh()
    whole = write_served(tmp_path / "elsewhere" / "half.tfgen", half_plus(2)).read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    models.refresh()
    assert states(models) == {1: State.AVAILABLE} and asked(models)["y"] == [1]
    path.write_bytes(whole)
    models.refresh()
    assert asked(models)["y"] == [2]


def test_a_release_can_be_chosen_by_its_folder(tmp_path):
    write_served(tmp_path / "half.tfgen", half_plus(1))
    models = Models(tmp_path)
    models.choose({"mine": Choice("half", labels={"stable": 1})})
    assert models.names() == ["mine"] and models.get("mine", label="stable").version == 1


def test_what_is_given_up_is_freed(tmp_path):
    write(tmp_path, "half", 1, half_plus(1))
    models = Models(tmp_path)
    models.refresh()
    old = weakref.ref(models.get("half"))
    write(tmp_path, "half", 2, half_plus(2))
    models.refresh()
    assert old() is None


def test_a_saved_model_without_signatures_is_not_served(tmp_path):
    write(tmp_path, "half", 1, {})
    models = Models(tmp_path)
    models.refresh()
    assert "has no signatures" in models.status("half")[0].error


def test_a_folder_that_is_not_there_is_told(tmp_path):
    with pytest.raises(NotADirectoryError, match="no folder .*nothing of models to serve"):
        Models(tmp_path / "nothing")
