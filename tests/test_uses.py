"""What autoencoders are for: novelty with a threshold, retrieval, and the plant's sensors."""

import numpy as np
import pytest
from sklearn.decomposition import PCA

from tfgen.data import FAULTS, Source, plant
from tfgen.evaluation import novelty_auroc, novelty_threshold, rarity, retrieval_precision


def test_the_threshold_keeps_the_rate_of_false_alarms():
    random = np.random.default_rng(0)
    threshold = novelty_threshold(random.normal(size=20_000), false_alarms=0.02)
    assert threshold == pytest.approx(2.0537, abs=0.05)
    assert np.mean(random.normal(size=50_000) > threshold) == pytest.approx(0.02, abs=0.003)
    assert novelty_threshold(np.arange(100.0), 0.05) == 95  # of 100, five are not below


@pytest.mark.parametrize("count", [99, 101, 150, 201])
def test_a_further_known_example_is_above_the_threshold_no_more_often_than_asked(count):
    """Each of `count + 1` is the further one once: all orders are equally likely."""
    scores = np.random.default_rng(0).normal(size=count + 1)
    above = [
        scores[one] > novelty_threshold(np.delete(scores, one), 0.01) for one in range(count + 1)
    ]
    assert 0 < np.mean(above) <= 0.01


@pytest.mark.parametrize("rate", [0.0, 1.0, -0.1])
def test_a_rate_out_of_range_is_refused(rate):
    with pytest.raises(ValueError, match="`false_alarms` must be between 0 and 1"):
        novelty_threshold(np.arange(100.0), rate)


def test_a_rate_that_so_few_scores_do_not_tell_is_refused():
    with pytest.raises(ValueError, match="needs at least 99 scores. Received: 50"):
        novelty_threshold(np.arange(50.0), 0.01)


def test_rarity_of_latents_that_are_all_the_same_is_refused():
    with pytest.raises(ValueError, match="Most latents must differ.*100 of 100 have 20"):
        rarity(np.zeros([100, 3]))
    with pytest.raises(ValueError, match="must be positive and finite. Received: smoothing=inf"):
        rarity(np.eye(30), smoothing=np.inf)


def test_retrieval_is_right_when_the_nearest_are_of_one_kind():
    random = np.random.default_rng(0)
    labels = np.arange(300) % 3
    centres = 10 * np.eye(3)
    codes = centres[labels] + random.normal(size=[300, 3])
    assert np.all(retrieval_precision(codes, labels, codes + 0.1, labels) == 1)
    assert np.all(retrieval_precision(codes, labels, codes, (labels + 1) % 3) == 0)
    noise = random.normal(size=[300, 3])
    assert retrieval_precision(noise, labels, random.normal(size=[300, 3]), labels).mean() < 0.45


def test_precision_is_the_share_of_what_is_found():
    codes, labels = np.array([[0.0], [1.0], [2.0], [9.0]]), np.array([0, 1, 0, 0])
    found = retrieval_precision(codes, labels, np.array([[0.4]]), np.array([0]), count=3)
    assert found == pytest.approx([2 / 3])


def test_who_is_asked_for_does_not_find_itself():
    codes, labels = np.array([[0.0], [1.0], [1.5], [9.0]]), np.array([0, 0, 1, 1])
    assert retrieval_precision(codes, labels, count=1) == pytest.approx([1, 0, 0, 1])
    with pytest.raises(ValueError, match="`count` must be from 1 to 3. Received: count=4"):
        retrieval_precision(codes, labels, count=4)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"count": 5}, "`count` must be from 1 to 4. Received: count=5"),
        ({"labels": np.zeros(3)}, "a label for each code. Received: labels of \\[3\\] for 4"),
    ],
)
def test_wrong_searches_are_refused(options, message):
    wrong = {"codes": np.eye(4), "labels": np.zeros(4), "queries": np.eye(4)} | options
    with pytest.raises(ValueError, match=message):
        retrieval_precision(query_labels=np.zeros(4), **wrong)


def test_labels_of_no_queries_are_refused():
    with pytest.raises(ValueError, match="`query_labels` are of `queries`. Received: queries=None"):
        retrieval_precision(np.eye(4), np.zeros(4), query_labels=np.zeros(4), count=2)


def test_latents_weigh_as_the_volume_that_their_neighbours_fill():
    """On a grid whose spacing is 1 here and 3 there, the density is 9 times less in the plane."""
    grid = np.stack(np.meshgrid(np.arange(20.0), np.arange(20.0)), axis=-1).reshape(-1, 2)
    weights = rarity(np.concatenate([grid, 100 + 3 * grid]), smoothing=1e-9, neighbours=4)
    dense, thin = weights.reshape(2, 20, 20)[:, 2:-2, 2:-2]  # of whole neighbourhoods
    assert thin / dense == pytest.approx(np.full([16, 16], 9.0))
    assert weights.sum() == pytest.approx(1)


def test_the_nearest_neighbour_of_an_example_is_another_one():
    weights = rarity(np.array([[0.0], [1.0], [3.0]]), smoothing=1e-9, neighbours=1)
    assert weights == pytest.approx([0.25, 0.25, 0.5])


