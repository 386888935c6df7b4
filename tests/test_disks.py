"""Full and broken disks, and disks without locks: no computed result is lost, and it is said."""

import contextlib
import errno
import json
import os
import shutil
import types

import keras
import numpy as np
import pytest
import tensorflow as tf

import tfgen
from tests.broken_disks import (
    REFUSALS,
    fill,
    leave_unfinished,
    refuse,
    refuse_locks,
    small_disk,
)
from tests.specimens import assert_same, compiled, fit, images, weights
from tfgen import data
from tfgen.callbacks import Checkpoint, SampleGrid
from tfgen.callbacks.events import optional_events
from tfgen.evaluation import ClassifierFeatures
from tfgen.evaluation.cache import cached_arrays, cached_features
from tfgen.utils import cache, files
from tfgen.utils.disk import needed, optional
from training import train
from training.runs import fitting
from training.runs.run_folder import RunFolder

NO_LOCKS = [errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOSYS]


# --- One file


@pytest.mark.parametrize("number", REFUSALS)
def test_a_refused_file_is_named_with_reason_and_mend_and_the_old_one_stays(
    number, tmp_path, monkeypatch
):
    path = tmp_path / "results.json"
    path.write_text("old")
    refuse(monkeypatch, "results.json", number)
    with pytest.raises(OSError) as raised, files.atomic_write(path) as temporary:
        temporary.write_text("new")
    mend = {errno.ENOSPC: "make room", errno.EDQUOT: "your quota", errno.EIO: "check its disk"}
    text = str(raised.value)
    assert text.startswith(f"{path} could not be written ({os.strerror(number)}). To mend it, ")
    assert mend[number] in text and "\n" not in text
    assert path.read_text() == "old" and list(tmp_path.iterdir()) == [path]


def test_a_really_full_disk_is_told_so(tmp_path):
    with small_disk(tmp_path / "disk", free=0):
        path = tmp_path / "disk" / "array.npz"
        with pytest.raises(OSError, match="array.npz could not be written .No space left.*room"):
            with files.atomic_write(path) as temporary:
                np.savez(temporary, zeros=np.zeros(10_000))
        assert [each.name for each in path.parent.iterdir()] == ["filler"]


def test_other_errors_stay_what_they_are(tmp_path):
    for error in (ValueError("a mistake"), ConnectionError("no network"), KeyError("name")):
        with pytest.raises(type(error)) as raised, needed(tmp_path):
            raise error
        assert raised.value is error
    with pytest.raises(ValueError, match="a mistake"), optional("The pictures"):
        raise ValueError("a mistake")


def test_what_tensorflow_and_hdf5_say_of_a_disk_is_understood(tmp_path):
    full = tf.errors.ResourceExhaustedError(None, None, "{{node}} /x/y; No space left on device\n")
    for error in (full, RuntimeError("write failed: errno = 28, 'No space left on device'")):
        with pytest.raises(OSError, match=r"^x could not be written \(No space left on device\)"):
            with needed("x"):
                raise error


# --- What killed processes leave


def test_what_a_killed_process_left_is_cleared_by_the_next_one_that_writes(tmp_path):
    leave_unfinished(tmp_path, "saved_model.pb")
    leave_unfinished(tmp_path, "saved_model.pb")
    with files.atomic_write(tmp_path / "file") as path:
        path.write_text("whole")
    assert [each.name for each in tmp_path.iterdir()] == ["file"]


def test_what_a_living_process_writes_is_left_alone(tmp_path):
    with files.unfinished(tmp_path) as first:
        (first / "part").write_text("half")
        os.utime(first, (0, 0))  # however old it is
        with files.unfinished(tmp_path) as second:
            assert first != second
        assert (first / "part").read_text() == "half"
    assert list(tmp_path.iterdir()) == []


def test_without_a_lock_a_day_decides(tmp_path):
    for name, days in (("old", 1.1), ("new", 0.9)):
        path = tmp_path / f".unfinished-{name}"
        path.mkdir()
        then = path.stat().st_mtime - days * 24 * 3600
        os.utime(path, (then, then))
    files.clear_unfinished(tmp_path)
    assert [each.name for each in tmp_path.iterdir()] == [".unfinished-new"]


