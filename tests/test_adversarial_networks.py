"""The networks of the games: layers, shapes and counts as in the papers, and clear errors."""

import functools

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from tfgen.layers import Maxout, ReflectionPadding2D
from tfgen.networks.conditional import (
    condition_discriminator,
    condition_generator,
    projection_discriminator,
)
from tfgen.networks.dcgan import dcgan_discriminator, dcgan_generator, spectrally_normalized
from tfgen.networks.info_gan import (
    info_gan_autoencoder,
    info_gan_discriminator,
    info_gan_generator,
)
from tfgen.networks.patch_gan import patch_gan_discriminator
from tfgen.networks.perceptron import maxout_discriminator, mlp_discriminator, mlp_generator
from tfgen.networks.translation import resnet_generator, unet_generator


def normal(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def uniform(*shape, seed=0):
    return np.random.default_rng(seed).random(shape, "float32")


def inputs_of(network, count=3):
    batches = [uniform(count, *tensor.shape[1:], seed=i) for i, tensor in enumerate(network.inputs)]
    return batches if len(batches) > 1 else batches[0]


def types(network):
    return [type(layer).__name__ for layer in network.layers]


def of_kind(network, kind):
    return [layer for layer in network.layers if isinstance(layer, kind)]


def kernels(network):
    return [weight.numpy() for weight in network.trainable_variables if weight.name == "kernel"]


def randomize(network):
    """Makes weights large enough for every layer to show in the output."""
    for index, weight in enumerate(network.trainable_variables):
        weight.assign(normal(*weight.shape, seed=index))
    return network


def values_at(network, output):
    """Returns what is inside a network, for its `inputs_of`."""
    return keras.Model(network.input, output)(inputs_of(network))


def small_projection_discriminator():
    discriminator = dcgan_discriminator((8, 8, 1), filters=2)
    features = keras.Model(discriminator.input, discriminator.layers[-2].output)
    return projection_discriminator(features, condition_size=3)


NETWORKS = {
    "mlp_generator": lambda: mlp_generator(
        (4, 3, 1), 2, (5,), "tanh", "sigmoid", normalization=layers.BatchNormalization
    ),
    "mlp_discriminator": lambda: mlp_discriminator((4, 3, 1), (5,)),
    "maxout_discriminator": lambda: maxout_discriminator((2,), (4, 3), pieces=2),
    "dcgan_generator": lambda: dcgan_generator((8, 8, 1), 3, filters=2),
    "dcgan_discriminator": lambda: dcgan_discriminator((16, 16, 3), filters=2),
    "spectrally_normalized": lambda: spectrally_normalized(
        dcgan_discriminator((16, 16, 1), filters=2, normalization=None)
    ),
    "info_gan_generator": lambda: info_gan_generator((8, 12, 1), 3, units=5, filters=(4, 2)),
    "info_gan_discriminator": lambda: info_gan_discriminator((8, 12, 1), units=5, filters=(2, 4)),
    "info_gan_autoencoder": lambda: info_gan_autoencoder((8, 12, 1), latent_dim=3),
    "patch_gan_discriminator": lambda: patch_gan_discriminator((8, 8, 3), filters=2, depth=1),
    "resnet_generator": lambda: resnet_generator((8, 12, 3), filters=2, blocks=1),
    "unet_generator": lambda: unet_generator((8, 8, 1), filters=2, dropout=0.5),
    "condition_generator": lambda: condition_generator(
        dcgan_generator((8, 8, 1), 3 + 2, filters=2), condition_size=2
    ),
    "condition_discriminator": lambda: condition_discriminator(
        dcgan_discriminator((8, 8, 1 + 2), filters=2), condition_size=2
    ),
    "projection_discriminator": small_projection_discriminator,
}


@pytest.mark.parametrize("name", NETWORKS)
def test_networks_are_saved_whole(name, tmp_path):
    network = randomize(NETWORKS[name]())
    inputs = inputs_of(network)
    network.save(tmp_path / "network.keras")
    loaded = keras.models.load_model(tmp_path / "network.keras")
    np.testing.assert_array_equal(loaded(inputs), network(inputs))
    assert [tensor.name for tensor in loaded.inputs] == [tensor.name for tensor in network.inputs]


@pytest.mark.parametrize("name", NETWORKS)
def test_outputs_are_float32_in_mixed_precision_too(name):
    keras.config.set_dtype_policy("mixed_bfloat16")
    network = NETWORKS[name]()
    outputs = network(inputs_of(network), training=True)
    assert outputs.dtype == tf.float32
    assert np.isfinite(outputs).all()
    if network.name in ("generator", "translator", "autoencoder"):
        assert np.min(outputs) >= 0 and np.max(outputs) <= 1
    else:
        assert outputs.shape[-1] == 1


# The networks of InfoGAN, and BEGAN's autoencoder beside them


def test_the_networks_of_info_gan_are_those_of_its_table():
    inside = 7 * 7 * 128
    assert [kernel.shape for kernel in kernels(info_gan_generator((28, 28, 1), 74))] == [
        (74, 1024),
        (1024, inside),
        (4, 4, 64, 128),
        (4, 4, 1, 64),
    ]
    discriminator = info_gan_discriminator((28, 28, 1), code_sizes=[10, 4])
    trunk = [(4, 4, 1, 64), (4, 4, 64, 128), (inside, 1024)]
    heads = [(1024, 1), (1024, 128), (128, 10), (128, 4)]
    found = [kernel.shape for kernel in kernels(discriminator)]
    assert found[:3] == trunk
    assert sorted(found[3:]) == sorted(heads)
    assert [output.shape for output in discriminator.outputs] == [(None, 1), (None, 10), (None, 4)]
    assert len(of_kind(discriminator, layers.BatchNormalization)) == 3
    assert {each.negative_slope for each in of_kind(discriminator, layers.LeakyReLU)} == {0.1}
    plain = info_gan_discriminator((28, 28, 1), batch_norm=False)
    assert [kernel.shape for kernel in kernels(plain)] == [*trunk, (1024, 1)]
    assert not of_kind(plain, layers.BatchNormalization)
    # Without normalization every layer has a bias; under one it would do nothing.
    assert sum(weight.name == "bias" for weight in plain.trainable_variables) == 4


def test_the_autoencoder_passes_all_through_its_code():
    network = info_gan_autoencoder((28, 28, 1), latent_dim=64)
    inside = 14 * 14 * 64
    assert [kernel.shape for kernel in kernels(network)] == [
        (4, 4, 1, 64),
        (inside, 64),
        (64, inside),
        (4, 4, 1, 64),
    ]


def test_what_the_autoencoder_makes_of_an_image_does_not_depend_on_its_neighbours():
    network = randomize(info_gan_autoencoder((8, 8, 1), latent_dim=3))
    images = inputs_of(network)
    for index, rebuilt in enumerate(network(images, training=True)):
        alone = network(images[index : index + 1], training=True)[0]
        np.testing.assert_allclose(rebuilt, alone, rtol=1e-4, atol=1e-6)


# Layers


@pytest.mark.parametrize("padding", [0, 1, 3])
def test_reflection_padding_is_that_of_numpy(padding):
    images = normal(2, 4, 5, 3)
    sides = ((0, 0), (padding, padding), (padding, padding), (0, 0))
    expected = np.pad(images, sides, mode="reflect")
    np.testing.assert_array_equal(ReflectionPadding2D(padding)(images), expected)


def test_maxout_is_the_largest_of_neighbours():
    vectors = np.float32([[1, 5, 2, -3, -1, -2], [0, 0, 0, 9, 8, 7]])
    np.testing.assert_array_equal(Maxout(3)(vectors), [[5, -1], [0, 9]])
    maps = normal(2, 3, 4, 10)
    expected = np.stack([maps[..., :5].max(-1), maps[..., 5:].max(-1)], axis=-1)
    np.testing.assert_array_equal(Maxout(5)(maps), expected)


def test_our_layers_are_compiled_and_exported(tmp_path):
    images = keras.Input((6, 5, 2))
    hidden = ReflectionPadding2D(2)(images)
    network = keras.Model(images, Maxout(3)(layers.Conv2D(6, 3)(hidden)))

    def slope(batch):
        with tf.GradientTape() as tape:
            tape.watch(batch)
            total = tf.reduce_sum(network(batch) ** 2)
        return tape.gradient(total, batch)

    batch = tf.constant(normal(3, 6, 5, 2))
    compiled = tf.function(slope, jit_compile=True)(batch)
    np.testing.assert_allclose(compiled, slope(batch), rtol=1e-4, atol=1e-5)
    network.export(tmp_path / "export", verbose=False)
    served = tf.saved_model.load(tmp_path / "export")
    np.testing.assert_allclose(served.serve(batch), network(batch), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: ReflectionPadding2D(-1), "`padding` must be at least 0. Received: padding=-1"),
        (
            lambda: ReflectionPadding2D(3)(normal(2, 8, 3, 1)),
            r"must be at least padding \+ 1 = 4. Received: images of shape \(8, 3, 1\)",
        ),
        (lambda: Maxout(0), "`pieces` must be at least 1. Received: pieces=0"),
        (lambda: Maxout(3)(normal(2, 8)), "multiple of pieces=3. Received: 8 features"),
    ],
)
def test_layers_refuse_what_they_cannot_do(build, message):
    with pytest.raises(ValueError, match=message):
        build()


