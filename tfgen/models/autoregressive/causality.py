"""Whether a network sees earlier values only: looked at when a model is made."""

import keras
import numpy as np
import tensorflow as tf

from tfgen.engine.keras_internals import layers_of

_ROWS = 8  # values that are looked at, each in a pass's row
_JOINT = (
    " This likelihood ties a pixel's channels by itself: they must not see each other. Build the "
    "network with `colour_groups=False`."
)
_SPREAD = 0.1  # of what is added to weights: those that begin as 0 would hide what is seen


def check_causal(network, channels_in_order):
    """Raises a ValueError where a network's output depends on the value itself, or later ones.

    Values are changed from one on; the outputs up to it must stay. Weights are moved by chance for
    that, and not kept. Of large images some values are looked at, not all.

    Args:
        network: a built Keras model from images, or from images and conditions, to one output
            `[batch, height, width, outputs]`.
        channels_in_order: whether an output may see a pixel's earlier channels. Else it may see
            none of the pixel's.
    """
    _refuse_batch_normalization(network)
    random = np.random.default_rng(0)
    shape = tuple(_first(network.input_shape)[1:])
    values = np.prod(shape) if channels_in_order else np.prod(shape[:2])
    firsts = np.unique([0, 1, values - 1, *random.integers(0, values, _ROWS - 3)]) % values
    run = _shaken(network, random)
    images = random.random((len(firsts), *shape), np.float32)
    changed = images.reshape(len(firsts), values, -1).copy()
    for row, first in enumerate(firsts):
        changed[row, first:] = random.random(changed[row, first:].shape, np.float32)
    before, after = (
        np.asarray(run(each)).reshape(len(firsts), values, -1)
        for each in (images, changed.reshape(images.shape))
    )
    for row, first in enumerate(firsts):
        different = ~np.isclose(before[row], after[row], rtol=1e-4, atol=1e-5).all(axis=-1)
        if different[: first + 1].any():
            told = _told(network, shape, values, np.argmax(different), first)
            mend = "" if channels_in_order or shape[-1] == 1 else _JOINT
            raise ValueError(told + mend)


def _refuse_batch_normalization(network):
    """Raises a ValueError for a layer by which, in training, pixels see each other."""
    for layer in layers_of(network):
        if isinstance(layer, keras.layers.BatchNormalization):
            raise ValueError(
                "In training, batch normalization lets a pixel see later ones. "
                f"Received: {network.name!r}, with the layer {layer.name!r}. Leave it out, or take "
                "`LayerNormalization`."
            )


def _told(network, shape, values, output, first):
    def place(value):
        row, rest = divmod(value, values // shape[0])
        column, channel = divmod(rest, values // (shape[0] * shape[1]))
        told = f"row {row}, column {column}"
        return (
            f"{told}, channel {channel}" if values == np.prod(shape) > np.prod(shape[:2]) else told
        )

    return (
        f"The network must see earlier pixels only, row by row. Received: {network.name!r}, whose "
        f"output at {place(output)} changes with pixels from {place(first)} on. Layers of "
        "`tfgen.layers` see no later pixels, such as `MaskedConv2D`."
    )


def _shaken(network, random):
    """Returns the network as a function of images, with weights moved by chance."""

    def moved(variable):
        value = tf.convert_to_tensor(variable.value)
        if not value.dtype.is_floating:
            return value
        wide = _SPREAD / np.sqrt(np.prod(variable.shape[:-1]) + 1)
        return value + tf.cast(wide * random.normal(size=variable.shape), value.dtype)

    weights = [moved(each) for each in network.trainable_variables]
    state = [tf.convert_to_tensor(each.value) for each in network.non_trainable_variables]

    def run(images):
        inputs = [images, *(tf.zeros([len(images), *each[1:]]) for each in _others(network))]
        inputs = inputs if len(inputs) > 1 else images
        return network.stateless_call(weights, state, inputs, training=False)[0]

    return run


def _first(shape):
    return shape[0] if isinstance(shape, list) else shape


def _others(network):
    return network.input_shape[1:] if isinstance(network.input_shape, list) else []
