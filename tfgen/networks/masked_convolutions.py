"""PixelCNN, with masks and with gates: each pixel of those before it, by convolutions."""

from keras import layers

from tfgen.layers import Gate, MaskedConv2D, Shift, ShiftedConv2D
from tfgen.networks.causal import (
    colour_blocks,
    image_inputs,
    network_of,
    pointwise,
    read_out,
    told,
)
from tfgen.networks.shapes import check_hidden_sizes, check_image_shape

_FIRST = 7  # the side of the first kernel, as in both papers


def pixel_cnn(
    shape,
    width=16,
    blocks=10,
    kernel_size=3,
    outputs=None,
    colour_groups=True,
    one_hot_levels=None,
    condition_size=None,
):
    """PixelCNN (van den Oord et al., 2016, "Pixel recurrent neural networks", table 1, figure 5).

    A convolution of mask A, residual blocks of mask B, then two convolutions of size 1.

    An output at `(r, c)` sees of its own row the columns from `c - reach` to `c - 1`, where
    `reach = 3 + blocks * half`, `half = kernel_size // 2` (for kernels up to 7). Of the row `d`
    above, up to `d = reach`, it sees those from `c - reach` to `c + 3 + half * min(blocks, d - 1)`.
    So near it on the right is a blind spot, which `gated_pixel_cnn` has not.

    Args:
        shape: `(height, width, channels)` of an image of values from 0 to 1.
        width: the features within a residual block; between blocks there are twice as many.
        blocks: how many residual blocks there are.
        kernel_size: the side of a block's masked kernel, odd.
        outputs: the size of the output for each pixel; `None` for the number of channels.
        colour_groups: whether a channel's outputs, a contiguous block of them, also see the
            channels before it of their own pixel. `False` for likelihoods that are `joint`.
        one_hot_levels: the number of levels, of which each becomes a feature (of more than 32: a
            vector that is learnt); `None` for values.
        condition_size: the length of a condition's vector; `None` for a network without.

    Returns:
        A model from images `[batch, *shape]`, or from `[images, conditions]`, to
        `[batch, height, width, outputs]`.

    Raises:
        ValueError: a size is not positive, the kernel is even, or features do not divide into
            channels.

    Example:
        >>> pixel_cnn((28, 28, 1))  # logits of black-or-white pixels
    """
    check_image_shape(shape)
    outputs = shape[-1] if outputs is None else outputs
    check_hidden_sizes([width, blocks, outputs])
    channels = colour_blocks(shape, colour_groups, width=width, outputs=outputs)
    inputs, features, conditions = image_inputs(shape, one_hot_levels, condition_size)
    first = MaskedConv2D(2 * width, _FIRST, sees_itself=False, channels=channels)
    hidden = told(first(features), conditions)
    for _ in range(blocks):
        inner = pointwise(width, channels)(layers.Activation("relu")(hidden))
        masked = MaskedConv2D(width, kernel_size, sees_itself=True, channels=channels)
        inner = told(masked(layers.Activation("relu")(inner)), conditions)
        inner = pointwise(2 * width, channels)(layers.Activation("relu")(inner))
        hidden = layers.Add()([hidden, inner])
    return network_of(inputs, read_out(hidden, width, outputs, channels))


def gated_pixel_cnn(
    shape,
    width=16,
    blocks=6,
    kernel_size=5,
    outputs=None,
    colour_groups=True,
    one_hot_levels=None,
    condition_size=None,
):
    """Gated PixelCNN (van den Oord et al., 2016, "Conditional image generation", figure 2).

    A vertical stack sees rows above, on both sides. A horizontal stack sees its own row, and what
    the vertical one tells it. There is no blind spot. Only the horizontal stack has residuals.

    An output at `(r, c)` sees of its own row the columns from `c - reach` to `c - 1`. Of each of
    `reach` rows above it sees those from `c - reach` to `c + reach`. Here
    `reach = 3 + blocks * (kernel_size // 2)`.

    Args:
        shape: `(height, width, channels)` of an image of values from 0 to 1.
        width: the features of each stack.
        blocks: how many gated blocks there are.
        kernel_size: the side of a block's kernel, odd, of which each stack has its part.
        outputs: the size of the output for each pixel; `None` for the number of channels.
        colour_groups: whether a channel's outputs, a contiguous block of them, also see the
            channels before it of their own pixel. `False` for likelihoods that are `joint`.
        one_hot_levels: the number of levels, of which each becomes a feature (of more than 32: a
            vector that is learnt); `None` for values.
        condition_size: the length of a condition's vector; `None` for a network without. Of an
            image as the condition, such as a coarser one that was enlarged, its shape, a tuple.

    Returns:
        A model from images `[batch, *shape]`, or from `[images, conditions]`, to
        `[batch, height, width, outputs]`.

    Raises:
        ValueError: a size is not positive, the kernel is even, or features do not divide into
            channels.

    Example:
        >>> gated_pixel_cnn((28, 28, 1), condition_size=10)  # of a class, one-hot
    """
    check_image_shape(shape)
    outputs = shape[-1] if outputs is None else outputs
    check_hidden_sizes([width, blocks, outputs])
    channels = colour_blocks(shape, colour_groups, width=width, outputs=outputs)
    inputs, features, conditions = image_inputs(shape, one_hot_levels, condition_size)
    above = ShiftedConv2D(width, (_FIRST // 2, _FIRST))(Shift(rows=1)(features))
    left = MaskedConv2D(width, (1, _FIRST), sees_itself=False, channels=channels)(features)
    for _ in range(blocks):
        rows = (kernel_size // 2 + 1, kernel_size)
        seen_above = told(ShiftedConv2D(2 * width, rows)(above), conditions)
        own_row = MaskedConv2D(2 * width, (1, kernel_size), sees_itself=True, channels=channels)
        # What is above belongs to other pixels, so that all colours may see all of it.
        seen = layers.Add()([own_row(left), layers.Conv2D(2 * width, 1)(seen_above)])
        gated = Gate("tanh", channels=channels)(told(seen, conditions))
        above = Gate("tanh")(seen_above)
        left = layers.Add()([left, pointwise(width, channels)(gated)])
    return network_of(inputs, read_out(left, width, outputs, channels))
