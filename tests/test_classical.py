"""Classical densities and samplers against closed forms, SciPy and scikit-learn."""

import json
import math

import keras
import numpy as np
import pytest
import scipy.stats
import sklearn.datasets
import sklearn.decomposition
import sklearn.neighbors
import tensorflow as tf

import tfgen
from tests.test_training import refusal
from tfgen import data, samplers
from tfgen.distributions.densities import (
    FactorAnalysis,
    Gaussian,
    GaussianMixture,
    KernelDensity,
)
from training import train
from training.recipes.recipe import RECIPES

DENSITIES = [
    Gaussian(),
    FactorAnalysis(factors=1),
    GaussianMixture(components=2),
    KernelDensity(bandwidth=0.3),
]
every_density = pytest.mark.parametrize(
    "density",
    [
        each
        if isinstance(each, Gaussian | KernelDensity)
        else pytest.param(each, marks=pytest.mark.slow)
        for each in DENSITIES
    ],
    ids=lambda value: type(value).__name__,
)
RECIPES_WITHOUT_STEPS = [name for name, recipe in RECIPES.items() if not recipe.in_steps]
COVARIANCE = np.array([[2.0, 0.9, 0.0], [0.9, 1.0, 0.3], [0.0, 0.3, 0.5]])


def points(count=2000, seed=0):
    """Draws from two correlated normals, whose first value tells them apart."""
    random = np.random.default_rng(seed)
    normal = random.multivariate_normal([0, 1, -2], COVARIANCE, count)
    normal[:, 0] += 10 * (random.random(count) < 0.25)
    return normal.astype(np.float32)


def images(count=200):
    """Draws four stripes from black to white, in a border that is always black."""
    pixels = np.zeros([count, 6, 6, 1], np.float32)
    pixels[:, 1:5, 1:5] = np.random.default_rng(0).random([count, 1, 4, 1])
    return pixels


def fitted(density, examples, dimensions=None, **options):
    model = tfgen.DensityModel(examples.shape[1:], density, dimensions, **options)
    model.fit(examples, verbose=0)
    return model


def weight(model, name):
    return next(weight.numpy() for weight in model.weights if weight.name == name)


# Densities


def test_the_gaussian_is_that_of_maximum_likelihood():
    examples = points(50)
    model = fitted(Gaussian(), examples)
    np.testing.assert_allclose(weight(model, "mean"), examples.mean(axis=0), rtol=1e-5)
    factor = weight(model, "factor")
    assert (np.diag(factor) > 0).all() and (np.triu(factor, 1) == 0).all()
    covariance = np.cov(examples.T, bias=True)
    np.testing.assert_allclose(factor @ factor.T, covariance, rtol=1e-4)
    expected = scipy.stats.multivariate_normal(examples.mean(axis=0), covariance).logpdf(examples)
    np.testing.assert_allclose(model.log_likelihood(examples), expected, rtol=1e-4)


def test_samples_of_the_gaussian_have_its_moments():
    examples = points()
    samples = fitted(Gaussian(), examples).sample(20_000, seed=0).numpy()
    # Some five standard errors of the largest variance, which is about 20.
    np.testing.assert_allclose(samples.mean(axis=0), examples.mean(axis=0), atol=0.2)
    np.testing.assert_allclose(np.cov(samples.T), np.cov(examples.T), atol=1.0)


def test_a_gaussian_of_fewer_examples_than_values_samples_in_their_plane():
    directions = np.linalg.qr(np.random.default_rng(0).normal(size=(40, 3)))[0]
    examples = (points(20) @ directions.T).astype(np.float32)
    floor = 1e-2
    model = fitted(Gaussian(floor), examples)
    samples = model.sample(20_000, seed=0).numpy()
    outside = samples - samples @ directions @ directions.T
    assert outside.std() == pytest.approx(floor * math.sqrt(37 / 40), rel=0.01)
    inside = np.cov((samples @ directions).T)
    np.testing.assert_allclose(
        inside, np.cov(examples @ directions, rowvar=False, bias=True), atol=1
    )
    # At the mean, every direction counts with the logarithm of its deviation.
    variances = np.linalg.eigvalsh(np.cov((examples @ directions).T, bias=True))
    expected = -0.5 * np.log(variances).sum() - 37 * math.log(floor) - 20 * math.log(2 * math.pi)
    nats = model.log_likelihood(weight(model, "mean")[np.newaxis])
    np.testing.assert_allclose(nats, expected, rtol=1e-4)


