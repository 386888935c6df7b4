"""Networks of diffusion: from noisy examples and a level of noise to what there is to predict."""

import keras
from keras import layers

from tfgen.layers import SinusoidalFeatures
from tfgen.networks.shapes import check_hidden_sizes, check_image_shape, check_shape

_GROUPS = 8  # of channels that are normalized together, where they divide the channels


def diffusion_mlp(size, hidden_sizes=(128, 128, 128), condition_size=None):
    """A multilayer perceptron of vectors, such as points of the plane.

    Each hidden layer is moved by the level of noise, and by the condition if there is one.

    Args:
        size: the number of values of an example.
        hidden_sizes: the units of the hidden layers.
        condition_size: the length of a condition's vector; `None` for a network without.

    Returns:
        A model from `[noisy, levels]`, `[batch, size]` and `[batch]`, or from
        `[noisy, levels, conditions]`, to `[batch, size]`.

    Raises:
        ValueError: a size is not positive.

    Example:
        >>> tfgen.Diffusion(diffusion_mlp(2))
    """
    check_shape((size,))
    check_hidden_sizes(hidden_sizes)
    inputs, embedded = _inputs((size,), 64, 128, condition_size)
    hidden = inputs[0]
    for units in hidden_sizes:
        moved = layers.Add()([layers.Dense(units)(hidden), layers.Dense(units)(embedded)])
        hidden = layers.Activation("silu")(moved)
    return keras.Model(inputs, layers.Dense(size)(hidden), name="denoiser")


def diffusion_unet(
    shape,
    width=64,
    multiples=(1, 2, 2),
    blocks=1,
    patch=2,
    dropout=0.0,
    condition_size=None,
):
    """A U-Net of residual blocks with attention (Ho et al., 2020, appendix B), of any size.

    The way down halves the maps between levels, the way up doubles them and sees what the way down
    saw. Attention is where maps are smallest. A residual block begins as nothing: its last
    convolution is 0. So does the network's answer.

    Args:
        shape: `(height, width, channels)` of an image, multiples of `patch`.
        width: the channels of the first level.
        multiples: of the width, the channels of each level.
        blocks: residual blocks in each level, down; up there is one more.
        patch: the side of the squares of pixels that the network sees as one. 1 for single pixels,
            which takes four times as long as 2.
        dropout: the share of features that a block leaves out in training.
        condition_size: the length of a condition's vector; `None` for a network without.

    Returns:
        A model from `[noisy, levels]`, `[batch, *shape]` and `[batch]`, or from
        `[noisy, levels, conditions]`, to `[batch, *shape]`.

    Raises:
        ValueError: a size is not positive, or the image's size is no multiple of `patch`.

    Example:
        >>> tfgen.Diffusion(diffusion_unet((28, 28, 1)), ema_momentum=0.999)
    """
    check_image_shape(shape)
    check_hidden_sizes([width, blocks, patch, *multiples])
    if width % 2:
        raise ValueError(f"`width` must be even. Received: width={width}.")
    if shape[0] % patch or shape[1] % patch:
        raise ValueError(
            f"The height and the width must be multiples of `patch`. Received: patch={patch} for "
            f"images {tuple(shape)}."
        )
    inputs, embedded = _inputs(shape, width, 4 * width, condition_size)
    build = _Builder(embedded, dropout)
    hidden = layers.Conv2D(width, max(patch, 3), strides=patch, padding="same")(inputs[0])
    seen = [hidden]
    for level, multiple in enumerate(multiples):
        if level:
            hidden = layers.Conv2D(hidden.shape[-1], 3, strides=2, padding="same")(hidden)
            seen.append(hidden)
        for _ in range(blocks):
            hidden = build.block(hidden, width * multiple)
            seen.append(hidden)
    hidden = build.block(hidden, hidden.shape[-1])
    hidden = build.block(build.attention(hidden), hidden.shape[-1])
    for level, multiple in reversed(list(enumerate(multiples))):
        for _ in range(blocks + 1):
            hidden = layers.Concatenate()([hidden, seen.pop()])
            hidden = build.block(hidden, width * multiple)
        if level:
            hidden = build.enlarged(hidden, seen[-1].shape)
    hidden = layers.Activation("silu")(_normalized(hidden))
    outputs = layers.Conv2DTranspose(
        shape[-1], max(patch, 3), strides=patch, padding="same", kernel_initializer="zeros"
    )(hidden)
    return keras.Model(inputs, outputs, name="denoiser")


class _Builder:
    """Builds the parts of a U-Net.

    Args:
        embedded: what all blocks are told of the level and the condition, `[batch, size]`.
        dropout: the share of features that a block leaves out in training.
    """

    def __init__(self, embedded, dropout):
        self._embedded = layers.Activation("silu")(embedded)
        self._dropout = dropout

    def block(self, inputs, channels):
        """Adds a residual block, whose second normalization the level scales and moves."""
        hidden = layers.Activation("silu")(_normalized(inputs))
        hidden = layers.Conv2D(channels, 3, padding="same")(hidden)
        scale, shift = (
            layers.Reshape((1, 1, channels))(layers.Dense(channels)(self._embedded))
            for _ in range(2)
        )
        normalized = _normalized(hidden)
        hidden = layers.Add()([normalized, layers.Multiply()([normalized, scale]), shift])
        hidden = layers.Activation("silu")(hidden)
        if self._dropout:
            hidden = layers.Dropout(self._dropout)(hidden)
        hidden = layers.Conv2D(channels, 3, padding="same", kernel_initializer="zeros")(hidden)
        if inputs.shape[-1] != channels:
            inputs = layers.Conv2D(channels, 1)(inputs)
        return layers.Add()([inputs, hidden])

    def attention(self, inputs):
        """Lets each place look at all others."""
        height, width, channels = inputs.shape[1:]
        places = layers.Reshape((height * width, channels))(_normalized(inputs))
        heads = max(channels // 64, 1)
        seen = layers.MultiHeadAttention(heads, channels // heads)(places, places)
        return layers.Add()([inputs, layers.Reshape((height, width, channels))(seen)])

    def enlarged(self, hidden, wanted):
        """Doubles maps, and cuts what is beyond the size of those of the way down."""
        hidden = layers.UpSampling2D(2)(hidden)
        beyond = [hidden.shape[axis] - wanted[axis] for axis in (1, 2)]
        hidden = layers.Cropping2D([(0, each) for each in beyond])(hidden)
        return layers.Conv2D(hidden.shape[-1], 3, padding="same")(hidden)


def _inputs(shape, features, size, condition_size):
    """Returns the inputs of a network, and its embedding of the level and the condition."""
    inputs = [keras.Input(shape, name="noisy"), keras.Input((), name="levels")]
    embedded = layers.Dense(size, "silu")(SinusoidalFeatures(features)(inputs[1]))
    embedded = layers.Dense(size)(embedded)
    if condition_size is not None:
        check_hidden_sizes([condition_size])
        inputs.append(keras.Input((condition_size,), name="conditions"))
        embedded = layers.Add()([embedded, layers.Dense(size, use_bias=False)(inputs[2])])
    return inputs, embedded


def _normalized(hidden):
    channels = hidden.shape[-1]
    groups = max(count for count in range(1, _GROUPS + 1) if channels % count == 0)
    return layers.GroupNormalization(groups, epsilon=1e-5)(hidden)
