"""Networks that treat every example by itself are told from those that do not."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

import tfgen
from tfgen import distributions, games, networks
from tfgen.engine.one_pass import on_both, treats_batches_alone, treats_rows_alone
from tfgen.layers import Positions

IMAGES = (28, 28, 1)


@keras.saving.register_keras_serializable(package="tests")
class LessTheMean(layers.Layer):
    """A layer of a user's own whose rows depend on each other."""

    def call(self, inputs):
        return inputs - tf.reduce_mean(inputs, axis=0, keepdims=True)


def flat(*parts):
    return keras.Sequential([keras.Input((3,)), *parts, layers.Dense(1)])


def with_operation():
    inputs = keras.Input((3,))
    return keras.Model(inputs, inputs - keras.ops.mean(inputs, axis=0))


class Subclassed(keras.Model):
    """A model whose `call` may do anything."""

    def call(self, inputs):
        return inputs


ALONE = {
    "perceptron": lambda: networks.mlp_discriminator(IMAGES, hidden_sizes=(8, 8)),
    "infogan without batch normalization": lambda: networks.info_gan_discriminator(
        IMAGES, batch_norm=False, units=8, filters=(4, 8)
    ),
    "infogan with codes": lambda: networks.info_gan_discriminator(
        IMAGES, batch_norm=False, units=8, filters=(4, 8), code_sizes=[10, 2]
    ),
    "autoencoder": lambda: networks.info_gan_autoencoder(IMAGES, latent_dim=4),
    "patches": lambda: networks.patch_gan_discriminator((32, 32, 1), filters=4, depth=1),
    "nested": lambda: flat(flat()),
    "positions": lambda: flat(Positions()),
    "functions": lambda: flat(layers.Dense(2, "tanh"), layers.Dense(2, layers.LeakyReLU())),
}
MIXED = {
    "batch normalization": lambda: flat(layers.BatchNormalization()),
    "nested": lambda: flat(flat(layers.BatchNormalization())),
    "dropout": lambda: flat(layers.Dropout(0.5)),
    "spectral normalization": lambda: flat(layers.SpectralNormalization(layers.Dense(2))),
    "a layer of one's own": lambda: flat(LessTheMean()),
    "a function of one's own": lambda: flat(layers.Dense(2, activation=lambda each: each)),
    "a layer as a function": lambda: flat(layers.Dense(2, activation=layers.Dropout(0.5))),
    "the batch's axis": lambda: flat(layers.Softmax(axis=0)),
    "the batch's axis among others": lambda: flat(layers.Softmax(axis=(0, 1))),
    "the batch's axis from behind": lambda: flat(layers.Softmax(axis=-2)),
    "losses of activities": lambda: flat(layers.Dense(2, activity_regularizer="l2")),
    "an operation": with_operation,
    "a subclass": Subclassed,
    "infogan with batch normalization": lambda: networks.info_gan_discriminator(IMAGES),
}


@pytest.mark.parametrize("name", ALONE)
def test_rows_that_are_alone_do_not_change_with_others(name):
    network = ALONE[name]()
    assert treats_rows_alone(network)
    random = np.random.default_rng(0)
    images = random.uniform(size=(4, *network.input_shape[1:])).astype(np.float32)
    others = np.concatenate([images[:2], random.uniform(size=images[2:].shape)])
    made = tf.nest.flatten(network(images, training=True))
    beside_others = tf.nest.flatten(network(others.astype(np.float32), training=True))
    for one, other in zip(made, beside_others, strict=True):
        np.testing.assert_allclose(one[:2], other[:2], atol=1e-6)
        assert np.abs(one[2:] - other[2:]).max() > 1e-6


@pytest.mark.parametrize("name", MIXED)
def test_what_may_mix_rows_is_not_trusted(name):
    assert not treats_rows_alone(MIXED[name]())


def of_two_inputs(*parts):
    """Returns a network of a pair of batches, with one or two outputs."""
    inputs = keras.Input((3,)), keras.Input((1,))
    hidden = layers.Concatenate()(inputs)
    for part in parts:
        hidden = part(hidden)
    return keras.Model(inputs, [layers.Dense(1)(hidden), layers.Dense(2)(hidden)])


def normalization():
    return layers.BatchNormalization(momentum=0.5)


def passes(network, *batches):
    """Returns how many passes `on_both` makes: how often the graph has the last layer."""

    @tf.function
    def run():
        return on_both(network, *batches, training=True)

    operations = run.get_concrete_function().graph.get_operations()
    dense = [layer for layer in network._flatten_layers() if isinstance(layer, layers.Dense)]
    return sum(operation.type == "MatMul" for operation in operations) / len(dense)


