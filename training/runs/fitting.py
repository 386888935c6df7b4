"""Fits a recipe's model: batches, logs, pictures and checkpoints."""

import os
import sys
import time

import keras

import tfgen
from tfgen import callbacks, data, distributions, latent_space
from tfgen.engine.replicas import is_chief
from tfgen.models.gans.latent_generator import LatentGenerator

_HELD_OUT_BATCH = 500


def fit(model, recipe, settings, train, test, folder, minutes):
    """Trains a model from its folder's last checkpoint, or from the beginning, to the end.

    Returns:
        The seconds it took, those before an interruption included.
    """
    strategy = model.distribute_strategy
    checkpoint = callbacks.Checkpoint(folder.checkpoints, minutes)
    checkpoint.restore(model)
    steps = settings["steps_per_epoch"]
    done, within = divmod(int(model.step.numpy()), steps)
    if done or within:
        part = f", at step {within} of {steps} of the next" if within else ""
        tell(strategy, f"Going on after epoch {done} of {settings['epochs']}{part}.")
    if is_chief(strategy):
        folder.trim_log(done)
    observers = observe(model, test, settings["epochs"], folder) if is_chief(strategy) else []
    if within:  # the rest of the epoch that was interrupted
        legs = [(done, done + 1, steps - within), (done + 1, settings["epochs"], steps)]
    else:
        legs = [(done, settings["epochs"], steps)]
    for first, last, count in legs:
        if first > done:  # a `fit` may end with averaged weights in place, and this one goes on
            checkpoint.restore(model)
        stream = data.batches(
            train,
            settings["batch_size"],
            repeat=True,
            first_step=int(model.step.numpy()),
            seed=settings["seed"],
            labels=recipe.labels,
            binarized=recipe.binarized,
            strategy=strategy,
        )
        model.fit(
            stream,
            steps_per_epoch=count,
            epochs=last,
            initial_epoch=first,
            validation_data=held_out(test, recipe, strategy),
            validation_steps=held_out_steps(test),
            validation_freq=max(1, settings["epochs"] // 50),
            verbose=verbosity(strategy),
            callbacks=[callbacks.StopOnNonFinite(checkpoint), *observers, checkpoint],
        )
    return checkpoint.seconds


def estimate(model, recipe, train, test, folder):
    """Estimates a model that takes no steps, from all examples at once; returns the seconds."""
    strategy = model.distribute_strategy
    begun = time.monotonic()
    folder.trim_log(0)
    model.fit(
        train.floats(),
        validation_data=held_out(test, recipe, strategy),
        verbose=verbosity(strategy),
        callbacks=observe(model, test, 1, folder),
    )
    return time.monotonic() - begun


def observe(model, test, epochs, folder):
    """Returns the callbacks that write of a run's course: pictures and logs."""
    return [
        *pictures(model, test, epochs, folder),
        Log(folder.log, append=True),
        keras.callbacks.TensorBoard(folder.path / "tensorboard", write_graph=False),
    ]


def pictures(model, test, epochs, folder):
    """Returns the callbacks that draw some fifty times in a run, if the examples are images."""
    if any(len(part.shape) != 3 for part in test.parts):
        return []
    every = max(1, epochs // 50)
    if isinstance(test, data.Domains):
        return [callbacks.TranslationGrid(folder.path, test.a.floats(8), every=every)]
    samples = callbacks.SampleGrid(folder.path, every=every)
    if isinstance(model, LatentGenerator):
        ways = callbacks.Interpolation(folder.path, path=way_of(model.prior), every=every)
        if isinstance(model, tfgen.InfoGAN):
            return [samples, ways, callbacks.CodeTraversal(folder.path, every=every)]
        return [samples, ways]
    if "encode" not in model.signatures():
        return [samples]
    return [
        samples,
        callbacks.ReconstructionGrid(folder.path, test.floats(64), every=every),
        callbacks.LatentTraversal(folder.path, test.floats(1)[0], every=every),
    ]


def way_of(prior):
    """Returns how to go between a prior's latents: a cube's are straight, a sphere's are arcs."""
    straight = isinstance(prior, distributions.Uniform)
    return latent_space.interpolate if straight else latent_space.interpolate_spherical


class Log(keras.callbacks.CSVLogger):
    """Keras' CSV log, on the disk before the checkpoint is."""

    def on_epoch_end(self, epoch, logs=None):
        super().on_epoch_end(epoch, logs)
        os.fsync(self.csv_file.fileno())


def held_out(test, recipe, strategy):
    """Returns the held-out data in fixed batches; binarized, with the same draws every time."""
    batches = data.batches(
        test,
        min(_HELD_OUT_BATCH, len(test)),
        shuffle=False,
        labels=recipe.labels,
        binarized=recipe.binarized,
    )
    return data.share(batches, strategy, even=False)


def held_out_steps(test):
    """Returns the number of batches of `held_out`."""
    return data.steps_per_epoch(test, min(_HELD_OUT_BATCH, len(test)), shuffle=False)


def verbosity(strategy):
    """Returns how much `fit` prints: a bar on a terminal, lines elsewhere, by the chief alone."""
    if not is_chief(strategy):
        return 0
    return 1 if sys.stdout.isatty() else 2


def tell(strategy, text):
    """Prints a line, once for all workers."""
    if is_chief(strategy):
        print(text)
