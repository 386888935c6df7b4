"""What the lectures' figures claim of samplers, discriminators, layers, errors and scores."""

import numpy as np
import pytest
import scipy.stats
import sklearn.datasets
import sklearn.decomposition
import sklearn.neighbors
import tensorflow as tf
from scipy.integrate import quad
from scipy.stats import norm

from tfgen import densities
from tfgen.evaluation import frechet_distance, nearest_neighbour_score
from training.figures import (
    blurry,
    frechet_parts,
    kde_digits,
    optimal_discriminator,
    samplers,
    transposed_convolution,
)
from training.figures import nearest_neighbour_score as scores

# Four ways to draw samples


@pytest.mark.slow
def test_inverse_transform_draws_from_the_mixture_of_two_normals():
    def cumulative(x):
        return 0.4 * norm.cdf(x, -1.5, 0.5) + 0.6 * norm.cdf(x, 1.2, 0.8)

    assert scipy.stats.kstest(samplers.draw_hills(5000), cumulative).statistic < 0.02


@pytest.mark.slow
def test_metropolis_hastings_has_the_moments_of_the_bent_hill():
    chains = samplers.walk_on_banana()
    assert 0.2 < chains.acceptance_rate < 0.5
    side = np.linspace(-6, 20, 1301)
    plane = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
    masses = np.exp(samplers.banana_log_density(plane))
    mean = np.average(plane, axis=0, weights=masses)
    covariance = np.cov(plane.T, aweights=masses)
    np.testing.assert_allclose(mean, [0, 0.5], atol=1e-6)
    drawn = chains.samples.reshape(-1, 2)
    # Three standard errors, of steps that are alike.
    np.testing.assert_allclose(drawn.mean(axis=0), mean, atol=0.03)
    np.testing.assert_allclose(np.cov(drawn.T), covariance, atol=0.1)


def test_the_gaussian_of_the_moons_has_their_mean_and_covariance():
    points = samplers.moons()
    model = samplers.fitted(densities.Gaussian(), points)
    exact = scipy.stats.multivariate_normal(points.mean(axis=0), np.cov(points.T, bias=True))
    np.testing.assert_allclose(model.log_likelihood(points), exact.logpdf(points), rtol=1e-4)
    drawn = model.sample(20_000, seed=0).numpy()
    np.testing.assert_allclose(np.cov(drawn.T), exact.cov, atol=0.03)


def test_samples_of_the_kernel_density_stand_a_bandwidth_from_the_moons():
    points, bandwidth = samplers.moons(), samplers.BANDWIDTH
    model = samplers.fitted(densities.KernelDensity(bandwidth), points)
    drawn = model.sample(20_000, seed=0).numpy()
    noise = bandwidth**2 * np.eye(2)  # is added to the points' covariance
    np.testing.assert_allclose(np.cov(drawn.T), np.cov(points.T, bias=True) + noise, atol=0.015)
    distances, _ = sklearn.neighbors.NearestNeighbors(n_neighbors=1).fit(points).kneighbors(drawn)
    # At least as near as the point that was chosen, from which the distance is Rayleigh's.
    for share in (0.5, 0.9, 0.99):
        farthest = scipy.stats.rayleigh(scale=bandwidth).ppf(share)
        assert np.mean(distances < farthest) > share - 0.01
    assert bandwidth / 4 < np.median(distances) < bandwidth * 1.2


# Kernel density of digits


def test_samples_of_digits_are_those_of_scikit_learn_in_its_units():
    digits = sklearn.datasets.load_digits().data
    projection = sklearn.decomposition.PCA(15).fit(digits)
    kernels = sklearn.neighbors.KernelDensity(bandwidth=3.79).fit(projection.transform(digits))

    def mean_log_density(pixels):
        """Returns scikit-learn's for pixels of 0 to 16, as one for pixels of 0 to 1."""
        return np.mean(kernels.score_samples(projection.transform(pixels))) + 15 * np.log(16)

    model = kde_digits.estimated(kde_digits.digits())
    ours = model.sample(1000, seed=0).numpy()
    pixels = 16.0 * ours.reshape(-1, 64)
    log_density = np.mean(model.log_likelihood(ours))
    assert log_density == pytest.approx(mean_log_density(pixels), abs=0.01)
    theirs = projection.inverse_transform(kernels.sample(1000, random_state=0))
    assert log_density == pytest.approx(mean_log_density(np.clip(theirs, 0, 16)), abs=0.4)
    np.testing.assert_allclose(pixels.mean(axis=0), digits.mean(axis=0), atol=1.0)


