"""Numbers of a value that a model keeps: the weights of a prior, the state of a constraint."""

import numpy as np
import tensorflow as tf


def add_named_weights(model, prefix, values, trainable):
    """Adds a weight to a model for each named value, which is what it begins with.

    Args:
        model: a Keras model, that is to save them.
        prefix: the beginning of their names.
        values: a dict from names to floats or arrays.
        trainable: whether an optimizer moves them.

    Returns:
        A dict from the same names to Keras variables, float32.
    """
    return {
        name: model.add_weight(
            name=f"{prefix}_{name}",
            shape=np.shape(value),
            dtype="float32",
            initializer=lambda shape, dtype, value=value: tf.cast(value, dtype),
            trainable=trainable,
            autocast=False,
        )
        for name, value in values.items()
    }
