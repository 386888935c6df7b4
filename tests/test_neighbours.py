"""Neighbour scores against all distances written out, and against scikit-learn's searches."""

import json

import numpy as np
import pytest
import tensorflow as tf
from sklearn.datasets import load_digits
from sklearn.neighbors import KNeighborsClassifier, NearestNeighbors

from tfgen.evaluation import neighbours
from tfgen.evaluation.manifold import density_coverage, precision_recall
from tfgen.evaluation.neighbours import (
    kth_squared_distances,
    nearest,
    nearest_neighbour_score,
    prepare,
    squared_distances,
)
from training.benchmarks import evaluation as benchmark_evaluation

SCORES = {
    "precision_recall": precision_recall,
    "density_coverage": density_coverage,
    "nearest_neighbour_score": nearest_neighbour_score,
}
every_score = pytest.mark.parametrize("score", SCORES.values(), ids=SCORES)


def normals(count, size=6, seed=0):
    return np.random.default_rng(seed).normal(size=[count, size]).astype(np.float32)


def distances(points, others):
    """All distances, from differences in float64."""
    return np.linalg.norm(np.float64(points)[:, None] - np.float64(others), axis=2)


def plain_precision_recall(real, fake, k):
    """Equations 1 and 2 of Kynkäänniemi et al. (2019), sample by sample."""

    def share_within(samples, points):
        # Index k of a sorted row: index 0 is the point itself.
        radii = np.sort(distances(points, points), axis=1)[:, k]
        inside = [any(distances([sample], points)[0] <= radii) for sample in samples]
        return sum(inside) / len(samples)

    return share_within(fake, real), share_within(real, fake)


def plain_density_coverage(real, fake, k):
    """Density and coverage of Naeem et al. (2020), pair by pair."""
    radii = np.sort(distances(real, real), axis=1)[:, k]
    pairs = distances(real, fake)
    density = sum(pairs[i, j] < radii[i] for i in range(len(real)) for j in range(len(fake)))
    coverage = sum(min(pairs[i]) < radii[i] for i in range(len(real)))
    return density / (k * len(fake)), coverage / len(real)


def plain_leave_one_out(real, fake):
    """Accuracies of scikit-learn's classifier, which leaves a sample out if it is given none."""
    samples = np.concatenate([real, fake])
    classes = np.repeat([1, 0], [len(real), len(fake)])
    right = KNeighborsClassifier(1).fit(samples, classes).predict(None) == classes
    return right.mean(), right[classes == 1].mean(), right[classes == 0].mean()


@pytest.fixture(params=[7, 64, 1024], ids="{} rows a block".format)
def block(request, monkeypatch):
    """Runs a test with small blocks too, which have borders inside the sets."""
    monkeypatch.setattr(neighbours, "_BLOCK", request.param)


@pytest.mark.parametrize("k", [1, 5, 20])
def test_distances_to_the_kth_neighbour_are_scikit_learns(block, k):
    real, fake = normals(65), 2 + normals(50, seed=1)
    for points, features in zip(prepare(real, fake), (real, fake), strict=True):
        expected, _ = NearestNeighbors(n_neighbors=k).fit(features).kneighbors()
        np.testing.assert_allclose(np.sqrt(kth_squared_distances(points, k)), expected[:, -1])


def test_distances_between_sets_are_those_of_differences(block):
    real, fake = normals(65), 2 + normals(50, seed=1)
    found = np.full([65, 50], np.nan)
    for rows, columns, squared in squared_distances(*prepare(real, fake)):
        assert np.isnan(found[rows, columns]).all()
        found[rows, columns] = squared
    np.testing.assert_allclose(np.sqrt(found), distances(real, fake))


def test_squared_distances_are_never_below_zero(block):
    real = normals(100, 50)
    for _, _, squared in squared_distances(*prepare(real, real)):
        assert (squared >= 0).all()


