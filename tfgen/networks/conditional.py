"""Networks with a second input, the condition: labels as one-hot vectors, or attributes.

Conditions are float32 `[batch, condition_size]`.
"""

import math

import keras
from keras import layers


def condition_generator(generator, condition_size):
    """Makes of `G([z, c])`, a generator of one vector, the lecture code's `G(z, c)`.

    Mirza and Osindero, 2014, "Conditional generative adversarial nets".

    Args:
        generator: a model from `[batch, latent_dim + condition_size]`.
        condition_size: the length of a condition.

    Returns:
        A model of `[latents, conditions]`, `[batch, latent_dim]` and `[batch, condition_size]`,
        that shares the generator's weights.

    Raises:
        ValueError: the generator's input is not a vector that is longer than a condition.

    Example:
        >>> generator = dcgan_generator((28, 28, 1), latent_dim=100 + 10)
        >>> condition_generator(generator, condition_size=10)
    """
    return _condition_latents("generator", generator, condition_size)


def condition_decoder(decoder, condition_size):
    """Makes of `p(x | [z, c])`, a decoder of one vector, a conditional VAE's `p(x | z, c)`.

    Args:
        decoder: a model from `[batch, latent_dim + condition_size]`.
        condition_size: the length of a condition.

    Returns:
        A model of `[latents, conditions]`, see `condition_generator`.

    Raises:
        ValueError: the decoder's input is not a vector that is longer than a condition.

    Example:
        >>> condition_decoder(conv_decoder((28, 28, 1), latent_dim=8 + 10), condition_size=10)
    """
    return _condition_latents("decoder", decoder, condition_size)


def condition_discriminator(discriminator, condition_size):
    """Makes of `D([x, c])`, a discriminator of one input, the lecture code's `D(x, c)`.

    Vectors are lengthened by the condition. Images get it as further channels, the same at every
    pixel; a network that rescales its images to [-1, 1] does so with conditions, too.

    Args:
        discriminator: a model from `[batch, ..., channels + condition_size]`.
        condition_size: the length of a condition.

    Returns:
        A model of `[images, conditions]`, `[batch, ..., channels]` and `[batch, condition_size]`,
        that shares the discriminator's weights.

    Raises:
        ValueError: the discriminator's input has no more channels than a condition.

    Example:
        >>> discriminator = dcgan_discriminator((28, 28, 1 + 10))
        >>> condition_discriminator(discriminator, condition_size=10)
    """
    return _condition_images("discriminator", discriminator, condition_size)


def condition_encoder(encoder, condition_size):
    """Makes of `q(z | [x, c])`, an encoder of one input, a conditional VAE's `q(z | x, c)`.

    The condition enters as in `condition_discriminator`.

    Args:
        encoder: a model from `[batch, ..., channels + condition_size]`.
        condition_size: the length of a condition.

    Returns:
        A model of `[images, conditions]`, `[batch, ..., channels]` and `[batch, condition_size]`,
        that shares the encoder's weights.

    Raises:
        ValueError: the encoder's input has no more channels than a condition.

    Example:
        >>> condition_encoder(conv_encoder((28, 28, 1 + 10), latent_dim=8), condition_size=10)
    """
    return _condition_images("encoder", encoder, condition_size)


def projection_discriminator(features, condition_size):
    """A discriminator whose logit has a part that is linear in both features and condition.

    `logit = <V y, phi(x)> + w^T phi(x) + b` (Miyato and Koyama, 2018, "cGANs with projection
    discriminator", equations 3 and 4).

    Args:
        features: phi, a model from images to vectors `[batch, n]`.
        condition_size: the length of a condition.

    Returns:
        A model of `[images, conditions]` to float32 logits `[batch, 1]`, that shares the weights of
        `features`.

    Raises:
        ValueError: `features` has not one input and one vector as output.

    Example:
        >>> discriminator = dcgan_discriminator((28, 28, 1))
        >>> features = keras.Model(discriminator.input, discriminator.layers[-2].output)
        >>> projection_discriminator(features, condition_size=10)
    """
    shape = _single_input("features", features)
    _check_condition_size(condition_size)
    outputs = [tuple(output.shape[1:]) for output in features.outputs]
    if len(outputs) != 1 or len(outputs[0]) != 1:
        raise ValueError(
            "`features` must have one output, vectors `[batch, n]`: end it with `Flatten` or a "
            f"pooling layer. Received: outputs of the shapes {outputs}."
        )
    images = keras.Input(shape, name="images")
    conditions = keras.Input((condition_size,), name="conditions")
    phi = features(images)
    embedding = layers.Dense(phi.shape[-1], use_bias=False, name="embedding", dtype="float32")
    projection = layers.Dot(axes=1, dtype="float32")([embedding(conditions), phi])
    linear = layers.Dense(1, name="linear", dtype="float32")(phi)
    logits = layers.Add(dtype="float32")([linear, projection])
    return keras.Model([images, conditions], logits, name="discriminator")


def _condition_latents(name, network, condition_size):
    shape = _single_input(name, network)
    if len(shape) != 1:
        raise ValueError(
            f"A {name} that is conditioned takes vectors, `[batch, latent_dim + "
            f"condition_size]`. Received: a {name} of inputs {shape}."
        )
    latent_dim = _without_condition(name, shape[-1], condition_size)
    latents = keras.Input((latent_dim,), name="latents")
    conditions = keras.Input((condition_size,), name="conditions")
    outputs = network(layers.Concatenate()([latents, conditions]))
    return keras.Model([latents, conditions], outputs, name=name)


def _condition_images(name, network, condition_size):
    *axes, size = _single_input(name, network)
    channels = _without_condition(name, size, condition_size)
    images = keras.Input((*axes, channels), name="images")
    conditions = keras.Input((condition_size,), name="conditions")
    everywhere = layers.RepeatVector(math.prod(axes))(conditions)
    everywhere = layers.Reshape((*axes, condition_size))(everywhere)
    outputs = network(layers.Concatenate()([images, everywhere]))
    return keras.Model([images, conditions], outputs, name=name)


def _single_input(name, network):
    """Returns the shape of a network's only input, without the batch axis."""
    if len(network.inputs) != 1:
        raise ValueError(
            f"`{name}` must have one input, to which the condition is added. Received: "
            f"{len(network.inputs)} inputs."
        )
    return tuple(network.inputs[0].shape[1:])


def _check_condition_size(condition_size):
    if condition_size < 1:
        raise ValueError(
            f"`condition_size` must be at least 1. Received: condition_size={condition_size}."
        )


def _without_condition(name, size, condition_size):
    """Returns what the condition leaves of a network's input."""
    _check_condition_size(condition_size)
    if size <= condition_size:
        raise ValueError(
            f"The {name}'s input must have room for more than the condition: build it with "
            f"`condition_size` further features or channels. Received: a {name} of {size}, "
            f"condition_size={condition_size}."
        )
    return size - condition_size
