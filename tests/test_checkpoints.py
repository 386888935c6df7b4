"""Checkpoints are whole and exact, damage is found, and runs end in time and in order."""

import os
import signal
import sys
import types

import keras
import numpy as np
import pytest

from tests.broken_disks import leave_unfinished
from tests.specimens import assert_same, compiled, fit, images, names_in, weights
from tfgen.callbacks import Checkpoint, StopOnNonFinite, Terminated
from tfgen.engine.checkpoints import CheckpointFolder, digest

ALL = {"minutes": 0.0}  # a checkpoint after every step


@pytest.fixture(autouse=True)
def sigterm():
    """Gives back how SIGTERM is handled, which a `fit` that an exception ended does not."""
    earlier = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, earlier)


class At(keras.callbacks.Callback):
    """Does something after a step of an epoch, counted from 0."""

    def __init__(self, step, act, epoch=0):
        super().__init__()
        self.step, self.act, self.epoch = step, act, epoch

    def on_epoch_begin(self, epoch, logs=None):
        self.now = epoch

    def on_train_batch_end(self, batch, logs=None):
        if (self.now, batch) == (self.epoch, self.step):
            self.act()


def stop():
    raise KeyboardInterrupt


def terminate():
    os.kill(os.getpid(), signal.SIGTERM)


def steps_in(folder):
    return [int(path.name[:10]) for path in CheckpointFolder(folder).files()]


def filled(folder, *steps):
    """Returns a folder with a small state for each step."""
    states = CheckpointFolder(folder)
    for step in steps:
        states.write(step, lambda path, step=step: path.write_bytes(b"state %d" % step))
    return states


# --- The folder


def test_the_newest_few_states_are_kept_under_their_steps_and_checksums(tmp_path):
    states = filled(tmp_path, 1, 2, 10)
    assert steps_in(tmp_path) == [10, 2]
    assert states.newest().read_bytes() == b"state 10"
    assert states.newest().name == f"0000000010-{digest(states.newest())}.weights.h5"
    assert [path.suffixes for path in tmp_path.iterdir()] == [[".weights", ".h5"]] * 2
    many = CheckpointFolder(tmp_path, keep=5)
    for step in (11, 12, 13):
        many.write(step, lambda path: path.write_bytes(b"state"))
    assert steps_in(tmp_path) == [13, 12, 11, 10, 2]


def test_an_empty_folder_has_no_state(tmp_path):
    (tmp_path / "notes.txt").touch()
    assert CheckpointFolder(tmp_path).newest() is None


@pytest.mark.parametrize("damage", [b"", b"state 1", b"state 3", b"state 2\0"])
def test_a_damaged_state_is_told_and_the_one_before_is_taken(tmp_path, damage):
    states = filled(tmp_path, 1, 2)
    newest, older = states.files()
    newest.write_bytes(damage)
    with pytest.warns(UserWarning, match=f"{newest} is damaged.*Going back to the one before"):
        assert states.newest() == older


def test_where_all_are_damaged_none_is_taken(tmp_path):
    states = filled(tmp_path, 1, 2)
    for path in states.files():
        path.write_bytes(b"")
    with pytest.warns(UserWarning, match="damaged"), pytest.raises(ValueError, match="begin anew"):
        states.newest()
    assert steps_in(tmp_path) == [2, 1]


def test_a_state_that_was_saved_again_after_damage_takes_the_place_of_the_damaged_one(tmp_path):
    states = filled(tmp_path, 1, 2)
    states.files()[0].write_bytes(b"damaged")
    filled(tmp_path, 2)
    assert steps_in(tmp_path) == [2, 1] and states.newest().read_bytes() == b"state 2"


@pytest.mark.parametrize("error", [OSError("No space left on device"), RuntimeError("HDF5: flush")])
def test_a_state_that_cannot_be_written_leaves_the_ones_before(tmp_path, error):
    states = filled(tmp_path, 1, 2)
    before = {path: path.read_bytes() for path in states.files()}

    def save_half(path):
        path.write_bytes(b"half")
        raise error

    message = f"step 3 could not be saved in {tmp_path} .{error}.*MiB are free.* step 2 stands"
    with pytest.raises(OSError, match=message):
        states.write(3, save_half)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before
    with pytest.raises(OSError, match="There is none before it: make room"):
        CheckpointFolder(tmp_path / "empty").write(3, save_half)


def test_a_state_that_does_not_fit_on_the_disk_is_not_begun(tmp_path):
    states = filled(tmp_path, 1)
    with pytest.raises(OSError, match="step 2 could not .* MiB are needed.* step 1 stands: make"):
        states.write(2, lambda path: pytest.fail("it was begun"), size=2**60)
    assert steps_in(tmp_path) == [1]