# Perceptrons


def test_a_generator_of_vectors_is_dense_layers_to_any_range():
    generator = randomize(mlp_generator((6,), 2, hidden_sizes=(4,), activation="tanh"))
    first, second = of_kind(generator, layers.Dense)
    latents = 5 * normal(50, 2)
    hidden = np.tanh(latents @ first.kernel + first.bias)
    expected = hidden @ second.kernel + second.bias
    np.testing.assert_allclose(generator(latents), expected, atol=1e-4)
    assert expected.min() < -1 and expected.max() > 1


def test_the_generator_for_rings_and_grids_has_the_papers_size():
    generator = mlp_generator((2,), 2, (400,) * 4, normalization=layers.BatchNormalization)
    # Matrices without biases; a scale, an offset and two averages; the last layer.
    expected = 2 * 400 + 3 * 400 * 400 + 4 * 4 * 400 + 400 * 2 + 2
    assert generator.count_params() == expected
    hidden = ["Dense", "BatchNormalization", "Activation"]
    assert types(generator) == ["InputLayer", *hidden * 4, "Dense", "Reshape"]
    latents = normal(20, 2)
    normalized = keras.Model(generator.input, generator.layers[2].output)(latents, training=True)
    np.testing.assert_allclose(np.mean(normalized, axis=0), 0, atol=1e-4)