@pytest.mark.slow
def test_factor_analysis_finds_what_the_factors_share_and_each_value_s_noise():
    random = np.random.default_rng(0)
    weights = np.array([[1.0, 0.0], [2.0, 1.0], [0.0, 1.5], [-1.0, 1.0], [0.5, -1.0]])
    noise = np.array([0.3, 0.5, 0.2, 0.4, 0.6])
    examples = random.normal(size=[20_000, 2]) @ weights.T + noise * random.normal(size=[20_000, 5])
    model = fitted(FactorAnalysis(factors=2), (examples + 3).astype(np.float32))
    np.testing.assert_allclose(weight(model, "noise"), noise, atol=0.03)
    # The factors may be turned: what they share is told.
    found = weight(model, "weights")
    np.testing.assert_allclose(found @ found.T, weights @ weights.T, atol=0.12)
    covariance = found @ found.T + np.diag(weight(model, "noise") ** 2)
    expected = scipy.stats.multivariate_normal(weight(model, "mean"), covariance)
    rows = (examples[:50] + 3).astype(np.float32)
    np.testing.assert_allclose(model.log_likelihood(rows), expected.logpdf(rows), rtol=1e-4)
    samples = model.sample(50_000, seed=0).numpy()
    np.testing.assert_allclose(np.cov(samples.T), covariance, atol=0.12)


def test_a_value_that_never_varies_has_the_floor_s_noise():
    examples = np.concatenate([points(), np.full([len(points()), 1], 4.0)], axis=1)
    model = fitted(FactorAnalysis(factors=1, floor=0.01), examples.astype(np.float32))
    assert weight(model, "noise")[-1] == pytest.approx(0.01)
    assert np.isfinite(model.log_likelihood(examples.astype(np.float32))).all()


def test_the_mixture_finds_its_two_components():
    examples = points()
    model = fitted(GaussianMixture(components=2), examples)
    chances = np.exp(weight(model, "logits"))
    right = np.argmax(weight(model, "means")[:, 0])
    assert chances[right] == pytest.approx(np.mean(examples[:, 0] > 5), abs=0.01)
    np.testing.assert_allclose(weight(model, "means")[right], [10, 1, -2], atol=0.3)
    for factor in weight(model, "factors"):
        np.testing.assert_allclose(factor @ factor.T, COVARIANCE, atol=0.3)
    expected = np.logaddexp(
        *(
            np.log(chances[k])
            + scipy.stats.multivariate_normal(mean, factor @ factor.T).logpdf(examples)
            for k, (mean, factor) in enumerate(
                zip(weight(model, "means"), weight(model, "factors"), strict=True)
            )
        )
    )
    np.testing.assert_allclose(model.log_likelihood(examples), expected, rtol=1e-4)


def test_samples_of_the_mixture_have_its_chances_and_moments():
    model = fitted(GaussianMixture(components=2), points())
    samples = model.sample(20_000, seed=0).numpy()
    right = samples[:, 0] > 5
    # The standard error of a share of a quarter of 20,000 is 0.003.
    assert np.mean(right) == pytest.approx(np.exp(weight(model, "logits")).min(), abs=0.012)
    assert 0 < np.mean(right[:50]) < 1  # in no order
    for side in (samples[right], samples[~right]):
        np.testing.assert_allclose(np.cov(side.T), COVARIANCE, atol=0.3)


@pytest.mark.parametrize("bandwidth", [0.02, 0.5, 20.0])
def test_kernels_agree_with_scikit_learn(bandwidth):
    examples, others = points(700) + 100, points(300, seed=1) + 100
    model = fitted(KernelDensity(bandwidth), examples)
    # In one leaf: its trees are wrong where a density is very small.
    reference = sklearn.neighbors.KernelDensity(bandwidth=bandwidth, leaf_size=1000).fit(examples)
    np.testing.assert_allclose(
        model.log_likelihood(others), reference.score_samples(others), rtol=1e-5
    )