def test_a_folder_must_keep_a_state(tmp_path):
    with pytest.raises(ValueError, match="`keep` must be at least 1. Received: keep=0"):
        CheckpointFolder(tmp_path, keep=0)


# --- The callback


def test_a_checkpoint_brings_back_all_that_training_changes(tmp_path):
    checkpoint = Checkpoint(tmp_path / "run" / "checkpoints")
    model = compiled("dropout_vae")
    fit(model, checkpoint, epochs=2)
    assert steps_in(tmp_path / "run" / "checkpoints") == [8, 4]
    resumed = compiled("dropout_vae", seed=1)
    assert checkpoint.restore(resumed) is True
    assert int(resumed.step) == 8 and int(resumed.optimizer.iterations) == 8
    assert_same(weights(resumed), weights(model))
    fit(model), fit(resumed)
    assert_same(weights(resumed), weights(model))


def test_restoring_from_nothing_changes_nothing(tmp_path):
    model = compiled("mlp_vae")
    before = weights(model)
    assert Checkpoint(tmp_path).restore(model) is False
    assert_same(weights(model), before)


def test_what_a_killed_process_left_is_cleared(tmp_path):
    leave_unfinished(tmp_path, "state.weights.h5")
    assert Checkpoint(tmp_path).restore(compiled("mlp_vae")) is False
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def now(monkeypatch):
    """The seconds on the callback's clock, in a list of one; only a test lets them pass."""
    now = [100.0]
    clock = types.SimpleNamespace(monotonic=lambda: now[0])
    monkeypatch.setattr(sys.modules[Checkpoint.__module__], "time", clock)
    return now


class SecondsPass(keras.callbacks.Callback):
    """Lets each step take a second."""

    def __init__(self, now):
        super().__init__()
        self.now = now

    def on_train_batch_end(self, batch, logs=None):
        self.now[0] += 1


@pytest.mark.parametrize(
    ("saving", "minutes", "steps"),
    [
        (0.04, 10.0, [4, 8, 12, 16, 20]),  # a hundredth of an epoch's four seconds
        pytest.param(0.05, 10.0, [4, 12, 20], marks=pytest.mark.slow),
        pytest.param(0.1, 10.0, [4, 16, 20], marks=pytest.mark.slow),
        pytest.param(60.0, 10.0, [4, 20], marks=pytest.mark.slow),
        pytest.param(1.0, 4.5 / 60, [4, 8, 12, 16, 20], marks=pytest.mark.slow),
    ],
)
def test_between_the_first_and_the_last_epoch_saving_takes_a_hundredth_of_the_time(
    tmp_path, monkeypatch, now, saving, minutes, steps
):
    write = CheckpointFolder.write

    def slow_write(self, *args):
        write(self, *args)
        now[0] += saving

    monkeypatch.setattr(CheckpointFolder, "write", slow_write)
    checkpoint = Checkpoint(tmp_path, minutes, keep=9)
    fit(compiled("mlp_vae"), SecondsPass(now), checkpoint, epochs=5)
    assert steps_in(tmp_path) == steps[::-1]


class Keep(keras.callbacks.Callback):
    """Keeps copies of the weights at the ends of epochs, which get worse and worse."""

    def on_train_begin(self, logs=None):
        self.copies = []

    def on_epoch_end(self, epoch, logs):
        self.copies.append(weights(self.model))
        logs["worse"] = epoch


@pytest.mark.parametrize(
    ("optimizer", "stopping"),
    [
        (keras.optimizers.Adam(1e-2, use_ema=True), []),
        ("adam", [keras.callbacks.EarlyStopping("worse", mode="min", restore_best_weights=True)]),
    ],
    ids=["averaged weights", "the best epoch's"],
)
def test_the_last_state_is_that_before_keras_puts_other_weights_in_place(
    tmp_path, optimizer, stopping
):
    model, keep, checkpoint = compiled("mlp_vae"), Keep(), Checkpoint(tmp_path)
    model.compile(optimizer)
    fit(model, keep, *stopping, checkpoint, epochs=3)
    with pytest.raises(AssertionError):
        assert_same(weights(model), keep.copies[-1])
    assert checkpoint.restore(model) and int(model.step) == 4 * len(keep.copies)
    assert_same(weights(model), keep.copies[-1])


def test_of_an_epoch_that_is_not_over_every_worker_reads_its_part_of_the_means(
    tmp_path, monkeypatch
):
    module, read = sys.modules[Checkpoint.__module__], []
    mean = types.SimpleNamespace(numpy=lambda: read.append("mean"))
    monkeypatch.setattr(module, "is_chief", lambda strategy: False)
    monkeypatch.setattr(module, "_means", lambda model: [mean])
    checkpoint = Checkpoint(tmp_path)
    fit(compiled("mlp_vae"), At(1, lambda: checkpoint.save(within=True)), checkpoint)
    assert read == ["mean"] and steps_in(tmp_path) == []