def test_a_generator_of_images_ends_as_it_is_asked_to():
    generator = mlp_generator((3, 2, 1), 2, (4,), output_activation="sigmoid")
    linear = mlp_generator((3, 2, 1), 2, (4,))
    linear.set_weights(randomize(generator).get_weights())
    latents = normal(5, 2)
    assert generator(latents).shape == (5, 3, 2, 1)
    np.testing.assert_allclose(generator(latents), tf.sigmoid(linear(latents)), atol=1e-6)


def test_a_discriminator_is_dense_layers_to_a_logit():
    discriminator = randomize(mlp_discriminator((2, 3, 1), (4,), activation="tanh"))
    first, second = of_kind(discriminator, layers.Dense)
    images = uniform(5, 2, 3, 1)
    hidden = np.tanh(images.reshape(5, 6) @ first.kernel + first.bias)
    expected = hidden @ second.kernel + second.bias
    assert expected.shape == (5, 1)
    np.testing.assert_allclose(discriminator(images), expected, atol=1e-4)


def test_the_maxout_discriminator_has_the_papers_size_and_is_convex_pieces():
    discriminator = maxout_discriminator((2,))
    assert discriminator.count_params() == 3 * 1000 + 2 * 201 * 1000 + 201
    small = randomize(maxout_discriminator((2,), (3,), pieces=2))
    first, second = of_kind(small, layers.Dense)
    points = normal(7, 2)
    pieces = (points @ first.kernel + first.bias).reshape(7, 3, 2)
    expected = pieces.max(-1) @ second.kernel + second.bias
    np.testing.assert_allclose(small(points), expected, atol=1e-4)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: mlp_generator((), 2), "tuple of positive integers"),
        (lambda: mlp_generator((2,), 0), "`latent_dim` must be at least 1"),
        (lambda: mlp_discriminator((0,)), "tuple of positive integers"),
        (lambda: maxout_discriminator(None), "tuple of positive integers"),
    ],
)
def test_perceptrons_refuse_shapes_that_are_none(build, message):
    with pytest.raises(ValueError, match=message):
        build()


