"""Instance normalization is Keras' group normalization of single channels, in fewer passes."""

import functools

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from tfgen.layers import InstanceNormalization
from tfgen.layers.instance_normalization import _normalize
from tfgen.networks import patch_gan_discriminator, resnet_generator, unet_generator


def normal(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


MAPS = tf.constant(3 + 7 * normal(2, 5, 4, 3), tf.float64)
keras_own = functools.partial(layers.GroupNormalization, groups=-1, epsilon=1e-5)


def layer_of(kind, rank=4, dtype="float64", **options):
    """Returns a layer whose weights are not those it starts with."""
    layer = kind(dtype=dtype, **options)
    layer.build((*[None] * (rank - 1), 3))
    layer.set_weights([1 + normal(3, seed=index) for index in range(len(layer.weights))])
    return layer


def test_each_map_of_each_image_is_normalized():
    normalized = InstanceNormalization(dtype="float64")(MAPS)
    np.testing.assert_allclose(np.mean(normalized, axis=(1, 2)), 0, atol=1e-5)
    np.testing.assert_allclose(np.var(normalized, axis=(1, 2)), 1, atol=1e-4)


def gradients(layer, maps):
    """Returns a layer's values, and their gradients by the maps and its weights."""
    with tf.GradientTape() as tape:
        tape.watch(maps)
        outputs = layer(maps)
        loss = tf.reduce_sum(outputs**3)
    variables = [variable.value for variable in layer.trainable_variables]
    return [outputs, *tape.gradient(loss, [maps, *variables])]


def curvatures(function, *arguments):
    """Returns the gradients, by all arguments, of random sums of a loss' gradients by them."""
    with tf.GradientTape() as outer:
        outer.watch(arguments)
        with tf.GradientTape() as tape:
            tape.watch(arguments)
            loss = tf.reduce_sum(function(*arguments) ** 3)
        slopes = tape.gradient(loss, arguments)
        weights = [normal(*slope.shape, seed=9) for slope in slopes]
        total = tf.add_n(
            [tf.reduce_sum(each * slope) for each, slope in zip(weights, slopes, strict=True)]
        )
    return outer.gradient(total, arguments)


def by_the_equation(maps, gamma, beta):
    """Equation 2 of the paper, whose gradients TensorFlow derives."""
    centered = maps - tf.reduce_mean(maps, (1, 2), keepdims=True)
    variance = tf.reduce_mean(centered**2, (1, 2), keepdims=True)
    return centered / tf.sqrt(variance + 1e-5) * gamma + beta


def assert_close(found, expected, tolerance=1e-9):
    for one, other in zip(found, expected, strict=True):
        assert one.dtype == other.dtype and one.shape == other.shape
        one, other = (np.asarray(tf.cast(each, tf.float64)) for each in (one, other))
        assert np.any(other)
        np.testing.assert_allclose(one, other, rtol=0, atol=tolerance * np.abs(other).max())


@pytest.mark.parametrize(
    "compiled",
    [lambda each: each, tf.function, functools.partial(tf.function, jit_compile=True)],
    ids=["eager", "graph", "XLA"],
)
def test_values_and_gradients_are_those_of_keras(compiled):
    ours, theirs = (
        compiled(gradients)(layer_of(kind), MAPS) for kind in (InstanceNormalization, keras_own)
    )
    assert_close(ours, theirs)


@pytest.mark.parametrize("compiled", [lambda each: each, tf.function], ids=["eager", "graph"])
def test_gradients_of_gradients_are_those_of_the_equation(compiled):
    weights = [tf.constant(1 + normal(3, seed=seed), tf.float64) for seed in (1, 2)]
    found, expected = (
        compiled(functools.partial(curvatures, function))(MAPS, *weights)
        for function in (lambda *each: _normalize(*each, 1e-5), by_the_equation)
    )
    assert_close(found, expected)


@pytest.mark.parametrize("scale", [True, False])
@pytest.mark.parametrize("center", [True, False])
def test_weights_can_be_left_out(scale, center):
    kinds = InstanceNormalization, keras_own
    ours, theirs = (layer_of(kind, scale=scale, center=center) for kind in kinds)
    assert len(ours.weights) == len(theirs.weights) == scale + center
    assert_close(gradients(ours, MAPS), gradients(theirs, MAPS))


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16", "mixed_bfloat16"])
def test_values_are_those_of_keras_in_every_precision(dtype):
    ours, theirs = (layer_of(kind, dtype=dtype) for kind in (InstanceNormalization, keras_own))
    maps = tf.cast(MAPS, ours.compute_dtype)
    expected = theirs(maps)
    assert ours(maps).dtype == expected.dtype == ours.compute_dtype
    tolerance = 1e-5 if dtype == "float32" else 0.01
    assert_close([ours(maps)], [expected], tolerance)


@pytest.mark.parametrize("shape", [(2, 9, 3), (2, 3, 4, 2, 3), (1, 8, 8, 3)])
def test_it_takes_any_number_of_axes(shape):
    maps = tf.constant(normal(*shape), tf.float64)
    kinds = InstanceNormalization, keras_own
    ours, theirs = (layer_of(kind, rank=len(shape)) for kind in kinds)
    assert_close(gradients(ours, maps), gradients(theirs, maps))


def test_sizes_may_be_unknown():
    layer = layer_of(InstanceNormalization)
    compiled = tf.function(
        functools.partial(gradients, layer),
        input_signature=[tf.TensorSpec([None, None, None, 3], tf.float64)],
    )
    assert_close(compiled(MAPS), gradients(layer, MAPS))


def test_it_comes_back_from_a_file(tmp_path):
    network = keras.Sequential([keras.Input((5, 4, 3)), InstanceNormalization(0.1, scale=False)])
    network.save(tmp_path / "network.keras")
    loaded = keras.models.load_model(tmp_path / "network.keras")
    assert type(loaded.layers[0]) is InstanceNormalization
    assert (loaded.layers[0].epsilon, loaded.layers[0].scale) == (0.1, False)
    np.testing.assert_array_equal(loaded(MAPS), network(MAPS))


@pytest.mark.parametrize("build", [patch_gan_discriminator, resnet_generator, unet_generator])
def test_the_networks_of_image_translation_have_it(build):
    network = build((32, 32, 3), filters=2)
    normalizations = [each for each in network.layers if "Normalization" in type(each).__name__]
    assert {type(layer) for layer in normalizations} == {InstanceNormalization}
    assert {layer.epsilon for layer in normalizations} == {1e-5}
