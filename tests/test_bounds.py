"""Bounds against numbers worked out by hand and a model whose likelihood is known."""

import numpy as np
import pytest
import tensorflow as tf

from tfgen.distributions import Gaussian, LogVarianceNormal, StandardNormal
from tfgen.objectives.bounds import ELBO, Bound, Terms

# A linear decoder with orthogonal columns: the true posterior is diagonal.
WEIGHTS = np.array([[1.0, 1.0], [2.0, -1.0], [1.0, 1.0]], np.float32)
DEVIATION = 0.8
SAMPLES = 20_000
# Of the two posteriors in `hand_made`.
DIVERGENCES = np.array([0.5, 0.5 * (np.exp(2.0) - 2.0 - 1.0)])


def hand_made(bound, step=0):
    """Two examples whose posteriors are N(1, 1) and N(0, e^2), with divergences known by hand."""
    posterior = LogVarianceNormal().distribution([[1.0], [0.0]], [[0.0], [2.0]])
    log_likelihood = tf.constant([[-1.0, -2.0], [-3.0, -6.0]])  # [samples, batch]
    latents = tf.constant([[[100.0], [100.0]], [[-7.0], [3.0]]])  # not needed
    prior = StandardNormal(1).distribution()
    terms = Terms(log_likelihood, latents, posterior, prior)
    return bound.value(terms, tf.constant(step, tf.int64))


@pytest.mark.parametrize("beta", [0.0, 0.5, 1.0, 4.0])
def test_elbo_is_the_mean_log_likelihood_less_beta_divergences(beta):
    expected = [-2.0, -4.0] - beta * DIVERGENCES
    np.testing.assert_allclose(hand_made(ELBO(beta=beta)), expected, rtol=1e-5)


@pytest.mark.parametrize(
    ("step", "weight"), [(0, 0.0), (1, 0.75), (2, 1.5), (4, 3.0), (5, 3.0), (2**40, 3.0)]
)
def test_the_weight_warms_up_in_a_line_and_stays(step, weight):
    bound = hand_made(ELBO(beta=3.0, warm_up=4), step)
    np.testing.assert_allclose(bound, [-2.0, -4.0] - weight * DIVERGENCES, rtol=1e-5)


def test_elbo_has_beta_one_and_one_sample_unless_told_otherwise():
    assert ELBO() == ELBO(beta=1.0, warm_up=0)
    assert ELBO().samples == 1


def test_elbo_refuses_a_negative_beta():
    with pytest.raises(ValueError, match="`beta` must be at least 0. Received: beta=-0.1"):
        ELBO(beta=-0.1)


def test_elbo_refuses_a_negative_warm_up():
    with pytest.raises(ValueError, match="`warm_up` must be at least 0. Received: warm_up=-1"):
        ELBO(warm_up=-1)


def test_a_bound_must_say_its_value():
    with pytest.raises(TypeError, match="value"):
        Bound()


def true_posterior(examples):
    """Returns the mean and the variance of `p(z|x)`, for `z ~ N(0, I)`, `x ~ N(W z, s^2 I)`."""
    precision = 1 + np.sum(WEIGHTS**2, axis=0) / DEVIATION**2
    return examples @ WEIGHTS / DEVIATION**2 / precision, 1 / precision


def log_evidence(examples):
    covariance = WEIGHTS @ WEIGHTS.T + DEVIATION**2 * np.eye(3)
    quadratic = np.einsum("ij,jk,ik->i", examples, np.linalg.inv(covariance), examples)
    return -0.5 * (quadratic + np.linalg.slogdet(2 * np.pi * covariance)[1])


def estimate(examples, mean, variance):
    """Returns the ELBO of every example and its standard error."""
    log_variance = np.log(np.broadcast_to(variance, mean.shape))
    posterior = LogVarianceNormal().distribution(mean, log_variance)
    latents = posterior.sample(SAMPLES, seed=(5, 6))
    decoded = tf.reshape(latents, [-1, 2]) @ WEIGHTS.T
    likelihood = Gaussian(scale=DEVIATION).distribution(decoded)
    repeated = tf.tile(tf.cast(examples, tf.float32), [SAMPLES, 1])
    log_likelihood = tf.reshape(likelihood.log_prob(repeated), [SAMPLES, -1])
    prior = StandardNormal(2).distribution()
    bound = ELBO().value(Terms(log_likelihood, latents, posterior, prior), step=0)
    return bound.numpy(), np.std(log_likelihood, axis=0) / np.sqrt(SAMPLES)


def test_elbo_of_the_true_posterior_is_the_log_evidence():
    examples = 2 * np.random.default_rng(0).normal(size=(4, 3))
    bound, error = estimate(examples, *true_posterior(examples))
    assert (np.abs(bound - log_evidence(examples)) < 4 * error + 1e-4).all()


@pytest.mark.parametrize(("shift", "stretch"), [(0.0, 3.0), (0.4, 1.0), (-0.3, 0.3)])
def test_elbo_is_below_the_log_evidence_by_the_divergence_from_the_true_posterior(shift, stretch):
    examples = 2 * np.random.default_rng(0).normal(size=(4, 3))
    mean, variance = true_posterior(examples)
    bound, error = estimate(examples, mean + shift, variance * stretch)
    # KL(N(m + d, t v) || N(m, v)), summed over the latents.
    gap = 0.5 * np.sum(stretch + shift**2 / variance - 1 - np.log(stretch))
    assert (bound + 4 * error < log_evidence(examples)).all()
    assert (np.abs(log_evidence(examples) - gap - bound) < 4 * error + 1e-4).all()