# DCGAN


@pytest.mark.parametrize(
    ("shape", "start", "counts"),
    [
        ((28, 28, 1), (7, 7), [4, 2]),
        ((32, 32, 3), (4, 4), [8, 4, 2]),
        ((64, 64, 3), (4, 4), [16, 8, 4, 2]),
        ((40, 56, 1), (5, 7), [8, 4, 2]),
    ],
)
def test_dcgan_doubles_up_to_the_image_and_halves_it_again(shape, start, counts):
    generator = dcgan_generator(shape, 5, filters=2)
    *activated, _ = of_kind(generator, layers.Activation)
    assert {each.activation for each in activated} == {keras.activations.relu}
    maps = [layer.output.shape[1:] for layer in activated]
    assert maps == [
        (start[0] * 2**power, start[1] * 2**power, count) for power, count in enumerate(counts)
    ]
    images = generator(normal(3, 5))
    assert images.shape == (3, *shape)
    discriminator = dcgan_discriminator(shape, filters=2)
    halved = [layer.output.shape[1:] for layer in of_kind(discriminator, layers.LeakyReLU)]
    assert halved == maps[::-1]
    assert discriminator(images).shape == (3, 1)


def test_dcgan_has_the_filters_of_the_paper():
    generator = dcgan_generator((64, 64, 3))
    assert generator.input_shape == (None, 100)
    pairs = [(1024, 512), (512, 256), (256, 128), (128, 3)]
    expected = 100 * 4 * 4 * 1024 + sum(4 * 4 * above * below for above, below in pairs) + 3
    assert generator.count_params() == expected + 4 * (1024 + 512 + 256 + 128)
    discriminator = dcgan_discriminator((64, 64, 3))
    pairs = [(3, 64), (64, 128), (128, 256), (256, 512)]
    expected = sum(4 * 4 * above * below for above, below in pairs) + 64 + 4 * 4 * 512 + 1
    assert discriminator.count_params() == expected + 4 * (128 + 256 + 512)
    larger = dcgan_generator((8, 8, 1), 2, filters=3, kernel_size=5)
    assert kernels(larger)[1].shape == (5, 5, 1, 3)


def test_weights_start_small_normal_and_independent():
    keras.utils.set_random_seed(0)
    for network in (
        dcgan_generator((32, 32, 3), filters=16),
        dcgan_discriminator((32, 32, 3), filters=32),
        patch_gan_discriminator((32, 32, 3), filters=16),
        resnet_generator((16, 16, 3), filters=16, blocks=2),
        unet_generator((16, 16, 3), filters=16),
    ):
        for kernel in kernels(network):
            tolerance = 5 * 0.02 / kernel.size**0.5
            assert abs(kernel.mean()) < tolerance
            assert abs(kernel.std() - 0.02) < tolerance
        starts = [kernel.flat[0] for kernel in kernels(network)]
        assert len(set(starts)) == len(starts)


def test_dcgan_normalizes_all_but_the_ends():
    generator = dcgan_generator((28, 28, 1), 3, filters=2)
    normalized = ["BatchNormalization", "Activation"]
    assert types(generator) == [
        *("InputLayer", "Dense", "Reshape", *normalized, "Conv2DTranspose", *normalized),
        *("ImageConv2DTranspose", "Activation", "Rescaling"),
    ]
    discriminator = dcgan_discriminator((28, 28, 1), filters=2)
    assert types(discriminator) == [
        *("InputLayer", "Rescaling", "Conv2D", "LeakyReLU"),
        *("Conv2D", "BatchNormalization", "LeakyReLU", "Flatten", "Dense"),
    ]
    assert [layer.use_bias for layer in of_kind(discriminator, layers.Conv2D)] == [True, False]
    assert [layer.use_bias for layer in of_kind(generator, layers.Conv2DTranspose)] == [False, True]
    for network in (generator, discriminator):  # momentum and epsilon of the authors' code
        for layer in of_kind(network, layers.BatchNormalization):
            assert (layer.momentum, layer.epsilon) == (0.9, 1e-5)
    critic = dcgan_discriminator((28, 28, 1), filters=2, normalization=None)
    assert types(critic) == [kind for kind in types(discriminator) if "Normal" not in kind]
    assert all(layer.use_bias for layer in of_kind(critic, layers.Conv2D))