BOTH = {
    "alone": (lambda: of_two_inputs(layers.Dense(4)), 1),
    "normalized": (lambda: of_two_inputs(layers.Dense(4), normalization(), layers.ReLU()), 1),
    "normalized twice": (
        lambda: of_two_inputs(normalization(), layers.Dense(4), normalization()),
        1,
    ),
    "nested": (lambda: of_two_inputs(keras.Sequential([layers.Dense(4), normalization()])), 1),
    "named": (lambda: of_two_inputs(lambda each: layers.Dense(4)(inputs=each), normalization()), 1),
    "mixed": (lambda: of_two_inputs(LessTheMean(), normalization()), 2),
}


def called_twice():
    layer, inputs = normalization(), keras.Input((3,))
    return keras.Model(inputs, layer(layers.Dense(3)(layer(inputs))))


def called_with(**arguments):
    inputs = keras.Input((3,))
    return keras.Model(inputs, normalization()(layers.Dense(3)(inputs), **arguments))


def masked():
    inputs = keras.Input((3,)), keras.Input((), dtype="bool")
    return keras.Model(inputs, normalization()(inputs[0], mask=inputs[1]))


def nested_and_called_with(**arguments):
    inputs = keras.Input((3,))
    inner = keras.Sequential([keras.Input((3,)), normalization()])
    return keras.Model(inputs, layers.Dense(1)(inner(inputs, **arguments)))


@pytest.mark.parametrize(
    "build",
    [
        called_twice,
        masked,
        lambda: called_with(training=False),
        lambda: nested_and_called_with(training=False),
    ],
)
def test_batch_normalization_told_or_called_otherwise_is_not_trusted(build):
    assert not treats_batches_alone(build())


def test_rows_called_with_arguments_may_stand_beside_batch_normalization():
    inputs = keras.Input((3,))
    inner = keras.Sequential([keras.Input((3,)), layers.Dense(2)])
    network = keras.Model(inputs, normalization()(inner(inputs, training=False)))
    images = tf.random.uniform([2, 3])
    assert passes(network, images, images) == 1


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("name", BOTH)
def test_one_pass_of_two_batches_makes_what_two_make(name, training):
    build, expected_passes = BOTH[name]
    network = build()
    random = np.random.default_rng(0)
    # Halves need not be equal, nor of one type.
    first, second = (
        (random.normal(size=(count, 3)).astype(dtype), random.normal(size=(count, 1)) + count)
        for count, dtype in ((4, np.float64), (6, np.float32))
    )
    network(first, training=True)  # moves the statistics away from their beginning
    before = network.get_weights()
    expected = [network(each, training=training) for each in (first, second)]
    moved = network.get_weights()
    network.set_weights(before)
    found = on_both(network, first, second, training)
    for ours, theirs in zip(tf.nest.flatten(found), tf.nest.flatten(expected), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)
    # The statistics have seen both batches, the second last.
    for ours, theirs in zip(network.get_weights(), moved, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)
    assert [len(each) for each in found] == [2, 2]
    assert passes(network, first, second) == expected_passes


def test_a_list_of_one_output_is_that_output():
    inputs = keras.Input((3,))
    network = keras.Model([inputs], [layers.Dense(1)(normalization()(inputs))])
    found = on_both(network, tf.ones([2, 3]), tf.ones([3, 3]), training=True)
    assert [each.shape for each in found] == [(2, 1), (3, 1)]


@pytest.mark.parametrize("name", ["info_gan_discriminator", "dcgan_discriminator"])
def test_players_with_batch_normalization_make_one_pass(name):
    network = getattr(networks, name)(IMAGES)
    images = tf.random.uniform([2, *IMAGES])
    assert passes(network, images, images) == 1


def test_a_discriminator_that_mixes_rows_never_sees_data_and_samples_at_once():
    generator = keras.Sequential([keras.Input((2,)), layers.Dense(3)])
    gan = tfgen.GAN(generator, flat(LessTheMean()), distributions.Uniform(2), games.Wasserstein())
    gan.compile("sgd", "sgd")
    # What is less its batch's mean has a mean of 0, and so have a critic's linear outputs.
    offset = np.float32(5.0) + np.random.default_rng(0).normal(size=(8, 3)).astype(np.float32)
    losses = gan.evaluate(offset, batch_size=8, verbose=0, return_dict=True)
    np.testing.assert_allclose(losses["discriminator_loss"], 0.0, atol=1e-5)
