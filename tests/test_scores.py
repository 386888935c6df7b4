"""Scores of features against closed forms, hand-computed numbers and plain loops."""

import itertools
import types

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_probability as tfp
from scipy import linalg

from tests.specimens import compiled
from tfgen.evaluation import kernel
from tfgen.evaluation.frechet import frechet_distance
from tfgen.evaluation.inception_score import inception_score
from tfgen.evaluation.kernel import kernel_distance
from tfgen.evaluation.likelihood import active_units, elbos, reconstruction_errors
from tfgen.evaluation.modes import class_coverage, mixture_coverage, stacked_classes
from tfgen.evaluation.moment_matching import moment_matching
from tfgen.evaluation.moments import Moments
from tfgen.evaluation.novelty import novelty_auroc

tfd = tfp.distributions


def normals(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


def mixed(count, size, seed):
    """Correlated features around a mean that is not zero."""
    random = np.random.default_rng(seed)
    return random.normal(size=[count, size]) @ random.normal(size=[size, size]) + random.normal()


def rotation(size):
    return np.linalg.qr(normals(size, size, seed=9))[0]


def having(mean, covariance):
    """The moments of a distribution with this mean and covariance."""
    return Moments(2, np.asarray(mean, float), np.asarray(covariance, float))


# --- What scores of two sets refuse


@pytest.mark.parametrize("score", [kernel_distance, moment_matching, frechet_distance])
@pytest.mark.parametrize(
    ("real", "fake", "message"),
    [
        (np.zeros([1, 3]), np.zeros([5, 3]), "needs at least 2 samples. Received: 1"),
        (np.zeros([5, 3]), np.zeros([0, 3]), "needs at least 2 samples. Received: 0"),
        (np.ones([5, 3]), np.ones([5, 4]), "Received: 3 .*for real and 4 .*for fake"),
        (np.ones([5, 3]), np.full([5, 3], np.nan), "5 of 5 rows in `fake` hold NaN or infinity"),
        (
            np.diag([1.0, 1.0, np.inf]),
            np.ones([5, 3]),
            "1 of 3 rows in `real` .* the first at index 2",
        ),
        (np.ones([5, 2, 2, 1]), np.ones([5, 4]), r"Received: `real` of shape \[5, 2, 2, 1\]"),
        (np.ones([5, 4]), np.ones([5, 0]), r"Received: `fake` of shape \[5, 0\]"),
    ],
)
def test_scores_refuse_what_is_no_two_sets_of_features(score, real, fake, message):
    with pytest.raises(ValueError, match=message):
        score(real, fake)


# --- The Frechet distance


@pytest.mark.parametrize("size", [1, 7])
def test_frechet_distance_of_normals_is_the_lectures(size):
    standard = having(np.zeros(size), np.eye(size))
    for alpha in (0.5, -2.0):
        moved = having(np.full(size, alpha), np.eye(size))
        assert frechet_distance(standard, moved) == pytest.approx(size * alpha**2)
    for beta in (0.3, 2.0, 0.0):
        scaled = having(np.zeros(size), beta**2 * np.eye(size))
        assert frechet_distance(standard, scaled) == pytest.approx(size * (beta - 1) ** 2)
        assert frechet_distance(scaled, standard) == pytest.approx(size * (beta - 1) ** 2)


def test_frechet_distance_of_samples_is_about_the_lectures():
    standard, other = normals(20_000, 5), normals(20_000, 5, seed=1)
    assert frechet_distance(standard, other) == pytest.approx(0.0, abs=0.01)
    assert frechet_distance(standard, other + 0.5) == pytest.approx(5 * 0.5**2, rel=0.05)
    assert frechet_distance(standard, 3.0 * other) == pytest.approx(5 * 2.0**2, rel=0.02)


def test_frechet_distance_of_full_rank_agrees_with_the_matrix_root():
    real, fake = mixed(40, 6, seed=1), mixed(50, 6, seed=2)
    covariances = np.cov(real.T), np.cov(fake.T)
    difference = real.mean(axis=0) - fake.mean(axis=0)
    root = np.real(linalg.sqrtm(covariances[0] @ covariances[1]))
    expected = difference @ difference + np.trace(covariances[0] + covariances[1] - 2 * root)
    assert frechet_distance(real, fake) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("counts", [(4, 7), (7, 40), (40, 7)])
def test_frechet_distance_of_few_samples_agrees_with_the_singular_values(counts):
    """With centred samples `X`, `Y`: `tr (X^T X Y^T Y)^(1/2)` is the nuclear norm of `X Y^T`."""
    real, fake = mixed(counts[0], 20, seed=1), mixed(counts[1], 20, seed=2)
    means = real.mean(axis=0), fake.mean(axis=0)
    halves = [
        (each - mean) / np.sqrt(len(each) - 1)
        for each, mean in zip((real, fake), means, strict=True)
    ]
    root = np.linalg.svd(halves[0] @ halves[1].T, compute_uv=False).sum()
    traces = sum(np.square(half).sum() for half in halves)
    expected = np.square(means[0] - means[1]).sum() + traces - 2 * root
    assert frechet_distance(real, fake) == pytest.approx(expected, rel=1e-6)


def test_frechet_distance_of_commuting_covariances_is_between_their_roots():
    axes = rotation(5)
    values, others = np.array([4.0, 1.0, 0.0, 9.0, 0.0]), np.array([1.0, 0.0, 4.0, 16.0, 0.0])
    real, fake = (having(np.zeros(5), (axes * each) @ axes.T) for each in (values, others))
    expected = np.square(np.sqrt(values) - np.sqrt(others)).sum()
    assert frechet_distance(real, fake) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("angle", [0.0, 1.0, np.pi / 2])
def test_frechet_distance_of_one_dimensional_subspaces_knows_their_angle(angle):
    real = np.array([3.0, 0.0, 0.0])
    fake = 2.0 * np.array([np.cos(angle), np.sin(angle), 0.0])
    distance = frechet_distance(
        having(np.zeros(3), np.outer(real, real)), having(np.zeros(3), np.outer(fake, fake))
    )
    assert distance == pytest.approx(9 + 4 - 2 * 6 * np.cos(angle), abs=1e-6)


@pytest.mark.parametrize("count", [3, 60])
def test_frechet_distance_is_symmetric_and_knows_no_axes_and_no_origin(count):
    real, fake = mixed(count, 8, seed=1), mixed(count + 2, 8, seed=2)
    distance = frechet_distance(real, fake)
    assert distance > 1
    assert frechet_distance(real, real) == pytest.approx(0.0, abs=1e-5)
    assert frechet_distance(fake, real) == pytest.approx(distance, rel=1e-6)
    axes = rotation(8)
    assert frechet_distance(real @ axes, fake @ axes) == pytest.approx(distance, rel=1e-6)
    assert frechet_distance(real + 100, fake + 100) == pytest.approx(distance, rel=1e-6)
    assert frechet_distance(3 * real, 3 * fake) == pytest.approx(9 * distance, rel=1e-6)
    assert frechet_distance(real, real + 2) == pytest.approx(8 * 4, rel=1e-6)


def test_frechet_distance_takes_arrays_tensors_and_moments():
    real, fake = mixed(20, 4, seed=1), mixed(30, 4, seed=2)
    distance = frechet_distance(real, fake)
    assert type(distance) is float
    for taken in (
        (Moments.of(real), Moments.of(fake)),
        (Moments.of(real), fake),
        (real, Moments.of(fake)),
        (tf.constant(real), tf.constant(fake)),
    ):
        assert frechet_distance(*taken) == pytest.approx(distance, rel=1e-12)
    single = frechet_distance(real.astype(np.float32), tf.constant(fake, tf.float32))
    assert single == pytest.approx(distance, rel=1e-5)


@pytest.mark.parametrize(
    ("moments", "message"),
    [
        (Moments.of(np.ones([1, 3])), "at least 2 samples. Received: 1"),
        (having(np.zeros(4), np.eye(4)), "Received: 3 features for real and 4 for fake"),
    ],
    ids=["too few", "other size"],
)
def test_frechet_distance_refuses_moments_that_do_not_fit(moments, message):
    with pytest.raises(ValueError, match=message):
        frechet_distance(having(np.zeros(3), np.eye(3)), moments)


# --- The kernel distance


def cubic_kernel(first, second):
    return (sum(a * b for a, b in zip(first, second, strict=True)) / len(first) + 1) ** 3


def unbiased_mmd(real, fake):
    """Equation 3 of Gretton et al., 2012, loop by loop."""

    def within(samples):
        pairs = itertools.permutations(samples, 2)
        return np.mean([cubic_kernel(first, second) for first, second in pairs])

    between = np.mean([cubic_kernel(first, second) for first in real for second in fake])
    return within(real) + within(fake) - 2 * between


@pytest.mark.parametrize("rows", [1, 3, 1000])
@pytest.mark.parametrize("counts", [(2, 2), (7, 5), (4, 6)])
def test_kernel_distance_is_the_unbiased_definition_in_blocks_of_any_size(
    counts, rows, monkeypatch
):
    monkeypatch.setattr(kernel, "_ROWS", rows)
    real, fake = mixed(counts[0], 3, seed=1), mixed(counts[1], 3, seed=2)
    assert kernel_distance(real, fake).value == pytest.approx(unbiased_mmd(real, fake), rel=1e-10)


def test_kernel_distance_loses_little_in_single_precision():
    # Features like those of Inception: many, not negative, of about one.
    real, fake = (np.abs(normals(300, 512, seed=seed)).astype(np.float32) for seed in (1, 2))
    result = kernel_distance(real, fake)
    exact = kernel_distance(real.astype(np.float64), fake.astype(np.float64))
    assert result.value == pytest.approx(exact.value, rel=2e-5)
    assert [type(each) for each in result] == [float, float]


def draws(shift, times, count=30):
    return np.array(
        [
            kernel_distance(
                normals(count, 3, seed=2 * seed), normals(count, 3, seed=2 * seed + 1) + shift
            )
            for seed in range(times)
        ]
    ).T


def test_kernel_distance_is_zero_in_expectation_of_equal_distributions():
    values, errors = draws(shift=0.0, times=400)
    assert abs(values.mean()) < 3 * values.std() / np.sqrt(len(values))
    assert 0.4 < np.mean(values < 0) < 0.8
    # What the docstring promises of the standard error there: too large, by the root of two.
    assert np.sqrt(np.mean(errors**2)) / values.std() == pytest.approx(np.sqrt(2), rel=0.15)


def test_the_kernel_distances_standard_error_is_that_of_many_draws():
    values, errors = draws(shift=1.0, times=400)
    assert np.sqrt(np.mean(errors**2)) / values.std() == pytest.approx(1.0, abs=0.15)
    fewer, _ = draws(shift=1.0, times=400, count=8)  # the expectation knows nothing of the count
    deviation = np.hypot(values.std(), fewer.std()) / np.sqrt(len(values))
    assert abs(values.mean() - fewer.mean()) < 3 * deviation


def test_kernel_distance_is_symmetric():
    real, fake = mixed(6, 3, seed=1), mixed(9, 3, seed=2)
    np.testing.assert_allclose(kernel_distance(real, fake), kernel_distance(fake, real))


def test_kernel_distance_of_subsets_is_the_mean_over_them():
    real, fake = mixed(12, 3, seed=1), mixed(14, 3, seed=2)
    whole = kernel_distance(real, fake).value
    value, error = kernel_distance(real, fake, subsets=400, subset_size=5)
    assert abs(value - whole) < 3 * error
    quarter = kernel_distance(real, fake, subsets=100, subset_size=5).standard_error
    assert quarter / error == pytest.approx(2.0, rel=0.3)
    same = kernel_distance(real, real[::-1], subsets=3, subset_size=12)
    expected = kernel_distance(real, real).value
    np.testing.assert_allclose(same, [expected, 0.0], rtol=1e-9, atol=1e-9)


def test_kernel_distance_of_subsets_depends_on_the_seed_alone():
    real, fake = mixed(12, 3, seed=1), mixed(12, 3, seed=2)
    first, again, other = (
        kernel_distance(real, fake, subsets=3, subset_size=5, seed=seed) for seed in (0, 0, 1)
    )
    assert first == again
    assert first != other


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"subsets": 1}, "`subsets` must be at least 2. Received: subsets=1"),
        ({"subsets": 2, "subset_size": 1}, "from 2 to the 5 samples .* subset_size=1"),
        ({"subsets": 2, "subset_size": 6}, "from 2 to the 5 samples .* subset_size=6"),
    ],
)
def test_kernel_distance_refuses_impossible_subsets(options, message):
    with pytest.raises(ValueError, match=message):
        kernel_distance(normals(8, 3), normals(5, 3), **options)


