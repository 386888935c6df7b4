"""The ways that run on TensorFlow: plain Keras and tfgen.

A way is a function of a workload that returns a dict of tasks.
"""

import functools
import pathlib
import tempfile
import time

import keras
import numpy as np
import tensorflow as tf

import tfgen
from tfgen import callbacks, data
from training.benchmarks.speed.networks import of_keras_layers
from training.benchmarks.speed.tasks import SAMPLES, Task


def keras_way(workload, jit_compile=None):
    """Plain Keras, which reads floats through a buffer that shuffles single examples.

    Args:
        workload: a `Workload`.
        jit_compile: whether XLA compiles the steps; `None` for Keras' own choice.
    """
    networks = [of_keras_layers(network) for network in workload.networks()]
    model = workload.keras(networks)
    if jit_compile is not None:
        model.jit_compile = jit_compile
    floats = tuple(array.astype("float32") / 255 for array in workload.arrays())
    slices = tf.data.Dataset.from_tensor_slices(floats if len(floats) > 1 else floats[0])
    # Repeated before it is batched: a smaller last batch would be compiled by itself.
    batches = slices.shuffle(1024).repeat().batch(workload.batch_size)

    def train(steps):
        return fitted(model, batches, steps // workload.cycle)

    return {
        "train": Task(train, workload.cycle, clocked=True),
        **_drawing(workload.keras_draws(networks, model)),
        "read": _reading(batches, workload.batch_size),
    }


def tfgen_way(workload, jit_compile=None, **options):
    """A model of tfgen as a recipe runs it: its own batches, callbacks that watch each step.

    Args:
        workload: a `Workload`.
        jit_compile: whether XLA compiles the steps; `None` for the workload's choice, or tfgen's.
        **options: of the model.
    """
    model = workload.tfgen(workload.networks(), **options)
    if jit_compile is not None:
        model.jit_compile = jit_compile
    source = _source(workload)
    batches = data.batches(
        source,
        workload.batch_size,
        repeat=True,
        binarized="stochastic" if workload.binarized else None,
    )
    folder = tempfile.TemporaryDirectory()
    checkpoint = _Checkpoint(folder.name)
    watching = [callbacks.StopOnNonFinite(checkpoint), checkpoint]

    def train(steps):
        return fitted(model, batches, steps, watching)

    def save(times):
        for _ in range(times):
            checkpoint.save_now()

    return {
        "train": Task(train, workload.steps_per_execution, clocked=True),
        "bare": Task(_bare_loop(workload, model, source), workload.cycle),
        **_drawing(workload.draws(model)),
        "read": _reading(batches, workload.batch_size),
        "checkpoint": Task(save),
        "export": Task(lambda times: tfgen.export(model, pathlib.Path(folder.name, "export"))),
        "save": Task(lambda times: model.save(pathlib.Path(folder.name, "model.keras"))),
        "load": Task(lambda times: tfgen.load(pathlib.Path(folder.name, "model.keras"))),
        "load the export": Task(
            lambda times: tf.saved_model.load(str(pathlib.Path(folder.name, "export", "1")))
        ),
    }


def tfgen_shared_way(workload):
    """The same, where both players of a GAN learn from one pass of the generator."""
    return {"train": tfgen_way(workload, fresh_fakes=False)["train"]}


def _bare_loop(workload, model, source):
    """Returns a function that takes steps of a model in a graph, always on the same batch."""
    images = source.floats(workload.batch_size)
    if workload.binarized:
        images = tf.round(images)
    step = tf.function(model.train_step, jit_compile=model.jit_compile, autograph=False)

    @tf.function(autograph=False)
    def loop(steps):
        def take_step(index):
            step(images)
            return [index + 1]

        tf.while_loop(lambda index: index < steps, take_step, [0])
        return model.step.value

    def train(steps):
        loop(tf.constant(steps)).numpy()

    return train


def fitted(model, batches, steps, watching=()):
    """Takes steps with `fit`; returns the seconds from its beginning to its end.

    Without those to give up the iterator of batches, which is done once in a training, and may take
    as long as a turn where TensorFlow tunes how it reads.
    """
    clock = _Clock()
    model.fit(batches, steps_per_epoch=steps, verbose=0, callbacks=[*watching, clock])
    return clock.seconds


class _Clock(keras.callbacks.Callback):
    def on_train_begin(self, logs=None):
        self._start = time.perf_counter()

    def on_train_end(self, logs=None):
        self.seconds = time.perf_counter() - self._start


class _Checkpoint(callbacks.Checkpoint):
    """Watches each step, and saves when it is told to: a turn's end is no training's."""

    def save(self, within=False):
        pass

    def save_now(self):
        """Does what it does at the end of an epoch."""
        super().save()


def _source(workload):
    sources = [data.Source(array) for array in workload.arrays()]
    return data.Domains(*sources) if len(sources) > 1 else sources[0]


def _drawing(draws):
    """Returns tasks of functions of a count that return so many images."""

    def repeat(draw, calls):
        for _ in range(calls):
            np.asarray(draw(SAMPLES))

    return {
        name: Task(functools.partial(repeat, draw), examples=SAMPLES)
        for name, draw in draws.items()
    }


def _reading(batches, size):
    def read(count):
        for _ in zip(range(count), batches, strict=False):
            pass

    return Task(read, examples=size)
