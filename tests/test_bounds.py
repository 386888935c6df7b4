"""Bounds against numbers worked out by hand and a model whose likelihood is known."""

import numpy as np
import pytest
import tensorflow as tf

from tests.linear_gaussian import examples, log_evidence, terms, true_posterior
from tfgen.distributions import LogVarianceNormal, StandardNormal
from tfgen.objectives.bounds import ELBO, Bound, Capacity, FreeBits, Terms

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
    return bound.value(terms, None if step is None else tf.constant(step, tf.int64))


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


@pytest.mark.parametrize(
    ("step", "capacity"), [(0, 0.0), (1, 0.5), (4, 2.0), (5, 2.0), (None, 2.0)]
)
def test_the_mean_divergence_is_held_at_a_capacity_that_rises(step, capacity):
    """The distance is that of the mean, which is less than the mean distance."""
    bound = Capacity(gamma=3.0, capacity=2.0, warm_up=4)
    expected = [-2.0, -4.0] - 3 * np.abs(DIVERGENCES.mean() - capacity)
    np.testing.assert_allclose(hand_made(bound, step), expected, rtol=1e-5)


def two_latents(floor):
    """The first latent tells 0.5 and 0 nats, the second 0 and 2 nats, of two examples."""
    posterior = LogVarianceNormal().distribution([[1.0, 0.0], [0.0, 2.0]], tf.zeros([2, 2]))
    terms = Terms(tf.constant([[-1.0, -2.0]]), None, posterior, StandardNormal(2).distribution())
    return FreeBits(floor).value(terms, None).numpy()


@pytest.mark.parametrize(
    ("floor", "divergence"), [(0.0, 1.25), (0.2, 1.25), (0.5, 1.5), (1.5, 3.0)]
)
def test_each_latent_s_mean_divergence_is_free_up_to_a_floor(floor, divergence):
    """Not each example's: with a floor of 0.2 nothing changes, where each example's would."""
    np.testing.assert_allclose(two_latents(floor), [-1 - divergence, -2 - divergence], rtol=1e-5)


def test_the_divergences_of_the_latents_add_up():
    points = examples()
    found = terms(points, *map(tf.constant, true_posterior(points)), 1)
    total = tf.reduce_sum(found.divergences, axis=1)
    np.testing.assert_allclose(total, found.divergence, rtol=1e-5)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: Capacity(gamma=-1.0), "`gamma` must be at least 0. Received: gamma=-1.0"),
        (lambda: Capacity(capacity=-1.0), "`capacity` must be at least 0"),
        (lambda: FreeBits(-0.1), "`floor` must be at least 0. Received: floor=-0.1"),
        (lambda: ELBO(np.nan), "`beta` must be a finite number. Received: beta=nan"),
        (lambda: Capacity(capacity=np.nan), "`capacity` must be a finite number"),
        (lambda: Capacity(gamma=np.inf), "`gamma` must be a finite number. Received: gamma=inf"),
        (lambda: FreeBits(None), "`floor` must be a finite number. Received: floor=None"),
        (lambda: ELBO("4"), "`beta` must be a finite number. Received: beta='4'"),
    ],
)
def test_numbers_that_bounds_cannot_use_are_refused(build, message):
    with pytest.raises(ValueError, match=message):
        build()


def test_a_bound_must_say_its_value():
    with pytest.raises(TypeError, match="value"):
        Bound()


def estimate(points, mean, variance):
    """Returns the ELBO of every example and its standard error."""
    found = terms(points, tf.constant(mean, tf.float32), np.log(variance).astype("f"), SAMPLES)
    bound = ELBO().value(found, step=0)
    return bound.numpy(), np.std(found.log_likelihood, axis=0) / np.sqrt(SAMPLES)


def test_elbo_of_the_true_posterior_is_the_log_evidence():
    points = examples()
    bound, error = estimate(points, *true_posterior(points))
    assert (np.abs(bound - log_evidence(points)) < 4 * error + 1e-4).all()


@pytest.mark.parametrize(("shift", "stretch"), [(0.0, 3.0), (0.4, 1.0), (-0.3, 0.3)])
def test_elbo_is_below_the_log_evidence_by_the_divergence_from_the_true_posterior(shift, stretch):
    points = examples()
    mean, variance = true_posterior(points)
    bound, error = estimate(points, mean + shift, variance * stretch)
    # KL(N(m + d, t v) || N(m, v)), summed over the latents.
    gap = 0.5 * np.sum(stretch + shift**2 / variance - 1 - np.log(stretch))
    assert (bound + 4 * error < log_evidence(points)).all()
    assert (np.abs(log_evidence(points) - gap - bound) < 4 * error + 1e-4).all()
