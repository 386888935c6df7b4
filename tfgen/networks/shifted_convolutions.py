"""PixelCNN++: two streams of shifted convolutions in the form of a U."""

import functools

from keras import layers

from tfgen.networks.causal import (
    down,
    down_right,
    elu,
    first_maps,
    gated_block,
    image_inputs,
    network_of,
)
from tfgen.networks.shapes import check_hidden_sizes, check_image_shape


def pixel_cnn_plus_plus(
    shape,
    width=16,
    multiples=(1, 2, 2),
    blocks=1,
    outputs=None,
    dropout=0.0,
    one_hot_levels=None,
    condition_size=None,
):
    """PixelCNN++'s network (Salimans et al., 2017, sections 2.3 to 2.5, figure 2).

    One stream sees rows above, the other what is left, too. Each level has half the rows and the
    columns of the one before. The way up sees what the way down saw. Unlike the paper it takes
    plain ELUs, no weight normalization, and repeats places where that has transposed convolutions.

    An output sees earlier pixels only, and nothing of its own: the likelihood ties the channels. A
    level with a step of `s` pixels tells row `r` of the rows before the last multiple of `s` up to
    `r`. With the sizes that are set an image of 28x28 is seen wholly before the last multiple of 4.
    Of the other rows, an output sees at least 6 columns on each side, of its own row on the left.

    Args:
        shape: `(height, width, channels)` of an image of values from 0 to 1; height and width are
            multiples of 2 for each level but the first.
        width: the features of each stream in the first level.
        multiples: of the width, the features of each level.
        blocks: residual blocks of a stream in each level, down; up there is one more in all levels
            but the last.
        outputs: the size of the output for each pixel; `None` for the number of channels.
        dropout: the share of features that a block leaves out in training.
        one_hot_levels: the number of levels, of which each becomes a feature (of more than 32: a
            vector that is learnt); `None` for values.
        condition_size: the length of a condition's vector; `None` for a network without.

    Returns:
        A model from images `[batch, *shape]`, or from `[images, conditions]`, to
        `[batch, height, width, outputs]`.

    Raises:
        ValueError: a size is not positive, or the image's sides cannot be halved so often.

    Example:
        >>> likelihood = tfgen.distributions.DiscretizedLogistics(5)
        >>> pixel_cnn_plus_plus((32, 32, 3), outputs=50)
    """
    check_image_shape(shape)
    outputs = shape[-1] if outputs is None else outputs
    check_hidden_sizes([width, blocks, outputs, *multiples])
    _check_sides(shape, multiples)
    inputs, features, conditions = image_inputs(shape, one_hot_levels, condition_size)
    block = functools.partial(gated_block, dropout=dropout, conditions=conditions)
    above, left = first_maps(features, width * multiples[0])
    seen = [(above, left)]
    for level, multiple in enumerate(multiples):
        if level:
            above = down(width * multiple, strides=2)(above)
            left = down_right(width * multiple, strides=2)(left)
            seen.append((above, left))
        for _ in range(blocks):
            above = block(above, down)
            left = block(left, down_right, above)
            seen.append((above, left))
    above, left = seen.pop()
    for level, multiple in reversed(list(enumerate(multiples))):
        if level < len(multiples) - 1:
            above = down(width * multiple)(layers.UpSampling2D(2)(above))
            left = down_right(width * multiple)(layers.UpSampling2D(2)(left))
        for _ in range(blocks + (level < len(multiples) - 1)):
            seen_above, seen_left = seen.pop()
            above = block(above, down, seen_above)
            left = block(left, down_right, layers.Concatenate()([above, seen_left]))
    return network_of(inputs, layers.Conv2D(outputs, 1)(elu(left)))


def _check_sides(shape, multiples):
    step = 2 ** (len(multiples) - 1)
    if shape[0] % step or shape[1] % step:
        raise ValueError(
            f"{len(multiples)} levels halve height and width {len(multiples) - 1} times: they must "
            f"be multiples of {step}. Received: images {tuple(shape)}. Take fewer `multiples`."
        )