def test_samples_of_kernels_are_examples_plus_noise_of_the_bandwidth():
    corners = np.array([[0, 0], [0, 10], [10, 0]], np.float32)
    samples = fitted(KernelDensity(0.5), corners).sample(30_000, seed=0).numpy()
    distances = np.linalg.norm(samples[:, np.newaxis] - corners, axis=2)
    nearest = distances.argmin(axis=1)
    shares = np.bincount(nearest) / len(samples)
    np.testing.assert_allclose(shares, 1 / 3, atol=0.012)  # four standard errors
    noise = ((samples - corners[nearest]) / 0.5).ravel()
    assert scipy.stats.kstest(noise, "norm").pvalue > 0.01
    assert np.corrcoef((samples - corners[nearest]).T)[0, 1] == pytest.approx(0, abs=0.025)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Gaussian(floor=0.0), "`floor` must be positive. Received: floor=0.0"),
        (lambda: GaussianMixture(2, floor=-1.0), "`floor` must be positive. Received: floor=-1.0"),
        (lambda: FactorAnalysis(0), "`factors` must be at least 1. Received: factors=0"),
        (lambda: FactorAnalysis(2, floor=0), "`floor` must be positive. Received: floor=0"),
        (lambda: GaussianMixture(0), "`components` must be at least 1. Received: components=0"),
        (lambda: KernelDensity(0.0), "`bandwidth` must be positive. Received: bandwidth=0.0"),
        (lambda: KernelDensity(math.nan), "`bandwidth` must be positive. Received: bandwidth=nan"),
    ],
)
def test_densities_refuse_impossible_numbers(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize(("shape", "most"), [((50, 5), 5), ((3, 5), 3)])
def test_more_factors_than_the_examples_tell_are_refused(shape, most):
    examples = np.random.default_rng(0).normal(size=shape)
    with pytest.raises(ValueError, match=f"`factors` must be at most {most}.*factors=10"):
        FactorAnalysis(10).estimate(examples, seed=0)


# The model


# Factor analysis knows axes: each value has noise of its own.
@pytest.mark.parametrize(
    "density",
    [
        pytest.param(Gaussian(), marks=pytest.mark.slow),
        pytest.param(GaussianMixture(2), marks=pytest.mark.slow),
        KernelDensity(0.3),
    ],
)
def test_principal_components_of_all_dimensions_change_nothing(density):
    examples = points()
    plain, rotated = fitted(density, examples), fitted(density, examples, dimensions=3)
    nats = plain.log_likelihood(examples)
    np.testing.assert_allclose(rotated.log_likelihood(examples), nats, rtol=1e-3, atol=1e-2)
    samples = rotated.sample(4000, seed=0).numpy()
    assert not np.allclose(samples, plain.sample(4000, seed=0))
    # Four standard errors of the largest variance, which is about 20.
    np.testing.assert_allclose(samples.mean(axis=0), examples.mean(axis=0), atol=0.3)


def test_samples_of_principal_components_lie_in_their_plane():
    examples = images()
    model = fitted(Gaussian(), examples, dimensions=2)
    reference = sklearn.decomposition.PCA(2).fit(examples.reshape(200, -1))
    samples = model.sample(500, seed=0).numpy().reshape(500, -1)
    inside = (samples > 0) & (samples < 1)
    unclipped = samples[inside[:, reference.mean_ > 0].all(axis=1)]
    assert len(unclipped) > 20
    again = reference.inverse_transform(reference.transform(unclipped))
    np.testing.assert_allclose(unclipped, again, atol=1e-5)
    codes = reference.transform(examples.reshape(200, -1))
    expected = scipy.stats.multivariate_normal(codes.mean(axis=0), np.cov(codes.T, bias=True))
    np.testing.assert_allclose(
        model.log_likelihood(examples), expected.logpdf(codes), rtol=1e-3, atol=1e-3
    )


@every_density
def test_images_stay_in_range_and_vectors_go_where_they_want(density):
    samples = fitted(density, images(), dimensions=4).sample(300, seed=0).numpy()
    assert samples.shape == (300, 6, 6, 1) and samples.dtype == np.float32
    vectors = fitted(density, images().reshape(200, -1), dimensions=4).sample(300, seed=0).numpy()
    assert vectors.min() < -0.01 and vectors.max() > 1.01
    np.testing.assert_array_equal(samples.reshape(300, -1), np.clip(vectors, 0, 1))


@every_density
def test_samples_are_a_function_of_the_seed(density):
    model = fitted(density, points())
    first = model.sample(1100, seed=2**40)
    assert first.shape == (1100, 3)
    np.testing.assert_array_equal(model.sample(tf.constant(7), seed=2**40), first[:7])
    assert len(np.unique(first, axis=0)) == 1100  # no block repeats another
    assert not np.array_equal(model.sample(7, seed=1), first[:7])
    assert not np.array_equal(model.sample(7), model.sample(7))
    assert model.sample(0, seed=0).shape == (0, 3)


@every_density
def test_the_log_likelihood_does_not_depend_on_the_others_in_the_batch(density):
    model = fitted(density, points())
    nats = model.log_likelihood(points(601, seed=1))
    assert nats.shape == (601,)
    alone = [model.log_likelihood(points(601, seed=1)[[index]])[0] for index in (0, 249, 250, 600)]
    np.testing.assert_allclose(np.array(nats)[[0, 249, 250, 600]], alone, rtol=1e-4)
    assert model.log_likelihood(points(0)).shape == (0,)


@every_density
def test_a_saved_model_is_the_same(density, tmp_path):
    model = fitted(density, images(), dimensions=3, seed=4)
    model.save(tmp_path / "model.keras")
    loaded = tfgen.load(tmp_path / "model.keras")
    assert (loaded.density, loaded.dimensions, loaded.seed) == (density, 3, 4)
    assert loaded.shape == (6, 6, 1)
    np.testing.assert_array_equal(loaded.sample(5, seed=0), model.sample(5, seed=0))
    loss = model.evaluate(images(), verbose=0)
    assert loaded.evaluate(images(), verbose=0) == loss
    loaded.fit(images(), verbose=0)
    np.testing.assert_array_equal(loaded.sample(5, seed=0), model.sample(5, seed=0))


def test_an_unfitted_model_is_saved_unfitted(tmp_path):
    model = tfgen.DensityModel((3,), Gaussian())
    with pytest.warns(UserWarning, match="not yet been built"):
        model.save(tmp_path / "model.keras")
    with pytest.raises(ValueError, match="knows no examples yet: call `fit` first"):
        tfgen.load(tmp_path / "model.keras").sample(1)


@every_density
def test_an_export_answers_as_the_model(density, tmp_path):
    model = fitted(density, images(), dimensions=3)
    signatures = tf.saved_model.load(str(tfgen.export(model, tmp_path))).signatures
    assert set(signatures) == {"serving_default", "sample", "score"}
    for name in ("serving_default", "sample"):
        answer = signatures[name](count=tf.constant(300), seed=tf.constant(2**40, tf.int64))
        np.testing.assert_allclose(answer["images"], model.sample(300, seed=2**40), atol=1e-5)
    answer = signatures["score"](images=images())
    expected = model.log_likelihood(images())
    np.testing.assert_allclose(answer["log_likelihood"], expected, rtol=1e-5, atol=1e-5)


def test_it_is_fitted_as_any_keras_model():
    examples, labels = points(200), np.zeros(200)
    expected = fitted(Gaussian(), examples)
    loss = -float(np.mean(expected.log_likelihood(examples)))
    held_out = points(90, seed=1)
    validation = -float(np.mean(expected.log_likelihood(held_out)))
    dataset = tf.data.Dataset.from_tensor_slices((examples, labels)).batch(64)
    calls = {
        "array": ((examples,), {"batch_size": 32, "epochs": 3}),
        "labelled": ((examples, labels), {}),
        "tensor": ((tf.constant(examples),), {}),
        "dataset": ((dataset,), {}),
        "endless": ((dataset.repeat(),), {"steps_per_epoch": 4}),
    }
    for name, (args, options) in calls.items():
        seen = []
        callback = keras.callbacks.LambdaCallback(
            on_epoch_end=lambda *args, seen=seen: seen.append(args)
        )
        model = tfgen.DensityModel((3,), Gaussian())
        history = model.fit(
            *args,
            verbose=0,
            callbacks=[callback],
            validation_data=(held_out, labels[:90]),
            **options,
        )
        assert isinstance(history, keras.callbacks.History)
        assert history.history["loss"] == [pytest.approx(loss, rel=1e-5)], name
        assert history.history["val_loss"] == [pytest.approx(validation, rel=1e-5)]
        assert [epoch for epoch, _ in seen] == [0]
        for first, second in zip(model.weights, expected.weights, strict=True):
            np.testing.assert_allclose(first, second, rtol=1e-6)
    # The mean is over examples: a last smaller batch counts less.
    assert model.evaluate(held_out, batch_size=64, verbose=0) == pytest.approx(validation, rel=1e-5)


@pytest.mark.slow
def test_fitted_again_it_forgets():
    model = fitted(GaussianMixture(2), points())
    model.fit(points() + 5, verbose=0)
    expected = fitted(GaussianMixture(2), points() + 5)
    np.testing.assert_array_equal(model.sample(5, seed=0), expected.sample(5, seed=0))


def test_the_seed_decides_the_estimation():
    examples = np.random.default_rng(0).random((100, 3)).astype(np.float32)
    first, same, other = (fitted(GaussianMixture(9), examples, seed=s) for s in (-1, -1, 2))
    np.testing.assert_array_equal(weight(first, "means"), weight(same, "means"))
    assert not np.array_equal(weight(first, "means"), weight(other, "means"))


def unfitted(**options):
    return tfgen.DensityModel((3,), **{"density": Gaussian(), **options})


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda: unfitted().sample(1), "knows no examples yet: call `fit` first"),
        (lambda: unfitted().log_likelihood(points()), "call `fit` first"),
        (lambda: unfitted().evaluate(points(), verbose=0), "call `fit` first"),
        (
            lambda: tfgen.DensityModel((8, 8), Gaussian()),
            r"`shape` must be.*Received: shape=\(8, 8",
        ),
        (lambda: unfitted(dimensions=4), "`dimensions` must be from 1 to the 3.*dimensions=4"),
        (lambda: unfitted(dimensions=0), "`dimensions` must be from 1.*Received: dimensions=0"),
        (lambda: unfitted().fit(images()), r"examples of the shape \(3,\). Received: \(6, 6, 1\)"),
        (lambda: fitted(Gaussian(), points()).log_likelihood(images()), r"Received: \(6, 6, 1\)"),
        (lambda: unfitted().fit(points() * np.nan), "2000 of 2000 examples hold NaN"),
        (lambda: fitted(Gaussian(), images() * 2), "images must be in \\[0, 1\\]"),
        (lambda: unfitted(dimensions=3).fit(points(2)), "3 principal components.*Received: 2 exa"),
        (
            lambda: unfitted(density=GaussianMixture(5)).fit(points(4)),
            "5 components need as many examples at least. Received: 4 examples",
        ),
        (
            lambda: unfitted().fit(tf.data.Dataset.from_tensors(points()).repeat()),
            "without end needs `steps_per_epoch`",
        ),
        (
            lambda: fitted(KernelDensity(1.0), points(5)).fit(points(6)),
            r"fitted with points of \(5, 3\), and cannot hold \(6, 3\). Make a new model",
        ),
    ],
)
def test_mistakes_are_refused(act, message):
    with pytest.raises(ValueError, match=message):
        act()