# --- The inception score


def test_inception_score_is_one_of_uniform_and_of_equal_predictions():
    assert inception_score(np.full([20, 4], 0.25), splits=2) == (pytest.approx(1.0), 0.0)
    assert inception_score(np.tile([0.7, 0.2, 0.1], [6, 1]), splits=1).value == pytest.approx(1.0)


def test_inception_score_is_the_number_of_classes_of_sure_and_balanced_predictions():
    one_hot = np.tile(np.eye(5, dtype=np.float32), [4, 1])
    np.testing.assert_allclose(inception_score(one_hot, splits=4), [5.0, 0.0], atol=1e-12)


def test_modes_within_a_class_are_missed_by_the_inception_score_and_seen_by_frechet():
    """A slide's: the score knows classes alone. Each of two classes has two modes here."""
    random = np.random.default_rng(0)
    centres = np.array([[0.0, 0.0], [0.0, 4.0], [9.0, 0.0], [9.0, 4.0]])
    real, fake = (
        centres[modes] + random.normal(scale=0.1, size=[400, 2])
        for modes in (np.arange(400) % 4, 2 * (np.arange(400) % 2))
    )
    scores = [inception_score(np.eye(2)[np.int64(each[:, 0] > 5)], 1) for each in (real, fake)]
    assert scores[0].value == scores[1].value == pytest.approx(2.0)
    # The mean is off by 2, and so is the deviation along the second axis.
    assert frechet_distance(real, fake) == pytest.approx(
        4 + (np.hypot(2, 0.1) - 0.1) ** 2, rel=0.02
    )


