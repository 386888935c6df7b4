"""A model that is served stays served while disks fail; what failed is tried again."""

import errno
import gc
import os
import pathlib
import resource
import shutil
import threading

import numpy as np
import psutil
import pytest

from tests.releases import write_served
from tests.servables import half_plus, write
from tfgen.serving import loader, retries, version_folders
from tfgen.serving.choices import Choice
from tfgen.serving.errors import Code, ServingError, without_paths
from tfgen.serving.models import Models, State
from tfgen.serving.servable import Servable
from tfgen.serving.unpack import unpack

FAILURES = [
    errno.EIO,
    *(pytest.param(each, marks=pytest.mark.slow) for each in (errno.ESTALE, errno.EMFILE)),
    pytest.param(errno.EACCES, marks=pytest.mark.slow),
]


@pytest.fixture
def served(tmp_path):
    """Models of a folder that has version 1 of `half`."""
    write(tmp_path, "half", 1, half_plus(1))
    models = Models(tmp_path)
    models.refresh()
    return models


class Disk:
    """Calls a function of `os`, but fails for one path."""

    def __init__(self, monkeypatch, name, path):
        self.code = None
        function = getattr(os, name)

        def call(asked, *arguments, **options):
            if self.code is not None and os.fspath(asked) == os.fspath(path):
                raise OSError(self.code, os.strerror(self.code), str(asked))
            return function(asked, *arguments, **options)

        monkeypatch.setattr(os, name, call)


class Loading:
    """Loads servables, counts that, and fails for as long as there is a reason."""

    def __init__(self, monkeypatch, error=None):
        self.error, self.count = error, 0
        monkeypatch.setattr(loader, "Servable", self)

    def __call__(self, folder):
        self.count += 1
        if self.error is not None:
            raise self.error
        return Servable(folder)


class Clock:
    """The time, which tests set."""

    def __init__(self, monkeypatch):
        self.now = 1000.0
        monkeypatch.setattr(retries, "time", self)

    def monotonic(self):
        return self.now


@pytest.mark.parametrize("code", FAILURES)
def test_a_folder_that_cannot_be_listed_keeps_its_model(served, monkeypatch, caplog, code):
    before = served.get("half")
    disk = Disk(monkeypatch, "listdir", served.root / "half")
    disk.code = code
    for _ in range(3):
        served.refresh()
        assert served.get("half") is before
    (message,) = [each.getMessage() for each in caplog.records if each.levelname == "WARNING"]
    assert message.startswith("half: its folder cannot be read, and stays as it was: ")
    disk.code = None
    served.refresh()
    assert served.get("half") is before
    shutil.rmtree(served.root / "half")
    served.refresh()
    assert served.names() == []


@pytest.mark.parametrize("code", FAILURES)
def test_a_version_that_cannot_be_looked_at_is_kept_and_a_newer_one_takes_over(
    served, monkeypatch, code
):
    before = served.get("half")
    disk = Disk(monkeypatch, "stat", served.root / "half" / "1")
    disk.code = code
    served.refresh()
    assert served.get("half") is before
    write(served.root, "half", 2, half_plus(2))
    served.refresh()
    assert served.get("half").version == 2


@pytest.mark.parametrize("code", FAILURES)
def test_a_folder_of_models_that_cannot_be_listed_keeps_all(served, monkeypatch, code):
    before = served.get("half")
    disk = Disk(monkeypatch, "listdir", served.root)
    disk.code = code
    with pytest.raises(ServingError, match="The folder of models cannot be read") as raised:
        served.refresh()
    assert raised.value.code is Code.UNAVAILABLE and str(served.root) not in raised.value.message
    with pytest.raises(ServingError, match="cannot be read"):
        served.choose({"other": Choice("half")})
    assert served.get("half") is before


def test_too_many_open_files_are_no_reason_to_give_a_model_up(served):
    before = served.get("half")
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    lowest = os.open("/dev/null", os.O_RDONLY)
    os.close(lowest)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest, limits[1]))
    try:
        with pytest.raises(ServingError, match="Too many open files"):
            served.refresh()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    served.refresh()
    assert served.get("half") is before


@pytest.mark.parametrize("code", FAILURES)
def test_a_version_that_cannot_be_read_for_a_moment_is_loaded_later(tmp_path, monkeypatch, code):
    write(tmp_path, "half", 1, half_plus(1))
    clock = Clock(monkeypatch)
    loading = Loading(monkeypatch, OSError(code, os.strerror(code)))
    models = Models(tmp_path)
    models.refresh()
    assert models.status("half")[0].state is State.END and loading.count == 1
    loading.error = None
    models.refresh()
    assert models.names() == [] and loading.count == 1  # not yet
    clock.now += 1
    models.refresh()
    assert models.names() == ["half"] and models.status("half")[0].error == ""


def test_what_is_broken_for_good_is_tried_ever_less_often(tmp_path, monkeypatch, caplog):
    (tmp_path / "half" / "1").mkdir(parents=True)
    clock, loading = Clock(monkeypatch), Loading(monkeypatch, ValueError("broken"))
    models, tried = Models(tmp_path), []
    for _ in range(400):
        before = loading.count
        models.refresh()
        if loading.count > before:
            tried.append(clock.now - 1000)
        clock.now += 1
    assert tried == [0, 1, 3, 7, 15, 31, 63, 123, 183, 243, 303, 363]
    assert [each.levelname for each in caplog.records].count("ERROR") == 1
    (tmp_path / "half" / "1" / "saved_model.pb").write_bytes(b"more")
    models.refresh()
    assert loading.count == len(tried) + 1  # at once: its files are others


