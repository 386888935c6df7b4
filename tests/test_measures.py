"""What recipes measure, on stubs of which the answer is known."""

import types

import numpy as np
import pytest
import tensorflow as tf

from tfgen import data
from tfgen.distributions.codes import Categorical
from training.recipes import measures


class Corners:
    """Stands for a model of points: 4 of 10 at one centre, 3 at another, 3 near none."""

    def sample(self, count, seed):
        self.asked = count, seed
        points = [[1.0, 0.0]] * 4 + [[0.0, 1.02]] * 3 + [[-1.0, 0.04]] * 3
        return tf.constant(np.resize(points, [count, 2]))


def test_modes_and_good_samples_are_counted():
    gaussians = data.RoundGaussians([(1.0, 0.0), (0.0, 1.0), (-1.0, 0.0)], deviation=0.01)
    model = Corners()
    found = measures.mode_coverage(gaussians, count=50)(model, None, None)
    assert found == {"modes": 2, "high_quality": pytest.approx(0.7)}
    assert model.asked == (50, 0)
    measures.mode_coverage(gaussians)(model, None, None)
    assert model.asked[0] == 2500


class Digits:
    """Stands for a conditional model: its images are grey as their label, but twos are zeros."""

    num_classes = 3

    def __init__(self):
        self.seeds = []

    def sample(self, count, seed, labels):
        assert count == len(labels) <= 500
        self.seeds.append(seed)
        grey = np.where(labels == 2, 0, labels) / 10
        return tf.constant(grey.reshape(-1, 1, 1, 1), tf.float32)


class Classifier:
    """Stands for the classifier of real images; its columns are in an order of their own."""

    accuracy = 0.875
    classes = np.array([2, 0, 1])

    def __init__(self, train, test, progress):
        assert (train, test) == ("train", "test")

    def probabilities(self, images):
        assert images.dtype == np.uint8
        seen = np.rint(images[:, 0, 0, 0] / 25.5)
        return np.float32(seen[:, np.newaxis] == self.classes)


def test_the_class_that_is_seen_is_compared_with_the_one_asked_for(monkeypatch):
    monkeypatch.setattr(measures.evaluation, "ClassifierFeatures", Classifier)
    model = Digits()
    found = measures.label_agreement(model, "train", "test", count=1201)
    # Of 1,201 labels in turn 401 are 0, 400 are 1 and as many 2.
    assert found == {"agreement": pytest.approx(801 / 1201), "classifier_accuracy": 0.875}
    assert len(set(model.seeds)) == 3


class Reader:
    """Stands for an InfoGAN whose first code is written in the first pixel."""

    codes = (Categorical(4), None)

    def recognize(self, images):
        assert len(images) <= 500
        category = tf.cast(tf.round(255 * images[:, 0, 0, 0]), tf.int32)
        return [0.6 * tf.one_hot(category, 4) + 0.1, "another code"]


def pairs(*counts):
    """Returns a source with `count` images of each (category, label)."""
    rows = np.repeat([pair for *pair, _ in counts], [count for *_, count in counts], axis=0)
    pixels = np.full([len(rows), 1, 2, 1], 255, np.uint8)  # the second is white
    pixels[:, 0, 0, 0] = rows[:, 0]
    return data.Source(pixels, rows[:, 1])


def test_categories_are_matched_to_classes_as_well_as_can_be_on_training_images():
    # Both 0 and 1 are mostly of class 0: best is 0 for class 1, and 1 for class 0. No class is
    # left for category 3.
    train = pairs((0, 0, 500), (0, 1, 400), (1, 0, 500), (2, 2, 30), (3, 2, 20))
    test = pairs((0, 0, 6), (0, 1, 1), (1, 0, 2), (2, 2, 3), (2, 0, 1), (3, 2, 4), (3, 0, 3))
    found = measures.code_error(Reader(), train, test)
    assert found == {"code_error": pytest.approx((6 + 1 + 4 + 3) / 20)}


def test_there_may_be_fewer_categories_than_classes():
    model = types.SimpleNamespace(codes=[Categorical(2)], recognize=Reader().recognize)
    train = pairs((0, 2, 5), (1, 0, 5), (1, 1, 4))
    assert measures.code_error(model, train, train) == {"code_error": pytest.approx(4 / 14)}


class Modes:
    """Stands for a model of points in three modes, of which it makes two; of class 2 it makes 0."""

    abilities = frozenset({"sample"})
    num_classes = 3

    def sample(self, count, seed, labels=None):
        modes = np.arange(count) % 2 if labels is None else np.where(labels == 2, 0, labels)
        return tf.constant(np.stack([5.0 * modes, np.full(count, 0.25)], axis=1))


