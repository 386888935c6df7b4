"""Tests of steps that XLA compiles together: they must be the steps that one takes alone."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import tfgen
from tfgen import data
from tfgen.engine import compiled_steps

SHAPE, COUNT = (4, 4, 1), 30
IMAGES = np.random.default_rng(0).random((COUNT, *SHAPE), np.float32)


def compiled_vae(steps_per_execution=1, encoder=None, kind=tfgen.VAE):
    """Returns a VAE with the same weights at every call."""
    keras.utils.set_random_seed(0)
    vae = kind(
        encoder or tfgen.networks.mlp_encoder(SHAPE, 2, hidden_sizes=(8,)),
        tfgen.networks.mlp_decoder(SHAPE, 2, hidden_sizes=(8,)),
        tfgen.distributions.StandardNormal(2),
        tfgen.distributions.DiagonalNormal(),
        tfgen.distributions.Bernoulli(),
    )
    vae.compile(
        keras.optimizers.Adam(1e-2), jit_compile=True, steps_per_execution=steps_per_execution
    )
    return vae


def stream(**options):
    """Returns batches of 3 of the images."""
    return data.batches(data.Source(IMAGES), 3, **options)


def assert_same_training(one, other, histories):
    """Asserts that two models took the same steps."""
    assert one.step == other.step
    for weight, expected in zip(one.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_allclose(weight, expected, rtol=1e-5, atol=1e-6)
    for name, values in histories[0].history.items():
        np.testing.assert_allclose(values, histories[1].history[name], rtol=1e-5)


@pytest.mark.parametrize("steps", [6, *(pytest.param(n, marks=pytest.mark.slow) for n in (2, 12))])
def test_a_group_takes_the_steps_of_its_batches_in_their_order(steps, monkeypatch):
    monkeypatch.setattr(compiled_steps, "_STEPS", 5)
    models = compiled_vae(), compiled_vae(steps)
    histories = [
        model.fit(stream(repeat=True), steps_per_epoch=12, epochs=2, verbose=0) for model in models
    ]
    assert models[1].step == 24
    assert_same_training(*models, histories)


@pytest.mark.slow
@pytest.mark.parametrize("steps", [4, 5, 20])
def test_data_may_end_within_a_group_or_with_it(steps, monkeypatch):
    monkeypatch.setattr(compiled_steps, "_STEPS", 3)
    models = compiled_vae(), compiled_vae(steps)  # of the 10 of an epoch
    histories = [model.fit(stream(), epochs=2, verbose=0) for model in models]
    assert models[1].step == 20
    assert_same_training(*models, histories)


@pytest.mark.slow
def test_batches_are_read_only_when_they_are_wanted(monkeypatch):
    monkeypatch.setattr(compiled_steps, "_STEPS", 3)
    read = []

    def watched(batch):
        tf.py_function(lambda: read.append(1), [], [])
        return batch

    vae = compiled_vae(4)
    vae.fit(stream(repeat=True).map(watched), steps_per_epoch=8, verbose=0)
    assert len(read) == 8 + 1  # `fit` looks at the first before it begins


@pytest.mark.slow
def test_batches_of_several_sizes_are_taken_one_by_one():
    models = compiled_vae(), compiled_vae(4)
    histories = [model.fit(IMAGES[:28], batch_size=8, verbose=0, shuffle=False) for model in models]
    assert models[1].step == 4  # 8, 8, 8, 4
    assert_same_training(*models, histories)


@pytest.mark.slow
def test_batches_with_labels_lie_side_by_side():
    pairs = tf.data.Dataset.from_tensor_slices((IMAGES, np.arange(COUNT)))
    models = compiled_vae(), compiled_vae(5)
    histories = [model.fit(pairs.batch(3, drop_remainder=True), verbose=0) for model in models]
    assert models[1].step == 10
    assert_same_training(*models, histories)


@pytest.mark.slow
def test_batches_of_another_size_may_follow():
    models = compiled_vae(), compiled_vae(4)
    for size in (3, 5):
        histories = [
            model.fit(data.batches(data.Source(IMAGES), size), verbose=0) for model in models
        ]
        assert_same_training(*models, histories)
    assert models[1].step == 10 + 6


class Logging(tfgen.VAE):
    """Logs what is no metric."""

    def train_step(self, data):
        return {**super().train_step(data), "extra": 1.0}


@pytest.mark.slow
def test_logs_of_a_subclass_are_kept():
    vae = compiled_vae(kind=Logging, steps_per_execution=5)
    assert vae.fit(stream(), verbose=0).history["extra"] == [1.0]


def test_large_batches_make_small_groups():
    def group_of(*shape):
        return compiled_steps._group_of((tf.TensorSpec(shape), tf.TensorSpec([64], tf.int64)))

    assert group_of(64, 28, 28, 1) == 10
    assert group_of(64, 256, 256, 1) == 3  # of 16 MB, in 64 MB with the labels
    assert group_of(64, 512, 512, 3) == 1


@pytest.mark.slow
def test_fit_takes_groups_where_they_pay(monkeypatch):
    read = []
    original = compiled_steps._read
    monkeypatch.setattr(
        compiled_steps, "_read", lambda *arguments: read.append(1) or original(*arguments)
    )
    compiled_vae(4).fit(stream(), verbose=0)
    assert read
    read.clear()
    compiled_vae(1).fit(stream(), verbose=0)
    # Of convolutions XLA's gradients are slow in a loop.
    compiled_vae(4, tfgen.networks.conv_encoder(SHAPE, 2)).fit(stream(), verbose=0)
    assert not read