def test_a_folder_that_another_process_clears_is_made_again(tmp_path, monkeypatch):
    made, genuine = [], files.lock

    def lock(file):
        made.append(os.path.dirname(file.name))
        if len(made) == 1:  # it holds the lock now
            raise BlockingIOError(errno.EAGAIN, "taken")
        if len(made) == 2:  # it is done
            shutil.rmtree(made[-1])
        return genuine(file)

    monkeypatch.setattr(files, "lock", lock)
    with files.unfinished(tmp_path) as path:
        assert str(path) == made[2] and path.exists()


def test_no_file_is_open_in_a_folder_that_is_removed(tmp_path, monkeypatch):
    # NFS keeps such a file, and its folder with it.
    leave_unfinished(tmp_path, "half")
    removed, genuine = [], shutil.rmtree

    def rmtree(path, **options):
        links = (f"/proc/self/fd/{each}" for each in os.listdir("/proc/self/fd"))
        opened = [os.readlink(each) for each in links if os.path.lexists(each)]
        assert not [each for each in opened if each.startswith(str(path))]
        removed.append(path)
        genuine(path, **options)

    monkeypatch.setattr(shutil, "rmtree", rmtree)
    with files.atomic_write(tmp_path / "file") as path:
        path.write_text("whole")
    assert len(removed) == 2


def test_the_next_export_clears_what_a_killed_one_left(tmp_path):
    leave_unfinished(tmp_path, "saved_model.pb")
    assert tfgen.export(compiled("autoencoder"), tmp_path).name == "1"
    assert [each.name for each in tmp_path.iterdir()] == ["1"]


# --- Disks without locks


@pytest.mark.parametrize("number", NO_LOCKS)
def test_a_run_goes_on_without_a_lock_and_says_what_is_lost(number, tmp_path, monkeypatch):
    refuse_locks(monkeypatch, number)
    folder = RunFolder(tmp_path / str(number))
    with pytest.warns(UserWarning, match=f"The disk of {folder.path} has no locks.*--output"):
        with folder.taken():
            assert (folder.path / "lock").read_text().startswith("process ")
    with files.atomic_write(folder.config) as path:
        path.write_text("{}")
    assert {each.name for each in folder.path.iterdir()} == {"lock", "config.json"}


def test_the_cache_goes_on_without_a_lock(tmp_path, monkeypatch):
    refuse_locks(monkeypatch, errno.ENOLCK)
    with pytest.warns(UserWarning, match=f"{tmp_path} has no locks.*TFGEN_CACHE") as warned:
        for name in ("one", "two"):
            with cache.locked(tmp_path / name):
                pass
    assert len(warned) == 1


def test_a_lock_that_fails_for_another_reason_is_an_error(tmp_path, monkeypatch):
    refuse_locks(monkeypatch, errno.EBADF)
    with pytest.raises(OSError, match="Bad file descriptor"), RunFolder(tmp_path).taken():
        pytest.fail("it was taken")


def test_a_full_disk_has_locks_still(tmp_path):
    with small_disk(tmp_path / "run", free=0):
        with RunFolder(tmp_path / "run").taken():
            with pytest.raises(OSError, match="Another run is writing to"):
                with RunFolder(tmp_path / "run").taken():
                    pytest.fail("it was taken twice")


# --- The cache


class Slow:
    """Features that take long."""

    name, checksum = "slow", "0"

    def __init__(self):
        self.calls = 0

    def __call__(self, source, progress=False):
        self.calls += 1
        return np.full([len(source), 2000], 7, np.float32)


def test_features_are_given_where_the_cache_is_full(tmp_path, monkeypatch):
    monkeypatch.setenv("TFGEN_CACHE", str(tmp_path / "cache"))
    features, sources = Slow(), [data.Source(images(count)) for count in (8, 9)]
    with small_disk(tmp_path / "cache", free=4096):
        with pytest.warns(UserWarning, match="The cache .*cache could not .*No space left") as told:
            for source in sources:
                assert (cached_features(features, source) == 7).all()
        assert len(told) == 1 and features.calls == 2
        (tmp_path / "cache" / "filler").unlink()
        for _ in range(2):
            assert (cached_features(features, sources[0]) == 7).all()
        assert features.calls == 3


