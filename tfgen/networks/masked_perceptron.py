"""MADE: an autoencoder whose masks leave each output what is before it."""

import numpy as np
from keras import layers

from tfgen.layers import MaskedDense
from tfgen.networks.causal import image_inputs, network_of, told
from tfgen.networks.shapes import check_hidden_sizes, check_image_shape


def made(
    shape,
    hidden_sizes=(500,),
    outputs=None,
    one_hot_levels=None,
    condition_size=None,
):
    """The masked autoencoder (Germain et al., 2015, "MADE", sections 3 and 4).

    An output sees all earlier pixels: those that no hidden unit passes on reach it directly
    (section 4.1). Degrees of hidden units are spread evenly, where the paper draws them.

    Args:
        shape: `(height, width, 1)` of a grey image of values from 0 to 1.
        hidden_sizes: the units of the hidden layers.
        outputs: the size of the output for each pixel; `None` for 1.
        one_hot_levels: the number of levels, of which each becomes a feature (of more than 32: a
            vector that is learnt); `None` for values.
        condition_size: the length of a condition's vector; `None` for a network without.

    Returns:
        A model from images `[batch, *shape]`, or from `[images, conditions]`, to
        `[batch, height, width, outputs]`.

    Raises:
        ValueError: a size is not positive, or the image is not grey.

    Example:
        >>> made((28, 28, 1))  # logits of black-or-white pixels
    """
    check_image_shape(shape)
    outputs = 1 if outputs is None else outputs
    check_hidden_sizes([*hidden_sizes, outputs])
    if shape[-1] != 1:
        raise ValueError(
            f"MADE is of grey images, (height, width, 1). Received: {tuple(shape)}. For colours "
            "take `pixel_cnn` or `gated_pixel_cnn`."
        )
    inputs, features, conditions = image_inputs(shape, one_hot_levels, condition_size)
    pixels = shape[0] * shape[1]
    degrees = np.arange(1, pixels + 1)
    of_inputs = np.repeat(degrees, features.shape[-1])
    of_outputs = np.repeat(degrees, outputs)
    flat = layers.Flatten()(features)
    hidden, below = flat, of_inputs
    for units in hidden_sizes:
        above = 1 + np.arange(units) * max(pixels - 1, 1) // units
        hidden = told(MaskedDense(below, above)(hidden), conditions)
        hidden, below = layers.Activation("relu")(hidden), above
    found = MaskedDense(below, of_outputs, strict=True)(hidden)
    direct = MaskedDense(of_inputs, of_outputs, strict=True, use_bias=False)(flat)
    whole = told(layers.Add()([found, direct]), conditions)
    return network_of(inputs, layers.Reshape((*shape[:2], outputs))(whole))