def test_any_normalization_can_be_had():
    layer_normalization = functools.partial(layers.GroupNormalization, groups=1)
    critic = dcgan_discriminator((16, 16, 1), filters=4, normalization=layer_normalization)
    (normalization,) = of_kind(critic, layers.GroupNormalization)
    maps = values_at(critic, normalization.output)
    np.testing.assert_allclose(np.mean(maps, axis=(1, 2, 3)), 0, atol=1e-3)
    generator = dcgan_generator((8, 8, 1), 3, filters=2, normalization=None)
    assert "BatchNormalization" not in types(generator)
    assert generator.layers[1].use_bias


def test_a_critic_computes_what_its_layers_say():
    critic = randomize(dcgan_discriminator((8, 12, 2), filters=3, normalization=None))
    convolution, bias, matrix, offset = critic.trainable_variables
    images = uniform(4, 8, 12, 2)
    hidden = tf.nn.conv2d(2 * images - 1, convolution.value, 2, "SAME") + bias
    hidden = np.where(hidden > 0, hidden, 0.2 * hidden).reshape(4, -1)
    np.testing.assert_allclose(critic(images), hidden @ matrix + offset, rtol=1e-3, atol=1e-3)


def test_a_generator_computes_what_its_layers_say():
    generator = dcgan_generator((8, 12, 2), 3, filters=2, normalization=None)
    matrix, offset, kernel, bias = randomize(generator).trainable_variables
    latents = 0.3 * normal(4, 3)
    hidden = np.maximum(latents @ matrix + offset, 0).reshape(4, 4, 6, 2)
    images = tf.nn.conv2d_transpose(hidden, kernel.value, (4, 8, 12, 2), 2) + bias
    np.testing.assert_allclose(generator(latents), (np.tanh(images) + 1) / 2, atol=1e-4)


@pytest.mark.parametrize("build", [dcgan_generator, dcgan_discriminator])
@pytest.mark.parametrize("shape", [(27, 28, 1), (28, 30, 1), (4, 4, 3), (1, 1, 1), (100, 66, 3)])
def test_sizes_that_no_doublings_make_are_refused(build, shape):
    message = "height and width must be 8, 10, 12, 14, 16, 20, 24, 28, 32, .*Resize"
    with pytest.raises(ValueError, match=message) as raised:
        build(shape)
    assert f"Received: {shape}." in str(raised.value)


@pytest.mark.parametrize(
    "build",
    [
        dcgan_generator,
        dcgan_discriminator,
        patch_gan_discriminator,
        resnet_generator,
        unet_generator,
    ],
)
def test_convolutions_refuse_what_is_no_image(build):
    with pytest.raises(ValueError, match="A convolutional network needs images"):
        build((32,))


def test_dcgan_refuses_a_latent_dim_below_one():
    with pytest.raises(ValueError, match="`latent_dim` must be at least 1"):
        dcgan_generator((28, 28, 1), latent_dim=0)


# Spectral normalization


def largest_stretches(network):
    return [np.linalg.norm(kernel.reshape(-1, kernel.shape[-1]), 2) for kernel in kernels(network)]