def test_pixels_of_integers_are_refused():
    with pytest.raises(TypeError, match="floating-point.*uint8.*Divide pixels by 255"):
        fitted(Gaussian(), np.zeros([9, 6, 6, 1], np.uint8))
    with pytest.raises(TypeError, match=r"int64. Convert vectors with `.astype\('float32'\)`"):
        fitted(Gaussian(), np.arange(18).reshape(9, 2))


# Samplers


def follows(samples, distribution):
    """Tells whether samples are of a distribution, by the test of Kolmogorov and Smirnov."""
    return scipy.stats.kstest(samples, distribution).pvalue > 0.01


BIMODAL = (0.3, 0.7)


def bimodal_density(x):
    """In plain numbers: the distributions of SciPy are slow for single ones, and many are asked."""
    left, right = (BIMODAL[0] / 0.5, (x + 2) / 0.5), (BIMODAL[1] / 0.7, (x - 2) / 0.7)
    return sum(height * math.exp(-0.5 * distance**2) for height, distance in (left, right))


def bimodal_cdf(x):
    left, right = scipy.stats.norm(-2, 0.5).cdf(x), scipy.stats.norm(2, 0.7).cdf(x)
    return BIMODAL[0] * left + BIMODAL[1] * right


def test_inverse_transform_follows_the_quantile_function():
    quantile = scipy.stats.expon(scale=3).ppf
    samples = samplers.inverse_transform(quantile, 20_000, seed=0)
    assert samples.shape == (20_000,) and samples.dtype == np.float64
    assert follows(samples, scipy.stats.expon(scale=3).cdf)
    np.testing.assert_array_equal(samplers.inverse_transform(quantile, 20_000, seed=0), samples)
    assert not np.array_equal(samplers.inverse_transform(quantile, 20_000, seed=1), samples)
    assert not np.array_equal(
        samplers.inverse_transform(quantile, 9), samplers.inverse_transform(quantile, 9)
    )


