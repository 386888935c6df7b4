"""Fits a run's model: batches, logs, pictures and checkpoints."""

import os
import sys
import time

import keras

from tfgen import callbacks, data
from tfgen.callbacks.events import optional_events
from tfgen.callbacks.globe import is_globe
from tfgen.engine.abilities import abilities_of
from tfgen.utils.disk import needed
from training.runs.tracking import track_past

_HELD_OUT_BATCH = 500
_PICTURES = 50  # of each kind, about, in a run


def fit(run):
    """Trains a model from its folder's last checkpoint, or from the beginning, to the end.

    Returns:
        The seconds it took, those before an interruption included.
    """
    model, settings = run.model, run.settings
    checkpoint = callbacks.Checkpoint(run.folder.checkpoints, run.checkpoint_minutes)
    checkpoint.restore(model)
    steps = settings["steps_per_epoch"]
    done, within = divmod(int(model.step.numpy()), steps)
    if done or within:
        part = f", at step {within} of {steps} of the next" if within else ""
        run.tell(f"Going on after epoch {done} of {settings['epochs']}{part}.")
    if run.is_chief:
        run.folder.trim_log(done)
        if done:
            track_past(run)
    observers = observe(run) if run.is_chief else []
    if within:  # the rest of the epoch that was interrupted
        legs = [(done, done + 1, steps - within), (done + 1, settings["epochs"], steps)]
    else:
        legs = [(done, settings["epochs"], steps)]
    for first, last, count in legs:
        if first > done:  # a `fit` may end with averaged weights in place, and this one goes on
            checkpoint.restore(model)
        stream = data.batches(
            run.train,
            settings["batch_size"],
            repeat=True,
            first_step=int(model.step.numpy()),
            seed=settings["seed"],
            labels=run.recipe.labels,
            binarized=run.recipe.binarized,
            levels=run.recipe.levels,
            strategy=run.strategy,
        )
        model.fit(
            stream,
            steps_per_epoch=count,
            epochs=last,
            initial_epoch=first,
            validation_data=held_out(run),
            validation_steps=held_out_steps(run),
            validation_freq=max(1, settings["epochs"] // 50),
            verbose=verbosity(run),
            callbacks=[callbacks.StopOnNonFinite(checkpoint), *observers, checkpoint],
        )
    return checkpoint.seconds


def estimate(run):
    """Estimates a model that takes no steps, from all examples at once; returns the seconds."""
    begun = time.monotonic()
    run.folder.trim_log(0)
    run.model.fit(
        run.train.floats(),
        validation_data=held_out(run),
        verbose=verbosity(run),
        callbacks=observe(run),
    )
    return time.monotonic() - begun


def evaluate_losses(run):
    """Returns a trained model's losses on the held-out data, a dict."""
    return run.model.evaluate(held_out(run), steps=held_out_steps(run), return_dict=True, verbose=0)


def observe(run):
    """Returns the callbacks that write of a run's course: pictures and logs."""
    return [
        *pictures(run),
        Log(run.folder.log, append=True),
        Events(run.folder.path / "tensorboard", write_graph=False),
        *run.trackers,
    ]


def pictures(run):
    """Returns the callbacks that draw what the model can do, some fifty times in a run."""
    able = abilities_of(run.model)
    options = {"directory": run.folder.path, "every": max(1, run.settings["epochs"] // _PICTURES)}
    if not run.is_of_images:
        return [callbacks.SampleGrid(count=1000, **options)] if "sample" in able else []
    found = []
    if "translate" in able:
        found.append(callbacks.TranslationGrid(images=run.test.a.floats(8), **options))
    if "sample" in able:
        found.append(callbacks.SampleGrid(**options))
    if "reconstruct" in able:
        found.append(callbacks.ReconstructionGrid(images=run.test.floats(64), **options))
    if "generate" in able:
        found.append(callbacks.Interpolation(**options))
    if {"encode", "generate"} <= able:
        found.append(callbacks.LatentTraversal(image=run.test.floats(1)[0], **options))
    if "generate" in able and is_globe(run.model.prior):
        found.append(callbacks.Globe(**options))
    if "generate" in able and run.model.prior.example_weights:
        found.append(callbacks.PriorExamples(**options))
    if "redraw" in able:
        found.append(callbacks.LayersRedrawn(images=run.test.floats(8), **options))
    if {"sample", "sample_trajectories"} <= able:
        found.append(callbacks.Denoising(**options))
    if "impute_in_order" in able and not run.recipe.labels:
        shown = run.test.rounded(run.model.likelihood.levels).floats(8)
        found.append(callbacks.Completions(images=shown, **options))
    if "draw" in able:
        shown = {"images": run.test.floats(8), "captions": run.test.labels[:8]}
        found.append(callbacks.Drawings(**shown, **options))
    if "choose_codes" in able:
        found.append(callbacks.CodeTraversal(**options))
    return found


class Log(keras.callbacks.CSVLogger):
    """Keras' CSV log, on the disk before the checkpoint is."""

    def on_train_begin(self, logs=None):
        with needed(self.filename):
            super().on_train_begin(logs)

    def on_epoch_end(self, epoch, logs=None):
        with needed(self.filename):
            super().on_epoch_end(epoch, logs)
            os.fsync(self.csv_file.fileno())


def _as_far_as_possible(hook):
    """Returns a hook of Keras' TensorBoard that goes on where the disk refuses what it writes."""

    def go_on(self, *args, **options):
        with optional_events(self.log_dir):
            hook(self, *args, **options)

    return go_on


class Events(keras.callbacks.TensorBoard):
    """Keras' events for TensorBoard, without which the training goes on."""

    on_train_begin = _as_far_as_possible(keras.callbacks.TensorBoard.on_train_begin)
    on_epoch_end = _as_far_as_possible(keras.callbacks.TensorBoard.on_epoch_end)
    on_test_begin = _as_far_as_possible(keras.callbacks.TensorBoard.on_test_begin)
    on_test_end = _as_far_as_possible(keras.callbacks.TensorBoard.on_test_end)
    on_train_end = _as_far_as_possible(keras.callbacks.TensorBoard.on_train_end)


def held_out(run):
    """Returns the held-out data in fixed batches; binarized with the same draws every time."""
    batches = data.batches(
        run.test,
        min(_HELD_OUT_BATCH, len(run.test)),
        shuffle=False,
        labels=run.recipe.labels,
        binarized=run.recipe.binarized,
        levels=run.recipe.levels,
    )
    return data.share(batches, run.strategy, even=False)


def held_out_steps(run):
    """Returns the number of batches of `held_out`."""
    return data.steps_per_epoch(run.test, min(_HELD_OUT_BATCH, len(run.test)), shuffle=False)


def verbosity(run):
    """Returns how much `fit` prints: a bar on a terminal, lines elsewhere, by the chief alone."""
    if not run.is_chief:
        return 0
    return 1 if sys.stdout.isatty() else 2