def test_inception_score_is_the_exponent_of_the_divergence_from_the_mean():
    # The mean is (1/2, 1/2).
    divergence = 0.9 * np.log(0.9 / 0.5) + 0.1 * np.log(0.1 / 0.5)
    score = inception_score([[0.9, 0.1], [0.1, 0.9]], splits=1)
    np.testing.assert_allclose(score, [np.exp(divergence), 0.0])
    # The mean is (3/4, 1/4): the sure one is log(4/3) away from it.
    divergence = (np.log(4 / 3) + 0.5 * np.log(0.5 / 0.75) + 0.5 * np.log(0.5 / 0.25)) / 2
    assert inception_score([[1.0, 0.0], [0.5, 0.5]], splits=1).value == pytest.approx(
        np.exp(divergence)
    )


def test_inception_score_splits_in_order():
    one_hot = np.eye(2)[[0, 0, 0, 0, 0, 1, 0, 1]]
    np.testing.assert_allclose(inception_score(one_hot, splits=2), [1.5, 0.5])  # of 1 and 2
    uneven = np.eye(2)[[0, 1, 0, 1, 1]]  # parts of 3 and 2
    balance = np.exp(-(2 / 3) * np.log(2 / 3) - (1 / 3) * np.log(1 / 3))
    assert inception_score(uneven, splits=2).value == pytest.approx((balance + 1) / 2)