@pytest.mark.parametrize("k", [1, 3, 7])
def test_precision_and_recall_follow_the_papers_equations(block, k):
    real, fake = normals(80), 0.7 * normals(70, seed=1) + 0.6
    precision, recall = precision_recall(real, fake, k)
    assert 0 < recall < 1 and 0 < precision < 1
    assert (precision, recall) == plain_precision_recall(real, fake, k)
    harmonic = 2 * precision * recall / (precision + recall) if precision * recall else 0.0
    assert precision_recall(real, fake, k).f_1 == pytest.approx(harmonic)


@pytest.mark.parametrize("k", [1, 3, 7])
def test_density_and_coverage_follow_the_papers_definitions(block, k):
    real, fake = normals(80), 0.7 * normals(70, seed=1) + 0.6
    density, coverage = density_coverage(real, fake, k)
    assert 0 < coverage < 1
    assert (density, coverage) == plain_density_coverage(real, fake, k)


@pytest.mark.parametrize("shift", [0.0, 0.4, 1.0])
def test_nearest_neighbour_score_is_scikit_learns_leave_one_out(block, shift):
    real, fake = normals(70), 0.8 * normals(70, seed=1) + shift
    np.testing.assert_allclose(nearest_neighbour_score(real, fake), plain_leave_one_out(real, fake))


def test_the_defaults_are_the_papers():
    real, fake = normals(80), 0.7 * normals(70, seed=1) + 0.6
    assert precision_recall(real, fake) == plain_precision_recall(real, fake, 3)
    assert density_coverage(real, fake) == plain_density_coverage(real, fake, 5)


def test_scores_of_real_digits_agree():
    digits = np.float32(load_digits().data[:600])
    real, fake = digits[:300], digits[300:] + 0.5 * normals(300, 64)
    np.testing.assert_allclose(
        precision_recall(real, fake, 5), plain_precision_recall(real, fake, 5)
    )
    np.testing.assert_allclose(density_coverage(real, fake), plain_density_coverage(real, fake, 5))
    np.testing.assert_allclose(nearest_neighbour_score(real, fake), plain_leave_one_out(real, fake))


@every_score
def test_scores_do_not_depend_on_the_blocks(monkeypatch, score):
    real, fake = normals(90), normals(90, seed=1) + 0.3
    expected = score(real, fake)
    for block in (1, 13, 89, 90):
        monkeypatch.setattr(neighbours, "_BLOCK", block)
        assert score(real, fake) == expected


@every_score
def test_scores_do_not_depend_on_order_type_or_container(score):
    real, fake = normals(90), normals(90, seed=1) + 0.3
    expected = score(real, fake)
    assert all(type(value) is float for value in expected)
    order = np.random.default_rng(2).permutation(90)
    assert score(real[order], fake[order[::-1]]) == expected
    assert score(np.float64(real), fake) == expected
    assert score(tf.constant(real), tf.constant(fake)) == expected


@every_score
@pytest.mark.parametrize(("dtype", "offset"), [("float32", 1e3), ("float64", 1e9)])
def test_scores_far_from_the_origin_lose_nothing(score, dtype, offset):
    # Whole sixteenths are exact at this offset, so the distances do not change in the least.
    real, fake = (np.round(16 * np.float64(normals(90, 40, seed))) / 16 for seed in (0, 1))
    near = score(real, 0.25 + fake)
    far = score((real + offset).astype(dtype), (0.25 + fake + offset).astype(dtype))
    assert far == near


@pytest.mark.parametrize("offset", [0, 1000])
def test_a_copy_is_known_as_one(block, offset):
    real = offset + normals(100, 50)
    copy = real[::-1].copy()
    assert nearest_neighbour_score(real, copy) == (0.0, 0.0, 0.0)
    assert precision_recall(real, copy, k=5) == (1.0, 1.0)
    # Each ball holds its centre's copy and those of its five neighbours, one on the border.
    assert density_coverage(real, copy, k=5) == (pytest.approx(6 / 5), 1.0)


def test_copies_of_samples_that_are_there_several_times_are_known_as_well():
    real = np.repeat(normals(20, 50), 5, axis=0)
    copy = real.copy()
    assert precision_recall(real, copy, k=4) == (1.0, 1.0)  # all radii are 0
    assert density_coverage(real, copy, k=4) == (pytest.approx(5 / 4), 1.0)


