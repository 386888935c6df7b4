"""The networks of Keras' guide "Customizing what happens in `fit()`", its GAN end to end."""

import functools

import keras
from keras import layers

from tfgen.layers import ImageConv2D, ImageConv2DTranspose, InstanceNormalization, LeakyReLU

_OF_KERAS = {
    ImageConv2D: layers.Conv2D,
    ImageConv2DTranspose: layers.Conv2DTranspose,
    InstanceNormalization: functools.partial(layers.GroupNormalization, groups=-1),
    LeakyReLU: layers.LeakyReLU,
}


def example_generator(units=128):
    """128 latents -> dense 7x7x128 -> two transposed 4x4 convolutions -> a 7x7 convolution.

    Args:
        units: the filters of all hidden maps, and the number of latents.
    """
    inputs = keras.Input((units,), name="latents")
    hidden = LeakyReLU(0.2)(layers.Dense(7 * 7 * units)(inputs))
    hidden = layers.Reshape((7, 7, units))(hidden)
    for _ in range(2):
        hidden = layers.Conv2DTranspose(units, 4, strides=2, padding="same")(hidden)
        hidden = LeakyReLU(0.2)(hidden)
    hidden = ImageConv2D(1, 7, padding="same")(hidden)
    images = layers.Activation("sigmoid", dtype="float32")(hidden)
    return keras.Model(inputs, images, name="generator")


def example_discriminator(filters=(64, 128)):
    """3x3 convolutions of stride 2 with so many filters -> the maximum of each map -> a logit."""
    inputs = keras.Input((28, 28, 1), name="images")
    hidden = inputs
    for count in filters:
        hidden = layers.Conv2D(count, 3, strides=2, padding="same")(hidden)
        hidden = LeakyReLU(0.2)(hidden)
    hidden = layers.GlobalMaxPooling2D()(hidden)
    logits = layers.Dense(1, dtype="float32")(hidden)
    return keras.Model(inputs, logits, name="discriminator")


def of_keras_layers(network):
    """Returns the same network, of Keras' own layers where it has them, with other weights."""

    def clone(layer):
        kind = _OF_KERAS.get(type(layer))
        config = layer.get_config()
        return kind(**config) if kind else type(layer).from_config(config)

    return keras.models.clone_model(network, clone_function=clone)
