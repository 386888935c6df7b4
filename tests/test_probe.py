"""A discriminator's hidden activations, tensor by tensor, and a linear classifier on features."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from tfgen import data, evaluation
from tfgen.data import Source
from tfgen.evaluation import ModelFeatures, PixelFeatures
from tfgen.evaluation.linear_probe import discriminator_features, linear_probe


def values(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def randomized(model):
    """Gives all weights random positive values, also those that begin at 0 or 1."""
    for index, weight in enumerate(model.weights):
        weight.assign(np.random.default_rng(index).uniform(0.2, 0.8, weight.shape))
    return model


def cell(size, index):
    return slice(size * index // 4, -(-size * (index + 1) // 4))


def pooled(maps):
    """Pools `[batch, height, width, channels]` to 4x4 with loops, and flattens."""
    _, height, width, _ = maps.shape
    cells = [
        maps[:, cell(height, row), cell(width, column)].max(axis=(1, 2))
        for row in range(4)
        for column in range(4)
    ]
    return np.concatenate(cells, axis=1)


# --- Features of a discriminator


def test_features_are_pooled_activations_of_all_layers_but_the_last():
    inputs = keras.Input((14, 10, 1))
    first = layers.LeakyReLU(0.2)(layers.Conv2D(3, 3, padding="same")(2 * inputs - 1))
    second = layers.Conv2D(5, 3, strides=2, padding="same", use_bias=False)(first)
    second = layers.Dropout(0.5)(layers.ReLU()(layers.BatchNormalization()(second)))
    third = layers.Dense(6, "tanh")(layers.Flatten()(second))
    discriminator = randomized(keras.Model(inputs, layers.Dense(1)(third)))
    images = np.random.default_rng(0).random([4, 14, 10, 1], np.float32)
    # In inference mode: batch normalization by its averages, and no dropout.
    maps, halves, hidden = keras.Model(inputs, [first, second, third])(images, training=False)
    network = discriminator_features(discriminator)
    assert network.input_shape == (None, 14, 10, 1)
    assert network.output_shape == (None, 16 * 3 + 16 * 5 + 6)
    found = ModelFeatures(network, "discriminator")(images)
    expected = [pooled(maps.numpy()), pooled(halves.numpy()), hidden.numpy()]
    np.testing.assert_allclose(found, np.concatenate(expected, axis=1), rtol=1e-5)
    discriminator.layers[-1].kernel.assign_add([[1.0]] * 6)
    np.testing.assert_array_equal(ModelFeatures(network, "same")(images), found)


def test_the_papers_three_layers_have_28672_features():
    critic = keras.Sequential([keras.Input((32, 32, 3))])
    for filters in (256, 512, 1024):
        critic.add(layers.Conv2D(filters, 1, strides=2, activation="leaky_relu"))
    critic.add(layers.Flatten())
    critic.add(layers.Dense(1))
    assert discriminator_features(critic).output_shape == (None, 28672)


def test_a_perceptrons_features_are_its_hidden_activations():
    inputs = keras.Input((2, 3, 1))
    hidden = [layers.Dense(5, "relu")(layers.Flatten()(inputs))]
    hidden.append(keras.ops.tanh(layers.Dense(4)(hidden[-1])))
    perceptron = randomized(keras.Model(inputs, layers.Dense(1)(hidden[-1])))
    images = values(3, 2, 3, 1)
    expected = np.concatenate(keras.Model(inputs, hidden)(images), axis=1)
    np.testing.assert_allclose(discriminator_features(perceptron)(images), expected, rtol=1e-6)
    single = keras.Model(inputs, layers.Dense(1)(hidden[0]))
    np.testing.assert_allclose(discriminator_features(single)(images), expected[:, :5], rtol=1e-6)


@pytest.mark.slow
def test_names_of_a_network_from_a_file_are_no_hindrance(tmp_path):
    inputs = keras.Input((4, 4, 1))
    maps = layers.Concatenate(name="concatenate")([inputs, layers.Conv2D(2, 1)(inputs)])
    hidden = layers.Reshape([-1], name="reshape")(maps)
    hidden = layers.Dense(3)(layers.Flatten(name="flatten")(hidden))
    critic = keras.Model(inputs, layers.Dense(1)(hidden))
    # As in a process that has made nothing yet, where Keras numbers from the beginning.
    keras.utils.clear_session()
    features = discriminator_features(critic)
    features.save(tmp_path / "features.keras")
    loaded = keras.saving.load_model(tmp_path / "features.keras")
    np.testing.assert_array_equal(loaded(values(2, 4, 4, 1)), features(values(2, 4, 4, 1)))


def test_small_maps_stay_as_they_are_and_logits_of_parts_do_not_count():
    inputs = keras.Input((4, 6, 1))
    maps = layers.Conv2D(2, 1, strides=2, activation="relu")(inputs)
    critic = randomized(keras.Model(inputs, layers.Conv2D(1, 1)(maps)))
    images = values(3, 4, 6, 1)
    expected = keras.Model(inputs, maps)(images).numpy().reshape(3, -1)
    np.testing.assert_allclose(discriminator_features(critic)(images), expected, rtol=1e-6)


def test_every_branch_of_a_residual_network_counts_once():
    inputs = keras.Input((8, 8, 1))
    trunk = layers.Conv2D(2, 3, padding="same")(inputs)
    active = layers.ReLU()(trunk)
    branch = layers.ReLU()(layers.Conv2D(2, 3, padding="same")(active))
    together = layers.Add()([active, layers.Conv2D(2, 3, padding="same")(branch)])
    logits = layers.Dense(1)(layers.GlobalAveragePooling2D()(together))
    critic = randomized(keras.Model(inputs, logits))
    images = values(3, 8, 8, 1)
    maps = keras.Model(inputs, [active, branch, together])(images)
    expected = np.concatenate([pooled(each.numpy()) for each in maps], axis=1)
    np.testing.assert_allclose(discriminator_features(critic)(images), expected, rtol=1e-5)


def test_a_layer_that_is_called_twice_counts_twice():
    inputs = keras.Input((4,))
    shared = layers.Dense(4, "tanh")
    first = shared(inputs)
    second = shared(first)
    critic = randomized(keras.Model(inputs, layers.Dense(1)(second)))
    points = values(3, 4)
    expected = np.concatenate(keras.Model(inputs, [first, second])(points), axis=1)
    np.testing.assert_allclose(discriminator_features(critic)(points), expected, rtol=1e-6)


def test_spectral_normalization_hides_no_layer():
    inputs = keras.Input((8, 8, 1))
    hidden = layers.SpectralNormalization(layers.Conv2D(3, 4, strides=2))(inputs)
    hidden = layers.Flatten()(layers.ReLU()(hidden))
    critic = keras.Model(inputs, layers.SpectralNormalization(layers.Dense(1))(hidden))
    assert discriminator_features(critic).output_shape == (None, 27)


def test_features_are_single_precision_whatever_the_networks():
    keras.config.set_dtype_policy("mixed_bfloat16")
    inputs = keras.Input((3,))
    critic = keras.Model(inputs, layers.Dense(1)(layers.Dense(2, "relu")(inputs)))
    assert discriminator_features(critic)(values(2, 3)).dtype == tf.float32


def test_networks_without_features_are_refused():
    inputs = keras.Input((2, 2, 1))
    linear = keras.Model(inputs, layers.Dense(1)(layers.Flatten()(2 * inputs)), name="linear")
    with pytest.raises(ValueError, match="'linear' has no hidden layer.*`evaluation.PixelFeatures"):
        discriminator_features(linear)
    labels = keras.Input((10,))
    together = layers.Concatenate()([layers.Flatten()(inputs), labels])
    two = keras.Model([inputs, labels], layers.Dense(1)(layers.Dense(2)(together)))
    with pytest.raises(ValueError, match=r"one input. Received: \[\[None, 2, 2, 1\], \[None, 10\]"):
        discriminator_features(two)


# --- The probe


def clouds(count, noise=1.0, seed=0, features=6):
    """Three classes along three axes, 4 apart; the other features hold nothing."""
    random = np.random.default_rng(seed)
    labels = random.integers(3, size=count)
    return Source(4 * np.eye(features)[labels] + random.normal(0, noise, [count, features]), labels)


def test_a_probe_separates_what_is_linear_and_scores_the_test_images():
    train, test = clouds(300), clouds(2000, seed=1)
    probe = linear_probe(PixelFeatures(), train, test, count=60)
    # Bayes' error: one of two others has a coordinate that is larger, by chance.
    random = np.random.default_rng(0).normal(size=[100_000, 3])
    best = np.mean(4 + random[:, 0] > random[:, 1:].max(axis=1))
    assert best - 0.02 < probe.accuracy < best + 0.01
    mixed = Source(test.images, (test.labels + 1) % 3)
    assert linear_probe(PixelFeatures(), train, mixed, count=60).accuracy < 1 - best + 0.01


def test_a_probe_is_a_function_of_its_seed_and_learns_from_as_many_of_each_class():
    seen = []

    class Recorder(PixelFeatures):
        def __call__(self, images):
            seen.append(images)
            return super().__call__(images)

    train, test = clouds(15), clouds(100, seed=1)  # of one class there are but four
    probes = [linear_probe(Recorder(), train, test, 12, seed=seed) for seed in (0, 0, 1)]
    assert probes[0] == probes[1]
    labelled, again, other = seen[::2]
    np.testing.assert_array_equal(np.bincount(labelled.labels), [4, 4, 4])
    np.testing.assert_array_equal(labelled.images, again.images)
    assert not np.array_equal(labelled.images, other.images)
    # Each is an example of `train` with its own label, and none is drawn twice.
    where = [np.flatnonzero((train.images == image).all(axis=1)) for image in labelled.images]
    assert len(np.unique(where)) == 12
    np.testing.assert_array_equal(train.labels[np.concatenate(where)], labelled.labels)


@pytest.mark.slow
def test_features_are_standardized_and_the_test_images_do_not_matter_to_what_is_learnt():
    train, test = clouds(300), clouds(600, seed=1)
    scales = np.float32([1e-4, 1, 1e3, 1, 1e4, 1])
    scaled = [
        Source(1e3 + each.images.astype(float) * scales, each.labels) for each in (train, test)
    ]
    plain = linear_probe(PixelFeatures(), train, test, 60)
    assert linear_probe(PixelFeatures(), *scaled, 60).accuracy == pytest.approx(
        plain.accuracy, abs=0.03
    )
    # On other test images the same classifier: what it says of a part is a part of what it says.
    halves = [Source(test.images[half::2], test.labels[half::2]) for half in (0, 1)]
    parts = [linear_probe(PixelFeatures(), train, half, 60) for half in halves]
    assert np.mean([part.accuracy for part in parts]) == pytest.approx(plain.accuracy)
    assert {part.inverse_penalty for part in parts} == {plain.inverse_penalty}


def test_the_penalty_is_weak_where_small_differences_decide():
    def nearly_equal(seed):
        random = np.random.default_rng(seed)
        labels, common = random.integers(2, size=200), random.normal(size=200)
        return Source(np.stack([common, common + 0.2 * labels], axis=1), labels)

    fine = linear_probe(PixelFeatures(), nearly_equal(0), nearly_equal(1), 60)
    assert fine.inverse_penalty == 10 and fine.accuracy > 0.97
    assert linear_probe(PixelFeatures(), clouds(60, 0.5), clouds(60), 30).inverse_penalty < 0.1


def test_digits_are_known_by_a_hundred_labels():
    train, test = (data.source("digits", split) for split in data.SPLITS)
    pixels = linear_probe(evaluation.PixelFeatures(), train, test, count=100)
    # Nearest class means of the same kind of labels know about 85 % of these digits.
    assert 0.8 < pixels.accuracy < 1


@pytest.mark.parametrize(
    ("train", "count", "message"),
    [
        (Source(values(9, 2)), 6, "labelled data. Received: data without labels"),
        (Source(values(9, 2), np.ones(9, int)), 6, r"two classes or more. Received: \[1\]"),
        (clouds(90), 10, "multiple of the 3 classes, at least two of each. Received: count=10"),
        (clouds(90), 3, "multiple of the 3 classes, at least two of each. Received: count=3"),
        (
            Source(values(8, 2), [0, 0, 5, 5, 5, 0, 0, 5]),
            10,
            "10 examples of 2 classes are 5 of each, but there are only 4 of class 0",
        ),
    ],
)
def test_probes_without_enough_labels_are_refused(train, count, message):
    with pytest.raises(ValueError, match=message):
        linear_probe(PixelFeatures(), train, clouds(9), count)


def test_test_images_without_labels_are_refused():
    with pytest.raises(ValueError, match="labelled data"):
        linear_probe(PixelFeatures(), clouds(30), Source(values(9, 6)), 6)
