"""Which versions of which models a configuration chooses."""

import pytest
from google.protobuf import text_format
from tensorflow_serving.config import model_server_config_pb2

from tests.servables import half_plus, write
from tfgen.serving.choices import Choice, choices_of, read_choices
from tfgen.serving.configuration import configure
from tfgen.serving.errors import Code, ServingError
from tfgen.serving.models import Models, State

MODEL = 'name: "half" base_path: "/models/folder/"'


def choices(*models):
    text = "".join(f"config {{ {model} }} " for model in models)
    config = model_server_config_pb2.ModelServerConfig()
    return choices_of(text_format.Parse(f"model_config_list {{ {text} }}", config))


def served(models, name="half"):
    versions = models.status(name)
    return sorted(each.number for each in versions if each.state is State.AVAILABLE)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    for number in (1, 2, 3):
        write(folder, "folder", number, half_plus(number))
    return folder


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ("", [3]),
        ("model_version_policy { latest {} }", [3]),
        ("model_version_policy { latest { num_versions: 2 } }", [2, 3]),
        ("model_version_policy { all {} }", [1, 2, 3]),
        ("model_version_policy { specific { versions: 1 versions: 3 } }", [1, 3]),
    ],
)
def test_versions_are_those_of_the_policy(folder, policy, expected):
    models = Models(folder)
    models.choose(choices(f"{MODEL} {policy}"))
    assert models.names() == ["half"] and served(models) == expected


def test_a_label_is_another_name_of_a_version(folder):
    policy = "model_version_policy { all {} }"
    models = Models(folder)
    models.choose(choices(f'{MODEL} {policy} version_labels {{ key: "stable" value: 2 }}'))
    assert models.get("half", label="stable").version == 2 and models.get("half").version == 3
    (status,) = models.status("half", label="stable")
    assert status.number == 2
    with pytest.raises(ServingError, match="Unrecognized servable version label: canary"):
        models.get("half", label="canary")


def test_other_choices_take_the_place_of_those_before(folder):
    models = Models(folder)
    models.refresh()
    assert models.names() == ["folder"] and served(models, "folder") == [3]
    models.choose({"half": Choice("folder", numbers=frozenset([1]), labels={"old": 1})})
    assert models.names() == ["half"] and models.get("half", label="old").version == 1
    with pytest.raises(ServingError, match=r"Latest\(folder\)"):
        models.get("folder")
    models.refresh()  # which looks for them again
    assert models.names() == ["half"] and served(models) == [1]


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        (Choice("folder", numbers=frozenset([1]), labels={"new": 2}), "version 2 of model half"),
        (Choice("folder", labels={"new": 2}), "version 2 of model half"),
        (Choice("nothing"), "no version to serve of half"),
        (Choice("folder", numbers=frozenset([9])), "no version to serve of half"),
    ],
)
def test_choices_that_cannot_be_met_change_nothing(folder, choice, message):
    models = Models(folder)
    models.choose({"half": Choice("folder", labels={"new": 3})})
    loaded = models.get("half")
    with pytest.raises(ServingError, match=message) as raised:
        models.choose({"half": choice, "other": Choice("folder")})
    assert raised.value.code is Code.FAILED_PRECONDITION
    assert models.names() == ["half"] and served(models) == [3]
    assert models.get("half", label="new") is loaded  # it was never given up


def test_a_label_is_there_as_long_as_one_of_its_versions(folder, monkeypatch):
    models, asked = Models(folder), []
    models.choose({"half": Choice("folder", numbers=frozenset([1]), labels={"new": 1})})
    load = models._load

    def load_and_ask(*arguments):
        asked.append(models.get("half", label="new").version)
        return load(*arguments)

    monkeypatch.setattr(models, "_load", load_and_ask)
    models.choose({"half": Choice("folder", numbers=frozenset([2]), labels={"new": 2})})
    assert asked == [1] and models.get("half", label="new").version == 2


def test_another_folder_is_another_model(tmp_path):
    write(tmp_path, "a", 1, half_plus(1))
    write(tmp_path, "b", 1, half_plus(2))
    models = Models(tmp_path)
    models.choose({"half": Choice("a")})
    models.choose({"half": Choice("b")})
    assert models.get("half").path == tmp_path / "b" / "1" and served(models) == [1]


def test_another_folder_that_is_broken_is_refused_and_the_first_stays(tmp_path):
    write(tmp_path, "a", 1, half_plus(1))
    (tmp_path / "b" / "1").mkdir(parents=True)
    (tmp_path / "b" / "1" / "saved_model.pb").write_bytes(b"no model")
    models = Models(tmp_path)
    models.choose({"half": Choice("a")})
    with pytest.raises(ServingError, match="no version to serve of half"):
        models.choose({"half": Choice("b")})
    assert models.get("half").path == tmp_path / "a" / "1"
    models.refresh()
    assert models.get("half").path == tmp_path / "a" / "1"


def test_names_of_earlier_choices_do_not_gather(folder):
    models = Models(folder)
    for number in range(4):
        models.choose({f"{number}-{each}": Choice("folder") for each in range(5)})
    assert models.names() == [f"3-{each}" for each in range(5)]
    (given_up,) = models.status("2-0")  # told once more
    assert given_up.state is State.END
    with pytest.raises(ServingError, match="Could not find any versions of model 1-0"):
        models.status("1-0")


@pytest.mark.parametrize(
    ("models", "message"),
    [
        (['base_path: "/models/half"'], "name of its own. Received: ''"),
        ([MODEL, MODEL], "name of its own. Received: 'half'"),
        (['name: "half"'], "base path of half must be that of a folder. Received: ''"),
        (['name: "half" base_path: "/models/.."'], "must be that of a folder"),
        ([f'{MODEL} model_platform: "caffe"'], "must be 'tensorflow'. Received: 'caffe'"),
    ],
)
def test_what_is_not_served_is_refused(models, message):
    with pytest.raises(ValueError, match=message):
        choices(*models)


def test_a_base_path_leads_nowhere_but_to_a_folder_of_the_root():
    found = choices('name: "a" base_path: "../../etc"', 'name: "b" base_path: "gs://bucket/b/"')
    assert [choice.folder for choice in found.values()] == ["etc", "b"]


def test_the_file_that_configure_writes_is_read(folder):
    configure(folder)
    assert read_choices(folder / "models.config") == {"folder": Choice("folder")}


@pytest.mark.parametrize("content", [b"nothing { }", b"\xff", b"", b"custom_model_config { }"])
def test_a_file_that_chooses_nothing_is_told(tmp_path, content):
    file = tmp_path / "models.config"
    file.write_bytes(content)
    with pytest.raises(ValueError, match=r"models.config does not tell which models to serve: "):
        read_choices(file)
