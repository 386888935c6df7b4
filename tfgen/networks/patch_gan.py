"""The discriminator of image translation, which judges overlapping patches."""

import keras
from keras import layers

from tfgen.layers import InstanceNormalization, LeakyReLU
from tfgen.networks.dcgan import activate, from_images, halve, small_normal
from tfgen.networks.shapes import check_image_shape

_LARGEST = 8  # times the first convolution's filters


def patch_gan_discriminator(input_shape, filters=64, depth=3, normalization=InstanceNormalization):
    """PatchGAN: every logit sees a patch, so that the network judges texture and not layout.

    Isola et al., 2017 (appendix 6.1.2), with CycleGAN's instance normalization (Zhu et al., 2017,
    appendix 7.2): C64-C128-C256 of stride 2, C512 of stride 1, all 4x4, LeakyReLU(0.2), N(0, 0.02).
    The patch is 70x70 with `depth=3`, 34x34 with 2, 16x16 with 1.

    Args:
        input_shape: `(height, width, channels)`.
        filters: of the first convolution; later ones have twice as many each time, up to 8 times.
        depth: the convolutions that halve the image, rounding up; 3 for images of 256 pixels, fewer
            for small ones.
        normalization: a function without arguments that makes a layer, for instance a layer's
            class; it comes after every convolution but the first and the last. `None` for none.
            pix2pix has `keras.layers.BatchNormalization`.

    Returns:
        A model from images `[batch, *input_shape]` in [0, 1] to float32 logits
        `[batch, height / 2**depth, width / 2**depth, 1]`, rounded up. (The authors' code pads the
        last two layers by a pixel less: its maps have two rows and columns less.)

    Raises:
        ValueError: the shape is not that of an image; `depth` is not positive, or so large that
            one pixel would be left, which instance normalization makes 0.

    Example:
        >>> patch_gan_discriminator((64, 64, 3), depth=2)
    """
    _check_depth(input_shape, depth)
    inputs = keras.Input(input_shape, name="images")
    hidden = halve(from_images(inputs), filters, 4)
    for power in range(1, depth):
        hidden = halve(hidden, filters * min(2**power, _LARGEST), 4, normalization)
    last = small_normal(
        layers.Conv2D,
        filters * min(2**depth, _LARGEST),
        4,
        padding="same",
        use_bias=normalization is None,
    )
    hidden = activate(last(hidden), LeakyReLU(0.2), normalization)
    logits = small_normal(layers.Conv2D, 1, 4, padding="same", dtype="float32")(hidden)
    return keras.Model(inputs, logits, name="discriminator")


def _check_depth(shape, depth):
    check_image_shape(shape)
    if depth < 1:
        raise ValueError(f"`depth` must be at least 1. Received: depth={depth}.")
    if min(shape[:2]) <= 2**depth:
        raise ValueError(
            f"Halved {depth} times, the image must have more than one pixel: with depth={depth} "
            f"height and width must be more than {2**depth}. Received: {tuple(shape)}. Lower "
            "`depth` or resize the images."
        )
