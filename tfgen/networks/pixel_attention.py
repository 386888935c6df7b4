"""PixelSNAIL: causal convolutions, and attention to all that is earlier."""

from keras import layers

from tfgen.layers import CausalAttention, Positions
from tfgen.networks.causal import down_right, elu, first_maps, gated_block, image_inputs, network_of
from tfgen.networks.shapes import check_hidden_sizes, check_image_shape


def pixel_snail(
    shape,
    width=16,
    blocks=2,
    convolutions=2,
    heads=1,
    key_size=16,
    outputs=None,
    dropout=0.0,
    one_hot_levels=None,
    condition_size=None,
):
    """PixelSNAIL's network (Chen et al., 2018, section 2, figure 3), in small.

    Each block has gated residual convolutions, which see what is near, and attention, which sees
    all. Places are learnt vectors, where the paper has coordinates.

    An output sees all earlier pixels, whatever the image's size, and nothing of its own: the
    channels are the likelihood's to tie.

    Args:
        shape: `(height, width, channels)` of an image of values from 0 to 1.
        width: the features of each place.
        blocks: how many blocks there are, each with attention.
        convolutions: residual blocks of convolutions in each block.
        heads: of an attention.
        key_size: the size of a head's queries, keys and values.
        outputs: the size of the output for each pixel; `None` for the number of channels.
        dropout: the share of features that a residual block leaves out in training.
        one_hot_levels: the number of levels, of which each becomes a feature (of more than 32: a
            vector that is learnt); `None` for values.
        condition_size: the length of a condition's vector; `None` for a network without.

    Returns:
        A model from images `[batch, *shape]`, or from `[images, conditions]`, to
        `[batch, height, width, outputs]`.

    Raises:
        ValueError: a size is not positive.

    Example:
        >>> pixel_snail((14, 14, 1), outputs=4)
    """
    check_image_shape(shape)
    outputs = shape[-1] if outputs is None else outputs
    check_hidden_sizes([width, blocks, convolutions, heads, key_size, outputs])
    inputs, features, conditions = image_inputs(shape, one_hot_levels, condition_size)
    _, hidden = first_maps(features, width)
    for _ in range(blocks):
        for _ in range(convolutions):
            hidden = gated_block(hidden, down_right, None, dropout, conditions)
        placed = Positions()(hidden)
        # Those that are looked at may show their own pixel, which no place sees of itself.
        shown = layers.Concatenate()([features, placed])
        queries = layers.Conv2D(heads * key_size, 1)(elu(placed))
        keys, values = (layers.Conv2D(heads * key_size, 1)(elu(shown)) for _ in range(2))
        seen = CausalAttention(heads)([queries, keys, values])
        hidden = gated_block(hidden, _pointwise, seen, dropout, conditions)
    return network_of(inputs, layers.Conv2D(outputs, 1)(elu(hidden)))


def _pointwise(filters, **kwargs):
    return layers.Conv2D(filters, 1, **kwargs)