def test_a_tie_between_the_classes_counts_half():
    # Neighbours at 1 on both sides, but for the last two, which have one of their own class.
    real = np.array([[0.0], [1.0], [2.0], [10.0], [11.0]])
    fake = np.array([[0.0], [1.0], [2.0], [30.0], [31.0]])
    assert nearest_neighbour_score(real, fake) == (0.4, 0.4, 0.4)
    twice = np.array([[0.0], [0.0], [5.0], [5.0]])
    assert nearest_neighbour_score(twice, twice) == (0.5, 0.5, 0.5)


def test_ties_are_seen_through_rounding():
    # Corners of a cube: every neighbour is at the same distance, up to rounding in 0.1.
    corners = 0.1 * np.array(np.meshgrid(*[[0, 1]] * 5)).reshape(5, -1).T + 1000
    odd = np.round(corners * 10).sum(axis=1) % 2 == 1
    mixed = np.random.default_rng(0).permutation(32) < 16
    assert nearest_neighbour_score(corners[odd], corners[~odd]).total == 0.0
    score = nearest_neighbour_score(corners[mixed], corners[~mixed])
    apart = np.abs(corners[:, None] - corners).sum(axis=2)
    nearest_ones = np.isclose(apart, 0.1)
    same = (nearest_ones & (mixed[:, None] == mixed)).any(axis=1)
    other = (nearest_ones & (mixed[:, None] != mixed)).any(axis=1)
    assert score.total == np.mean(np.where(same & other, 0.5, same))


def test_sets_far_apart_have_nothing_in_common():
    real, fake = normals(60), normals(60, seed=1) + 100
    assert nearest_neighbour_score(real, fake) == (1.0, 1.0, 1.0)
    assert precision_recall(real, fake) == (0.0, 0.0)
    assert density_coverage(real, fake) == (0.0, 0.0)


def test_samples_of_one_distribution_have_the_expected_scores():
    count, k, trials = 100, 5, 40
    scores = []
    for trial in range(trials):
        real, fake = normals(count, seed=2 * trial), normals(count, seed=2 * trial + 1)
        score = nearest_neighbour_score(real, fake)
        scores.append([*score, *density_coverage(real, fake, k)])
    chance = (count - 1) / (2 * count - 1)
    ranks = np.arange(1, k + 1)
    covered = 1 - np.prod((count - ranks) / (2 * count - ranks))  # Naeem et al., lemma 2
    assert covered == pytest.approx(1 - 2.0**-k, abs=0.01)
    standard_errors = np.std(scores, axis=0, ddof=1) / np.sqrt(trials)
    assert (standard_errors < 0.02).all()
    deviations = np.mean(scores, axis=0) - [chance, chance, chance, 1, covered]
    assert (np.abs(deviations) < 4 * standard_errors).all()


def test_part_of_the_real_set_is_precise():
    real = normals(100)
    precision, recall = precision_recall(real, real[:30])
    assert precision == 1.0 and recall < 1.0


def mixture(modes, seed):
    """50 samples around each of some far corners."""
    centres = 100 * np.eye(6)[list(modes)]
    return np.repeat(centres, 50, axis=0) + normals(50 * len(modes), seed=seed)


def test_dropped_modes_lower_recall_and_coverage_alone():
    real = mixture(range(4), seed=0)
    half = mixture([0, 1, 0, 1], seed=1)
    whole = mixture(range(4), seed=1)
    precision, recall = precision_recall(real, half)
    _, coverage = density_coverage(real, half)
    assert recall <= 0.5 and coverage <= 0.5
    assert precision == pytest.approx(precision_recall(real, whole).precision, abs=0.1)
    assert precision > 0.7 and precision_recall(real, whole).recall > 0.7
    assert density_coverage(real, whole).coverage > 0.9


def test_one_real_outlier_deceives_precision_but_not_density():
    real, fake = normals(200), normals(200, seed=1) + 8
    outlier = np.full([1, 6], 12, np.float32)
    assert precision_recall(real, fake, k=5).precision < 0.05
    with_outlier = np.concatenate([real, outlier])
    assert precision_recall(with_outlier, fake, k=5).precision > 0.95
    assert density_coverage(with_outlier, fake, k=5).density <= 1 / 5 + 0.01


