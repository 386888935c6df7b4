"""Distributions against formulas written out with NumPy."""

import math

import keras
import numpy as np
import pytest
import tensorflow as tf
import tensorflow_probability as tfp

from tfgen import networks
from tfgen.distributions import (
    Bernoulli,
    DiagonalNormal,
    Gaussian,
    LogVarianceNormal,
    StandardNormal,
    kl_divergence,
)

tfd = tfp.distributions
POSTERIORS = {
    # A raw output that gives each standard deviation.
    DiagonalNormal(): lambda deviation: np.log(np.expm1(deviation)),
    LogVarianceNormal(): lambda deviation: 2 * np.log(deviation),
}
every_posterior = pytest.mark.parametrize("posterior", POSTERIORS, ids=repr)


def normals(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def normal_log_prob(values, location, deviation):
    return -0.5 * ((values - location) / deviation) ** 2 - np.log(
        deviation * math.sqrt(2 * math.pi)
    )


def make(posterior, location, deviation):
    return posterior.distribution(location, np.float32(POSTERIORS[posterior](deviation)))


def test_standard_normal_is_over_vectors_of_its_size():
    prior = StandardNormal(3).distribution()
    points = normals(5, 3)
    expected = normal_log_prob(points, 0.0, 1.0).sum(axis=1)
    np.testing.assert_allclose(prior.log_prob(points), expected, rtol=1e-5)
    samples = prior.sample(4000, seed=(0, 1)).numpy()
    assert samples.shape == (4000, 3) and samples.dtype == np.float32
    np.testing.assert_allclose(samples.mean(axis=0), 0.0, atol=0.08)
    np.testing.assert_allclose(np.cov(samples.T), np.eye(3), atol=0.1)


@pytest.mark.parametrize("size", [0, -1])
def test_standard_normal_refuses_a_size_below_one(size):
    with pytest.raises(ValueError, match=f"`size` must be at least 1. Received: size={size}"):
        StandardNormal(size)


def test_diagonal_normal_takes_the_softplus_of_its_second_output():
    location, raw = normals(4, 2), 3 * normals(4, 2, seed=1)
    posterior = DiagonalNormal().distribution(location, raw)
    np.testing.assert_array_equal(posterior.mean(), location)
    np.testing.assert_allclose(posterior.stddev(), np.log1p(np.exp(raw)), rtol=1e-5)


def test_log_variance_normal_takes_half_the_exponent_of_its_second_output():
    location, raw = normals(4, 2), 3 * normals(4, 2, seed=1)
    posterior = LogVarianceNormal().distribution(location, raw)
    np.testing.assert_array_equal(posterior.mean(), location)
    np.testing.assert_allclose(posterior.stddev(), np.sqrt(np.exp(raw)), rtol=1e-5)


@every_posterior
def test_posteriors_are_one_distribution_over_vectors_per_example(posterior):
    location, deviation = normals(4, 3), np.exp(normals(4, 3, seed=1))
    distribution = make(posterior, location, deviation)
    assert (distribution.batch_shape, distribution.event_shape) == ([4], [3])
    points = normals(4, 3, seed=2)
    expected = normal_log_prob(points, location, deviation).sum(axis=1)
    np.testing.assert_allclose(distribution.log_prob(points), expected, rtol=1e-4)


@every_posterior
def test_divergence_from_the_standard_normal_has_the_known_closed_form(posterior):
    location, deviation = normals(6, 3), np.exp(normals(6, 3, seed=1))
    expected = 0.5 * np.sum(location**2 + deviation**2 - np.log(deviation**2) - 1, axis=1)
    divergence = kl_divergence(
        make(posterior, location, deviation), StandardNormal(3).distribution(), latents=None
    )
    np.testing.assert_allclose(divergence, expected, rtol=1e-4)


@every_posterior
def test_samples_move_with_the_location_and_stretch_with_the_deviation(posterior):
    location, deviation = normals(4, 3), np.exp(normals(4, 3, seed=1))
    raw = tf.constant(POSTERIORS[posterior](deviation))
    location = tf.constant(location)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch([location, raw])
        distribution = posterior.distribution(location, raw)
        latents = distribution.sample(seed=(1, 2))
        deviation_of_raw = distribution.stddev()
    standard = make(posterior, np.zeros([4, 3], np.float32), np.ones([4, 3]))
    noise = standard.sample(seed=(1, 2))
    np.testing.assert_allclose(tape.gradient(latents, location), np.ones([4, 3]))
    # The chain rule through the deviation leaves dz/dsigma, which is the noise.
    slope = tape.gradient(latents, raw) / tape.gradient(deviation_of_raw, raw)
    np.testing.assert_allclose(slope, noise, rtol=1e-3, atol=1e-5)


def test_bernoulli_is_the_cross_entropy_of_logits():
    logits = 5 * normals(4, 3, 2, 1)
    likelihood = Bernoulli().distribution(logits)
    assert (likelihood.batch_shape, likelihood.event_shape) == ([4], [3, 2, 1])
    black_or_white = (normals(4, 3, 2, 1, seed=1) > 0).astype(np.float32)
    grey = np.random.default_rng(2).random((4, 3, 2, 1), np.float32)
    for pixels in (black_or_white, grey):
        chance = 1 / (1 + np.exp(-logits.astype(np.float64)))
        expected = pixels * np.log(chance) + (1 - pixels) * np.log1p(-chance)
        np.testing.assert_allclose(
            likelihood.log_prob(pixels), expected.sum(axis=(1, 2, 3)), rtol=1e-4
        )
    np.testing.assert_allclose(likelihood.mean(), chance, rtol=1e-5)


def test_bernoulli_is_finite_at_extreme_logits():
    logits = tf.constant([[1e4, -1e4], [1e4, -1e4], [1e4, -1e4]])
    pixels = tf.constant([[1.0, 0.0], [0.0, 1.0], [0.5, 0.5]])
    with tf.GradientTape() as tape:
        tape.watch(logits)
        log_prob = Bernoulli().distribution(logits).log_prob(pixels)
    np.testing.assert_allclose(log_prob, [0.0, -2e4, -1e4])
    np.testing.assert_allclose(tape.gradient(log_prob, logits), [[0, 0], [-1, 1], [-0.5, 0.5]])


def test_bernoulli_samples_are_floats_of_zero_and_one():
    samples = Bernoulli().distribution(tf.zeros([2, 500])).sample(seed=(0, 0)).numpy()
    assert samples.dtype == np.float32
    assert set(np.unique(samples)) == {0.0, 1.0}


def test_gaussian_of_variance_one_half_is_the_lectures_squared_error():
    examples, decoded = normals(5, 4, 3, 2), normals(5, 4, 3, 2, seed=1)
    likelihood = Gaussian(scale=math.sqrt(0.5)).distribution(decoded)
    assert (likelihood.batch_shape, likelihood.event_shape) == ([5], [4, 3, 2])
    squared_error = np.sum((examples - decoded) ** 2, axis=(1, 2, 3))
    constant = 4 * 3 * 2 / 2 * math.log(math.pi)
    np.testing.assert_allclose(
        -likelihood.log_prob(examples) - constant, squared_error, rtol=1e-4, atol=1e-4
    )
    np.testing.assert_array_equal(likelihood.mean(), decoded)


@pytest.mark.parametrize("scale_shape", [(5, 3, 2, 1), (5, 1, 1, 1)])
def test_gaussian_learns_a_scale_per_value_or_per_example(scale_shape):
    examples, decoded, raw = normals(5, 3, 2, 1), normals(5, 3, 2, 1, seed=1), normals(*scale_shape)
    likelihood = Gaussian(floor=0.3).distribution(decoded, raw)
    assert (likelihood.batch_shape, likelihood.event_shape) == ([5], [3, 2, 1])
    expected = normal_log_prob(examples, decoded, 0.3 + np.log1p(np.exp(raw)))
    np.testing.assert_allclose(
        likelihood.log_prob(examples), expected.sum(axis=(1, 2, 3)), rtol=1e-4
    )


def test_gaussian_never_learns_a_scale_below_its_floor():
    likelihood = Gaussian().distribution(tf.zeros([1, 2]), tf.fill([1, 2], -1e4))
    np.testing.assert_allclose(likelihood.stddev(), [[0.01, 0.01]])


@pytest.mark.parametrize("scale", [0.0, -1.0])
def test_gaussian_refuses_a_scale_that_is_not_positive(scale):
    with pytest.raises(ValueError, match=f"`scale` must be positive.*Received: scale={scale}"):
        Gaussian(scale=scale)


def test_gaussian_refuses_a_negative_floor():
    with pytest.raises(ValueError, match="`floor` must be.*Received: floor=-1.0"):
        Gaussian(floor=-1.0)


def test_gaussian_refuses_a_decoder_with_the_wrong_number_of_outputs():
    one = tf.zeros([1, 2])
    with pytest.raises(ValueError, match="heads=2. Received: scale=None and a decoder of 1 out"):
        Gaussian().distribution(one)
    with pytest.raises(ValueError, match="Received: scale=0.5 and a decoder of 2 outputs"):
        Gaussian(scale=0.5).distribution(one, one)


@pytest.mark.parametrize(
    ("value", "outputs"),
    [
        (DiagonalNormal(), 2),
        (LogVarianceNormal(), 2),
        (Bernoulli(), 1),
        (Gaussian(scale=0.5), 1),
        (Gaussian(), 2),
    ],
    ids=repr,
)
def test_networks_in_half_precision_give_distributions_in_single_precision(value, outputs):
    keras.config.set_dtype_policy("mixed_bfloat16")
    network = networks.mlp_encoder((4,), 3, hidden_sizes=(8,), heads=outputs)
    half = network(normals(2, 4))
    half = half if isinstance(half, (list, tuple)) else [half]
    assert [output.dtype for output in half] == [tf.bfloat16] * outputs
    distribution = value.distribution(*half)
    points = tf.constant([[0.0, 1.0, 0.0], [1.0, 0.0, 1.0]])
    exact = value.distribution(*[tf.cast(output, tf.float32) for output in half])
    for name, arguments in (("mean", ()), ("stddev", ()), ("log_prob", (points,))):
        result = getattr(distribution, name)(*arguments)
        assert result.dtype == tf.float32, name
        np.testing.assert_array_equal(result, getattr(exact, name)(*arguments))


def without_closed_form(size):
    """The standard normal, as a mixture of one: TFP knows no divergence from that."""
    return tfd.MixtureSameFamily(
        tfd.Categorical(logits=[0.0]),
        tfd.MultivariateNormalDiag(tf.zeros([1, size]), tf.ones([1, size])),
    )


def test_divergence_without_a_closed_form_is_the_mean_over_the_latents():
    location, deviation = normals(2, 3), np.exp(normals(2, 3, seed=1))
    latents = normals(5, 2, 3, seed=2)
    log_ratios = normal_log_prob(latents, location, deviation) - normal_log_prob(latents, 0.0, 1.0)
    divergence = kl_divergence(
        make(DiagonalNormal(), location, deviation), without_closed_form(3), latents
    )
    np.testing.assert_allclose(divergence, log_ratios.sum(axis=2).mean(axis=0), rtol=1e-4)


def test_divergence_from_many_latents_agrees_with_the_closed_form():
    posterior = make(DiagonalNormal(), normals(4, 3), np.exp(0.5 * normals(4, 3, seed=1)))
    prior = without_closed_form(3)
    latents = posterior.sample(20_000, seed=(3, 4))
    log_ratios = posterior.log_prob(latents) - prior.log_prob(latents)
    standard_error = np.std(log_ratios, axis=0) / math.sqrt(len(latents))
    estimate = kl_divergence(posterior, prior, latents)
    exact = kl_divergence(posterior, StandardNormal(3).distribution(), latents)
    assert not np.array_equal(estimate, exact)
    assert (np.abs(estimate - exact) < 4 * standard_error).all()
