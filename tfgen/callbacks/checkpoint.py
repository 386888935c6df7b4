"""A callback that keeps all a run needs to go on, whatever ends it."""

import math
import pathlib
import signal
import threading
import time

import h5py
import keras
import numpy as np
import tensorflow as tf

from tfgen.engine.checkpoints import SHARE, CheckpointFolder
from tfgen.engine.keras_internals import weights_file
from tfgen.engine.replicas import broadcast, from_chief, is_chief, told_by_any
from tfgen.utils.files import clear_unfinished

_MEANS = "means of the epoch"
_SECONDS = "seconds"
_OVERHEAD = 2**20  # bytes of a file beside the variables


class Terminated(SystemExit):
    """A run was asked to end (SIGTERM), and saved its state; uncaught, it ends the process so."""

    def __init__(self, message):
        super().__init__(128 + signal.SIGTERM)  # as a shell reports such an end
        self.message = message

    def __str__(self):
        return self.message


class Checkpoint(keras.callbacks.Callback):
    """Keeps all that a run needs to go on exactly, in files of which the newest few are kept.

    The networks' and the optimizers' variables and the step counter are saved after the first epoch
    and the last, after each between them for which saving takes at most a hundredth of the time,
    every few minutes within one, and when the process is asked to end (SIGTERM: a cluster's
    preemption, `kill`), after the step that it is in; `Terminated` is then raised. A state
    that is not finite is never saved: the last good one stays. Put it last in the list of
    callbacks, so that what the others wrote of an epoch is there once the epoch is saved. Keras
    puts averaged weights (`use_ema`) or those of the best epoch (`EarlyStopping`) in place where a
    `fit` ends: restore before the next.

    With several worker processes the chief writes and reads, and the others are sent what it read.

    Args:
        path: a folder.
        minutes: the time from one checkpoint to the next, at most; where the steps of an epoch are
            not known, at the ends of epochs.
        keep: how many are kept: if the newest is damaged, the one before is taken.

    Attributes:
        seconds: the time in `fit` that the newest state took, without interruptions and what was
            lost by them.

    Raises:
        OSError: nothing can be written to the folder, or no more: the disk is full.
        FloatingPointError: a weight became NaN or infinite.
        Terminated: SIGTERM came, and the state is saved.

    Example:
        >>> checkpoint = Checkpoint("runs/vae/checkpoints")
        >>> checkpoint.restore(model)  # does nothing where there is none
        >>> done, within = divmod(int(model.step.numpy()), 100)
        >>> stream = data.batches(source, 64, repeat=True, first_step=int(model.step.numpy()))
        >>> if within:  # the rest of the epoch that was interrupted
        ...     model.fit(stream, steps_per_epoch=100 - within, initial_epoch=done,
        ...               epochs=done + 1, callbacks=[checkpoint])
    """

    def __init__(self, path, minutes=10.0, keep=2):
        super().__init__()
        self.folder = CheckpointFolder(path, keep)
        self.path = pathlib.Path(path)
        self.minutes = minutes
        self.seconds = 0.0
        self._means = None
        self._terminated = False
        self._saved_at = time.monotonic()
        self._saving = 0.0  # seconds that the last save took

    def restore(self, model):
        """Brings the newest whole state back into a compiled model.

        Returns:
            Whether there was one, on every worker.

        Raises:
            ValueError: all are damaged, or of another model.
        """
        strategy = model.distribute_strategy
        restored = told_by_any(strategy, is_chief(strategy) and self._load(model))
        if restored:
            broadcast(strategy, _state(model))
            self._means = _sent(strategy, self._means, len(_means(model)))
        return restored

    def save(self, within=False):
        """Saves the state of the model that is being trained now; every worker calls it.

        Args:
            within: whether it is that of an epoch which is not over: the means of its logs so far
                are saved, too.

        Raises:
            OSError: it cannot be written.
            FloatingPointError: a weight became NaN or infinite.
        """
        model = self.model
        earlier, self._saved_at = self._saved_at, time.monotonic()
        self.seconds += self._saved_at - earlier
        self._refuse_non_finite()
        # Read by every worker: each replica has its own part of them.
        means = [variable.numpy() for variable in _means(model)] if within else None
        if not is_chief(model.distribute_strategy):
            return

        def write(path):
            content = weights_file(model)
            with h5py.File(content, "a") as file:
                file.attrs[_SECONDS] = self.seconds
                if within:
                    file[_MEANS] = np.array(means)
            path.write_bytes(content.getbuffer())

        size = sum(_bytes(variable) for variable in _state(model))
        self.folder.write(int(model.step.numpy()), write, size + _OVERHEAD)
        self._saving = time.monotonic() - self._saved_at

    def on_train_begin(self, logs=None):
        self._saved_at = time.monotonic()
        if threading.current_thread() is threading.main_thread():  # others may not handle signals
            earlier = signal.signal(signal.SIGTERM, self._on_sigterm)
            left = getattr(earlier, "__self__", None)  # by a `fit` that an exception ended
            self._earlier = left._earlier if isinstance(left, Checkpoint) else earlier

    def on_train_end(self, logs=None):
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, self._earlier)
        # Asked to end during the last save.
        if told_by_any(self.model.distribute_strategy, self._terminated):
            self._end()

    def on_epoch_begin(self, epoch, logs=None):
        if self._means is not None:
            # The epoch's logs are means over the steps before the interruption too.
            for variable, value in zip(_means(self.model), self._means, strict=True):
                variable.assign(value)
            self._means = None

    def on_train_batch_end(self, batch, logs=None):
        steps = self.params["steps"]
        if steps is None or batch + 1 >= steps:
            return  # where an epoch ends on_epoch_end follows, after what belongs to the epoch
        self._save_when_due(60 * self.minutes, within=True)

    def on_epoch_end(self, epoch, logs=None):
        # Not once training has ended: Keras then puts averaged or earlier weights in place.
        last = self.model.stop_training or epoch + 1 == self.params["epochs"]
        self._save_when_due(0.0 if last else min(60 * self.minutes, self._saving / SHARE))

    def _load(self, model):
        """Loads the newest whole state, on the chief; returns whether there is one."""
        clear_unfinished(self.path)
        newest = self.folder.newest()
        if newest is None:
            return False
        model.load_weights(newest)
        with h5py.File(newest) as file:
            self._means = list(file[_MEANS]) if _MEANS in file else None
            self.seconds = float(file.attrs.get(_SECONDS, 0.0))
        return True

    def _on_sigterm(self, number, frame):
        self._terminated = True
        signal.signal(signal.SIGTERM, self._earlier)  # a second one ends the process at once

    def _end(self):
        self._terminated = False
        raise Terminated(
            f"Asked to end (SIGTERM). The state after step {int(self.model.step.numpy())} is saved "
            f"in {self.path}."
        )

    def _save_when_due(self, seconds, within=False):
        """Saves if the last save is so many seconds ago, or to end; all workers do so, or none."""
        strategy = self.model.distribute_strategy
        due = is_chief(strategy) and time.monotonic() - self._saved_at >= seconds
        due, terminated = told_by_any(strategy, due, self._terminated)
        if due or terminated:
            self.save(within)
        if terminated:
            self._end()

    def _refuse_non_finite(self):
        for variable in _state(self.model):
            value = tf.convert_to_tensor(variable.value)
            if value.dtype.is_floating and not tf.reduce_all(tf.math.is_finite(value)):
                raise FloatingPointError(
                    f"The variable {variable.path} became NaN or infinite by step "
                    f"{int(self.model.step.numpy())}. {how_to_go_on(self.folder)}"
                )


def how_to_go_on(folder):
    """Tells what to do when a run has become NaN: where its last good state is, and what helps.

    Args:
        folder: the `CheckpointFolder`, or `None`.
    """
    kept = f"The last good state is {folder.files()[0]}. " if folder and folder.files() else ""
    return (
        f"{kept}Lower the learning rate, clip gradients (`global_clipnorm=1.0` of the optimizer), "
        "or look for bad values in the data."
    )


def _state(model):
    """Returns every variable that decides how training goes on."""
    return [*model.weights, *(each for other in model.optimizers for each in other.variables)]


def _bytes(variable):
    return math.prod(variable.shape) * tf.as_dtype(variable.dtype).size


def _means(model):
    """Returns the variables of the means that are logged at an epoch's end."""
    return [variable for metric in model.metrics for variable in metric.variables]


def _sent(strategy, means, count):
    """Returns the chief's means, or `None`, on every worker."""
    known, *sent = from_chief(strategy, [1.0, *means] if means else [0.0] * (1 + count))
    return sent if known else None