# The optimal discriminator


@pytest.mark.parametrize("distance", [0.0, 0.5, 2.0, 4.0])
def test_the_value_of_the_optimal_discriminator_is_the_divergence(distance):
    """Goodfellow et al., 2014, theorem 1, with D* in the definition of the value."""

    def integrand(x):
        data, samples = norm.pdf(x), norm.pdf(x, distance)
        best = optimal_discriminator.optimal_discriminator(x, distance)
        assert best == pytest.approx(data / (data + samples), rel=1e-6)
        return data * np.log(best) + samples * np.log1p(-best)

    # Farther out D* would be 1 in float64.
    value, _ = quad(integrand, -6, 6 + distance)
    assert optimal_discriminator.optimal_value(distance) == pytest.approx(value, abs=1e-6)


@pytest.mark.slow
def test_the_value_grows_from_minus_log_4_towards_0():
    values = [optimal_discriminator.optimal_value(each) for each in np.linspace(0, 10, 41)]
    assert values[0] == pytest.approx(-np.log(4))
    assert (np.diff(values) > 0).all() and -1e-5 < values[-1] < 0
    x = np.linspace(-5, 5, 11)
    np.testing.assert_array_equal(optimal_discriminator.optimal_discriminator(x, 0.0), 0.5)


@pytest.mark.slow
def test_a_trained_discriminator_comes_close_to_the_optimal_value():
    found = optimal_discriminator.trained_values([0.0, 2.0])
    expected = [optimal_discriminator.optimal_value(distance) for distance in (0.0, 2.0)]
    np.testing.assert_allclose(found, expected, atol=0.02)


# Transposed convolution


def test_one_active_unit_paints_its_kernel_at_its_place():
    kernel, (row, column) = transposed_convolution.wave(), transposed_convolution.UNIT
    _, backward = transposed_convolution.convolution_pair(kernel[np.newaxis])
    painted = backward(transposed_convolution.one_active_unit())
    expected = np.zeros(painted.shape)
    expected[0, row : row + len(kernel), column : column + len(kernel), 0] = kernel
    np.testing.assert_allclose(painted, expected, atol=1e-5)


def test_orthonormal_kernels_give_back_the_image_and_others_do_not():
    images = np.float32(np.random.default_rng(0).random([3, 8, 8, 1]))
    orthonormal, others = transposed_convolution.HAAR, transposed_convolution.random_kernels()
    rows = others.reshape(4, 4)
    np.testing.assert_allclose(np.diag(rows @ rows.T), 1)  # no question of lengths
    back = transposed_convolution.there_and_back(orthonormal, images)
    np.testing.assert_allclose(back, images, atol=1e-5)
    blocks = images.reshape(3, 4, 2, 4, 2).transpose(0, 1, 3, 2, 4).reshape(-1, 4)
    expected = (blocks @ (rows.T @ rows)).reshape(3, 4, 4, 2, 2).transpose(0, 1, 3, 2, 4)
    back = transposed_convolution.there_and_back(others, images)
    np.testing.assert_allclose(back, expected.reshape(images.shape), atol=1e-5)
    assert np.abs(back - images).max() > 0.2


def test_the_pattern_of_a_unit_activates_it_alone_if_kernels_are_orthonormal():
    for kernels, alone in (
        (transposed_convolution.HAAR, True),
        (transposed_convolution.random_kernels(), False),
    ):
        forward, backward = transposed_convolution.convolution_pair(kernels, strides=2)
        hidden = np.zeros([1, 3, 3, 4], np.float32)
        hidden[0, 1, 2, 3] = 1
        assert np.allclose(forward(backward(hidden)), hidden, atol=1e-5) == alone


