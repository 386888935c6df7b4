"""Deep convolutional GANs (Radford et al., 2016), and the blocks that later networks took over.

Weights start as N(0, 0.02), the discriminator's activations are LeakyReLU(0.2), and inside the
networks images are in [-1, 1], as in the paper.
"""

import functools
import math

import keras
from keras import layers

from tfgen.layers import ImageConv2DTranspose, LeakyReLU
from tfgen.networks.shapes import check_image_shape, check_latent_dim

# With momentum 0.9, that of the authors' code, the averages keep up with a moving generator.
batch_normalization = functools.partial(layers.BatchNormalization, momentum=0.9, epsilon=1e-5)


def dcgan_generator(
    output_shape,
    latent_dim=100,
    filters=128,
    kernel_size=4,
    normalization=batch_normalization,
    activation="relu",
):
    """From latents to small maps of many filters, doubled up to an image.

    The first maps have 4 to 7 pixels on their shorter side: an image of 64 pixels is doubled four
    times from 4x4, one of 32 three times, one of 28 twice from 7x7.

    Args:
        output_shape: `(height, width, channels)`; the shorter side 4, 5, 6 or 7 times a power of
            two from 2 on, the longer side a multiple of the same power.
        latent_dim: the size of the input; in the paper 100 numbers, uniform in [-1, 1].
        filters: of the last hidden maps; earlier ones have twice as many each time.
        kernel_size: of the transposed convolutions. The paper's figure has 5; 4, of the authors'
            later code, is faster and paints every pixel equally often.
        normalization: a function without arguments that makes a layer, for instance a layer's
            class; it comes after every layer but the last. `None` for none.
        activation: of all layers but the last: the paper's "relu", or "leaky_relu", the lecture's,
            whose slope below 0 is 0.2.

    Returns:
        A model from `[batch, latent_dim]` to float32 images `[batch, *output_shape]` in [0, 1]:
        the paper's tanh, rescaled.

    Raises:
        ValueError: the shape is not that of an image, or no doublings lead to it.

    Example:
        >>> dcgan_generator((64, 64, 3))  # 1024, 512, 256, 128 filters, as in the paper
    """
    check_latent_dim(latent_dim)
    doublings = _count_doublings(output_shape)
    height, width, channels = output_shape
    first, *later = [filters * 2**power for power in reversed(range(doublings))]
    start = (height // 2**doublings, width // 2**doublings, first)
    # A normalization brings an offset of its own.
    use_bias = normalization is None

    inputs = keras.Input((latent_dim,), name="latents")
    hidden = small_normal(layers.Dense, math.prod(start), use_bias=use_bias)(inputs)
    hidden = activate(layers.Reshape(start)(hidden), layers.Activation(activation), normalization)
    for count in later:
        hidden = double(count, kernel_size, use_bias=use_bias)(hidden)
        hidden = activate(hidden, layers.Activation(activation), normalization)
    images = to_images(double(channels, kernel_size, ImageConv2DTranspose)(hidden))
    return keras.Model(inputs, images, name="generator")


def dcgan_discriminator(input_shape, filters=64, kernel_size=4, normalization=batch_normalization):
    """Convolutions of stride 2 that halve the image as often as the generator doubles it.

    With gradient penalties there should be no batch normalization, because they are about single
    examples (Gulrajani et al., 2017, section 4): `normalization=None`, or the layer normalization
    that they recommend, `functools.partial(keras.layers.GroupNormalization, groups=1)`.

    Args:
        input_shape: `(height, width, channels)`, a size that `dcgan_generator` makes.
        filters: of the first convolution; later ones have twice as many each time.
        kernel_size: of the convolutions.
        normalization: a function without arguments that makes a layer, for instance a layer's
            class; it comes after every convolution but the first. `None` for none.

    Returns:
        A model from images `[batch, *input_shape]` in [0, 1] to float32 logits `[batch, 1]`.

    Raises:
        ValueError: the shape is not that of an image, or the generator cannot make it.

    Example:
        >>> dcgan_discriminator((28, 28, 1), normalization=None)  # a critic for WGAN-GP
    """
    halvings = _count_doublings(input_shape)
    inputs = keras.Input(input_shape, name="images")
    hidden = halve(from_images(inputs), filters, kernel_size)
    for power in range(1, halvings):
        hidden = halve(hidden, filters * 2**power, kernel_size, normalization)
    logits = small_normal(layers.Dense, 1, dtype="float32")(layers.Flatten()(hidden))
    return keras.Model(inputs, logits, name="discriminator")


def spectrally_normalized(network):
    """Gives a network of the same layers, their kernels kept at spectral norm 1.

    Miyato et al., 2018, "Spectral normalization for generative adversarial networks": it bounds
    how fast a discriminator changes. `keras.layers.SpectralNormalization` takes one step of power
    iteration and divides the kernel whenever the network is called with `training=True`, so each
    such call changes weights, by little; the paper derives through the division, Keras does not.

    Args:
        network: a functional model. It is left as it is; the new one has new weights.

    Returns:
        A functional model of the same inputs and outputs.

    Example:
        >>> spectrally_normalized(dcgan_discriminator((32, 32, 3), normalization=None))
    """
    return keras.models.clone_model(network, clone_function=_normalize_kernel, recursive=True)


def small_normal(layer_type, *args, **kwargs):
    """Makes a layer whose kernel starts as N(0, 0.02)."""
    initializer = keras.initializers.RandomNormal(stddev=0.02)
    return layer_type(*args, kernel_initializer=initializer, **kwargs)


def double(filters, kernel_size, layer=layers.Conv2DTranspose, **kwargs):
    """Makes the transposed convolution that doubles height and width."""
    return small_normal(layer, filters, kernel_size, strides=2, padding="same", **kwargs)


def halve(hidden, filters, kernel_size, normalization=None):
    """Applies a convolution that halves height and width, rounding up, and LeakyReLU(0.2)."""
    convolution = small_normal(
        layers.Conv2D,
        filters,
        kernel_size,
        strides=2,
        padding="same",
        use_bias=normalization is None,
    )
    return activate(convolution(hidden), LeakyReLU(0.2), normalization)


def activate(hidden, activation, normalization=None):
    """Applies a normalization, if there is one, and an activation."""
    if normalization is not None:
        hidden = normalization()(hidden)
    return activation(hidden)


def from_images(images):
    """Takes images from [0, 1] to [-1, 1]."""
    return layers.Rescaling(2.0, -1.0, dtype="float32")(images)


def to_images(hidden):
    """Ends a network that makes images: tanh, taken from [-1, 1] to [0, 1]."""
    return layers.Rescaling(0.5, 0.5, dtype="float32")(
        layers.Activation("tanh", dtype="float32")(hidden)
    )


def _normalize_kernel(layer):
    clone = type(layer).from_config(layer.get_config())
    if not hasattr(layer, "kernel"):
        return clone
    # In bfloat16 the wrapper would round the weights themselves at every step.
    return layers.SpectralNormalization(clone, name=layer.name, dtype="float32")


def _count_doublings(shape):
    """Returns how often maps of 4 to 7 pixels on the shorter side are doubled to a size."""
    check_image_shape(shape)
    height, width, _ = shape
    doublings = math.floor(math.log2(min(height, width) / 4))
    if doublings < 1 or height % 2**doublings or width % 2**doublings:
        raise ValueError(
            "DCGAN doubles maps of 4, 5, 6 or 7 pixels: height and width must be 8, 10, 12, 14, "
            "16, 20, 24, 28, 32, 40, 48, 56, 64, and so on; the longer side may be any multiple "
            f"of the shorter side's power of two. Received: {tuple(shape)}. Resize the images "
            "(`size=(32, 32)`, --size 32x32)."
        )
    return doublings
