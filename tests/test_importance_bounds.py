"""Bounds of importance weights, against a model whose likelihood is known."""

import functools
import types

import numpy as np
import pytest
import tensorflow as tf

from tests.linear_gaussian import WEIGHTS, examples, log_evidence, terms, true_posterior
from tfgen.objectives.bounds import ELBO, ImportanceWeighted, Renyi

EVERY = [
    ELBO(),
    ImportanceWeighted(5),
    ImportanceWeighted(5, doubly_reparametrized=True),
    ImportanceWeighted(4, repeats=3),
    Renyi(0.5, 5),
    Renyi(2.0, 5),
    Renyi(-1.0, 5),
]


def wrong_posterior(points):
    mean, variance = true_posterior(points)
    return tf.constant(mean + 0.3, tf.float32), tf.constant(np.log(2 * variance), tf.float32)


def mean_bound(bound, points, draws=4000):
    """Returns the mean bound of all examples over many draws, and its standard error."""
    repeated = np.repeat(points, draws, axis=0)
    found = bound.value(terms(repeated, *wrong_posterior(repeated), bound.draws), step=None)
    each = tf.reshape(found, [len(points), draws]).numpy().mean(axis=0)
    return each.mean(), each.std() / draws**0.5


@pytest.mark.parametrize("bound", EVERY, ids=repr)
def test_of_the_true_posterior_every_bound_is_the_log_likelihood(bound):
    """All weights are `p(x)`."""
    points = examples()
    mean, variance = true_posterior(points)
    log_variance = np.log(variance).astype("f")
    found = bound.value(terms(points, tf.constant(mean), log_variance, bound.draws), step=None)
    if isinstance(bound, ELBO):  # its divergence has a closed form, and so its draws differ

        @functools.partial(tf.function, autograph=False)
        def draw(seed):
            return bound.value(terms(points, tf.constant(mean), log_variance, 1, seed), None)

        draws = [draw(tf.constant([seed, 1])) for seed in range(200)]
        np.testing.assert_allclose(np.mean(draws, axis=0), log_evidence(points), atol=0.3)
        return
    np.testing.assert_allclose(found, log_evidence(points), rtol=1e-4)


def test_the_bound_rises_with_its_samples_towards_the_log_likelihood():
    points = examples()
    found = [mean_bound(ImportanceWeighted(k), points) for k in (1, 2, 5, 20, 100)]
    for (low, low_error), (high, high_error) in zip(found, found[1:], strict=False):
        assert high - low > 3 * (low_error + high_error)
    assert 0 < log_evidence(points).mean() - found[-1][0] < 0.1
    assert found[0][0] == pytest.approx(mean_bound(ELBO(), points)[0], abs=0.1)


def test_averaged_bounds_of_one_sample_are_the_mean_log_weight():
    points = examples()
    found = terms(points, *wrong_posterior(points), 6)
    value = ImportanceWeighted(1, repeats=6).value(found, None)
    np.testing.assert_allclose(value, tf.reduce_mean(found.log_weights, axis=0), rtol=1e-6)


def test_averaged_bounds_are_those_of_their_groups():
    points = examples()
    found = terms(points, *wrong_posterior(points), 6)
    weights = np.exp(found.log_weights.numpy().astype(np.float64)).reshape(2, 3, -1)
    expected = np.log(weights.mean(axis=1)).mean(axis=0)
    value = ImportanceWeighted(3, repeats=2).value(found, None)
    np.testing.assert_allclose(value, expected, rtol=1e-5)


@pytest.mark.parametrize("alpha", [-2.0, 0.0, 0.5, 0.999, 3.0])
def test_renyi_s_bound_is_the_paper_s(alpha):
    points = examples()
    found = terms(points, *wrong_posterior(points), 7)
    weights = np.exp(found.log_weights.numpy().astype(np.float64))
    expected = np.log(np.mean(weights ** (1 - alpha), axis=0)) / (1 - alpha)
    value = Renyi(alpha, 7).value(found, None)
    np.testing.assert_allclose(value, expected, rtol=1e-3 if alpha == 0.999 else 1e-5)


@pytest.mark.parametrize("power", [1e-3, 1e-6, 1e-12, -1e-6])
def test_near_1_renyi_s_bound_loses_no_digits(power):
    """Of weights far from 1, as those of images are."""
    log_weights = -92 + np.random.default_rng(0).normal(size=[50, 3]).astype("f")
    found = Renyi(1 - power, 50).value(types.SimpleNamespace(log_weights=log_weights), None)
    mean, variance = (getattr(log_weights.astype("d"), name)(axis=0) for name in ("mean", "var"))
    np.testing.assert_allclose(found, mean + power * variance / 2, rtol=1e-6)


def test_the_gradient_of_renyi_s_bound_is_the_share_of_each_power():
    log_weights = tf.Variable([[-3.0, -90.0], [-2.0, -70.0], [-2.0, -np.inf]])
    with tf.GradientTape() as tape:
        value = Renyi(0.5, 3).value(types.SimpleNamespace(log_weights=log_weights), None)
    powers = np.exp(0.5 * log_weights.numpy())
    np.testing.assert_allclose(value, 2 * np.log(powers.mean(axis=0)), rtol=1e-5)
    gradient = tape.gradient(value, log_weights)
    np.testing.assert_allclose(gradient, powers / powers.sum(axis=0), rtol=1e-5)