def test_modes_of_samples_are_those_of_the_nearest_training_points():
    corners = np.array([[0.0, 0.0], [5.0, 0.0], [10.0, 0.0]])
    train, test = data.Source(corners, np.arange(3)), data.Source(corners + [0, 0.5])
    model = Modes()
    found = measures.nearest_modes(model, train, test, count=12)
    assert found == {"modes": 2, "distance": 0.25, "distance_of_data": 0.5}
    model.abilities = frozenset({"sample", "choose_labels"})
    found = measures.nearest_modes(model, train, test, count=12)
    assert found["agreement"] == pytest.approx(2 / 3)


class Halves:
    """Stands for a conditional VAE of two classes, which tells images by their brightness."""

    def label_probabilities(self, images, samples):
        bright = tf.reduce_mean(tf.cast(images, tf.float32), axis=[1, 2, 3])
        assert set(np.unique(images)) <= {0.0, 1.0}  # black and white
        return tf.stack([1 - bright, bright], axis=1)


def test_labels_are_told_by_the_larger_probability():
    images = np.repeat(np.uint8([0, 255, 255, 255]), 4).reshape(4, 2, 2, 1)
    test = data.Source(images, np.array([0, 1, 1, 0]))
    assert measures.classification(Halves(), None, test) == {"accuracy": 0.75}


def test_the_threshold_of_faults_is_that_of_readings_which_nobody_else_has(monkeypatch):
    """Errors are the readings: of known ones that are 0 to 99, the highest is the threshold."""
    known = np.arange(100.0, dtype=np.float32)[:, np.newaxis]
    asked = []

    def plant(count, faults=("none",), seed=0):
        asked.append((tuple(faults), seed))
        return data.Source(known)

    monkeypatch.setattr(measures.data, "plant", plant)
    model = types.SimpleNamespace(score=lambda readings: {"error": readings[:, 0]})
    errors = [*range(90, 99), 200.0, 200.0, 200.0, 200.0, 0.0, 200.0, 0.0, 0.0, 0.0]
    labels = np.repeat([0, 1, 2, 3], [10, 4, 2, 2])
    test = data.Source(np.array(errors, np.float32)[:, np.newaxis], labels)
    found = measures.fault_detection(model, None, test)
    assert found.pop("auroc") == pytest.approx((4 * 9.5 + 4 * 0) / 80)
    assert found == {
        "false_alarms": pytest.approx(0.1),
        "drift_noticed": 0.75,
        "stuck_noticed": 0.5,
        "leak_noticed": 0.0,
    }
    assert asked == [(("none",), 2)]


def test_disentanglement_is_scored_on_test_images_five_ways():
    random = np.random.default_rng(0)
    factors = random.integers([3, 4], size=[600, 2])
    noisy = factors @ [[1.0, 0.5], [-0.2, 1.0]] + 0.7 * random.normal(size=[600, 2])
    test = data.Source(noisy.astype(np.float32), factors)

    def encode(examples):
        return types.SimpleNamespace(mean=lambda: tf.convert_to_tensor(examples))

    model = types.SimpleNamespace(encode=encode, abilities=frozenset({"encode"}))
    found = measures.disentanglement(model, None, test, count=500)
    scored, codes, factors = measures.evaluation, test.images[:500], factors[:500]
    parts = scored.dci_scores(codes, factors)
    expected = {
        "higgins": scored.higgins_score(codes, factors),
        "factor_vae": scored.factor_vae_score(codes, factors),
        "mutual_information_gap": scored.mutual_information_gap(codes, factors),
        "dci_disentanglement": parts["disentanglement"],
        "dci_completeness": parts["completeness"],
        "dci_informativeness": parts["informativeness"],
        "separated_attribute_predictability": scored.separated_attribute_predictability(
            codes, factors
        ),
    }
    assert found == pytest.approx(expected)
    assert len(set(found.values())) == len(expected)


class Quantizer:
    """Stands for a VQ-VAE of one code per image: 0 for dark images, 2 for all others."""

    codebook = types.SimpleNamespace(size=4)

    def codes(self, images):
        return 2 * tf.cast(tf.reduce_mean(images, axis=(1, 2, 3)) > 0.5, tf.int32)

    def reconstruct(self, images):
        return tf.constant(images) + 0.5


def test_quantization_is_measured_by_the_codes_of_all_held_out_images():
    levels = np.float32([0.1] * 600 + [0.9] * 600)  # more than are looked at together
    held_out = data.Source(np.broadcast_to(levels[:, None, None, None], [1200, 2, 2, 1]).copy())
    found = measures.quantization(Quantizer(), None, held_out)
    assert found["perplexity"] == pytest.approx(2.0)
    assert found["codes_used"] == 2
    assert found["squared_error_of_a_value"] == pytest.approx(0.25, rel=1e-4)
