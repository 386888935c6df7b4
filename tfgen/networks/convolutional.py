"""A small convolutional pair that trains well in minutes on a processor."""

import math

import keras
from keras import layers

from tfgen.layers import ImageConv2DTranspose
from tfgen.networks.shapes import (
    check_hidden_sizes,
    check_image_shape,
    check_latent_dim,
    head_sizes,
)


def conv_encoder(input_shape, latent_dim, filters=(32, 64), hidden_size=128, heads=2):
    """Convolutions of stride 2, a dense layer, then one linear layer per head.

    Args:
        input_shape: `(height, width, channels)`, of any size.
        latent_dim: the size of each output, where `heads` does not tell.
        filters: of the convolutions; each halves height and width, rounding up.
        hidden_size: the units of the dense layer.
        heads: the number of outputs, 2 for a posterior with location and scale; or the size of
            each, such as `(3, 1)` for a direction and a concentration.

    Returns:
        A model from `[batch, *input_shape]` to a tensor `[batch, size]` for each head.

    Raises:
        ValueError: the shape is not that of an image, or a size is not positive.

    Example:
        >>> conv_encoder((64, 48, 1), latent_dim=16)
    """
    check_image_shape(input_shape)
    check_latent_dim(latent_dim)
    check_hidden_sizes([hidden_size])
    inputs = keras.Input(input_shape, name="images")
    hidden = inputs
    for count in filters:
        hidden = layers.Conv2D(count, 4, strides=2, padding="same", activation="relu")(hidden)
    hidden = layers.Flatten()(hidden)
    hidden = layers.Dense(hidden_size, "relu")(hidden)
    outputs = [layers.Dense(size)(hidden) for size in head_sizes(latent_dim, heads)]
    return keras.Model(inputs, outputs, name="encoder")


def conv_decoder(output_shape, latent_dim, filters=(64, 32), hidden_size=128, heads=1):
    """The encoder's mirror: dense layers, then transposed convolutions of stride 2.

    Args:
        output_shape: `(height, width, channels)`, of any size.
        latent_dim: the size of the input.
        filters: of the maps that the transposed convolutions start from, from the latents on.
        hidden_size: the units of the dense layer.
        heads: the number of outputs; 2 for a likelihood that learns its scale.

    Returns:
        A model from `[batch, latent_dim]` to `heads` tensors `[batch, *output_shape]`, linear at
        the end.

    Raises:
        ValueError: the shape is not that of an image, or a size is not positive.

    Example:
        >>> conv_decoder((64, 48, 1), latent_dim=16)
    """
    check_image_shape(output_shape)
    check_latent_dim(latent_dim)
    check_hidden_sizes([hidden_size])
    height, width, channels = output_shape
    scale = 2 ** len(filters)
    start = (math.ceil(height / scale), math.ceil(width / scale), filters[0])
    inputs = keras.Input((latent_dim,), name="latents")
    hidden = layers.Dense(hidden_size, "relu")(inputs)
    hidden = layers.Dense(math.prod(start), "relu")(hidden)
    hidden = layers.Reshape(start)(hidden)
    for count in filters[1:]:
        hidden = _double(count, activation="relu")(hidden)
    # The last maps are larger than the image where a size is no multiple of `scale`.
    surplus = ((0, start[0] * scale - height), (0, start[1] * scale - width))
    outputs = [
        layers.Cropping2D(surplus)(_double(channels, layer=ImageConv2DTranspose)(hidden))
        for _ in range(heads)
    ]
    return keras.Model(inputs, outputs, name="decoder")


def _double(filters, activation=None, layer=layers.Conv2DTranspose):
    return layer(filters, 4, strides=2, padding="same", activation=activation)