def test_a_numerical_quantile_inverts_the_cumulative_distribution():
    shares = np.linspace(0.01, 0.99, 99)
    triangle = samplers.numerical_quantile(lambda x: 5 * x, (0, 2))
    np.testing.assert_allclose(triangle(shares), 2 * np.sqrt(shares), rtol=1e-8)
    bimodal = samplers.numerical_quantile(bimodal_density, (-8, 8))
    np.testing.assert_allclose(bimodal_cdf(bimodal(shares)), shares, rtol=1e-8)
    assert follows(samplers.inverse_transform(bimodal, 20_000, seed=0), bimodal_cdf)


def test_a_numerical_quantile_finds_a_narrow_hill():
    hill = scipy.stats.norm(1000, 1)
    quantile = samplers.numerical_quantile(lambda x: math.exp(-0.5 * (x - 1000) ** 2), (900, 1500))
    np.testing.assert_allclose(quantile([0.1, 0.9]), hill.ppf([0.1, 0.9]), rtol=1e-8)


def test_inverse_transform_in_the_plane_follows_a_correlated_normal():
    covariance = np.array([[1.0, 0.8], [0.8, 1.5]])
    normal = scipy.stats.multivariate_normal([1, -1], covariance)
    samples = samplers.inverse_transform_plane(
        lambda x, y: 7 * normal.pdf(np.stack([x, y], axis=-1)), ((-5, 7), (-9, 7)), 20_000, seed=0
    )
    assert samples.shape == (20_000, 2)
    white = (samples - [1, -1]) @ np.linalg.inv(np.linalg.cholesky(covariance)).T
    assert follows(white[:, 0], "norm") and follows(white[:, 1], "norm")
    np.testing.assert_allclose(np.corrcoef(white.T), np.eye(2), atol=0.03)


