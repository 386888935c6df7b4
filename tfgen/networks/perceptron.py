"""Multilayer perceptrons."""

import math

import keras
from keras import layers

from tfgen.networks.shapes import check_latent_dim, check_shape


def mlp_encoder(input_shape, latent_dim, hidden_sizes=(512, 256), activation="relu", heads=2):
    """The encoder of the lecture code: dense layers, then one linear layer per head.

    Args:
        input_shape: the shape of an example, `(features,)` or `(height, width, channels)`.
        latent_dim: the size of each output.
        hidden_sizes: the units of the hidden layers, from the input on.
        activation: their activation.
        heads: the number of outputs; 2 for a posterior with location and scale.

    Returns:
        A model from `[batch, *input_shape]` to `heads` tensors `[batch, latent_dim]`.

    Raises:
        ValueError: a size is not positive.

    Example:
        >>> mlp_encoder((32,), latent_dim=2, hidden_sizes=(64, 32))
    """
    check_shape(input_shape)
    check_latent_dim(latent_dim)
    inputs = keras.Input(input_shape, name="images")
    hidden = layers.Flatten()(inputs)
    for size in hidden_sizes:
        hidden = layers.Dense(size, activation)(hidden)
    outputs = [layers.Dense(latent_dim)(hidden) for _ in range(heads)]
    return keras.Model(inputs, outputs, name="encoder")


def mlp_decoder(output_shape, latent_dim, hidden_sizes=(256, 512), activation="relu", heads=1):
    """The decoder of the lecture code: dense layers, the last one linear.

    Args:
        output_shape: the shape of an example, `(features,)` or `(height, width, channels)`.
        latent_dim: the size of the input.
        hidden_sizes: the units of the hidden layers, from the latents on.
        activation: their activation.
        heads: the number of outputs; 2 for a likelihood that learns its scale.

    Returns:
        A model from `[batch, latent_dim]` to `heads` tensors `[batch, *output_shape]`.

    Raises:
        ValueError: a size is not positive.

    Example:
        >>> mlp_decoder((32,), latent_dim=2, hidden_sizes=(32, 64))
    """
    check_shape(output_shape)
    check_latent_dim(latent_dim)
    inputs = keras.Input((latent_dim,), name="latents")
    hidden = inputs
    for size in hidden_sizes:
        hidden = layers.Dense(size, activation)(hidden)
    outputs = [
        layers.Reshape(output_shape)(layers.Dense(math.prod(output_shape))(hidden))
        for _ in range(heads)
    ]
    return keras.Model(inputs, outputs, name="decoder")