@pytest.mark.parametrize(
    ("probabilities", "splits", "message"),
    [
        ([[0.5, 0.5], [0.6, 0.6]], 1, "1 of 2 rows are no prob.*row 1 sums to 1.2.*softmax"),
        ([[1.5, -0.5], [0.5, 0.5]], 1, "row 0 sums to 1, with a smallest value of -0.5"),
        ([[0.5, 0.5], [np.nan, 1.0]], 1, "row 1 sums to nan"),
        ([[0.5, 0.5], [np.inf, 0.0]], 1, "row 1 sums to inf"),
        ([0.5, 0.5], 1, r"\[count, classes\]. Received: shape \[2\]"),
        (np.full([4, 2], 0.5), 0, "Received: splits=0 of 4 samples"),
        (np.full([4, 2], 0.5), 3, "with 2 samples in each. Received: splits=3 of 4 samples"),
    ],
)
def test_inception_score_refuses_what_is_no_probability(probabilities, splits, message):
    with pytest.raises(ValueError, match=message):
        inception_score(probabilities, splits)


# --- Moment matching


def test_moment_matching_is_relative_to_the_real_moments():
    real = np.array([[0.0, 1.0], [2.0, 1.0], [4.0, 1.0]])  # mean (2, 1), variances (4, 0)
    fake = np.array([[1.0, 2.0], [3.0, 2.0], [1.0, 5.0], [3.0, 5.0]])  # mean (2, 3.5)
    # Variances 4/3 and 3, no covariance.
    expected = [
        2.5 / np.sqrt(5),
        np.hypot(4 - 4 / 3, 3) / 4,
        np.hypot(2 - np.sqrt(4 / 3), np.sqrt(3)) / 2,
    ]
    np.testing.assert_allclose(moment_matching(real, fake), expected)