def test_inverse_transform_in_the_plane_is_exact_for_cells():
    """A chess board of two by two: the black cells have all the mass, three to one."""

    def density(x, y):
        return np.where((x < 1) & (y < 2), 3.0, np.where((x > 1) & (y > 2), 1.0, 0.0))

    samples = samplers.inverse_transform_plane(density, ((0, 2), (0, 4)), 20_000, seed=0, nodes=2)
    first, second = samples[samples[:, 0] < 1], samples[samples[:, 0] > 1]
    assert len(first) / len(samples) == pytest.approx(0.75, abs=0.012)
    assert first[:, 1].max() < 2 < second[:, 1].min()
    for cell in (first % [1, 2], second % [1, 2]):
        assert follows(cell[:, 0], "uniform") and follows(cell[:, 1] / 2, "uniform")
        assert np.corrcoef(cell.T)[0, 1] == pytest.approx(0, abs=0.05)


def test_metropolis_hastings_finds_both_hills_in_their_proportion():
    def log_density(x):
        left = -0.5 * ((x[:, 0] + 2) / 0.5) ** 2 + math.log(BIMODAL[0] / 0.5)
        right = -0.5 * ((x[:, 0] - 2) / 0.7) ** 2 + math.log(BIMODAL[1] / 0.7)
        return tf.reduce_logsumexp(tf.stack([left, right]), axis=0)

    start = np.zeros([2000, 1])
    options = {"scale": 3.0, "count": 5, "burn_in": 100, "thin": 30}
    chains = samplers.metropolis_hastings(log_density, start, seed=0, **options)
    assert chains.samples.shape == (5, 2000, 1) and chains.samples.dtype == np.float32
    assert follows(chains.samples.ravel(), bimodal_cdf)
    again = samplers.metropolis_hastings(log_density, start, seed=0, **options)
    np.testing.assert_array_equal(again.samples, chains.samples)
    other = samplers.metropolis_hastings(log_density, start, seed=1, **options)
    assert not np.array_equal(other.samples, chains.samples)


def standard_normal(x):
    return -0.5 * tf.reduce_sum(x**2, axis=1)


def test_metropolis_hastings_has_the_moments_of_a_correlated_normal():
    precision = np.linalg.inv([[1.0, 0.8], [0.8, 1.5]]).astype(np.float32)

    def log_density(x):
        return -0.5 * tf.reduce_sum((x @ precision) * x, axis=1)

    chains = samplers.metropolis_hastings(
        log_density, np.full([1000, 2], 3.0), [0.9, 1.2], count=20, burn_in=100, thin=5, seed=0
    )
    samples = chains.samples.reshape(-1, 2)
    np.testing.assert_allclose(samples.mean(axis=0), 0, atol=0.06)
    np.testing.assert_allclose(np.cov(samples.T), [[1.0, 0.8], [0.8, 1.5]], atol=0.1)


