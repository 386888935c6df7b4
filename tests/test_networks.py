"""Networks of every family for every shape that they take, and clear errors for the others."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

import tfgen
from tfgen import distributions
from tfgen.networks import (
    conv_decoder,
    conv_encoder,
    info_gan_discriminator,
    info_gan_generator,
    lecture_conv_decoder,
    lecture_conv_encoder,
    maxout_discriminator,
    mlp_decoder,
    mlp_encoder,
)

EVEN = [(28, 28, 1), (32, 32, 3), (64, 48, 1), (28, 20, 1), (2, 2, 1)]
ODD = [(30, 21, 3), (7, 9, 1), (1, 1, 1)]
ENCODERS = {"mlp": mlp_encoder, "conv": conv_encoder, "lecture": lecture_conv_encoder}
DECODERS = {"mlp": mlp_decoder, "conv": conv_decoder, "lecture": lecture_conv_decoder}
CASES = [
    *[("mlp", shape) for shape in [(32,), (1,), *EVEN, *ODD]],
    *[("conv", shape) for shape in [*EVEN, *ODD]],
    *[("lecture", shape) for shape in EVEN],
]
every_case = pytest.mark.parametrize(("family", "shape"), CASES, ids=str)


def outputs_of(network, inputs):
    outputs = network(inputs)
    return list(outputs) if isinstance(outputs, (list, tuple)) else [outputs]


def of_kind(network, kind):
    return [layer for layer in network.layers if isinstance(layer, kind)]


@every_case
def test_encoders_give_two_latent_vectors_per_example(family, shape):
    encoder = ENCODERS[family](shape, latent_dim=3)
    assert encoder.input_shape == (None, *shape)
    location, scale = outputs_of(encoder, np.random.default_rng(0).random((2, *shape)))
    assert location.shape == scale.shape == (2, 3)
    assert not np.array_equal(location, scale)


@every_case
def test_decoders_give_examples_of_the_shape(family, shape):
    decoder = DECODERS[family](shape, latent_dim=3)
    assert decoder.input_shape == (None, 3)
    (decoded,) = outputs_of(decoder, np.random.default_rng(0).normal(size=(2, 3)))
    assert decoded.shape == (2, *shape)


@pytest.mark.parametrize("family", ["mlp", "conv"])
@pytest.mark.parametrize("heads", [1, 2, 3])
def test_networks_have_as_many_outputs_as_heads(family, heads):
    encoder = ENCODERS[family]((7, 5, 3), latent_dim=4, heads=heads)
    assert [x.shape for x in outputs_of(encoder, tf.ones([2, 7, 5, 3]))] == [(2, 4)] * heads
    decoder = DECODERS[family]((7, 5, 3), latent_dim=4, heads=heads)
    decoded = outputs_of(decoder, tf.ones([2, 4]))
    assert [x.shape for x in decoded] == [(2, 7, 5, 3)] * heads
    assert all(not np.array_equal(decoded[0], other) for other in decoded[1:])


@pytest.mark.parametrize("family", DECODERS)
def test_outputs_are_linear(family):
    keras.utils.set_random_seed(0)
    encoder, decoder = ENCODERS[family]((4, 4, 1), 3), DECODERS[family]((4, 4, 1), 3)
    for network, size in ((encoder, (4, 4, 1)), (decoder, (3,))):
        inputs = 100 * np.random.default_rng(0).normal(size=(20, *size))
        for output in outputs_of(network, inputs):
            assert np.min(output) < -1 and np.max(output) > 1


@pytest.mark.parametrize("family", DECODERS)
def test_every_latent_and_every_pixel_counts(family):
    keras.utils.set_random_seed(0)
    encoder, decoder = ENCODERS[family]((8, 6, 3), 4), DECODERS[family]((8, 6, 3), 4)
    images = tf.constant(np.random.default_rng(0).random((8, 8, 6, 3)), tf.float32)
    latents = tf.constant(np.random.default_rng(0).normal(size=(8, 4)), tf.float32)
    for network, inputs in ((encoder, images), (decoder, latents)):
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            # A plain sum would have opposite weights cancel.
            total = tf.add_n([tf.reduce_sum(x**2) for x in outputs_of(network, inputs)])
        slopes = np.abs(tape.gradient(total, inputs)).max(axis=0)
        assert (slopes > 0).all()


def test_perceptrons_have_the_hidden_layers_asked_for():
    encoder = mlp_encoder((6,), 2, hidden_sizes=(5, 4), activation="tanh")
    hidden, heads = of_kind(encoder, layers.Dense)[:2], of_kind(encoder, layers.Dense)[2:]
    assert [(layer.units, layer.activation.__name__) for layer in hidden] == [
        (5, "tanh"),
        (4, "tanh"),
    ]
    assert [layer.units for layer in heads] == [2, 2]
    decoder = mlp_decoder((6,), 2, hidden_sizes=(4, 5), activation="tanh")
    sizes = [(layer.units, layer.activation.__name__) for layer in of_kind(decoder, layers.Dense)]
    assert sizes == [(4, "tanh"), (5, "tanh"), (6, "linear")]


def test_perceptrons_can_be_linear():
    weights = 6 * 2 + 2  # a matrix and a bias
    assert mlp_encoder((6,), 2, hidden_sizes=()).count_params() == 2 * weights
    assert mlp_decoder((2,), 6, hidden_sizes=()).count_params() == weights


def test_convolutions_halve_rounding_up_and_mirror():
    encoder = conv_encoder((30, 21, 3), 2, filters=(8, 16, 32), hidden_size=10)
    shapes = [layer.output.shape[1:] for layer in of_kind(encoder, layers.Conv2D)]
    assert shapes == [(15, 11, 8), (8, 6, 16), (4, 3, 32)]
    assert of_kind(encoder, layers.Dense)[0].units == 10
    decoder = conv_decoder((30, 21, 3), 2, filters=(32, 16, 8), hidden_size=10)
    assert of_kind(decoder, layers.Reshape)[0].output.shape[1:] == (4, 3, 32)
    shapes = [layer.output.shape[1:] for layer in of_kind(decoder, layers.Conv2DTranspose)]
    assert shapes == [(8, 6, 16), (16, 12, 8), (32, 24, 3)]


def test_the_lectures_encoder_has_the_numbers_of_the_slide():
    encoder = lecture_conv_encoder()
    assert encoder.input_shape == (None, 28, 28, 1)
    (convolution,) = of_kind(encoder, layers.Conv2D)
    (pooling,) = of_kind(encoder, layers.MaxPooling2D)
    assert convolution.output.shape == (None, 28, 28, 64)
    assert pooling.output.shape == (None, 14, 14, 64)
    heads = of_kind(encoder, layers.Dense)
    assert [(layer.name, layer.units) for layer in heads] == [("mean", 196), ("log_variance", 196)]
    images = np.random.default_rng(0).random((2, 28, 28, 1))
    mean, log_variance = encoder(images)
    flat = np.reshape(pooling(convolution(images)), [2, -1])
    for output, head in ((mean, heads[0]), (log_variance, heads[1])):
        np.testing.assert_allclose(output, flat @ head.kernel + head.bias, atol=1e-4)


def test_the_lectures_decoder_has_the_numbers_of_the_slide():
    decoder = lecture_conv_decoder()
    assert decoder.input_shape == (None, 196)
    (dense,) = of_kind(decoder, layers.Dense)
    assert dense.units == 196
    shapes = [layer.output.shape[1:] for layer in of_kind(decoder, layers.Conv2DTranspose)]
    assert shapes == [(14, 14, 64), (28, 28, 64), (28, 28, 1)]


@pytest.mark.parametrize("encoder", ENCODERS)
@pytest.mark.parametrize("decoder", DECODERS)
def test_the_encoder_of_one_family_fits_the_decoder_of_another(encoder, decoder):
    model = tfgen.VAE(
        ENCODERS[encoder]((28, 20, 1), 4),
        DECODERS[decoder]((28, 20, 1), 4),
        prior=distributions.StandardNormal(4),
        posterior=distributions.LogVarianceNormal(),
        likelihood=distributions.Bernoulli(),
    )
    images = tf.ones([3, 28, 20, 1])
    assert np.isfinite(model.compute_losses(images, training=True)["loss"])
    assert model.reconstruct(images).shape == (3, 28, 20, 1)
    assert model.sample(2, seed=0).shape == (2, 28, 20, 1)


ALL = [*ENCODERS.values(), *DECODERS.values()]
OF_IMAGES = [conv_encoder, conv_decoder, lecture_conv_encoder, lecture_conv_decoder]


@pytest.mark.parametrize("build", ALL)
@pytest.mark.parametrize("shape", [(), None, (0, 28, 1), (28, -1, 1), (None, 28, 1), (2.0, 4, 1)])
def test_shapes_that_are_none_are_refused(build, shape):
    with pytest.raises(ValueError, match="tuple of positive integers without the batch axis"):
        build(shape, latent_dim=2)


@pytest.mark.parametrize("build", ALL)
@pytest.mark.parametrize("latent_dim", [0, -3])
def test_a_latent_dim_below_one_is_refused(build, latent_dim):
    message = f"`latent_dim` must be at least 1. Received: latent_dim={latent_dim}."
    with pytest.raises(ValueError, match=message):
        build((28, 28, 1), latent_dim=latent_dim)


@pytest.mark.parametrize("build", OF_IMAGES)
@pytest.mark.parametrize("shape", [(32,), (28, 28), (4, 28, 28, 1)])
def test_convolutions_refuse_what_is_no_image(build, shape):
    with pytest.raises(ValueError, match="needs images, .*take `mlp_encoder`") as raised:
        build(shape, latent_dim=2)
    assert f"Received: {shape}." in str(raised.value)


@pytest.mark.parametrize("build", [lecture_conv_encoder, lecture_conv_decoder])
@pytest.mark.parametrize("shape", [(27, 28, 1), (28, 27, 1)])
def test_the_lectures_network_refuses_odd_sizes(build, shape):
    with pytest.raises(ValueError, match="must be even.*`conv_encoder` takes any size") as raised:
        build(shape, latent_dim=2)
    assert f"Received: {shape}." in str(raised.value)


@pytest.mark.parametrize(
    "build",
    [
        lambda: mlp_encoder((4,), 2, hidden_sizes=(8, 0)),
        lambda: mlp_decoder((4,), 2, hidden_sizes=(8, 0)),
        lambda: maxout_discriminator((4,), hidden_sizes=(8, 0)),
        lambda: conv_encoder((8, 8, 1), 2, hidden_size=0),
        lambda: conv_decoder((8, 8, 1), 2, hidden_size=0),
        lambda: info_gan_generator((8, 8, 1), 2, units=0),
        lambda: info_gan_discriminator((8, 8, 1), units=0),
    ],
)
def test_a_hidden_layer_without_units_is_refused(build):
    with pytest.raises(ValueError, match=r"units of a hidden layer must be at least 1.*0[\])]"):
        build()