def test_moment_matching_is_zero_of_equal_and_one_of_missing_moments():
    real = mixed(10, 3, seed=1)
    assert moment_matching(real, real[::-1]) == pytest.approx((0, 0, 0), abs=1e-12)
    assert moment_matching(real, np.zeros([5, 3])) == pytest.approx((1, 1, 1))
    assert moment_matching(real, 2 * real) == pytest.approx((1, 3, 1))


def test_moment_matching_sees_correlations():
    correlated = np.array([[1.0, 1.0], [-1.0, -1.0], [1.0, 1.0], [-1.0, -1.0]]) + 1
    independent = np.array([[1.0, 1.0], [-1.0, -1.0], [1.0, -1.0], [-1.0, 1.0]]) + 1
    np.testing.assert_allclose(
        moment_matching(correlated, independent), [0, np.sqrt(2) / 2, 0], atol=1e-12
    )


@pytest.mark.parametrize("value", [0.1, 0.3, 1e6])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_moment_matching_refuses_constant_real_features(value, dtype):
    with pytest.raises(ValueError, match="features' covariance is zero throughout"):
        moment_matching(np.full([1000, 3], value, dtype), normals(10, 3))


def test_moment_matching_refuses_a_mean_of_zero():
    with pytest.raises(ValueError, match="features' mean is zero throughout"):
        moment_matching([[1.0], [-1.0]], [[1.0], [2.0]])


# --- Modes


def ring(modes=8):
    angles = 2 * np.pi * np.arange(modes) / modes
    return np.stack([np.cos(angles), np.sin(angles)], axis=1)


def test_mixture_coverage_counts_modes_of_a_ring():
    centres = ring()
    assert mixture_coverage(np.repeat(centres, 3, axis=0), centres, 0.02) == (8, 1.0)
    # One at its centre, two near another, one between two modes, one in the middle.
    between = (centres[4] + centres[5]) / 2
    samples = np.stack([centres[0], centres[2] + 0.01, centres[2], between, [0.0, 0.0]])
    assert mixture_coverage(samples, centres, deviation=0.02) == (2, 0.6)
    assert mixture_coverage([[0.0, 0.0]], centres, deviation=0.02) == (0, 0.0)


