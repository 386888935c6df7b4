"""The parts of the divergence, against sums over all examples."""

import numpy as np
import pytest
import scipy.special
import scipy.stats
import tensorflow as tf
import tensorflow_probability as tfp

from tfgen.distributions import LogVarianceNormal, StandardNormal
from tfgen.objectives.bounds import ELBO, Terms, TotalCorrelation

tfd = tfp.distributions
MEANS = np.array([[0.0, 0.0], [1.0, 1.5], [-2.0, -1.0], [0.5, 1.0], [3.0, 2.0]])
DEVIATIONS = np.array([[1.0, 0.5], [0.3, 0.4], [0.8, 0.2], [0.1, 1.2], [0.6, 0.7]])


def terms(seed=(3, 4)):
    posterior = LogVarianceNormal().distribution(
        MEANS.astype("f"), 2 * np.log(DEVIATIONS).astype("f")
    )
    latents = posterior.sample(1, seed=seed)
    log_likelihood = tf.constant([[-1.0, -2.0, -3.0, -4.0, -5.0]])
    return Terms(log_likelihood, latents, posterior, StandardNormal(2).distribution())


def by_hand(latents, weights):
    """Returns log q(z) and log q(z_j) of each row, by weights `[batch, batch]` of the examples."""
    densities = scipy.stats.norm(MEANS, DEVIATIONS).logpdf(latents[:, np.newaxis])
    joint = scipy.special.logsumexp(densities.sum(axis=2), axis=1, b=weights)
    marginals = scipy.special.logsumexp(densities, axis=1, b=weights[:, :, np.newaxis])
    return joint, marginals


def test_it_is_exact_when_the_batch_is_the_data():
    found = terms()
    parts = TotalCorrelation(data_size=5).parts(found)
    joint, marginals = by_hand(found.latents[0].numpy(), np.full([5, 5], 0.2))
    np.testing.assert_allclose(parts.total_correlation, joint - marginals.sum(axis=1), rtol=1e-4)
    log_posterior = found.posterior.log_prob(found.latents[0])
    np.testing.assert_allclose(parts.mutual_information, log_posterior - joint, rtol=1e-4)


def test_the_own_example_weighs_one_of_n_and_the_others_the_rest():
    """Chen et al., 2018, appendix C.2, where the own example is on the diagonal."""
    found, size = terms(), 1000
    weights = np.full([5, 5], (size - 1) / size / 4)
    np.fill_diagonal(weights, 1 / size)
    np.testing.assert_allclose(weights.sum(axis=1), 1)
    joint, marginals = by_hand(found.latents[0].numpy(), weights)
    parts = TotalCorrelation(data_size=size).parts(found)
    np.testing.assert_allclose(parts.total_correlation, joint - marginals.sum(axis=1), rtol=1e-4)


@pytest.mark.parametrize("size", [5, 1000])
def test_the_parts_add_up_to_the_divergence_of_the_draw(size):
    found = terms()
    parts = TotalCorrelation(data_size=size).parts(found)
    latents = found.latents[0]
    expected = found.posterior.log_prob(latents) - found.prior.log_prob(latents)
    np.testing.assert_allclose(sum(parts), expected, rtol=1e-4, atol=1e-5)


def test_with_weights_of_1_it_is_the_elbo_in_the_mean():
    bound = TotalCorrelation(data_size=5, beta=1.0)
    draw = tf.function(lambda seed: bound.value(terms(seed), None), autograph=False)
    values = [draw(tf.constant([seed, 5])) for seed in range(2000)]
    error = np.std(values, axis=0) / len(values) ** 0.5
    assert (np.abs(np.mean(values, axis=0) - ELBO().value(terms(), None)) < 4 * error).all()


def test_each_part_has_its_weight():
    found = terms()
    parts = TotalCorrelation(data_size=5).parts(found)
    bound = TotalCorrelation(data_size=5, alpha=2.0, beta=3.0, gamma=4.0)
    expected = found.log_likelihood[0] - (2 * parts[0] + 3 * parts[1] + 4 * parts[2])
    np.testing.assert_allclose(bound.value(found, None), expected, rtol=1e-5)


def test_latents_that_depend_on_each_other_are_refused():
    found = terms()
    joint = tfd.MultivariateNormalTriL(tf.zeros([5, 2]), tf.eye(2))
    with pytest.raises(ValueError, match="needs a posterior of independent latents"):
        TotalCorrelation(data_size=5).value(
            Terms(found.log_likelihood, found.latents, joint, found.prior), None
        )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"data_size": 1}, "`data_size` must be at least 2. Received: data_size=1"),
        ({"data_size": 5.5}, "`data_size` must be an integer. Received: data_size=5.5"),
        ({"data_size": [1, 2]}, r"`data_size` must be an integer. Received: data_size=\[1, 2\]"),
        ({"data_size": 5, "beta": np.nan}, "`beta` must be a finite number. Received: beta=nan"),
        ({"data_size": 5, "beta": -1.0}, "`beta` must be at least 0. Received: beta=-1.0"),
    ],
)
def test_numbers_out_of_range_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        TotalCorrelation(**options)


def in_a_graph(count, known, **options):
    """Returns the bound of a batch in a graph, which may know the batch's size."""
    rows = tf.TensorSpec([count if known else None, 2])

    @tf.function(input_signature=[rows], **options)
    def value(means):
        posterior = LogVarianceNormal().distribution(means, tf.zeros_like(means))
        found = Terms(means[tf.newaxis, :, 0], means[None], posterior, terms().prior)
        return TotalCorrelation(data_size=5).value(found, None)

    return value(tf.ones([count, 2])).numpy()


@pytest.mark.parametrize("count", [1, 6])
def test_a_batch_of_one_or_of_more_than_there_are_is_refused(count):
    message = f"A batch must have from 2 to `data_size` = 5 examples. Received: {count}"
    for options in ({}, {"jit_compile": True}):
        with pytest.raises(ValueError, match=message):
            in_a_graph(count, known=True, **options)
    message = f"(?s)A batch must have from 2 to `data_size` = 5 examples.*{count}"
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        in_a_graph(count, known=False)


@pytest.mark.parametrize(("count", "wrong"), [(1, True), (2, False), (5, False), (6, True)])
def test_under_xla_the_bound_of_a_batch_that_does_not_fit_is_none(count, wrong):
    """XLA drops the check."""
    assert (np.isnan(in_a_graph(count, known=False, jit_compile=True)) == wrong).all()