def test_few_samples_bring_renyi_s_bound_nearer_to_the_elbo():
    """From below where its order is less than 1, from above where it is more; with one, it is."""
    log_weights = np.random.default_rng(0).normal(size=[4000, 64]).astype("f")

    def mean(alpha, samples):
        parts = log_weights.T.reshape(-1, samples).T
        bound = Renyi(alpha, samples)
        return float(np.mean(bound.value(types.SimpleNamespace(log_weights=parts), None)))

    elbo = log_weights.mean()
    for alpha in (-1.0, 0.5, 2.0):
        assert mean(alpha, 1) == pytest.approx(elbo, abs=1e-3)
    assert elbo < mean(-1.0, 2) < mean(-1.0, 100)
    assert elbo > mean(2.0, 2) > mean(2.0, 100)


def test_renyi_s_bound_joins_the_others_and_falls_with_its_order():
    points = examples()
    found = terms(points, *wrong_posterior(points), 7)
    values = [Renyi(alpha, 7).value(found, None) for alpha in (-2.0, 0.0, 0.5, 1.0, 2.0)]
    np.testing.assert_allclose(values[1], ImportanceWeighted(7).value(found, None), rtol=1e-6)
    np.testing.assert_allclose(values[3], tf.reduce_mean(found.log_weights, axis=0), rtol=1e-6)
    assert (np.diff(values, axis=0) < 0).all()


def gradients(bound, points, seed, weights=WEIGHTS, posterior=wrong_posterior, step=0):
    """Returns the gradients that reach a posterior's mean, its log variance and the decoder."""
    sources = [*posterior(points), tf.constant(weights)]
    with tf.GradientTape() as tape:
        tape.watch(sources)
        mean, log_variance, weights = sources
        found = terms(points, mean, log_variance, bound.draws, seed, weights)
        value = tf.reduce_sum(bound.value(found, tf.constant(step, tf.int64)))
    return tape.gradient(value, sources)


def test_a_warm_up_weighs_the_prior_and_the_posterior():
    points = examples()
    found = terms(points, *wrong_posterior(points), 5)
    log_ratio = found.log_weights - found.log_likelihood
    weights = np.exp(np.float64(found.log_likelihood + 0.25 * log_ratio))
    for doubly in (False, True):
        bound = ImportanceWeighted(5, doubly_reparametrized=doubly, warm_up=400)
        value = bound.value(found, tf.constant(100, tf.int64))
        np.testing.assert_allclose(value, np.log(weights.mean(axis=0)), rtol=1e-5)
        whole = ImportanceWeighted(5).value(found, None)
        for step in (tf.constant(400, tf.int64), tf.constant(900, tf.int64), None):
            np.testing.assert_allclose(bound.value(found, step), whole, rtol=1e-5)


@pytest.mark.parametrize(("repeats", "step"), [(1, 400), (2, 400), (1, 100)])
def test_the_double_reparametrization_has_the_same_mean_and_a_smaller_deviation(repeats, step):
    """Tucker et al., 2019, section 4: of the encoder's gradient; the decoder's is the same."""
    points = examples(2)

    def drawn(doubly):
        bound = ImportanceWeighted(16, repeats, doubly, 400)
        draw = tf.function(lambda seed: gradients(bound, points, seed, step=step), autograph=False)
        return [draw(tf.constant([seed, 3])) for seed in range(400)]

    plain, double = drawn(False), drawn(True)
    for which in range(2):
        first, second = (np.array([each[which] for each in found]) for found in (plain, double))
        error = (first.std(axis=0) + second.std(axis=0)) / len(first) ** 0.5
        assert (np.abs(first.mean(axis=0) - second.mean(axis=0)) < 4 * error).all()
        most = 0.5 if step == 400 else 0.8  # before, the square has not its whole weight
        assert second.std(axis=0).mean() < most * first.std(axis=0).mean()
    np.testing.assert_allclose(plain[0][2], double[0][2], rtol=1e-4)


def test_of_the_true_posterior_the_doubly_reparametrized_gradient_is_0():
    def posterior(points):
        mean, variance = true_posterior(points)
        return tf.constant(mean), tf.zeros_like(mean) + np.log(variance).astype("f")

    bound = ImportanceWeighted(5, doubly_reparametrized=True)
    of_mean, of_variance, _ = gradients(bound, examples(), (1, 2), posterior=posterior)
    np.testing.assert_allclose(of_mean, 0, atol=1e-4)
    np.testing.assert_allclose(of_variance, 0, atol=1e-4)


def test_the_double_reparametrization_does_not_change_the_value():
    points = examples()
    found = [
        ImportanceWeighted(5, doubly_reparametrized=chosen).value(
            terms(points, *wrong_posterior(points), 5), None
        )
        for chosen in (False, True)
    ]
    np.testing.assert_allclose(*found, rtol=1e-6)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: ImportanceWeighted(0), "`samples` must be at least 1. Received: samples=0"),
        (
            lambda: ImportanceWeighted(repeats=0),
            "`repeats` must be at least 1. Received: repeats=0",
        ),
        (lambda: Renyi(samples=0), "`samples` must be at least 1. Received: samples=0"),
        (lambda: ImportanceWeighted(2.5), "`samples` must be an integer. Received: samples=2.5"),
        (lambda: Renyi(samples=2.5), "`samples` must be an integer. Received: samples=2.5"),
        (lambda: Renyi(float("inf")), "`alpha` must be a finite number. Received: alpha=inf"),
    ],
)
def test_counts_and_orders_out_of_range_are_refused(build, message):
    with pytest.raises(ValueError, match=message):
        build()
