"""Multilayer perceptrons."""

import functools
import math

import keras
from keras import layers

from tfgen.layers import Maxout
from tfgen.networks.shapes import check_hidden_sizes, check_latent_dim, check_shape, head_sizes


def mlp_encoder(input_shape, latent_dim, hidden_sizes=(512, 256), activation="relu", heads=2):
    """The encoder of the lecture code: dense layers, then one linear layer per head.

    Args:
        input_shape: the shape of an example, `(features,)` or `(height, width, channels)`.
        latent_dim: the size of each output, where `heads` does not tell.
        hidden_sizes: the units of the hidden layers, from the input on.
        activation: their activation.
        heads: the number of outputs, 2 for a posterior with location and scale; or the size of
            each, such as `(3, 1)` for a direction and a concentration.

    Returns:
        A model from `[batch, *input_shape]` to a tensor `[batch, size]` for each head.

    Raises:
        ValueError: a size is not positive.

    Example:
        >>> mlp_encoder((32,), latent_dim=2, hidden_sizes=(64, 32))
    """
    check_shape(input_shape)
    check_latent_dim(latent_dim)
    inputs = keras.Input(input_shape, name="images")
    hidden = apply_layers(dense_layers(hidden_sizes, activation), layers.Flatten()(inputs))
    outputs = [layers.Dense(size)(hidden) for size in head_sizes(latent_dim, heads)]
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
    hidden = apply_layers(dense_layers(hidden_sizes, activation), inputs)
    outputs = [
        layers.Reshape(output_shape)(layers.Dense(math.prod(output_shape))(hidden))
        for _ in range(heads)
    ]
    return keras.Model(inputs, outputs, name="decoder")


def mlp_generator(
    output_shape,
    latent_dim,
    hidden_sizes=(256, 512),
    activation="relu",
    output_activation=None,
    normalization=None,
):
    """The generator of the lecture code: dense layers.

    VEEGAN's, for rings and grids of Gaussians, has four hidden layers of 400 units with batch
    normalization (Srivastava et al., 2017): see the example.

    Args:
        output_shape: the shape of an example, `(features,)` or `(height, width, channels)`.
        latent_dim: the size of the input.
        hidden_sizes: the units of the hidden layers, from the latents on.
        activation: their activation.
        output_activation: of the last layer: "sigmoid" for images, in [0, 1]; `None`, a linear
            layer, for vectors of any range.
        normalization: a function without arguments that makes a layer, for instance a layer's
            class; it comes between each hidden layer and its activation. `None` for none.

    Returns:
        A model from `[batch, latent_dim]` to float32 `[batch, *output_shape]`.

    Raises:
        ValueError: a size is not positive.

    Example:
        >>> mlp_generator((28, 28, 1), latent_dim=100, output_activation="sigmoid")
        >>> normalization = keras.layers.BatchNormalization
        >>> mlp_generator((2,), 2, hidden_sizes=(400,) * 4, normalization=normalization)
    """
    check_shape(output_shape)
    check_latent_dim(latent_dim)
    inputs = keras.Input((latent_dim,), name="latents")
    hidden = apply_layers(dense_layers(hidden_sizes, activation, normalization), inputs)
    outputs = layers.Dense(math.prod(output_shape), output_activation, dtype="float32")(hidden)
    outputs = layers.Reshape(output_shape, dtype="float32")(outputs)
    return keras.Model(inputs, outputs, name="generator")


def mlp_discriminator(input_shape, hidden_sizes=(512, 256), activation="relu"):
    """The discriminator of the lecture code: dense layers, the last one linear.

    Args:
        input_shape: the shape of an example, `(features,)` or `(height, width, channels)`.
        hidden_sizes: the units of the hidden layers, from the input on.
        activation: their activation.

    Returns:
        A model from `[batch, *input_shape]` to float32 logits `[batch, 1]`.

    Raises:
        ValueError: a size is not positive.

    Example:
        >>> mlp_discriminator((2,), hidden_sizes=(128, 128))
    """
    return _discriminator(input_shape, dense_layers(hidden_sizes, activation))


def maxout_discriminator(input_shape, hidden_sizes=(200, 200, 200), pieces=5):
    """A perceptron of maxout units, by default VEEGAN's for rings and grids of Gaussians.

    See Srivastava et al., 2017, "VEEGAN"; Goodfellow et al., 2014, have maxout units too.

    Args:
        input_shape: the shape of an example, `(features,)` or `(height, width, channels)`.
        hidden_sizes: the units of the hidden layers, from the input on.
        pieces: the linear functions of which each unit is the largest.

    Returns:
        A model from `[batch, *input_shape]` to float32 logits `[batch, 1]`.

    Raises:
        ValueError: a size is not positive.

    Example:
        >>> maxout_discriminator((2,))
    """
    check_hidden_sizes(hidden_sizes)
    hidden_layers = [
        layer for size in hidden_sizes for layer in (layers.Dense(size * pieces), Maxout(pieces))
    ]
    return _discriminator(input_shape, hidden_layers)


def _discriminator(input_shape, hidden_layers):
    check_shape(input_shape)
    inputs = keras.Input(input_shape, name="images")
    hidden = apply_layers(hidden_layers, layers.Flatten()(inputs))
    logits = layers.Dense(1, dtype="float32")(hidden)
    return keras.Model(inputs, logits, name="discriminator")


def dense_layers(sizes, activation, normalization=None):
    """Returns dense layers of these sizes, each with its normalization and activation, a list."""
    check_hidden_sizes(sizes)
    if normalization is None:
        return [layers.Dense(size, activation) for size in sizes]
    return [
        layer
        for size in sizes
        # The normalization brings an offset of its own.
        for layer in (
            layers.Dense(size, use_bias=False),
            normalization(),
            layers.Activation(activation),
        )
    ]


def apply_layers(hidden_layers, inputs):
    """Returns what layers make of inputs, one after the other."""
    return functools.reduce(lambda hidden, layer: layer(hidden), hidden_layers, inputs)
