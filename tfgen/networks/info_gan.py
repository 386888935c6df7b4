"""The networks of InfoGAN for 28x28 images, in which Lucic et al. (2018) compare GANs.

Chen et al., 2016, table 1 (their appendix C.1): two dense layers and two convolutions of 4x4 and
stride 2, mirrored. Lucic et al. take them for every game, data set and size.
"""

import math

import keras
from keras import layers

from tfgen.layers import ImageConv2DTranspose, LeakyReLU
from tfgen.networks.shapes import check_hidden_sizes, check_image_shape, check_latent_dim
from tfgen.utils.deprecation import renamed_arguments

_SCALE = 4  # two strides of 2


def info_gan_generator(
    output_shape=(28, 28, 1), latent_dim=64, units=1024, filters=(128, 64), momentum=0.9
):
    """Dense 1024 -> dense 7x7x128 -> deconvolution 64 -> deconvolution to the image, sigmoid.

    ReLU and batch normalization after all layers but the last.

    Args:
        output_shape: `(height, width, channels)`, height and width multiples of 4.
        latent_dim: the size of the input.
        units: of the first layer.
        filters: of the maps that the two deconvolutions start from.
        momentum: of the batch normalization's averages; Keras' own 0.99 is slow for short runs.

    Returns:
        A model from `[batch, latent_dim]` to images `[batch, *output_shape]` in [0, 1].

    Raises:
        ValueError: the shape is not that of an image, or not a multiple of 4, or `units` < 1.

    Example:
        >>> info_gan_generator((28, 28, 1), latent_dim=64)
    """
    check_latent_dim(latent_dim)
    check_hidden_sizes([units])
    height, width, channels = _check_size(output_shape)
    start = (height // _SCALE, width // _SCALE, filters[0])
    inputs = keras.Input((latent_dim,), name="latents")
    hidden = inputs
    for size in (units, math.prod(start)):
        hidden = layers.Dense(size, use_bias=False)(hidden)
        hidden = layers.ReLU()(layers.BatchNormalization(momentum=momentum)(hidden))
    hidden = layers.Reshape(start)(hidden)
    hidden = _double(filters[1], use_bias=False)(hidden)
    hidden = layers.ReLU()(layers.BatchNormalization(momentum=momentum)(hidden))
    hidden = _double(channels, layer=ImageConv2DTranspose)(hidden)
    outputs = layers.Activation("sigmoid", dtype="float32")(hidden)
    return keras.Model(inputs, outputs, name="generator")


def info_gan_discriminator(
    input_shape=(28, 28, 1),
    units=1024,
    filters=(64, 128),
    batch_norm=True,
    momentum=0.9,
    code_sizes=(),
):
    """Convolution 64 -> convolution 128 -> fc 1024 -> logit.

    Leaky ReLU of slope 0.1 after all layers but the last.

    Args:
        input_shape: `(height, width, channels)`, height and width multiples of 4.
        units: of the dense layer.
        filters: of the two convolutions.
        batch_norm: whether there is batch normalization after the second and third layer. With
            gradient penalties there should be none (Gulrajani et al., 2017, section 4).
        momentum: of the batch normalization's averages.
        code_sizes: for InfoGAN, the number of outputs for each code: the network Q shares all these
            layers, and has a hidden layer of 128 units of its own.

    Returns:
        A model from images `[batch, *input_shape]` to logits `[batch, 1]`; with `code_sizes`, to a
        list of logits and a tensor `[batch, size]` for each code.

    Raises:
        ValueError: the shape is not that of an image, or not a multiple of 4, or `units` < 1.

    Example:
        >>> info_gan_discriminator((28, 28, 1), batch_norm=False)
    """
    inputs, trunk = _trunk(input_shape, units, filters, batch_norm, momentum)
    outputs = [_head(1, trunk)]
    if code_sizes:
        hidden = layers.Dense(128, use_bias=not batch_norm)(trunk)
        if batch_norm:
            hidden = layers.BatchNormalization(momentum=momentum)(hidden)
        hidden = LeakyReLU(0.1)(hidden)
        outputs += [_head(size, hidden) for size in code_sizes]
    return keras.Model(inputs, outputs if code_sizes else outputs[0], name="discriminator")


@renamed_arguments(code_size="latent_dim")
def info_gan_autoencoder(input_shape=(28, 28, 1), latent_dim=64):
    """BEGAN's autoencoder: convolution 64 -> fc latents -> fc 14x14x64 -> deconvolution, sigmoid.

    Half of the discriminator's layers and their mirror: BEGAN's own networks are far larger, and
    would leave nothing to compare. ELU and no batch normalization, as there: where that normalizes
    a batch of samples that have become alike, the generator learns nothing more.

    Args:
        input_shape: `(height, width, channels)`, height and width multiples of 4.
        latent_dim: the number of latents between the two halves.

    Returns:
        A model from images `[batch, *input_shape]` to images in [0, 1].

    Raises:
        ValueError: the shape is not that of an image, or not a multiple of 4.

    Example:
        >>> info_gan_autoencoder((28, 28, 1), latent_dim=64)
    """
    height, width, channels = _check_size(input_shape)
    start = (height // 2, width // 2, 64)
    inputs = keras.Input(input_shape, name="images")
    hidden = layers.Flatten()(layers.ELU()(_halve(64)(inputs)))
    hidden = layers.Dense(latent_dim)(hidden)
    hidden = layers.ELU()(layers.Dense(math.prod(start))(hidden))
    hidden = _double(channels, layer=ImageConv2DTranspose)(layers.Reshape(start)(hidden))
    outputs = layers.Activation("sigmoid", dtype="float32")(hidden)
    return keras.Model(inputs, outputs, name="autoencoder")


def _trunk(input_shape, units, filters, batch_norm, momentum):
    _check_size(input_shape)
    check_hidden_sizes([units])
    inputs = keras.Input(input_shape, name="images")
    hidden = LeakyReLU(0.1)(_halve(filters[0])(inputs))
    hidden = _halve(filters[1], use_bias=not batch_norm)(hidden)
    if batch_norm:
        hidden = layers.BatchNormalization(momentum=momentum)(hidden)
    hidden = layers.Flatten()(LeakyReLU(0.1)(hidden))
    hidden = layers.Dense(units, use_bias=not batch_norm)(hidden)
    if batch_norm:
        hidden = layers.BatchNormalization(momentum=momentum)(hidden)
    return inputs, LeakyReLU(0.1)(hidden)


def _head(size, hidden):
    return layers.Dense(size, dtype="float32")(hidden)


def _halve(filters, use_bias=True):
    return layers.Conv2D(filters, 4, strides=2, padding="same", use_bias=use_bias)


def _double(filters, use_bias=True, layer=layers.Conv2DTranspose):
    return layer(filters, 4, strides=2, padding="same", use_bias=use_bias)


def _check_size(shape):
    check_image_shape(shape)
    if shape[0] % _SCALE or shape[1] % _SCALE:
        raise ValueError(
            f"Height and width must be multiples of {_SCALE}. Received: {tuple(shape)}. Resize the "
            "images (`size=(28, 28)`, --size 28x28), or take `dcgan_generator`'s kin."
        )
    return shape