@pytest.mark.parametrize(("minutes", "steps"), [(0.0, [3, 2]), (10.0, [])])
def test_within_an_epoch_it_is_saved_every_few_minutes(tmp_path, minutes, steps):
    with pytest.raises(KeyboardInterrupt):
        fit(compiled("mlp_vae"), Checkpoint(tmp_path, minutes), At(2, stop))
    assert steps_in(tmp_path) == steps


def test_an_epoch_that_is_saved_within_goes_on_with_its_means(tmp_path):
    undisturbed = compiled("mlp_vae")
    logs = fit(undisturbed).history
    with pytest.raises(KeyboardInterrupt):
        fit(compiled("mlp_vae"), Checkpoint(tmp_path, **ALL), At(1, stop))
    resumed, checkpoint = compiled("mlp_vae", seed=1), Checkpoint(tmp_path)
    assert checkpoint.restore(resumed) and int(resumed.step) == 2
    resumed.run_eagerly = True
    rest = {"batch_size": 8, "shuffle": False, "verbose": 0, "callbacks": [checkpoint]}
    assert resumed.fit(images()[16:], **rest).history == logs
    assert_same(weights(resumed), weights(undisturbed))
    # The next epoch begins with means of its own.
    again = compiled("mlp_vae")
    assert fit(resumed, checkpoint).history["loss"] == fit(again, epochs=2).history["loss"][1:]