def test_proposals_are_normal_and_accepted_by_the_ratio():
    """From a hill's top, a step of standard deviation s is accepted with mean 1/sqrt(1 + s^2)."""
    for scale in (0.5, 3.0):
        chains = samplers.metropolis_hastings(
            standard_normal, np.zeros([40_000, 1]), scale, count=1, burn_in=0, seed=0
        )
        assert chains.acceptance_rate == pytest.approx(1 / math.sqrt(1 + scale**2), abs=0.01)
        moved = chains.samples[chains.samples != 0]
        assert len(moved) / 40_000 == pytest.approx(chains.acceptance_rate)
        deviation = scale / math.sqrt(1 + scale**2)
        assert follows(moved, scipy.stats.norm(scale=deviation).cdf)


@pytest.mark.slow
def test_burn_in_and_thinning_skip_steps():
    start = np.full([50, 2], 2.0)
    every = samplers.metropolis_hastings(standard_normal, start, 1.0, 300, burn_in=0, seed=0)
    assert np.any(every.samples[0] == 2.0)
    late = samplers.metropolis_hastings(standard_normal, start, 1.0, 300, burn_in=50, seed=0)
    assert not np.any(late.samples[0] == 2.0)

    def likeness(samples):
        return np.corrcoef(samples[:-1].ravel(), samples[1:].ravel())[0, 1]

    thinned = samplers.metropolis_hastings(standard_normal, start, 1.0, 300, 50, thin=20, seed=0)
    assert likeness(late.samples) > 0.5 > 0.1 > likeness(thinned.samples)


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (
            lambda: samplers.inverse_transform(np.log, 0),
            "`count` must be at least 1. Received: count=0",
        ),
        (
            lambda: samplers.inverse_transform(np.sum, 3),
            r"`quantile` must map.*Received: from \(3,\) to \(\)",
        ),
        (
            lambda: samplers.numerical_quantile(abs, (1, 1)),
            r"from a finite number to a larger one. Received: \(1, 1\)",
        ),
        (lambda: samplers.numerical_quantile(abs, (0, math.inf)), r"Received: \(0, inf\)"),
        (lambda: samplers.numerical_quantile(lambda x: -1.0, (0, 1)), "Received: values from -1"),
        (lambda: samplers.numerical_quantile(lambda x: 0.0, (0, 1)), "somewhere positive"),
        (lambda: samplers.numerical_quantile(lambda x: math.nan, (0, 1)), "must be finite"),
        (
            lambda: samplers.inverse_transform_plane(np.add, ((0, 1), (1, 0)), 5),
            r"to a larger one. Received: \(1, 0\)",
        ),
        (
            lambda: samplers.inverse_transform_plane(np.subtract, ((0, 1), (0, 1)), 5),
            "nowhere negative",
        ),
        (
            lambda: samplers.inverse_transform_plane(np.add, ((0, 1), (0, 1)), 5, nodes=0),
            "`nodes` must be at least 1. Received: nodes=0",
        ),
    ],
)
def test_inverse_transform_refuses_mistakes(act, message):
    with pytest.raises(ValueError, match=message):
        act()


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"count": 0}, "`count` must be at least 1. Received: count=0"),
        ({"thin": 0}, "`thin` must be at least 1. Received: thin=0"),
        ({"burn_in": -1}, "`burn_in` must be at least 0. Received: burn_in=-1"),
        ({"scale": 0.0}, "`scale` must be positive. Received: scale=0.0"),
        ({"scale": [1.0, -1.0]}, "`scale` must be positive"),
        ({"start": np.zeros(2)}, r"`start` must be \[chains, dimensions\]. Received: \[2\]"),
        ({"log_density": lambda x: x}, r"one number per chain, \[4\]. Received: \[4, 2\]"),
        ({"log_density": lambda x: tf.math.log(x[:, 0])}, "must start where the density is pos"),
    ],
)
def test_metropolis_hastings_refuses_mistakes(changed, message):
    options = {"log_density": standard_normal, "start": np.zeros([4, 2]), "scale": 1.0, "count": 1}
    with pytest.raises(ValueError, match=message):
        samplers.metropolis_hastings(**{**options, **changed})


# Data and recipes


def test_digits_are_scikit_learns():
    train, test = (data.source("digits", split) for split in data.SPLITS)
    assert (len(train), len(test), train.shape) == (1618, 179, (8, 8, 1))
    images = np.concatenate([train.images, test.images]).reshape(-1, 64) * 16
    labels = np.concatenate([train.labels, test.labels])
    expected, classes = sklearn.datasets.load_digits(return_X_y=True)
    ours = {(*image, label) for image, label in zip(images, labels, strict=True)}
    theirs = {(*image, label) for image, label in zip(expected, classes, strict=True)}
    assert ours == theirs
    assert np.bincount(test.labels).min() > 10  # of every digit, although they come in order


