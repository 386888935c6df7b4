"""Latent tools against closed forms: angles, lengths, sums of means, truncated distributions."""

import numpy as np
import pytest
import scipy.stats
import tensorflow as tf
import tensorflow_probability as tfp

from tfgen import distributions
from tfgen.latent_space import (
    arithmetic,
    interpolate,
    interpolate_spherical,
    path_of,
    quantiles,
    truncate,
)

BOTH = pytest.mark.parametrize("path", [interpolate, interpolate_spherical])


def normals(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def lengths(vectors):
    return np.linalg.norm(vectors, axis=-1)


def angles(vectors, others):
    """Returns angles in radians, of whole arrays of vectors."""
    cosines = np.sum(vectors * others, axis=-1) / lengths(vectors) / lengths(others)
    return np.arccos(np.clip(cosines, -1, 1))


# --- Interpolation


def test_a_line_is_crossed_in_equal_steps():
    np.testing.assert_allclose(
        interpolate([0.0, 4.0], [2.0, -4.0], 5), [[0, 4], [0.5, 2], [1, 0], [1.5, -2], [2, -4]]
    )


def test_a_quarter_of_a_circle_is_crossed_in_equal_angles():
    quarter = np.linspace(0, np.pi / 2, 7)
    np.testing.assert_allclose(
        interpolate_spherical([2.0, 0.0], [0.0, 2.0], 7),
        2 * np.stack([np.cos(quarter), np.sin(quarter)], axis=1),
        atol=1e-6,
    )


@BOTH
def test_ways_begin_and_end_in_the_codes_whatever_the_axes_before(path):
    start, end = normals(2, 3, 16), normals(2, 3, 16, seed=1)
    way = path(start, end, 4)
    assert way.shape == (2, 3, 4, 16) and way.dtype == tf.float32
    np.testing.assert_allclose(way[..., 0, :], start, rtol=1e-6)
    np.testing.assert_allclose(way[..., -1, :], end, rtol=1e-6)
    np.testing.assert_array_equal(way[1, 2], path(start[1, 2], end[1, 2], 4))


@BOTH
def test_half_precision_and_lists_are_taken(path):
    way = path(tf.constant([1.0, 0.0], tf.bfloat16), [1.0, 0.0], 3)
    np.testing.assert_allclose(way, [[1, 0]] * 3, atol=1e-7)


def test_spherical_ways_are_whites_for_codes_of_one_length():
    start, end = (normals(5, 9, seed=seed) for seed in range(2))
    start, end = (8 * codes / lengths(codes)[:, None] for codes in (start, end))
    angle = angles(start, end)[:, None, None]
    shares = np.linspace(0, 1, 6)[:, None]
    expected = np.sin((1 - shares) * angle) * start[:, None] + np.sin(shares * angle) * end[:, None]
    np.testing.assert_allclose(
        interpolate_spherical(start, end, 6), expected / np.sin(angle), atol=1e-4
    )


def test_spherical_ways_turn_and_grow_evenly():
    start, end = normals(20, 50), 3 * normals(20, 50, seed=1)
    way = interpolate_spherical(start, end, 8).numpy()
    turns = angles(way[:, 1:], way[:, :-1])
    np.testing.assert_allclose(turns, np.tile(angles(start, end)[:, None] / 7, [1, 7]), rtol=1e-4)
    np.testing.assert_allclose(
        lengths(way), np.linspace(lengths(start), lengths(end), 8, axis=1), rtol=1e-5
    )


def test_ways_between_parallel_codes_are_straight():
    start = normals(4, 6)
    for end in (start, 3 * start, start * np.float32(1 + 1e-6)):
        np.testing.assert_allclose(
            interpolate_spherical(start, end, 5), interpolate(start, end, 5), rtol=1e-5, atol=1e-5
        )


@pytest.mark.parametrize("error", [0.0, 1e-12, 1e-7, 1e-3])
def test_ways_between_opposite_codes_go_half_around(error):
    start = normals(4, 6).astype(np.float64)
    way = interpolate_spherical(start, -2 * start + error * normals(4, 6, seed=1), 5).numpy()
    grown = lengths(start)[:, None] * np.linspace(1, 2, 5)
    np.testing.assert_allclose(lengths(way), grown, rtol=1e-3)
    np.testing.assert_allclose(angles(way[:, 1:], way[:, :-1]), np.pi / 4, rtol=1e-3)
    again = interpolate_spherical(start, -2 * start + error * normals(4, 6, seed=1), 5)
    np.testing.assert_array_equal(way, again)


def test_spherical_ways_from_and_to_zero_are_finite_and_reach_it():
    code = np.float32([3.0, 4.0])
    for start, end in ((code, 0 * code), (0 * code, code), (0 * code, 0 * code)):
        way = interpolate_spherical(start, end, 3)
        np.testing.assert_allclose(way[0], start, atol=1e-6)
        np.testing.assert_allclose(way[-1], end, atol=1e-6)
        assert np.isfinite(way).all()


def test_spherical_ways_keep_to_the_lengths_of_a_normal_prior_and_straight_ones_do_not():
    start, end = normals(50, 100), normals(50, 100, seed=1)
    assert lengths(interpolate_spherical(start, end, 3)[:, 1]).min() > 8.5
    assert lengths(interpolate(start, end, 3)[:, 1]).max() < 8.5


@BOTH
def test_ways_that_are_none_are_refused(path):
    with pytest.raises(ValueError, match="`steps` must be at least 2, the ends. Received: steps=1"):
        path([1.0], [2.0], 1)
    with pytest.raises(ValueError, match=r"one shape. Received: \[2\] and \[1, 2\]"):
        path([1.0, 2.0], [[1.0, 2.0]], 3)


# --- Arithmetic


def test_means_of_groups_are_added_and_subtracted():
    glasses, women = [[1.0, 0.0], [3.0, 6.0]], [[0.0, 10.0]]
    men = np.float64([[1, 1], [2, 2], [3, 0]])
    latent = arithmetic(add=[glasses, women], subtract=[men])
    assert latent.dtype == tf.float32
    np.testing.assert_allclose(latent, [2 + 0 - 2, 3 + 10 - 1])
    np.testing.assert_allclose(arithmetic([glasses]), [2, 3])
    np.testing.assert_allclose(arithmetic([women], [women, women]), [0, -10])


@pytest.mark.parametrize(
    ("add", "subtract", "message"),
    [
        ([], [np.ones([1, 2])], "groups of latents to add. Received: none"),
        ([np.ones([1, 2])], [np.ones([1, 3])], r"one size.*shapes \[\[1, 2\], \[1, 3\]\]"),
        ([np.ones([3])], [], r"one size.*shapes \[\[3\]\]"),
        ([np.ones([2, 3])], [np.ones([0, 3])], r"at least one. .*shapes \[\[2, 3\], \[0, 3\]\]"),
    ],
)
def test_groups_that_are_none_are_refused(add, subtract, message):
    with pytest.raises(ValueError, match=message):
        arithmetic(add, subtract)


# --- Truncation


@pytest.mark.parametrize("threshold", [0.1, 0.5, 2.0])
def test_a_truncated_normal_prior_has_the_truncated_normal_distribution(threshold):
    drawn = truncate(distributions.StandardNormal(4), 5000, threshold, seed=3).numpy()
    assert drawn.shape == (5000, 4) and drawn.dtype == np.float32
    assert np.abs(drawn).max() <= np.float32(threshold)
    reference = scipy.stats.truncnorm(-threshold, threshold)
    assert scipy.stats.kstest(drawn.ravel(), reference.cdf).pvalue > 0.01


def test_resampling_gives_the_same_distribution():
    values = normals(400_000)
    kept = values[np.abs(values) < 0.7]  # what is drawn again until it is near
    drawn = truncate(distributions.StandardNormal(10), 4000, 0.7, seed=0).numpy().ravel()
    assert scipy.stats.ks_2samp(drawn, kept).pvalue > 0.01


@pytest.mark.parametrize(("threshold", "bound"), [(0.25, 0.25), (5.0, 1.0)])
def test_a_truncated_uniform_prior_has_a_smaller_range(threshold, bound):
    drawn = truncate(distributions.Uniform(4), 5000, threshold, seed=3).numpy()
    reference = scipy.stats.uniform(-bound, 2 * bound)
    assert np.abs(drawn).max() <= bound
    assert scipy.stats.kstest(drawn.ravel(), reference.cdf).pvalue > 0.01


def test_a_far_threshold_leaves_a_normal_prior_as_it_is():
    drawn = truncate(distributions.StandardNormal(100), 2000, 50.0, seed=0).numpy()
    assert scipy.stats.kstest(drawn.ravel(), "norm").pvalue > 0.01
    assert np.isfinite(drawn).all()


def test_the_ends_of_the_unit_interval_stay_within_the_threshold(monkeypatch):
    def ends(shape, seed, dtype):
        return tf.reshape(tf.constant([0.0, 1 - 2.0**-24], dtype), shape)

    monkeypatch.setattr(tf.random, "stateless_uniform", ends)
    for threshold in (0.5, 50.0):
        drawn = truncate(distributions.StandardNormal(2), 1, threshold, seed=0).numpy()
        assert np.abs(drawn).max() <= threshold
        np.testing.assert_allclose(drawn[0, 0], -threshold, rtol=1e-6)


def test_the_seed_decides_truncated_latents():
    def drawn(seed, global_seed=0):
        tf.random.set_seed(global_seed)
        return truncate(distributions.StandardNormal(3), 4, 1.0, seed).numpy()

    np.testing.assert_array_equal(drawn(7), drawn(7, global_seed=1))
    assert not np.array_equal(drawn(7), drawn(8))
    assert not np.array_equal(drawn(None), drawn(None))
    assert len(np.unique(drawn(7))) == 12


@pytest.mark.parametrize("threshold", [0.0, -1.0, np.nan, np.inf])
def test_thresholds_that_are_none_are_refused(threshold):
    with pytest.raises(ValueError, match=f"positive and finite. Received: threshold={threshold}."):
        truncate(distributions.StandardNormal(2), 3, threshold)


def test_priors_of_dependent_values_are_refused():
    class OnACircle(distributions.Prior):
        def distribution(self):
            return tfp.distributions.VonMisesFisher([1.0, 0.0], 0.0)

    with pytest.raises(ValueError, match="must be independent, as .*StandardNormal.*OnACirc"):
        truncate(OnACircle(2), 3, 1.0)


# --- What a prior says


def test_paths_are_those_that_suit_the_prior():
    assert path_of(distributions.Uniform(2)) is interpolate
    assert path_of(distributions.StandardNormal(2)) is interpolate_spherical


def test_quantiles_are_each_values_own():
    np.testing.assert_allclose(quantiles(distributions.Uniform(3), [0.25]), [[-0.5] * 3])
    expected = scipy.stats.norm.ppf([[0.1, 0.1], [0.9, 0.9]])
    found = quantiles(distributions.StandardNormal(2), [0.1, 0.9])
    np.testing.assert_allclose(found, expected, rtol=1e-5)