@pytest.mark.slow
def test_a_states_seconds_are_without_interruptions_and_what_they_lost(tmp_path, now):
    first = Checkpoint(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        fit(compiled("mlp_vae"), SecondsPass(now), At(2, stop, epoch=1), first, epochs=2)
    assert first.seconds == 4 and now[0] == 107
    now[0] += 1000
    model, second = compiled("mlp_vae"), Checkpoint(tmp_path)
    second.restore(model)
    assert second.seconds == 4
    fit(model, SecondsPass(now), second)
    now[0] += 1000
    fit(model, SecondsPass(now), second)
    assert second.seconds == 12


def test_asked_to_end_it_saves_after_the_step_and_ends(tmp_path):
    earlier = signal.getsignal(signal.SIGTERM)
    with pytest.raises(Terminated, match=rf"after step 6 is saved in {tmp_path}\.") as raised:
        fit(compiled("mlp_vae"), At(1, terminate, epoch=1), Checkpoint(tmp_path), epochs=3)
    assert raised.value.code == 143
    assert steps_in(tmp_path) == [6, 4]
    assert signal.getsignal(signal.SIGTERM) == earlier


def test_asked_to_end_in_an_epochs_last_step_it_ends_after_the_epoch(tmp_path):
    ended = []

    class End(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            ended.append(epoch)

    with pytest.raises(Terminated, match="after step 4 is saved"):
        fit(compiled("mlp_vae"), At(3, terminate), End(), Checkpoint(tmp_path), epochs=3)
    assert ended == [0] and steps_in(tmp_path) == [4]


@pytest.mark.slow
def test_asked_to_end_after_the_last_epoch_it_ends_all_the_same(tmp_path):
    class TerminateInTheEnd(keras.callbacks.Callback):
        def on_train_end(self, logs=None):
            terminate()

    earlier = signal.getsignal(signal.SIGTERM)
    with pytest.raises(Terminated, match="after step 8 is saved"):
        fit(compiled("mlp_vae"), TerminateInTheEnd(), Checkpoint(tmp_path), epochs=2)
    assert steps_in(tmp_path) == [8, 4] and signal.getsignal(signal.SIGTERM) == earlier


@pytest.mark.slow
def test_after_training_signals_are_handled_as_before(tmp_path):
    earlier = signal.getsignal(signal.SIGTERM)
    model, checkpoint = compiled("mlp_vae"), Checkpoint(tmp_path)
    fit(model, checkpoint)
    assert signal.getsignal(signal.SIGTERM) == earlier
    for after in (checkpoint, Checkpoint(tmp_path)):
        with pytest.raises(KeyboardInterrupt):  # Keras tells no callback
            fit(model, checkpoint, At(2, stop))
        fit(model, after)
        assert signal.getsignal(signal.SIGTERM) == earlier


def test_asked_to_end_after_a_fit_that_failed_it_ends_in_the_next(tmp_path):
    model, checkpoint = compiled("mlp_vae"), Checkpoint(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        fit(model, checkpoint, At(2, stop))
    terminate()
    with pytest.raises(Terminated, match="after step 4 is saved"):
        fit(model, checkpoint)


def test_asked_to_end_while_workers_agree_it_ends_as_before_training(tmp_path, monkeypatch):
    asked = []
    signal.signal(signal.SIGTERM, lambda number, frame: asked.append(number))
    module = sys.modules[Checkpoint.__module__]
    told_by_any = module.told_by_any

    class InTheEnd(keras.callbacks.Callback):
        def on_train_end(self, logs=None):
            monkeypatch.setattr(
                module, "told_by_any", lambda *args: terminate() or told_by_any(*args)
            )

    fit(compiled("mlp_vae"), InTheEnd(), Checkpoint(tmp_path))
    assert asked == [signal.SIGTERM]


def test_after_it_was_asked_to_end_it_can_go_on(tmp_path):
    model, checkpoint = compiled("mlp_vae"), Checkpoint(tmp_path)
    with pytest.raises(Terminated):
        fit(model, At(1, terminate), checkpoint)
    fit(model, checkpoint)
    assert int(model.step) == 6 and steps_in(tmp_path) == [6, 2]


class Spoil(keras.callbacks.Callback):
    """Makes one number of a model bad before the end of an epoch."""

    def __init__(self, find, epoch=1, value=np.nan):
        super().__init__()
        self.find, self.epoch, self.value = find, epoch, value

    def on_epoch_end(self, epoch, logs=None):
        if epoch == self.epoch:
            variable = self.find(self.model)
            bad = np.array(variable)
            bad.flat[-1] = self.value
            variable.assign(bad)


def assert_spoiled_state_is_not_saved(model, find, folder, value=np.nan):
    checkpoint = Checkpoint(folder)
    with pytest.raises(FloatingPointError, match="NaN or infinite by step 8") as raised:
        fit(model, Spoil(find, value=value), checkpoint, epochs=2)
    kept = checkpoint.folder.newest()
    assert f"The last good state is {kept}. Lower the learning" in str(raised.value)
    assert names_in(folder) == [kept.name]
    assert checkpoint.restore(model) and int(model.step) == 4
    assert np.isfinite(find(model)).all()


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_bad_weights_never_replace_good_ones(tmp_path, value):
    assert_spoiled_state_is_not_saved(
        compiled("mlp_vae"), lambda model: model.trainable_variables[-1], tmp_path, value
    )


def with_batch_normalization():
    model = compiled("mlp_vae")
    outputs = keras.layers.BatchNormalization()(model.decoder.outputs[0])
    decoder = keras.Model(model.decoder.input, outputs)
    values = {name: getattr(model, name) for name in ("prior", "posterior", "likelihood")}
    model = type(model)(model.encoder, decoder, **values)
    model.compile("adam")
    return model


@pytest.mark.parametrize(
    "find",
    [
        lambda model: model.decoder.layers[-1].moving_variance,
        lambda model: model.optimizer.variables[-1],
    ],
    ids=["batch statistics", "optimizer"],
)
def test_no_bad_number_ever_replaces_a_good_one(tmp_path, find):
    assert_spoiled_state_is_not_saved(with_batch_normalization(), find, tmp_path)


def test_a_first_state_that_is_bad_is_not_saved_either(tmp_path):
    spoil = Spoil(lambda model: model.trainable_variables[0], epoch=0)
    with pytest.raises(FloatingPointError) as raised:
        fit(compiled("mlp_vae"), spoil, Checkpoint(tmp_path))
    assert "The last good state" not in str(raised.value)
    assert names_in(tmp_path) == []


# --- Losses that are not finite


def test_a_loss_that_is_not_finite_stops_the_run_at_once(tmp_path):
    model, checkpoint = compiled("mlp_vae"), Checkpoint(tmp_path)

    class SpoilThirdStep(keras.callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            if batch == 2:
                variable = model.trainable_variables[-1]
                variable.assign(np.full(variable.shape, np.nan))

    with pytest.raises(FloatingPointError, match=r"`loss` became nan by step 3\. Lower the lear"):
        fit(model, SpoilThirdStep(), StopOnNonFinite(checkpoint), checkpoint)
    assert names_in(tmp_path) == []


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_the_log_that_is_not_finite_is_named(tmp_path, value):
    callback = StopOnNonFinite(Checkpoint(tmp_path))
    callback.set_model(compiled("mlp_vae"))
    callback.on_train_batch_end(0, {"loss": 1.0, "divergence": 0.0})
    with pytest.raises(FloatingPointError, match=rf"`divergence` became {value} by step 0\."):
        callback.on_train_batch_end(1, {"loss": 1.0, "divergence": np.float32(value)})


def test_the_message_names_the_last_good_state_where_there_is_one(tmp_path):
    states = filled(tmp_path, 7)
    callback = StopOnNonFinite(Checkpoint(tmp_path))
    callback.set_model(compiled("mlp_vae"))
    message = f"The last good state is {states.newest()}. Lower the learn"
    with pytest.raises(FloatingPointError, match=message):
        callback.on_train_batch_end(0, {"loss": float("nan")})
