"""Convolutions with residual blocks, to maps of vectors and back (VQ-VAE)."""

import math

import keras
from keras import layers

from tfgen.layers import ImageConv2DTranspose
from tfgen.networks.shapes import check_image_shape, check_latent_dim


def vq_encoder(input_shape, latent_dim, filters=(32, 64), residual_blocks=2):
    """Convolutions of stride 2 and residual blocks (van den Oord et al., 2017, section 4.1).

    The paper has 256 filters throughout, and vectors as long; here a last linear layer, of one
    pixel, makes them of any length.

    Args:
        input_shape: `(height, width, channels)`, of any size.
        latent_dim: the length of the vectors.
        filters: of the convolutions; each halves height and width, rounding up.
        residual_blocks: how many of them follow.

    Returns:
        A model from `[batch, *input_shape]` to `[batch, height, width, latent_dim]`, linear at the
        end.

    Raises:
        ValueError: the shape is not that of an image, or a size is not positive.

    Example:
        >>> vq_encoder((28, 28, 1), latent_dim=16).output_shape
        (None, 7, 7, 16)
    """
    check_image_shape(input_shape)
    check_latent_dim(latent_dim)
    inputs = hidden = keras.Input(input_shape, name="images")
    for count in filters[:-1]:
        hidden = layers.Conv2D(count, 4, strides=2, padding="same", activation="relu")(hidden)
    hidden = layers.Conv2D(filters[-1], 4, strides=2, padding="same")(hidden)
    hidden = _residual(hidden, residual_blocks)
    return keras.Model(inputs, layers.Conv2D(latent_dim, 1)(hidden), name="encoder")


def vq_decoder(output_shape, latent_dim, filters=(64, 32), residual_blocks=2, heads=1):
    """The encoder's mirror: residual blocks, then transposed convolutions of stride 2.

    Args:
        output_shape: `(height, width, channels)`, of any size.
        latent_dim: the length of the vectors.
        filters: of the maps that the transposed convolutions start from, from the vectors on.
        residual_blocks: how many of them come first.
        heads: the number of outputs; 2 for a likelihood that learns its scale.

    Returns:
        A model from `[batch, height, width, latent_dim]` to `heads` tensors `[batch,
        *output_shape]`, linear at the end.

    Raises:
        ValueError: the shape is not that of an image, or a size is not positive.

    Example:
        >>> vq_decoder((28, 28, 1), latent_dim=16).input_shape
        (None, 7, 7, 16)
    """
    check_image_shape(output_shape)
    check_latent_dim(latent_dim)
    height, width, channels = output_shape
    scale = 2 ** len(filters)
    start = (math.ceil(height / scale), math.ceil(width / scale))
    inputs = keras.Input((*start, latent_dim), name="vectors")
    hidden = layers.Conv2D(filters[0], 3, padding="same")(inputs)
    hidden = _residual(hidden, residual_blocks)
    for count in filters[1:]:
        hidden = layers.Conv2DTranspose(count, 4, 2, "same", activation="relu")(hidden)
    # The last maps are larger than the image where a size is no multiple of `scale`.
    surplus = ((0, start[0] * scale - height), (0, start[1] * scale - width))
    outputs = [
        layers.Cropping2D(surplus)(ImageConv2DTranspose(channels, 4, 2, "same")(hidden))
        for _ in range(heads)
    ]
    return keras.Model(inputs, outputs, name="decoder")


def _residual(hidden, blocks):
    """Adds blocks of ReLU, 3x3 convolution, ReLU, 1x1 convolution, and a last ReLU."""
    filters = hidden.shape[-1]
    for _ in range(blocks):
        inner = layers.Conv2D(filters, 3, padding="same", activation="relu")(layers.ReLU()(hidden))
        hidden = layers.Add()([hidden, layers.Conv2D(filters, 1)(inner)])
    return layers.ReLU()(hidden)