def test_features_are_given_where_the_cache_is_no_folder(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("TFGEN_CACHE", str(tmp_path / "file"))
    with pytest.warns(UserWarning, match="The cache .*file could not be written"):
        assert cached_arrays("key", lambda: {"zeros": np.zeros(3)})["zeros"].shape == (3,)


def test_what_computing_raises_is_raised(tmp_path, monkeypatch):
    monkeypatch.setenv("TFGEN_CACHE", str(tmp_path))
    with pytest.raises(OSError, match="images are gone"):
        cached_arrays("key", lambda: (_ for _ in ()).throw(OSError("the images are gone")))


def test_a_classifier_is_used_where_it_cannot_be_kept(tmp_path, monkeypatch):
    monkeypatch.setenv("TFGEN_CACHE", str(tmp_path / "cache"))
    labelled = data.Source(images(16), np.arange(16) % 2)
    with small_disk(tmp_path / "cache", free=0):
        with pytest.warns(UserWarning, match="The cache .* could not be written"):
            features = ClassifierFeatures(labelled, labelled)
        assert features(labelled).shape == (16, 128)


# --- Callbacks


def test_pictures_are_left_out_on_a_full_disk_and_the_weights_are_the_same(tmp_path):
    undisturbed, model = compiled("mlp_vae"), compiled("mlp_vae")
    fit(undisturbed, epochs=3)
    with small_disk(tmp_path / "run", free=0):
        with pytest.warns(UserWarning) as told:
            fit(model, SampleGrid(tmp_path / "run"), epochs=3)
        assert not list((tmp_path / "run").rglob("*.png"))
    texts = [str(each.message) for each in told]
    assert len(texts) == len(set(texts)) == 2  # of pictures, and of TensorBoard's
    assert all("Going on without. To mend it, make room on its disk." in text for text in texts)
    assert_same(weights(model), weights(undisturbed))


@pytest.mark.slow
def test_pictures_are_drawn_again_when_there_is_room(tmp_path):
    class Room(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 2:
                (tmp_path / "run" / "filler").unlink()

    with small_disk(tmp_path / "run", free=0):
        with pytest.warns(UserWarning, match="Going on without"):
            fit(compiled("mlp_vae"), Room(), SampleGrid(tmp_path / "run"), epochs=3)
        (path,) = (tmp_path / "run").rglob("*.png")
        assert path.name == "samples-0003.png"


@pytest.mark.slow
def test_events_are_left_out_on_a_disk_that_fills_up(tmp_path):
    folder = tmp_path / "tensorboard"

    class Full(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 1:
                fill(folder)

    model = keras.Sequential([keras.Input([2]), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    examples = np.ones([8, 2]), np.ones([8, 1])
    with small_disk(folder, free=500_000):
        events = fitting.Events(folder, write_graph=False)
        with pytest.warns(UserWarning, match="TensorBoard's events in .*No space") as told:
            history = model.fit(
                *examples,
                validation_data=examples,
                epochs=50,
                verbose=0,
                callbacks=[Full(), events],
            )
        texts = [each for each in told if each.category is UserWarning]
        assert len(texts) == 1 and len(history.history["loss"]) == 50


class Failing(tf.summary.SummaryWriter):
    """A writer that the disk refuses to flush, however often."""

    def flush(self):
        raise tf.errors.UnknownError(None, None, "events.v2; Input/output error")


def test_a_writer_that_fails_does_not_become_the_default_of_all(tmp_path):
    with pytest.warns(UserWarning, match=r"events in .* \(Input/output error\)"):
        with optional_events(tmp_path), Failing().as_default():
            pass
    assert not tf.summary.scalar("any", 1.0, step=0)


@pytest.mark.parametrize("free", [0, 3_000, 8_000, 20_000])
def test_a_quota_that_is_used_up_within_a_checkpoint_is_an_error_and_no_crash(
    tmp_path, monkeypatch, free
):
    model = compiled("mlp_vae")
    folder = tmp_path / "run"
    # A quota is not seen before: the disk has room.
    usage = types.SimpleNamespace(free=2**40)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    with small_disk(folder, free=free):
        with pytest.raises(OSError, match=r"step \d+ could not be saved in .* \(No space left"):
            fit(model, Checkpoint(folder, minutes=0.0))
        assert [each.name for each in folder.iterdir()] == ["filler"]


def test_an_export_that_does_not_fit_is_told_in_words_and_leaves_nothing(tmp_path):
    model = compiled("autoencoder")
    for free in (0, 50_000):
        with small_disk(tmp_path / "vae", free=free):
            with pytest.raises(OSError) as raised:
                tfgen.export(model, tmp_path / "vae")
            assert str(raised.value).startswith(
                f"The next version in {tmp_path / 'vae'} could not be written (No space left on "
                "device). To mend it, make room"
            )
            assert [each.name for each in (tmp_path / "vae").iterdir()] == ["filler"]
            (tmp_path / "vae" / "filler").unlink()
            assert tfgen.export(model, tmp_path / "vae").name == "1"


# --- A whole run


def command(output, *options):
    """Trains two epochs of two steps."""
    recipe = ["r1_gan_ring", "--epochs=2", "--steps=2", "--no-xla"]
    with contextlib.closing(Logs()):
        train.main([*recipe, f"--output={output}", f"--export={output}-export", *options])


class Logs:
    """Closes the CSV logs that are left open where a training is interrupted."""

    def __init__(self):
        self.made, self.patch = [], pytest.MonkeyPatch()
        made, genuine = self.made, fitting.Log.on_train_begin

        def on_train_begin(log, logs=None):
            genuine(log, logs)
            made.append(log.csv_file)

        self.patch.setattr(fitting.Log, "on_train_begin", on_train_begin)

    def close(self):
        self.patch.undo()
        for file in self.made:
            file.close()


def outcome(output):
    log = (output / "log.csv").read_text()
    return weights(tfgen.load(output / "model.keras")), log


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    output = tmp_path_factory.mktemp("undisturbed") / "run"
    command(output, "--no-export")
    return outcome(output)


def assert_undisturbed(output, undisturbed):
    (found, log), (expected, logged) = outcome(output), undisturbed
    assert log == logged
    assert_same(found, expected)


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["config.json", "log.csv", "*.weights.h5", "model.keras", "results.json", "version"]
)
def test_what_a_run_needs_is_named_in_a_line_and_the_same_command_mends_it(
    name, tmp_path, monkeypatch, undisturbed
):
    output = tmp_path / "run"
    with monkeypatch.context() as patch:
        refuse(patch, name, errno.ENOSPC)
        with pytest.raises(SystemExit) as raised:
            command(output)
    text = str(raised.value.code)
    assert text.startswith("train: ") and "\n" not in text
    assert "No space left on device" in text and "make room" in text
    assert (str(output) if name != "version" else f"{output}-export") in text
    if name == "version":  # what else was computed is kept
        assert "measured" in json.loads((output / "results.json").read_text())
    else:
        assert not (output / "results.json").exists()
    command(output)
    assert_undisturbed(output, undisturbed)
    assert (output / "summary.png").exists() and (output / "README.md").exists()
    assert [each.name for each in (tmp_path / "run-export").iterdir()] == ["1"]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "count"), [("*.png", 2), ("README.md", 1)])
def test_what_a_run_can_do_without_is_left_out_until_there_is_room(
    name, count, tmp_path, monkeypatch, undisturbed
):
    output = tmp_path / "run"
    with monkeypatch.context() as patch, pytest.warns(UserWarning) as told:
        refuse(patch, name, errno.ENOSPC)
        command(output, "--no-export")
    texts = {str(each.message) for each in told if each.category is UserWarning}
    assert len(texts) == count and all("Going on without" in text for text in texts)
    assert not list(output.rglob(name))
    assert_undisturbed(output, undisturbed)
    command(output, "--no-export")  # draws the summary, and writes the card
    assert list(output.glob(name))
