"""Precision-recall curves against distributions whose curves are known."""

import numpy as np
import pytest
import tensorflow as tf

from tfgen.evaluation.curves import discrete_curve, precision_recall_curve


def points(counts, seed=0):
    """So many samples close to each of some far corners, in random order."""
    generator = np.random.default_rng(seed)
    modes = generator.permutation(np.repeat(np.arange(len(counts)), counts))
    return 100 * np.eye(len(counts))[modes] + generator.normal(size=[len(modes), len(counts)])


def curve(real, fake, **settings):
    return precision_recall_curve(real, fake, **{"clusters": 4, "runs": 2, **settings})


def test_the_curve_of_one_distribution_is_the_whole_square():
    precision, recall = discrete_curve([0.2, 0.3, 0.5], [0.2, 0.3, 0.5], angles=3)
    # Slopes tan(pi/8), 1, tan(3 pi/8); the first is the last's inverse.
    slope = np.sqrt(2) - 1
    np.testing.assert_allclose(precision, [slope, 1, 1])
    np.testing.assert_allclose(recall, [1, 1, slope])


def test_the_curve_of_disjoint_distributions_is_the_origin():
    np.testing.assert_array_equal(discrete_curve([0.5, 0.5, 0], [0, 0, 1]), np.zeros([2, 1001]))


def test_the_curve_of_half_the_distribution_ends_at_half_the_recall():
    # min(l / 2, 1) of precision, min(1 / 2, 1 / l) of recall.
    slopes = np.tan(np.arange(1, 8) * np.pi / 16)
    precision, recall = discrete_curve([0.5, 0.5], [1, 0], angles=7)
    np.testing.assert_allclose(precision, np.minimum(slopes / 2, 1))
    np.testing.assert_allclose(recall, np.minimum(0.5, 1 / slopes))
    # The generator that makes twice too much is precise by half.
    swapped = discrete_curve([1, 0], [0.5, 0.5], angles=7)
    np.testing.assert_allclose(swapped, [recall[::-1], precision[::-1]])


def test_precision_is_that_of_the_worst_mass_left_out():
    # Each point of the curve against the sums of the definition, state by state.
    real, fake = [0.1, 0.4, 0.5, 0.0], [0.3, 0.3, 0.2, 0.2]
    precision, recall = discrete_curve(real, fake, angles=5)
    for index, slope in enumerate(np.tan(np.arange(1, 6) * np.pi / 12)):
        assert precision[index] == pytest.approx(
            sum(min(slope * p, q) for p, q in zip(real, fake, strict=True))
        )
        assert recall[index] == pytest.approx(
            sum(min(p, q / slope) for p, q in zip(real, fake, strict=True))
        )
    assert precision[-1] == pytest.approx(0.8)  # a fifth is generated where nothing is real


def test_sets_of_the_same_modes_are_precise_and_recalled():
    real = points([60, 60, 60, 60])
    found = curve(real, points([60, 60, 60, 60], seed=1))
    assert found.f_8 == pytest.approx(1.0) and found.f_1_8 == pytest.approx(1.0)
    np.testing.assert_allclose([found.precision, found.recall], discrete_curve([1], [1]))


def test_sets_apart_have_a_curve_of_zeros():
    found = curve(points([60, 60]), points([60, 60], seed=1) - 500, clusters=2)
    assert (found.f_8, found.f_1_8) == (0.0, 0.0)
    assert not found.precision.any() and not found.recall.any()


def test_half_of_the_modes_are_precise_but_not_recalled():
    found = curve(points([60, 60, 60, 60]), points([120, 120, 0, 0], seed=1))
    np.testing.assert_allclose(
        [found.precision, found.recall], discrete_curve([0.25] * 4, [0.5, 0.5, 0, 0])
    )
    # At slope 2, between two of the grid's, precision is 1 and recall still 1/2: best for both.
    expected_f_8, expected_f_1_8, expected_f_1 = (
        (1 + weight**2) * 0.5 / (weight**2 * 1 + 0.5) for weight in (8, 1 / 8, 1)
    )
    assert found.f_8 == pytest.approx(expected_f_8, rel=2e-3)
    assert found.f_1_8 == pytest.approx(expected_f_1_8, rel=2e-3)
    # The slide's harmonic mean, 2 / (1 / precision + 1 / recall).
    assert expected_f_1 == 2 / (1 / 1 + 1 / 0.5)
    assert found.f_1 == pytest.approx(expected_f_1, rel=2e-3)
    assert found.f_8 < 0.51 and found.f_1_8 > 0.98


def test_modes_that_are_not_real_cost_precision_but_not_recall():
    found = curve(points([120, 120, 0, 0]), points([60, 60, 60, 60], seed=1))
    assert found.f_8 > 0.98 and found.f_1_8 < 0.51


def test_the_curve_is_the_mean_over_clusterings_and_a_function_of_the_seed():
    generator = np.random.default_rng(0)
    real, fake = generator.normal(size=[2, 200, 5]).astype(np.float32)
    first = curve(real, fake, runs=3, angles=11)
    again = curve(tf.constant(real), tf.constant(fake), runs=3, angles=11)
    other = curve(real, fake, runs=3, angles=11, seed=1)
    np.testing.assert_array_equal([first.precision, first.recall], [again.precision, again.recall])
    assert not np.array_equal(first.precision, other.precision)
    # The first clusterings of three are those of two: the third is what is left of the mean.
    two, one = (curve(real, fake, runs=runs, angles=11) for runs in (2, 1))
    second = 2 * two.precision - one.precision
    third = 3 * first.precision - 2 * two.precision
    for precision in (second, third):
        assert (precision > 0).all() and (precision <= 1 + 1e-12).all()
        assert not np.allclose(precision, one.precision)
    assert first.precision.shape == first.recall.shape == (11,)
    assert all(type(each) is float for each in (first.f_8, first.f_1_8, first.f_1))


def test_finer_clusters_see_what_coarse_ones_do_not():
    real, fake = points([60, 60, 60, 60]), points([120, 120, 0, 0], seed=1)
    assert curve(real, fake, clusters=1).f_8 == pytest.approx(1.0)
    assert curve(real, fake, clusters=4).f_8 < 0.51


def test_sets_with_fewer_points_than_clusters_are_compared_all_the_same():
    real, fake = np.ones([60, 3]), np.repeat(np.eye(3), 20, axis=0)
    assert curve(real, real, clusters=20).f_8 == pytest.approx(1.0)
    assert curve(real, fake, clusters=20).f_8 == 0.0


def test_sets_of_different_sizes_are_refused():
    with pytest.raises(ValueError, match="40 real and 60 generated samples. Pass 40 of each"):
        curve(points([20, 20]), points([30, 30]))


@pytest.mark.parametrize("name", ["clusters", "angles", "runs"])
def test_numbers_below_one_are_refused(name):
    with pytest.raises(ValueError, match=f"`{name}` must be at least 1. Received: {name}=0"):
        curve(points([20, 20]), points([20, 20]), **{name: 0})


def test_more_clusters_than_samples_are_refused():
    with pytest.raises(ValueError, match="at most.*20 in both sets. Received: clusters=21"):
        curve(points([5, 5]), points([5, 5]), clusters=21)


def test_bad_features_are_refused():
    with pytest.raises(ValueError, match="NaN or infinity"):
        curve(points([5, 5]), np.full([10, 2], np.nan))