def test_a_release_that_cannot_be_opened_for_a_moment_is_opened_later(tmp_path, monkeypatch):
    write_served(tmp_path / "half.tfgen", half_plus(1))
    clock, opened = Clock(monkeypatch), version_folders.open_release

    def fail(path):
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(version_folders, "open_release", fail)
    models = Models(tmp_path)
    models.refresh()
    monkeypatch.setattr(version_folders, "open_release", opened)
    models.refresh()
    assert models.names() == []
    clock.now += 1
    models.refresh()
    assert models.names() == ["half"]


@pytest.mark.slow
def test_a_release_is_served_while_its_next_file_cannot_be_loaded(tmp_path, monkeypatch):
    write_served(tmp_path / "half.tfgen", half_plus(1))
    models = Models(tmp_path)
    models.refresh()
    before, clock = models.get("half"), Clock(monkeypatch)
    loading = Loading(monkeypatch, OSError(errno.EIO, "Input/output error"))
    write_served(tmp_path / "half.tfgen", half_plus(2))
    for _ in range(2):
        models.refresh()
        assert models.get("half") is before and loading.count == 1
    loading.error, clock.now = None, clock.now + 1
    models.refresh()
    answer = models.get("half").signature("serving_default")({"x": np.zeros(1, np.float32)})
    assert answer["y"] == [2]


def test_many_names_of_one_folder_are_loaded_once(served, monkeypatch):
    loading = Loading(monkeypatch)
    names = [f"m{index}" for index in range(600)]
    before = served.get("half")
    served.choose({name: Choice("half") for name in names})
    assert served.names() == sorted(names) and loading.count == 0
    assert all(served.get(name) is before for name in names)
    served.choose({"m0": Choice("half")})
    served.refresh()
    assert served.names() == ["m0"] and served.get("m0") is before
    loading.error = OSError("broken")
    write(served.root, "other", 1, half_plus(1))
    with pytest.raises(ServingError, match="no version to serve"):
        served.choose({name: Choice("other") for name in names})
    assert loading.count == 1 and served.names() == ["m0"]


@pytest.mark.parametrize("by_client", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_no_more_is_loaded_once_nobody_waits_for_it(tmp_path, monkeypatch, by_client):
    for name in "abc":
        write(tmp_path, name, 1, half_plus(1))
    models, given_up = Models(tmp_path), threading.Event()
    loading = Loading(monkeypatch)

    class Ending(Servable):
        def __init__(self, folder):
            super().__init__(folder)
            loading.count += 1
            given_up.set() if by_client else models.stop()

    monkeypatch.setattr(loader, "Servable", Ending)
    with pytest.raises(ServingError, match="given up" if by_client else "shutting down") as raised:
        models.choose({name: Choice(name) for name in "abc"}, given_up)
    assert raised.value.code is Code.UNAVAILABLE
    assert loading.count == 1 and models.names() == [] and not models._loader._versions


def test_what_is_told_of_a_version_names_no_path_of_the_machine(tmp_path):
    for name, content in (("half", b"broken"), ("none", None)):
        folder = tmp_path / "my models" / name / "1"
        folder.mkdir(parents=True)
        if content is not None:
            (folder / "saved_model.pb").write_bytes(content)
    write(tmp_path / "my models", "empty", 1, {})
    models = Models(tmp_path / "my models")
    models.refresh()
    for name in ("half", "none", "empty"):
        (version,) = models.status(name)
        assert version.error and f"{name}/1" in version.error
        assert str(tmp_path) not in version.error and tmp_path.name not in version.error


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Cannot parse file b'/a/b c/m.pb'", "Cannot parse file b'b c/m.pb'"),
        ('File "/usr/lib/x.py", line 3', 'File "x.py", line 3'),
        ("at: /srv/m/1/{a|b}", "at: {a|b}"),
        ("at:/srv/m/1/a", "at:a"),
        ("half/1/saved_model.pb", "half/1/saved_model.pb"),
        ("see https://example.org/a/b", "see https://example.org/a/b"),
        ("1 / 2 and a/b", "1 / 2 and a/b"),
    ],
)
def test_absolute_paths_are_cut_to_the_names_of_their_files(text, expected):
    assert without_paths(text) == expected


def test_hidden_names_and_files_are_no_models(tmp_path):
    write(tmp_path, "half", 1, half_plus(1))
    (tmp_path / "half" / "3").write_text("a file")
    (tmp_path / "half" / "4").symlink_to(tmp_path / "nowhere")
    (tmp_path / "notes.txt").write_text("")
    assert version_folders.VersionFolders(tmp_path).find() == {
        "half": {1: pathlib.Path(tmp_path, "half", "1")}
    }


@pytest.mark.slow
def test_versions_that_are_replaced_leave_no_memory(tmp_path):
    process = psutil.Process()
    path = unpack(pathlib.Path(__file__).parents[1] / "saved_models/cgan_fashion.tfgen", tmp_path)

    def replace(times):
        for _ in range(times):
            servable = Servable(path)
            servable.signature("sample")({"count": np.int32(1), "seed": np.int64(0)})
            del servable
            gc.collect()

    replace(2)
    before = process.memory_info().rss
    replace(8)  # a `tf.function` kept 100 MB of them
    assert process.memory_info().rss - before < 2e7
