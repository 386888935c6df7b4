"""The lecture's convolutional variational autoencoder.

The slide shows 28x28 images -> convolution, 64 filters -> max pooling -> flatten -> mean and
log-variance layers of 196 units; and back: dense layer -> transposed convolution, 64 filters,
14x14 -> up-sampling -> 64 filters, 28x28 -> image. It gives no kernel sizes: 3x3 is ours.
"""

import keras
from keras import layers

from tfgen.layers import ImageConv2DTranspose
from tfgen.networks.shapes import check_image_shape, check_latent_dim


def lecture_conv_encoder(input_shape=(28, 28, 1), latent_dim=196, filters=64):
    """The slide's encoder; the log-variance layer goes with `LogVarianceNormal`.

    Args:
        input_shape: `(height, width, channels)`, height and width even.
        latent_dim: the size of each output.
        filters: of the convolution.

    Returns:
        A model from `[batch, *input_shape]` to two tensors `[batch, latent_dim]`.

    Raises:
        ValueError: the shape is not that of an image, or odd.

    Example:
        >>> lecture_conv_encoder((28, 28, 1), latent_dim=196)
    """
    _check_even(input_shape)
    check_latent_dim(latent_dim)
    inputs = keras.Input(input_shape, name="images")
    hidden = layers.Conv2D(filters, 3, padding="same", activation="relu")(inputs)
    hidden = layers.MaxPooling2D(2)(hidden)
    hidden = layers.Flatten()(hidden)
    outputs = [
        layers.Dense(latent_dim, name="mean")(hidden),
        layers.Dense(latent_dim, name="log_variance")(hidden),
    ]
    return keras.Model(inputs, outputs, name="encoder")


def lecture_conv_decoder(output_shape=(28, 28, 1), latent_dim=196, filters=64):
    """The slide's decoder.

    Args:
        output_shape: `(height, width, channels)`, height and width even.
        latent_dim: the size of the input.
        filters: of the two hidden transposed convolutions.

    Returns:
        A model from `[batch, latent_dim]` to `[batch, *output_shape]`, linear at the end.

    Raises:
        ValueError: the shape is not that of an image, or odd.

    Example:
        >>> lecture_conv_decoder((28, 28, 1), latent_dim=196)
    """
    _check_even(output_shape)
    check_latent_dim(latent_dim)
    height, width, channels = output_shape
    inputs = keras.Input((latent_dim,), name="latents")
    # 196 units are one 14x14 map.
    hidden = layers.Dense(height // 2 * (width // 2), activation="relu")(inputs)
    hidden = layers.Reshape((height // 2, width // 2, 1))(hidden)
    hidden = layers.Conv2DTranspose(filters, 3, padding="same", activation="relu")(hidden)
    hidden = layers.UpSampling2D(2)(hidden)
    hidden = layers.Conv2DTranspose(filters, 3, padding="same", activation="relu")(hidden)
    outputs = ImageConv2DTranspose(channels, 3, padding="same")(hidden)
    return keras.Model(inputs, outputs, name="decoder")


def _check_even(shape):
    check_image_shape(shape)
    if shape[0] % 2 or shape[1] % 2:
        raise ValueError(
            "The lecture's network halves images and doubles them again: height and width must be "
            f"even. Received: {tuple(shape)}. `conv_encoder` takes any size."
        )
