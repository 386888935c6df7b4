"""PixelRNN: recurrent layers over an image's rows or diagonals."""

from keras import layers

from tfgen.layers import DiagonalLSTM, MaskedConv2D, RowLSTM
from tfgen.networks.causal import (
    colour_blocks,
    image_inputs,
    network_of,
    pointwise,
    read_out,
    told,
)
from tfgen.networks.shapes import check_hidden_sizes, check_image_shape


def row_lstm(
    shape,
    width=16,
    blocks=3,
    outputs=None,
    colour_groups=True,
    one_hot_levels=None,
    condition_size=None,
):
    """The row LSTM (van den Oord et al., 2016, "Pixel recurrent neural networks", section 3.1).

    An output at `(r, c)` sees of its own row the columns from `c - 3 - blocks` to `c - 1`. Of the
    row `d` above it sees those from `c - 3 - blocks - d` to `c + 2 + d`: a triangle.

    Args:
        shape: `(height, width, channels)` of an image of values from 0 to 1.
        width: the size of a state; between layers there are twice as many features.
        blocks: how many recurrent layers there are, each with a residual connection.
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
        ValueError: a size is not positive, or features do not divide into channels.

    Example:
        >>> row_lstm((28, 28, 1))  # logits of black-or-white pixels
    """

    def recur(hidden, channels):
        return RowLSTM(width, channels)(hidden)

    return _network(
        recur, shape, width, blocks, outputs, colour_groups, one_hot_levels, condition_size
    )


def diagonal_bilstm(
    shape,
    width=16,
    blocks=3,
    outputs=None,
    colour_groups=True,
    one_hot_levels=None,
    condition_size=None,
):
    """The diagonal BiLSTM (van den Oord et al., 2016, section 3.2).

    An output sees all earlier pixels, whatever the image's size, but one: the last of the row above
    where that is more than 3 columns to the right. On that row no later place could tell of it.

    Args:
        shape: `(height, width, channels)` of an image of values from 0 to 1.
        width: the size of a state; between layers there are twice as many features.
        blocks: how many layers there are, of two directions, each with a residual connection.
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
        ValueError: a size is not positive, or features do not divide into channels.

    Example:
        >>> diagonal_bilstm((28, 28, 1))  # logits of black-or-white pixels
    """

    def recur(hidden, channels):
        directions = [DiagonalLSTM(width, channels, backward)(hidden) for backward in (False, True)]
        return layers.Add()(directions)

    return _network(
        recur, shape, width, blocks, outputs, colour_groups, one_hot_levels, condition_size
    )


def _network(recur, shape, width, blocks, outputs, colour_groups, one_hot_levels, condition_size):
    """Builds what table 1 of the paper has around recurrent layers.

    Args:
        recur: from maps and the number of blocks of features to the states of a layer.
        shape: what `row_lstm` takes, as all that follow.
        width: the size of a state.
        blocks: how many recurrent layers there are.
        outputs: the size of the output for each pixel, or `None`.
        colour_groups: whether colours see those before them.
        one_hot_levels: how many levels become features, or `None`.
        condition_size: the length of a condition's vector, or `None`.
    """
    check_image_shape(shape)
    outputs = shape[-1] if outputs is None else outputs
    check_hidden_sizes([width, blocks, outputs])
    channels = colour_blocks(shape, colour_groups, width=width, outputs=outputs)
    inputs, features, conditions = image_inputs(shape, one_hot_levels, condition_size)
    first = MaskedConv2D(2 * width, 7, sees_itself=False, channels=channels)
    hidden = told(first(features), conditions)
    for _ in range(blocks):
        states = told(pointwise(2 * width, channels)(recur(hidden, channels)), conditions)
        hidden = layers.Add()([hidden, states])
    return network_of(inputs, read_out(hidden, width, outputs, channels))