def test_spectral_normalization_keeps_every_kernel_at_norm_one():
    inner = randomize(dcgan_discriminator((16, 16, 1 + 2), filters=4, normalization=None))
    before = inner.get_weights()
    network = spectrally_normalized(condition_discriminator(inner, condition_size=2))
    randomize(network)
    assert min(largest_stretches(network)) > 2
    for _ in range(50):
        network(inputs_of(network), training=True)
    np.testing.assert_allclose(largest_stretches(network), [1, 1, 1], rtol=1e-2)
    assert [type(layer).__name__ for layer in network.layers[-1].layers if layer.weights] == [
        "SpectralNormalization"
    ] * 3
    assert [tensor.name for tensor in network.inputs] == ["images", "conditions"]
    for old, new in zip(before, inner.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_spectral_normalization_does_not_round_the_weights_in_mixed_precision():
    keras.config.set_dtype_policy("mixed_bfloat16")
    network = randomize(NETWORKS["spectrally_normalized"]())
    network(inputs_of(network), training=True)
    for kernel in kernels(network):
        assert kernel.dtype == np.float32
        assert not np.array_equal(kernel, tf.cast(tf.cast(kernel, tf.bfloat16), tf.float32))
    assert network.layers[2].layer.compute_dtype == "bfloat16"


# PatchGAN


@pytest.mark.parametrize(("depth", "patch"), [(1, 16), (2, 34), (3, 70)])
def test_a_logit_sees_the_patch_of_the_paper(depth, patch):
    network = patch_gan_discriminator((96, 112, 1), filters=2, depth=depth, normalization=None)
    randomize(network)
    images = tf.constant(uniform(1, 96, 112, 1))
    with tf.GradientTape() as tape:
        tape.watch(images)
        logits = network(images)
        logit = logits[0, logits.shape[1] // 2, logits.shape[2] // 2, 0]
    assert logits.shape == (1, 96 // 2**depth, 112 // 2**depth, 1)
    rows, columns = np.nonzero(tape.gradient(logit, images)[0, :, :, 0])
    assert np.ptp(rows) + 1 == np.ptp(columns) + 1 == patch


def test_the_patch_gan_has_the_layers_of_the_paper():
    network = patch_gan_discriminator((256, 256, 3))
    assert network.output_shape == (None, 32, 32, 1)
    pairs = [(3, 64), (64, 128), (128, 256), (256, 512), (512, 1)]
    expected = sum(4 * 4 * above * below for above, below in pairs) + 64 + 1
    assert network.count_params() == expected + 2 * (128 + 256 + 512)
    normalized = ["Conv2D", "InstanceNormalization", "LeakyReLU"]
    start = ["InputLayer", "Rescaling", "Conv2D", "LeakyReLU"]
    assert types(network) == [*start, *normalized * 3, "Conv2D"]
    slopes = {layer.negative_slope for layer in of_kind(network, layers.LeakyReLU)}
    assert [round(slope, 6) for slope in slopes] == [0.2]
    filters = [
        layer.filters
        for layer in of_kind(patch_gan_discriminator((64, 64, 1), 2, 5), layers.Conv2D)
    ]
    assert filters == [2, 4, 8, 16, 16, 16, 1]


@pytest.mark.parametrize(
    ("shape", "depth", "message"),
    [
        ((28, 28, 1), 0, "`depth` must be at least 1. Received: depth=0"),
        ((40, 8, 1), 3, r"must be more than 8. Received: \(40, 8, 1\). Lower `depth`"),
    ],
)
def test_the_patch_gan_refuses_depths_that_leave_one_pixel(shape, depth, message):
    with pytest.raises(ValueError, match=message):
        patch_gan_discriminator(shape, depth=depth)


# Translation


@pytest.mark.parametrize("build", [resnet_generator, unet_generator])
@pytest.mark.parametrize(("shape", "channels"), [((8, 12, 3), 1), ((28, 20, 1), None)])
def test_translations_have_the_size_of_the_image(build, shape, channels):
    network = randomize(build(shape, output_channels=channels, filters=2))
    images = network(uniform(2, *shape))
    assert images.shape == (2, *shape[:2], channels or shape[-1])
    assert 0 <= np.min(images) < 0.1 and 0.9 < np.max(images) <= 1


def test_the_resnet_has_the_size_of_the_paper():
    network = resnet_generator((128, 128, 3))
    halves = 7 * 7 * 3 * 64 + 3 * 3 * 64 * 128 + 3 * 3 * 128 * 256
    ends = halves + 3 * 3 * 256 * 128 + 3 * 3 * 128 * 64 + 7 * 7 * 64 * 3 + 3
    scales = 2 * (64 + 128 + 256 + 128 + 64)
    assert network.count_params() == ends + scales + 6 * 2 * (3 * 3 * 256 * 256 + 2 * 256)
    paddings = [layer.padding for layer in of_kind(network, ReflectionPadding2D)]
    assert paddings == [3, *[1] * 12, 3]
    convolutions = of_kind(network, layers.Conv2D)
    assert [layer.kernel_size[0] for layer in convolutions] == [7, 3, 3, *[3] * 12, 7]
    assert types(network).count("ReLU") == 3 + 6 + 2


def test_residual_blocks_add_to_what_they_get():
    network = randomize(resnet_generator((8, 8, 1), filters=2, blocks=1))
    (add,) = of_kind(network, layers.Add)
    before, residual = values_at(network, add.input)
    after = values_at(network, add.output)
    np.testing.assert_allclose(after, before + residual, atol=1e-5)
    assert np.min(before) == 0 and np.min(residual) < 0 and np.min(after) < 0


def test_the_unet_has_the_size_of_the_paper():
    network = unet_generator((256, 256, 3))
    down = [3, 64, 128, 256, 512, 512, 512, 512, 512]
    up = [(512, 512), *[(1024, 512)] * 3, (1024, 256), (512, 128), (256, 64), (128, 3)]
    expected = sum(4 * 4 * above * below for above, below in zip(down, down[1:], strict=False))
    expected += sum(4 * 4 * above * below for above, below in up) + 64 + 512 + 3
    scales = 2 * (128 + 256 + 512 * 4) + 2 * (512 * 4 + 256 + 128 + 64)
    assert network.count_params() == expected + scales
    assert of_kind(network, layers.LeakyReLU)[-1].output.shape == (None, 1, 1, 512)


def test_skips_carry_what_the_innermost_maps_do_not():
    network = randomize(unet_generator((16, 16, 1), filters=2))
    images = uniform(2, 16, 16, 1)
    innermost = of_kind(network, layers.Conv2D)[-1]
    inner = of_kind(network, layers.LeakyReLU)[-1].output
    # Normalized, a single pixel would be the same for all images.
    first, second = keras.Model(network.input, inner)(images)
    assert inner.shape[1:] == (1, 1, 16) and not np.allclose(first, second, atol=0.1)
    with_all = network(images)
    innermost.kernel.assign(tf.zeros_like(innermost.kernel))
    first, second = without = network(images)
    assert not np.allclose(with_all, without, atol=0.01)
    assert not np.allclose(first, second, atol=0.01)
    joined = [
        [part.shape[1:] for part in layer.input] for layer in of_kind(network, layers.Concatenate)
    ]
    assert joined == [[(size, size, count)] * 2 for size, count in [(2, 8), (4, 4), (8, 2)]]


def test_a_skip_is_the_map_of_the_way_down():
    network = unet_generator((16, 16, 1), filters=2)
    maps = [layer.output for layer in of_kind(network, layers.LeakyReLU)]
    skips = [layer.input[1] for layer in of_kind(network, layers.Concatenate)]
    assert [id(skip) for skip in skips] == [id(down) for down in maps[-2::-1]]


@pytest.mark.parametrize(
    ("shape", "depth", "expected"),
    [((28, 28, 1), None, 2), ((96, 32, 1), None, 5), ((32, 32, 1), 3, 3), ((512, 512, 1), None, 8)],
)
def test_the_unet_halves_as_often_as_it_can_or_is_asked_to(shape, depth, expected):
    network = unet_generator(shape, filters=1, depth=depth, dropout=0.5)
    assert len(of_kind(network, layers.Conv2D)) == expected
    rates = [layer.rate for layer in of_kind(network, layers.Dropout)]
    assert rates == ([0.5] * 3 + [0.0] * 5)[: expected - 1]


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (
            lambda: resnet_generator((30, 32, 3)),
            r"multiples of 4, at least 8. Received: \(30, 32, 3\). Resize",
        ),
        (lambda: resnet_generator((32, 30, 3)), "multiples of 4, at least 8"),
        (lambda: resnet_generator((8, 4, 3)), "multiples of 4, at least 8"),
        (lambda: resnet_generator((8, 8, 3), blocks=0), "`blocks` must be at least 1.*blocks=0"),
        (lambda: unet_generator((30, 32, 3)), r"multiples of 4. Received: \(30, 32, 3\). Resize"),
        (
            lambda: unet_generator((32, 24, 3), depth=4),
            r"from 2 to 3, as often as \(32, 24, 3\) can be .* Received: depth=4",
        ),
        (lambda: unet_generator((32, 24, 3), depth=1), "from 2 to 3"),
        (lambda: unet_generator((8, 8, 3), output_channels=0), "filters"),
    ],
)
def test_translations_refuse_what_they_cannot_halve(build, message):
    with pytest.raises(ValueError, match=message):
        build()


# Conditions


def test_a_conditioned_generator_sees_latents_then_the_condition():
    generator = randomize(mlp_generator((5,), 3 + 2, (4,)))
    conditioned = condition_generator(generator, condition_size=2)
    assert [tensor.name for tensor in conditioned.inputs] == ["latents", "conditions"]
    assert [tensor.shape for tensor in conditioned.inputs] == [(None, 3), (None, 2)]
    latents, conditions = normal(4, 3), np.eye(2, dtype="float32")[[0, 1, 1, 0]]
    expected = generator(np.concatenate([latents, conditions], axis=1))
    np.testing.assert_array_equal(conditioned([latents, conditions]), expected)


def test_a_conditioned_discriminator_of_vectors_sees_them_lengthened():
    discriminator = randomize(mlp_discriminator((5 + 2,), (4,)))
    conditioned = condition_discriminator(discriminator, condition_size=2)
    assert [tensor.name for tensor in conditioned.inputs] == ["images", "conditions"]
    vectors, conditions = normal(4, 5), normal(4, 2, seed=1)
    expected = discriminator(np.concatenate([vectors, conditions], axis=1))
    np.testing.assert_array_equal(conditioned([vectors, conditions]), expected)


def test_a_conditioned_discriminator_of_images_sees_the_condition_at_every_pixel():
    discriminator = randomize(dcgan_discriminator((8, 12, 3 + 2), filters=2))
    conditioned = condition_discriminator(discriminator, condition_size=2)
    assert [tensor.shape for tensor in conditioned.inputs] == [(None, 8, 12, 3), (None, 2)]
    images, conditions = uniform(4, 8, 12, 3), normal(4, 2)
    everywhere = np.broadcast_to(conditions[:, None, None, :], (4, 8, 12, 2))
    expected = discriminator(np.concatenate([images, everywhere], axis=-1))
    np.testing.assert_array_equal(conditioned([images, conditions]), expected)


def test_the_projection_is_the_papers_equation():
    inputs = keras.Input((3,))
    features = keras.Model(inputs, layers.Dense(4, "tanh")(inputs))
    network = randomize(projection_discriminator(features, condition_size=2))
    assert [tensor.name for tensor in network.inputs] == ["images", "conditions"]
    images, conditions = normal(5, 3), np.float32([[1, 0], [0, 1], [0, 1], [1, 0], [0.5, 2]])
    phi = features(images).numpy()
    embedding = network.get_layer("embedding").kernel.numpy()  # [conditions, features]
    linear = network.get_layer("linear")
    expected = [
        embedding.T @ y @ x + x @ linear.kernel.numpy()[:, 0] + linear.bias.numpy()[0]
        for x, y in zip(phi, conditions, strict=True)
    ]
    np.testing.assert_allclose(network([images, conditions])[:, 0], expected, rtol=1e-4)
    assert network.output_shape == (None, 1)
    assert network.count_params() == features.count_params() + 4 * 2 + 4 + 1


def two_inputs():
    first, second = keras.Input((4,)), keras.Input((4,))
    return keras.Model([first, second], layers.Add()([first, second]))


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (
            lambda: condition_generator(mlp_generator((5,), 3), 3),
            "build it with `condition_size` further .*Received: a generator of 3, condition_size=3",
        ),
        (lambda: condition_generator(mlp_generator((5,), 3), 0), "`condition_size` must be at"),
        (
            lambda: condition_generator(two_inputs(), 2),
            "`generator` must have one input.* 2 inputs",
        ),
        (
            lambda: condition_generator(resnet_generator((8, 8, 3), filters=1), 2),
            r"takes vectors.*Received: a generator of inputs \(8, 8, 3\)",
        ),
        (
            lambda: condition_discriminator(dcgan_discriminator((8, 8, 1), filters=1), 10),
            "Received: a discriminator of 1, condition_size=10",
        ),
        (lambda: condition_discriminator(two_inputs(), 2), "`discriminator` must have one input"),
        (lambda: projection_discriminator(two_inputs(), 2), "`features` must have one input"),
        (
            lambda: projection_discriminator(resnet_generator((8, 8, 3), filters=1), 2),
            r"one output, vectors.*Received: outputs of the shapes \[\(8, 8, 3\)\]",
        ),
        (
            lambda: projection_discriminator(mlp_discriminator((4,), (2,)), -1),
            "`condition_size` must be at least 1. Received: condition_size=-1",
        ),
    ],
)
def test_networks_that_cannot_take_the_condition_are_refused(build, message):
    with pytest.raises(ValueError, match=message):
        build()