def test_smoothing_bounds_what_one_example_weighs():
    latents = np.random.default_rng(0).normal(size=[500, 3])
    latents[0] = 100
    for smoothing in (0.5, 0.01):
        weights = rarity(latents, smoothing)
        assert weights[0] / np.median(weights) == pytest.approx((1 + smoothing) / smoothing, 0.01)


def test_many_latents_and_copies_have_finite_weights():
    random = np.random.default_rng(0)
    weights = rarity(random.normal(size=[500, 300]))
    assert np.isfinite(weights).all() and weights.sum() == pytest.approx(1)
    copies = np.concatenate([np.zeros([100, 2]), random.normal(size=[400, 2])])
    weights = rarity(copies)
    assert weights[:100].max() < 1e-6 < weights[100:].min()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"smoothing": 0.0}, "`smoothing` must be positive and finite. Received: smoothing=0.0"),
        ({"neighbours": 0}, "`neighbours` must be from 1 to 2.*Received: neighbours=0"),
        ({"neighbours": 3}, "`neighbours` must be from 1 to 2.*Received: neighbours=3"),
    ],
)
def test_wrong_numbers_of_rarity_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        rarity(np.eye(3), **options)


def test_examples_are_drawn_as_often_as_they_weigh():
    source = Source(np.arange(4, dtype=np.float32)[:, np.newaxis], np.arange(4))
    drawn = source.resample([1, 0, 2, 1], count=40_000, seed=3)
    shares = np.bincount(drawn.labels, minlength=4) / len(drawn)
    assert shares == pytest.approx([0.25, 0, 0.5, 0.25], abs=0.01)
    assert np.array_equal(drawn.images[:, 0], drawn.labels)
    again = source.resample([1, 0, 2, 1], seed=3)
    assert len(again) == 4 and np.array_equal(
        again.labels, source.resample([1, 0, 2, 1], seed=3).labels
    )


@pytest.mark.parametrize(
    ("weights", "count", "message"),
    [
        ([1, 1], None, "one for each of 3 examples. Received: weights of shape"),
        ([1, -1, 1], None, "finite, at least 0, and not all 0"),
        ([0, 0, 0], None, "finite, at least 0, and not all 0"),
        ([1, np.nan, 1], None, "finite, at least 0, and not all 0"),
        ([1, 1, 1], 0, "`count` must be at least 1. Received: count=0"),
    ],
)
def test_wrong_weights_are_refused(weights, count, message):
    with pytest.raises(ValueError, match=message):
        Source(np.eye(3, dtype=np.float32)).resample(weights, count)


def test_normal_readings_have_mean_0_and_deviation_1_and_depend_on_each_other():
    readings = plant(5000).images
    assert readings.shape == (5000, 12) and readings.dtype == np.float32
    np.testing.assert_allclose(readings.mean(axis=0), 0, atol=0.1)
    np.testing.assert_allclose(readings.std(axis=0), 1, atol=0.1)
    spectrum = np.linalg.eigvalsh(np.cov(readings.T))[::-1]
    assert spectrum[:4].sum() / spectrum.sum() > 0.9


def test_the_seed_decides_and_labels_name_the_faults():
    first, again, other = (plant(200, FAULTS, seed) for seed in (3, 3, 4))
    np.testing.assert_array_equal(first.images, again.images)
    assert (first.images != other.images).any()
    assert set(first.labels) == {0, 1, 2, 3} and not plant(50).labels.any()


@pytest.mark.parametrize("fault", FAULTS[1:])
def test_a_fault_changes_what_it_breaks_and_nothing_else(fault):
    """The same seed draws the same states and noise, whatever the fault."""
    source = plant(500, [fault], seed=6)
    changes = source.images - plant(500, seed=6).images
    assert set(source.labels) == {FAULTS.index(fault)}
    if fault == "leak":  # the flow that comes out is less, and carries less heat away
        flow, *heated = changes[:, [1, 7, 8]].T
        assert (flow < 0).all() and (np.array(heated) > 0).all()
        assert not np.delete(changes, [1, 7, 8], axis=1).any()
        return
    assert ((changes != 0).sum(axis=1) == 1).all()
    if fault == "drift":
        sizes = np.abs(changes).max(axis=1)
        assert 0.24 < sizes.min() < 0.3 and 0.95 < sizes.max() < 1.01
        assert 0.4 < np.mean(changes.sum(axis=1) > 0) < 0.6


@pytest.mark.parametrize("fault", FAULTS[1:])
def test_a_fault_shows_in_relations_rather_than_in_ranges(fault):
    """Errors of a linear autoencoder tell more than the largest reading does."""
    normal, faulty = plant(4000, seed=1).images, plant(4000, [fault], seed=2).images
    components = PCA(5).fit(plant(4000).images)

    def errors(readings):
        back = components.inverse_transform(components.transform(readings))
        return np.sum((readings - back) ** 2, axis=1)

    by_relation = novelty_auroc(errors(normal), errors(faulty))
    by_range = novelty_auroc(np.abs(normal).max(axis=1), np.abs(faulty).max(axis=1))
    assert by_relation > by_range + 0.1 and by_relation > 0.65


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0,), "`count` must be at least 1. Received: count=0"),
        ((5, ["rust"]), r"`faults` must be some of .*Received: \('rust',\)"),
        ((5, []), "`faults` must be some of"),
    ],
)
def test_a_plant_that_there_is_not_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        plant(*arguments)