def test_mixture_coverage_draws_the_line_at_three_deviations():
    samples = [[1.5, 0.0], [0.0, -1.5], [np.nextafter(1.5, 2), 0.0]]
    assert mixture_coverage(samples, [[0.0, 0.0]], deviation=0.5) == (1, 2 / 3)


@pytest.mark.parametrize(
    ("samples", "centres", "deviation", "message"),
    [
        (np.zeros([3, 2]), np.zeros([4, 3]), 1.0, "Received: 2 and 3"),
        (np.zeros([3, 2]), np.zeros([4, 2]), 0.0, "must be positive. Received: deviation=0"),
        (np.zeros([3, 2]), np.zeros([4, 2]), np.nan, "must be positive. Received: deviation=nan"),
        (np.full([3, 2], np.nan), np.zeros([4, 2]), 1.0, "3 of 3 rows in `samples`"),
        (np.zeros([3, 2]), np.zeros([4]), 1.0, r"`centres` of shape \[4\]"),
        (np.zeros([0, 2]), np.zeros([4, 2]), 1.0, "Received: 0 samples and 4 centres"),
        (np.zeros([3, 2]), np.zeros([0, 2]), 1.0, "Received: 3 samples and 0 centres"),
    ],
)
def test_mixture_coverage_refuses_what_does_not_fit(samples, centres, deviation, message):
    with pytest.raises(ValueError, match=message):
        mixture_coverage(samples, centres, deviation)


def test_class_coverage_is_the_divergence_of_the_samples_from_the_data():
    classes, divergence = class_coverage([0, 0, 1, 0], [0, 1, 2, 3], classes=5)
    assert classes == 2
    assert divergence == pytest.approx(0.75 * np.log(3) + 0.25 * np.log(1))
    assert class_coverage([3, 0, 2, 1], [0, 1, 2, 3], classes=4) == (4, 0.0)
    assert class_coverage([4], [0, 1, 2, 3], classes=5) == (1, np.inf)


@pytest.mark.parametrize(
    ("predicted", "real", "message"),
    [
        ([], [0], "at least one class in `predicted`"),
        ([0], [], "at least one class in `real`"),
        ([0, 3], [0], "from 0 to 2. Received: 0 to 3 in `predicted`"),
        ([0], [-1, 2], "from 0 to 2. Received: -1 to 2 in `real`"),
    ],
)
def test_class_coverage_refuses_classes_that_cannot_be(predicted, real, message):
    with pytest.raises(ValueError, match=message):
        class_coverage(predicted, real, classes=3)


def test_stacked_classes_reads_the_first_channel_as_the_last_digit():
    digits = np.array([[1, 2, 3], [9, 0, 0], [0, 0, 7]])
    images = np.broadcast_to(digits[:, np.newaxis, np.newaxis] / 9, [3, 2, 2, 3])

    def probabilities(grey):
        assert grey.shape == (3, 2, 2, 1)
        return np.eye(10)[np.rint(9 * grey[:, 0, 0, 0]).astype(int)]

    assert stacked_classes(images, probabilities).tolist() == [321, 9, 700]


# --- Likelihood


def test_elbos_are_the_models_of_every_image_in_order():
    model = types.SimpleNamespace(elbo=lambda images, seed: -images[:, 0])
    images = np.random.default_rng(0).random([5, 3], np.float32)
    np.testing.assert_array_equal(elbos(model, images, batch_size=2), -images[:, 0])