def command(name, folder, *more):
    train.main(
        [name, f"--output={folder / 'run'}", f"--export={folder / 'export'}", "--seed=3", *more]
    )


@pytest.mark.parametrize(
    "name",
    [
        name if name == "gaussian_fashion" else pytest.param(name, marks=pytest.mark.slow)
        for name in RECIPES_WITHOUT_STEPS
    ],
)
def test_every_classical_recipe_runs_by_the_same_command(name, tmp_path, capsys):
    pixels = np.random.default_rng(0).integers(256, size=(120, 12, 12, 1), dtype=np.uint8)
    np.savez(tmp_path / "images.npz", x=pixels)
    command(name, tmp_path, f"--data=npz:{tmp_path / 'images.npz'}")
    folder = tmp_path / "run"
    assert {path.name for path in folder.iterdir()} == {
        "README.md",
        "config.json",
        "lock",
        "log.csv",
        "model.keras",
        "pictures",
        "results.json",
        "summary.png",
        "tensorboard",
    }
    assert [path.name for path in (folder / "pictures").iterdir()] == ["samples-0001.png"]
    results = json.loads((folder / "results.json").read_text())
    model = tfgen.load(folder / "model.keras")
    assert model.seed == results["seed"] == 3
    test = data.source(f"npz:{tmp_path / 'images.npz'}", "test").floats()
    loss = -float(np.mean(model.log_likelihood(test)))
    assert results["test"]["loss"] == pytest.approx(loss, rel=1e-5)
    served = tf.saved_model.load(str(tmp_path / "export" / "1")).signatures["sample"]
    answer = served(count=tf.constant(4), seed=tf.constant(0, tf.int64))["images"]
    np.testing.assert_allclose(answer, model.sample(4, seed=0), atol=1e-5)
    assert "is complete" not in capsys.readouterr().out
    command(name, tmp_path, f"--data=npz:{tmp_path / 'images.npz'}")
    assert "is complete" in capsys.readouterr().out
    assert [path.name for path in (tmp_path / "export").iterdir()] == ["1"]


@pytest.mark.slow
def test_an_interrupted_run_starts_again(tmp_path, capsys, monkeypatch):
    np.savez(tmp_path / "vectors.npz", x=points(300))
    args = ("gaussian_fashion", tmp_path, f"--data=npz:{tmp_path / 'vectors.npz'}", "--no-export")
    with monkeypatch.context() as patch:
        patch.setattr(
            "training.runs.training.finish", lambda *args: (_ for _ in ()).throw(OSError("full"))
        )
        with pytest.raises(SystemExit, match="full"):
            command(*args)
    command(*args)
    assert "loss" in capsys.readouterr().out
    assert len((tmp_path / "run" / "log.csv").read_text().splitlines()) == 2
    assert (tmp_path / "run" / "summary.png").exists()


def test_options_of_steps_are_refused(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for flags, named in (
        (["--epochs=3", "--batch-size=10"], "Leave out --epochs, --batch-size"),
        (["--steps=3"], "Leave out --steps"),
        (["--strategy=mirrored", "--replicas=2"], "Leave out --replicas"),
        (["--mixed-precision=bfloat16"], "Leave out --mixed-precision"),
        (["--no-xla"], "Leave out --xla"),
        (["--begin-with=kde_fashion"], "Leave out --begin-with"),
    ):
        message = refusal(capsys, "kde_digits", *flags)
        assert "'kde_digits' takes no steps" in message and named in message
    assert not list(tmp_path.iterdir())


def test_the_lectures_example_is_that_of_scikit_learn():
    digits = sklearn.datasets.load_digits().data
    reference = sklearn.decomposition.PCA(15).fit(digits)
    kernels = sklearn.neighbors.KernelDensity(bandwidth=3.79).fit(reference.transform(digits))
    model = RECIPES["kde_digits"].build((8, 8, 1), 1)
    ours = np.float32(digits / 16).reshape(-1, 8, 8, 1)
    model.fit(ours, verbose=0)
    expected = kernels.score_samples(reference.transform(digits)) + 15 * math.log(16)
    np.testing.assert_allclose(model.log_likelihood(ours), expected, rtol=1e-3, atol=1e-3)
