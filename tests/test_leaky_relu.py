"""Our leaky ReLU is Keras' own, but for what its second derivative costs."""

import collections
import functools

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfgen import networks
from tfgen.layers import LeakyReLU
from tfgen.objectives.penalties import gradient_norms

IMAGES = tf.constant(np.random.default_rng(0).normal(size=(5, 8, 8, 1)), tf.float32)


def critic(kind):
    keras.utils.set_random_seed(0)
    layers = keras.layers
    return keras.Sequential(
        [
            *(keras.Input((8, 8, 1)), layers.Conv2D(4, 3, strides=2), kind(0.1), layers.Flatten()),
            *(layers.Dense(8), kind(0.2), layers.Dense(1)),
        ]
    )


def penalized(network):
    """Returns a loss with a penalty, and its gradients by all weights."""
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(gradient_norms(network, IMAGES) ** 3) + tf.reduce_sum(network(IMAGES))
    return [loss, *tape.gradient(loss, network.trainable_variables)]


@pytest.mark.parametrize(
    "compiled",
    [lambda each: each, tf.function, functools.partial(tf.function, jit_compile=True)],
    ids=["eager", "graph", "XLA"],
)
def test_losses_and_gradients_are_those_of_keras(compiled):
    ours, theirs = (
        compiled(penalized)(critic(kind)) for kind in (LeakyReLU, keras.layers.LeakyReLU)
    )
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)
        assert np.any(one)


def test_a_variable_is_taken_as_keras_takes_it():
    variable = tf.Variable([1.0, -2.0])
    results = []
    for kind in (LeakyReLU, keras.layers.LeakyReLU):
        with tf.GradientTape() as tape:
            made = kind(0.2)(variable)
        results.append([made, tape.gradient(made, variable)])
    for one, other in zip(*results, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "bfloat16"])
def test_values_are_those_of_keras_in_every_precision(dtype):
    inputs = tf.cast([-2.0, -1e-3, 0.0, 3.0], dtype)
    outputs = []
    for kind in (LeakyReLU, keras.layers.LeakyReLU):
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            made = kind(0.3, dtype=dtype)(inputs)
        outputs.append([made, tape.gradient(made, inputs)])
    for one, other in zip(*outputs, strict=True):
        assert one.dtype == other.dtype == dtype
        np.testing.assert_array_equal(tf.cast(one, tf.float64), tf.cast(other, tf.float64))


def operations(kind):
    """Returns how many operations of each type a penalty and its gradients take."""
    network = critic(kind)

    @tf.function
    def slopes():
        with tf.GradientTape() as tape:
            penalty = tf.reduce_sum(gradient_norms(network, IMAGES))
        return tape.gradient(penalty, network.trainable_variables)

    graph = slopes.get_concrete_function().graph
    return collections.Counter(operation.type for operation in graph.get_operations())


def test_a_penalty_makes_no_pass_back_through_the_layers_below():
    ours, theirs = operations(LeakyReLU), operations(keras.layers.LeakyReLU)
    # The gradients of the hidden dense layer, by its kernel and inputs, and of the convolution.
    assert theirs["MatMul"] - ours["MatMul"] == 2
    assert theirs["Conv2DBackpropFilter"] - ours["Conv2DBackpropFilter"] == 1


def test_it_comes_back_from_a_file(tmp_path):
    network = critic(LeakyReLU)
    network.save(tmp_path / "critic.keras")
    loaded = keras.models.load_model(tmp_path / "critic.keras")
    assert [type(layer) for layer in loaded.layers] == [type(layer) for layer in network.layers]
    np.testing.assert_array_equal(loaded(IMAGES), network(IMAGES))


@pytest.mark.parametrize(
    "build",
    [
        lambda: networks.info_gan_discriminator(batch_norm=False),
        lambda: networks.dcgan_discriminator((28, 28, 1)),
        lambda: networks.patch_gan_discriminator((32, 32, 3)),
    ],
)
def test_the_networks_here_have_it(build):
    kinds = {type(layer) for layer in build().layers if isinstance(layer, keras.layers.LeakyReLU)}
    assert kinds == {LeakyReLU}
