"""Generators from images to images of the same size.

Weights start as N(0, 0.02); inside the networks images are in [-1, 1], as in the papers.
"""

import math

import keras
from keras import layers

from tfgen.layers import (
    ImageConv2D,
    ImageConv2DTranspose,
    InstanceNormalization,
    ReflectionPadding2D,
)
from tfgen.networks.dcgan import activate, double, from_images, halve, small_normal, to_images
from tfgen.networks.shapes import check_image_shape

# Of pix2pix's U-Net for 256 pixels.
_DEEPEST = 8
_LARGEST = 8  # times the first filters
_DROPPED = 3  # layers with dropout


def resnet_generator(input_shape, output_channels=None, filters=64, blocks=6):
    """CycleGAN's generator: two halvings, residual blocks, two doublings.

    Zhu et al., 2017 (appendix 7.2), after Johnson et al., 2016: c7s1-64, d128, d256, R256 for each
    block, u128, u64, c7s1-3; instance normalization, ReLU, reflections around the 7x7 convolutions
    and in the blocks.

    Args:
        input_shape: `(height, width, channels)`, height and width multiples of 4, at least 8.
        output_channels: the channels of the result; `None` for as many as the input has.
        filters: of the first convolution; the residual blocks have four times as many.
        blocks: the residual blocks; in the paper 6 for images of 128 pixels, 9 for 256.

    Returns:
        A model from images `[batch, *input_shape]` in [0, 1] to float32 images of the same size,
        in [0, 1]: the paper's tanh, rescaled.

    Raises:
        ValueError: the shape is not that of an image, or of another size; `blocks` is not positive.

    Example:
        >>> resnet_generator((64, 64, 3), filters=32)
    """
    _check_resnet(input_shape, blocks)
    inputs = keras.Input(input_shape, name="images")
    hidden = _activate(_reflected(from_images(inputs), filters, 7))
    for count in (2 * filters, 4 * filters):
        smaller = small_normal(layers.Conv2D, count, 3, strides=2, padding="same", use_bias=False)
        hidden = _activate(smaller(hidden))
    for _ in range(blocks):
        residual = _activate(_reflected(hidden, 4 * filters, 3))
        residual = InstanceNormalization()(_reflected(residual, 4 * filters, 3))
        hidden = layers.Add()([hidden, residual])
    for count in (2 * filters, filters):
        hidden = _activate(double(count, 3, use_bias=False)(hidden))
    channels = _output_channels(input_shape, output_channels)
    images = to_images(_reflected(hidden, channels, 7, ImageConv2D, use_bias=True))
    return keras.Model(inputs, images, name="translator")


def unet_generator(input_shape, output_channels=None, filters=64, depth=None, dropout=0.0):
    """The pix2pix generator: halvings, doublings, and skips between maps of one size.

    Isola et al., 2017 (appendix 6.1.1): C64-C128-C256-C512 ... and back, convolutions of 4x4 and
    stride 2, leaky ReLU on the way down and ReLU on the way up. The normalization is that of the
    instance, which is what batches of one image, as in the paper, have; the innermost maps have
    none, because it would make a single pixel 0 (the paper's errata).

    Args:
        input_shape: `(height, width, channels)`.
        output_channels: the channels of the result; `None` for as many as the input has.
        filters: of the first convolution; later ones have twice as many each time, up to 8 times.
        depth: how often the image is halved, at least twice; `None` for as often as can be, up to 8
            times: 256 pixels to 1, 28 pixels to 7.
        dropout: the rate in the three innermost doublings, 0.5 in the paper. As with any Keras
            layer there is dropout in training only; the paper keeps it, as the only noise.

    Returns:
        A model from images `[batch, *input_shape]` in [0, 1] to float32 images of the same size,
        in [0, 1]: the paper's tanh, rescaled.

    Raises:
        ValueError: the shape is not that of an image, or cannot be halved so often.

    Example:
        >>> unet_generator((64, 64, 3), filters=32)
    """
    depth = _check_depth(input_shape, depth)
    counts = [filters * min(2**power, _LARGEST) for power in range(depth)]
    inputs = keras.Input(input_shape, name="images")
    skips = [halve(from_images(inputs), counts[0], 4)]
    for count in counts[1:-1]:
        skips.append(halve(skips[-1], count, 4, InstanceNormalization))
    hidden = halve(skips[-1], counts[-1], 4)
    for index, skip in enumerate(reversed(skips)):
        hidden = InstanceNormalization()(double(skip.shape[-1], 4, use_bias=False)(hidden))
        hidden = layers.Dropout(dropout if index < _DROPPED else 0.0)(hidden)
        hidden = layers.Concatenate()([layers.ReLU()(hidden), skip])
    channels = _output_channels(input_shape, output_channels)
    images = to_images(double(channels, 4, ImageConv2DTranspose)(hidden))
    return keras.Model(inputs, images, name="translator")


def _activate(hidden):
    return activate(hidden, layers.ReLU(), InstanceNormalization)


def _reflected(hidden, filters, kernel_size, layer=layers.Conv2D, use_bias=False):
    padded = ReflectionPadding2D(kernel_size // 2)(hidden)
    return small_normal(layer, filters, kernel_size, use_bias=use_bias)(padded)


def _output_channels(input_shape, output_channels):
    return input_shape[-1] if output_channels is None else output_channels


def _check_resnet(shape, blocks):
    check_image_shape(shape)
    if blocks < 1:
        raise ValueError(f"`blocks` must be at least 1. Received: blocks={blocks}.")
    if shape[0] % 4 or shape[1] % 4 or min(shape[:2]) < 8:
        raise ValueError(
            "The network halves images twice: height and width must be multiples of 4, at least 8. "
            f"Received: {tuple(shape)}. Resize the images (`size=(64, 64)`, --size 64x64)."
        )


def _check_depth(shape, depth):
    """Returns the number of halvings, by default as many as there can be."""
    check_image_shape(shape)
    common = math.gcd(*shape[:2])
    possible = (common & -common).bit_length() - 1  # the exponent of two in it
    if possible < 2:
        raise ValueError(
            "The network halves images at least twice: height and width must be multiples of 4. "
            f"Received: {tuple(shape)}. Resize the images (`size=(64, 64)`, --size 64x64)."
        )
    if depth is None:
        return min(possible, _DEEPEST)
    if not 2 <= depth <= possible:
        raise ValueError(
            f"`depth` must be from 2 to {possible}, as often as {tuple(shape)} can be halved "
            f"without a rest. Received: depth={depth}."
        )
    return depth