def test_elbos_depend_on_the_seed_alone():
    images = np.random.default_rng(0).random([3, 8, 8, 1], np.float32)
    model = compiled("mlp_vae")
    first, again, other = (elbos(model, images, batch_size=2, seed=seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert not np.isin(first, other).any()


def test_every_batch_of_every_seed_draws_latents_of_its_own():
    images = np.full([6, 8, 8, 1], 0.3, np.float32)
    model = compiled("mlp_vae")
    drawn = np.stack([elbos(model, images, batch_size=2, seed=seed) for seed in range(3)])
    assert len(np.unique(drawn)) == drawn.size


def test_reconstruction_errors_are_sums_of_squares():
    model = types.SimpleNamespace(reconstruct=lambda images: images * 0.5)
    images = np.array([[0.0, 0.0], [0.2, 0.4], [1.0, 1.0]], np.float32).reshape(3, 1, 2, 1)
    errors = reconstruction_errors(model, images, batch_size=2)
    np.testing.assert_allclose(errors, [0.0, 0.01 + 0.04, 0.5], rtol=1e-6)


def encoder_of(means):
    """A model that encodes image `i`, which is all `i / 10`, to row `i`."""

    def encode(images):
        rows = np.rint(10 * images.numpy()[:, 0]).astype(int)
        return tfd.Normal(tf.constant(np.asarray(means, np.float32)[rows]), 1.0)

    return types.SimpleNamespace(encode=encode)


def test_active_units_move_with_the_example():
    # Variances, unbiased: 0, 4/300, 1/300, 1, and one that only batch by batch would be 0.
    means = [
        [5.0, 0.0, 0.00, -1.0, 0.0],
        [5.0, 0.2, 0.10, 0.0, 0.0],
        [5.0, 0.2, 0.10, 1.0, 1.0],
        [5.0, 0.2, 0.10, 0.0, 1.0],
    ]
    images = np.tile(np.arange(4, dtype=np.float32)[:, np.newaxis] / 10, [1, 2])
    model = encoder_of(means)
    expected = [False, False, False, True, True]
    assert active_units(model, images, batch_size=2).tolist() == expected
    assert active_units(model, images, threshold=0.0099).tolist() == [
        False,
        True,
        False,
        True,
        True,
    ]
    assert active_units(model, images, threshold=0.0101).tolist() == expected
    assert active_units(model, images, threshold=0.0024).tolist() == [False, True, True, True, True]


def test_active_units_need_two_images():
    with pytest.raises(ValueError, match="A variance needs at least 2 images. Received: 1"):
        active_units(encoder_of([[1.0]]), np.zeros([1, 2], np.float32))


def test_active_units_of_a_vae_are_those_its_encoder_uses():
    model = compiled("mlp_vae")
    location = model.encoder.get_layer(model.encoder.output_names[0])
    kernel_of = location.kernel.numpy()
    kernel_of[:, 1] = 0.0
    location.kernel.assign(10 * kernel_of)
    images = np.random.default_rng(0).random([20, 8, 8, 1], np.float32)
    assert active_units(model, images).tolist() == [True, False, True]


# --- Novelty


def test_novelty_auroc_is_the_chance_to_score_higher():
    random = np.random.default_rng(0)
    known, novel = random.integers(0, 6, 40), random.integers(2, 8, 30)  # with many ties
    wins = [(high > low) + 0.5 * (high == low) for high in novel for low in known]
    assert 0.5 < np.mean(wins) < 1
    assert novelty_auroc(known, novel) == pytest.approx(np.mean(wins))
    assert novelty_auroc(novel, known) == pytest.approx(1 - np.mean(wins))


@pytest.mark.parametrize(
    ("known", "novel", "area"),
    [([1.0, 2.0], [3.0], 1.0), ([3.0], [1.0, 2.0], 0.0), ([1.0, 1.0], [1.0], 0.5)],
)
def test_novelty_auroc_at_its_ends(known, novel, area):
    assert novelty_auroc(tf.constant(known), novel) == area


@pytest.mark.parametrize(
    ("known", "novel", "message"),
    [
        ([], [1.0], "Received: 0 known and 1 novel"),
        ([1.0], [], "Received: 1 known and 0 novel"),
        ([1.0, np.nan], [1.0], "1 of 2 rows in `known`"),
        ([1.0], [np.inf], "1 of 1 rows in `novel`"),
    ],
)
def test_novelty_auroc_refuses_missing_scores(known, novel, message):
    with pytest.raises(ValueError, match=message):
        novelty_auroc(known, novel)
