"""The aggregate posterior against closed forms: of few posteriors that are known."""

import math

import keras
import numpy as np
import pytest
import tensorflow as tf

import tfgen
from tests.specimens import compiled
from tfgen import distributions, evaluation, networks

SCALE = 0.01  # of the posteriors: far less than their distances


def model_of(means, scale):
    """A VAE whose posterior of `x` is normal at `means @ x`, and an example for each mean."""
    size = len(means)
    inputs = keras.Input((size,))
    location = keras.layers.Dense(2, use_bias=False, name="location")
    deviation = keras.layers.Dense(
        2, kernel_initializer="zeros", name="deviation"
    )  # before softplus
    encoder = keras.Model(inputs, [location(inputs), deviation(inputs)])
    location.set_weights([np.array(means, np.float32)])
    deviation.set_weights([np.zeros([size, 2]), np.full(2, math.log(math.expm1(scale)))])
    model = tfgen.VAE(
        encoder,
        networks.mlp_decoder((size,), 2),
        distributions.StandardNormal(2),
        distributions.DiagonalNormal(),
        distributions.Gaussian(scale=1.0),
    )
    scales = model.encode(tf.eye(size)).stddev().numpy()
    assert scales == pytest.approx(scale, rel=1e-3)
    return model, np.eye(size, dtype=np.float32)


def divergences(means, scale):
    """`KL(N(m, s^2) || N(0, 1))`, of each mean."""
    return 0.5 * np.sum(np.square(means) + scale**2 - 1 - 2 * math.log(scale), axis=1)


def test_posteriors_far_apart_carry_the_logarithm_of_their_number():
    means = np.array([[-2.0, 0.0], [1.0, 1.0], [0.0, -1.0], [2.0, 2.0]])
    model, examples = model_of(means, SCALE)
    examples = np.repeat(examples, 500, axis=0)
    gap = evaluation.AggregatePosterior(model, examples).prior_gap()
    assert gap.information == pytest.approx(math.log(4), abs=1e-3)
    whole = divergences(means, SCALE).mean()
    assert gap.divergence == pytest.approx(whole - math.log(4), abs=0.1)


def test_a_gap_of_few_examples_is_told_to_be_a_bound():
    means = np.random.default_rng(0).normal(size=[50, 2])
    model, examples = model_of(means, SCALE)
    with pytest.warns(UserWarning, match="50 examples tell at most 3.9 nats.*bound from above"):
        gap = evaluation.AggregatePosterior(model, examples).prior_gap()
    assert gap.information == pytest.approx(math.log(50), abs=0.05)


def test_posteriors_that_are_the_prior_have_no_gap_and_no_information():
    model, examples = model_of(np.zeros([3, 2]), 1.0)
    gap = evaluation.AggregatePosterior(model, np.repeat(examples, 100, axis=0)).prior_gap()
    assert gap == pytest.approx((0, 0), abs=1e-5)


def test_the_density_is_that_of_the_mixture():
    means = np.array([[-1.0, 0.5], [1.0, 0.0], [0.3, -0.7]])
    model, examples = model_of(means, 0.5)
    latents = np.random.default_rng(0).normal(size=[1500, 2]).astype(np.float32)
    squares = np.sum((latents[:, np.newaxis] - means) ** 2, axis=2) / 0.25
    expected = np.log(np.mean(np.exp(-squares / 2) / (2 * math.pi * 0.25), axis=1))
    found = evaluation.AggregatePosterior(model, examples, batch_size=2).log_prob(latents)
    assert found == pytest.approx(expected, abs=1e-3)


def test_batches_draw_different_noise():
    model, examples = model_of(np.zeros([2, 2]), 1.0)
    whole = evaluation.AggregatePosterior(model, np.repeat(examples, 2, axis=0), batch_size=2)
    latents, _ = whole._draw(0)
    assert len(np.unique(latents)) == latents.size


def test_holes_lie_where_no_example_is():
    """Of a ring of posteriors the middle is a hole, and so is all that is outside."""
    angles = np.linspace(0, 2 * math.pi, 12, endpoint=False)
    model, examples = model_of(np.stack([np.cos(angles), np.sin(angles)], axis=1), 0.1)
    whole = evaluation.AggregatePosterior(model, examples)
    holes = whole.holes(200, candidates=2000)
    assert np.all(np.abs(np.linalg.norm(holes, axis=1) - 1) > 0.3)
    surplus = whole.log_prob(holes) + np.sum(holes**2, axis=1) / 2
    assert np.all(np.diff(surplus) > -1e-4)
    with pytest.raises(ValueError, match="from 1 to the 100 candidates. Received: count=200"):
        whole.holes(200, candidates=100)
    with pytest.raises(ValueError, match="from 1 to the 10000 candidates. Received: count=-1"):
        whole.holes(-1)


def test_models_without_a_prior_of_latents_have_none():
    with pytest.raises(ValueError, match="An aggregate posterior"):
        evaluation.AggregatePosterior(compiled("autoencoder"), np.zeros([4, 8, 8, 1], np.float32))


def test_it_is_a_score():
    model, examples = model_of(np.zeros([3, 2]), 1.0)
    source = tfgen.data.Source((255 * examples).astype(np.uint8))
    result = evaluation.evaluate(
        evaluation.Sampler("vae", model),
        evaluation.Reference(source),
        evaluation.PixelFeatures(),
        scores=["prior_gap"],
    )
    assert result.score("prior_gap").value == pytest.approx(0, abs=1e-4)