def test_generated_samples_crowded_around_modes_are_told_more_often_than_real_ones():
    real, fake = mixture(range(4), seed=0), mixture(range(4), seed=1)
    centres = np.repeat(100 * np.eye(6)[:4], 50, axis=0)
    score = nearest_neighbour_score(real, centres + 0.3 * (fake - centres))
    assert score.fake > 0.9 > score.real
    assert score.total == (score.real + score.fake) / 2


def test_nearest_is_scikit_learns():
    queries, points = normals(7), normals(300, seed=1)
    indices, found = nearest(queries, points)
    expected, expected_indices = NearestNeighbors(n_neighbors=1).fit(points).kneighbors(queries)
    np.testing.assert_array_equal(indices, expected_indices[:, 0])
    np.testing.assert_allclose(found, expected[:, 0], rtol=1e-6)


@pytest.mark.parametrize("offset", [0, 1000])
def test_nearest_finds_copies_at_distance_zero(offset):
    points = offset + normals(300, 50)
    indices, found = nearest(tf.constant(points[[8, 250]]), tf.constant(points))
    assert indices.tolist() == [8, 250]
    assert found.tolist() == [0.0, 0.0]


def test_nearest_takes_a_single_query():
    assert nearest([[1.0]], [[5.0], [3.0]]).distances.tolist() == [2.0]


@pytest.mark.parametrize(
    ("queries", "message"),
    [
        (np.zeros([2, 3]), "Incompatible dimension"),
        (np.full([2, 2], np.nan), "contains NaN"),
        (np.zeros(2), "Expected 2D array"),
        (np.zeros([0, 2]), "0 sample"),
    ],
)
def test_nearest_refuses_what_has_no_distance(queries, message):
    with pytest.raises(ValueError, match=message):
        nearest(queries, np.zeros([5, 2]))


def test_the_largest_k_is_one_less_than_the_samples():
    real, fake = normals(6), normals(9, seed=1)
    assert precision_recall(real, fake, 5) == plain_precision_recall(real, fake, 5)
    for refused, name, count in (((real, fake), "real", 6), ((fake, real), "fake", 6)):
        message = f"among {count} has 5 neighbours. Received: k=6 and 6 samples in {name}"
        with pytest.raises(ValueError, match=message):
            precision_recall(*refused, k=6)
    with pytest.raises(ValueError, match="`k` is too large"):
        density_coverage(real, fake, k=6)
    assert density_coverage(fake, real, k=6) == plain_density_coverage(fake, real, 6)


@pytest.mark.parametrize("score", [precision_recall, density_coverage])
@pytest.mark.parametrize("k", [0, -1])
def test_neighbours_are_counted_from_one(score, k):
    with pytest.raises(ValueError, match=f"`k` must be at least 1. Received: k={k}"):
        score(normals(6), normals(6), k=k)


def test_the_nearest_neighbour_score_wants_sets_of_one_size():
    with pytest.raises(ValueError, match="5 real and 4 generated samples. Pass 4 of each"):
        nearest_neighbour_score(normals(5), normals(4))


@every_score
def test_scores_refuse_bad_features(score):
    with pytest.raises(ValueError, match="NaN or infinity"):
        score(normals(8), np.full([8, 6], np.nan))
    with pytest.raises(ValueError, match="6 for real and 5 for fake"):
        score(normals(8), normals(8, 5))
    with pytest.raises(ValueError, match="at least 2 samples"):
        score(normals(8), normals(1))


def test_the_benchmark_writes_what_it_measured(tmp_path, capsys):
    output = tmp_path / "benchmark.json"
    benchmark_evaluation.main(["--samples=30", "--features=4", "--turns=2", f"--output={output}"])
    result = json.loads(output.read_text())
    assert result["samples"] == 30 and result["features"] == 4
    printed = capsys.readouterr().out
    for name, measured in result["evaluation_benchmark"].items():
        ours, theirs = measured["ours_seconds"], measured["theirs_seconds"]
        assert measured["ratios"] == [b / a for a, b in zip(ours, theirs, strict=True)]
        assert len(ours) == 2 and name in printed