@pytest.mark.parametrize("strides", [1, 2])
def test_transposed_convolution_is_the_adjoint_of_convolution(strides):
    random = np.random.default_rng(1)
    kernels = random.normal(size=(3, 3, 3))
    forward, backward = transposed_convolution.convolution_pair(kernels, strides)
    images = tf.constant(random.normal(size=(1, 9, 9, 1)), tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(images)
        convolved = forward(images)
        hidden = random.normal(size=convolved.shape).astype(np.float32)
        product = tf.reduce_sum(convolved * hidden)
    np.testing.assert_allclose(product, np.sum(images * backward(hidden)), rtol=1e-5)
    np.testing.assert_allclose(tape.gradient(product, images), backward(hidden), atol=1e-5)


# What blurry means


@pytest.mark.slow
def test_training_on_the_squared_error_ends_at_the_mean():
    images = blurry.strokes()
    np.testing.assert_allclose(blurry.trained_answer(images), images.mean(axis=0), atol=1e-5)
    three = np.float32(np.random.default_rng(0).random([3, 20]))
    np.testing.assert_allclose(blurry.trained_answer(three), three.mean(axis=0), atol=1e-5)


def test_the_mean_has_half_of_the_error_and_the_least_density():
    images = blurry.strokes()
    assert images.sum(axis=1).tolist() == [24, 24] and images.min(axis=0).max() == 0
    positions = np.linspace(0, 1, 21)
    answers = np.float32(blurry.line(images, positions))
    np.testing.assert_array_equal(answers[[0, 10, 20]], [images[0], images.mean(0), images[1]])
    # Of 48 pixels that differ by t or 1 - t.
    expected = 48 * (positions**2 + (1 - positions) ** 2) / 2
    np.testing.assert_allclose(blurry.expected_error(answers, images), expected, rtol=1e-5)
    log_density = densities.KernelDensity(blurry.BANDWIDTH).distribution(images).log_prob(answers)
    assert np.argmin(log_density) == 10 and set(np.argsort(log_density)[-2:]) == {0, 20}


# The two parts of the FID


def test_the_left_part_sees_the_mean_alone():
    for alpha in (-2.0, 0.0, 0.5, 1.0):
        parts = frechet_parts.parts_of_normals(mean=alpha)
        assert parts.left == pytest.approx(8 * alpha**2, rel=0.02, abs=0.01)
        assert parts.right == pytest.approx(0, abs=0.01)


def test_the_right_part_sees_the_scale_alone():
    for beta in (0.0, 0.5, 1.0, 3.0):
        parts = frechet_parts.parts_of_normals(deviation=beta)
        assert parts.left == pytest.approx(0, abs=0.01)
        assert parts.right == pytest.approx(8 * (beta - 1) ** 2, rel=0.02, abs=0.01)


def test_the_right_part_is_the_distance_of_sets_with_one_mean():
    real, fake = np.random.default_rng(1).normal(size=[2, 50, 3]) * [[[1.0]], [[2.0]]]
    parts = frechet_parts.frechet_parts(real, fake)
    assert parts.right == pytest.approx(frechet_distance(real, fake - fake.mean(0) + real.mean(0)))


# The nearest neighbour's score


def test_the_three_scores_are_0_a_half_and_1():
    def leave_one_out(real, fake):
        classes = np.repeat([1, 0], [len(real), len(fake)])
        classifier = sklearn.neighbors.KNeighborsClassifier(1)
        classifier.fit(np.concatenate([real, fake]), classes)
        return np.mean(classifier.predict(None) == classes)

    found = [nearest_neighbour_score(*sets).total for sets in scores.cases().values()]
    # Three standard errors of 200 fair coins are 0.1.
    assert found[::2] == [0, 1] and found[1] == pytest.approx(0.5, abs=0.1)
    assert found == pytest.approx([leave_one_out(*sets) for sets in scores.cases().values()])
