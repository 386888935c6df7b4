"""What autoregressive networks share: inputs, blocks of colours, conditions, gated blocks."""

import functools

import keras
from keras import initializers, layers

from tfgen.layers import Gate, MaskedConv2D, OneHotLevels, Shift, ShiftedConv2D
from tfgen.networks.shapes import check_hidden_sizes, check_image_shape

down = functools.partial(ShiftedConv2D, kernel_size=(2, 3), sees_right=True)
down_right = functools.partial(ShiftedConv2D, kernel_size=(2, 2), sees_right=False)

_IMAGE_FEATURES = 32  # of an image that is a condition
_LEVEL_FEATURES = 32  # of a value, where there are more levels than that


def image_inputs(shape, one_hot_levels, condition_size):
    """Returns a network's inputs, the features of its images, and its conditions or `None`.

    Args:
        shape: `(height, width, channels)` of an image.
        one_hot_levels: how many levels become one-hot, and, if they are many, vectors that are
            learnt; `None` for values from -1 to 1.
        condition_size: the length of a condition's vector, or `(height, width, channels)` of an
            image; `None` for a network without.
    """
    check_image_shape(shape)
    inputs = [keras.Input(shape, name="images")]
    if one_hot_levels is None:
        features = layers.Rescaling(2.0, -1.0)(inputs[0])
    else:
        features = OneHotLevels(one_hot_levels)(inputs[0])
        if one_hot_levels > _LEVEL_FEATURES:  # else the first convolution is nearly all the work
            features = pointwise(shape[-1] * _LEVEL_FEATURES, shape[-1])(features)
    if condition_size is None:
        return inputs, features, None
    if isinstance(condition_size, tuple):
        inputs.append(keras.Input(condition_size, name="coarser_images"))
        hidden = layers.Rescaling(2.0, -1.0)(inputs[1])
        for _ in range(2):  # all of the image is known, on all sides
            hidden = layers.Conv2D(_IMAGE_FEATURES, 3, padding="same", activation="relu")(hidden)
        return inputs, features, hidden
    check_hidden_sizes([condition_size])
    inputs.append(keras.Input((condition_size,), name="conditions"))
    return inputs, features, inputs[1]


def network_of(inputs, outputs):
    """Returns the model, of one tensor if it takes no conditions."""
    return keras.Model(inputs if len(inputs) > 1 else inputs[0], outputs, name="network")


def told(maps, conditions):
    """Moves all places of maps, or units, by what the conditions say, if there are any."""
    if conditions is None:
        return maps
    features = maps.shape[-1]
    if len(conditions.shape) == 4:  # of an image each place has its own
        return layers.Add()([maps, layers.Conv2D(features, 1, use_bias=False)(conditions)])
    moved = layers.Dense(features, use_bias=False)(conditions)
    if len(maps.shape) == 4:
        moved = layers.Reshape((1, 1, features))(moved)
    return layers.Add()([maps, moved])


def colour_blocks(shape, colour_groups, **sizes):
    """Returns how many blocks features divide into: the channels, or 1 where all stay together.

    Args:
        shape: of an image.
        colour_groups: whether a colour sees those before it at its own place.
        **sizes: numbers of features, by the arguments' names.

    Raises:
        ValueError: a size does not divide into the blocks.
    """
    channels = shape[-1] if colour_groups else 1
    for name, size in sizes.items():
        if size % channels:
            raise ValueError(
                f"`{name}` must be a multiple of the channels, {channels}, whose features lie "
                f"apart. Received: {name}={size}. With colour_groups=False they lie together."
            )
    return channels


def pointwise(filters, channels):
    """Returns a convolution of size 1 that keeps colours' blocks."""
    if channels == 1:
        return layers.Conv2D(filters, 1)
    return MaskedConv2D(filters, 1, sees_itself=True, channels=channels)


def read_out(hidden, width, outputs, channels):
    """Makes outputs of features by two convolutions of size 1, each after a ReLU."""
    for filters in (width, outputs):
        hidden = pointwise(filters, channels)(layers.Activation("relu")(hidden))
    return hidden


def first_maps(features, width):
    """Returns the streams' first maps, of which a place no longer sees itself."""
    # Moved down before all else, so that a row of this stream is known when the row begins.
    rows_above = Shift(rows=1)(features)
    above = down(width)(rows_above)
    row_above = ShiftedConv2D(width, (1, 3))(rows_above)
    column = ShiftedConv2D(width, (2, 1), sees_right=False)
    left = Shift(columns=1)(column(features))
    return above, layers.Add()([row_above, left])


def gated_block(inputs, convolution, shortcut=None, dropout=0.0, conditions=None):
    """Adds a gated residual block, which begins with little.

    Args:
        inputs: maps of a stream.
        convolution: from a number of features to the stream's convolution.
        shortcut: other maps that it sees, if any.
        dropout: the share of features that it leaves out in training.
        conditions: what moves all places, if anything.
    """
    width = inputs.shape[-1]
    hidden = convolution(width)(elu(inputs))
    if shortcut is not None:
        hidden = layers.Add()([hidden, layers.Conv2D(width, 1)(elu(shortcut))])
    hidden = elu(hidden)
    if dropout:
        hidden = layers.Dropout(dropout)(hidden)
    # A tenth of the usual weights.
    small = initializers.VarianceScaling(0.01, mode="fan_avg", distribution="uniform")
    hidden = convolution(2 * width, kernel_initializer=small)(hidden)
    return layers.Add()([inputs, Gate()(told(hidden, conditions))])


def elu(hidden):
    """Passes maps through an exponential linear unit."""
    return layers.Activation("elu")(hidden)
