"""What pre-training is worth: who learns what, from which images, and what stays as it was."""

import keras
import numpy as np
import pytest

from tfgen import data
from training.scoring import pretraining

SIZES = 6, 4


def grey(count=60, classes=3, seed=0):
    """Images that are brighter the higher their class."""
    labels = np.arange(count) % classes
    noise = np.random.default_rng(seed).integers(20, size=[count, 4, 4, 1])
    return data.Source((70 * labels.reshape(-1, 1, 1, 1) + noise).astype(np.uint8), labels)


@pytest.fixture
def built(monkeypatch):
    """Small classifiers, of which each is kept here."""
    found = []

    class Kept(keras.Sequential):
        def __init__(self, *arguments):
            super().__init__(*arguments)
            found.append(self)

    monkeypatch.setattr(keras, "Sequential", Kept)
    for name, value in {"SIZES": SIZES, "STEPS": 200, "BATCH_SIZE": 10, "RATE": 0.03}.items():
        monkeypatch.setattr(pretraining, name, value)
    return found


def weights(seed=0):
    """Weights of both hidden layers, as `pretrained` returns them."""
    random = np.random.default_rng(seed)
    shapes = [(16, SIZES[0]), SIZES]
    return [[random.normal(size=shape).astype("f"), np.zeros(shape[1], "f")] for shape in shapes]


@pytest.mark.parametrize("layers", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_frozen_layers_stay_as_they_were_learnt_and_the_others_learn(built, layers):
    given = weights()[:layers]
    pretraining.accuracy(given, True, grey(), grey(seed=1), seed=0)
    *hidden, last = built[0].layers
    for index, layer in enumerate(hidden):
        assert layer.trainable == (index >= layers)
    for layer, values in zip(hidden, given, strict=False):
        for found, expected in zip(layer.get_weights(), values, strict=True):
            np.testing.assert_array_equal(found, expected)
    assert np.abs(last.get_weights()[1]).max() > 0


@pytest.mark.slow
def test_fine_tuned_layers_begin_where_they_were_learnt_and_learn_on(built, monkeypatch):
    given = weights()
    pretraining.accuracy(given, False, grey(), grey(seed=1), seed=0)
    changes = [
        np.abs(layer.kernel - each[0]).max()
        for layer, each in zip(built[0].layers, given, strict=False)
    ]
    assert min(changes) > 1e-3
    monkeypatch.setattr(pretraining, "RATE", 0.0)
    pretraining.accuracy(given, False, grey(), grey(seed=1), seed=0)
    for layer, values in zip(built[1].layers, given, strict=False):
        np.testing.assert_array_equal(layer.kernel, values[0])


@pytest.mark.slow
def test_the_accuracy_is_that_on_test_images(built):
    assert pretraining.accuracy([], False, grey(), grey(seed=1), seed=0) > 0.9
    test = grey(seed=1)
    wrong = data.Source(test.images, (test.labels + 1) % 3)
    assert pretraining.accuracy([], False, grey(), wrong, seed=0) < 0.1


def test_few_labels_are_as_many_of_each_class_and_none_twice():
    train = grey(90)
    train = data.Source(np.arange(90, dtype=np.uint8).reshape(-1, 1, 1, 1), train.labels)
    found = pretraining.few(train, 30, seed=1)
    assert np.bincount(found.labels).tolist() == [10, 10, 10]
    places = found.images.ravel()
    assert len(set(places)) == 30
    np.testing.assert_array_equal(found.labels, places % 3)
    assert set(places) != set(pretraining.few(train, 30, seed=2).images.ravel())


@pytest.mark.slow
def test_the_second_layer_learns_the_codes_of_the_first(monkeypatch):
    monkeypatch.setattr(pretraining, "SIZES", SIZES)
    found = pretraining.pretrained(grey(), epochs=1, seed=0)
    shapes = {name: [tuple(kernel.shape) for kernel, _ in layers] for name, layers in found.items()}
    both = [(16, 6), (6, 4)]
    assert shapes == {
        "random weights": [],
        "the first layer": both[:1],
        "layer by layer": both,
        "both as one": both,
    }
    first, stacked = found["the first layer"][0], found["layer by layer"][0]
    np.testing.assert_array_equal(first[0], stacked[0])


@pytest.mark.slow
@pytest.mark.parametrize("masked", [0.0, 1.0])
def test_autoencoders_see_images_with_pixels_masked(monkeypatch, masked):
    """Of images that are wholly masked the first layer's weights learn nothing."""
    monkeypatch.setattr(pretraining, "SIZES", SIZES)
    monkeypatch.setattr(pretraining, "MASKED", masked)
    learnt, fresh = (
        pretraining.pretrained(grey(), epochs, seed=0)["the first layer"][0][0] for epochs in (3, 0)
    )
    assert np.array_equal(learnt, fresh) == (masked == 1)
