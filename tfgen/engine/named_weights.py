"""Numbers of a value that a model keeps: the weights of a prior, the state of a constraint."""

import numpy as np
import tensorflow as tf


def add_named_weights(model, prefix, values, trainable, kept=()):
    """Adds a weight to a model for each named value, which is what it begins with.

    Args:
        model: a Keras model, that is to save them.
        prefix: the beginning of their names.
        values: a dict from names to floats or arrays.
        trainable: whether an optimizer moves them.
        kept: the names of those that no optimizer moves.

    Returns:
        A dict from the same names to Keras variables, float32.
    """
    return {
        name: model.add_weight(
            name=f"{prefix}_{name}",
            shape=np.shape(value),
            dtype="float32",
            initializer=lambda shape, dtype, value=value: tf.cast(value, dtype),
            trainable=trainable and name not in kept,
            autocast=False,
        )
        for name, value in values.items()
    }


def assign_named(weights, values, owner):
    """Puts other values in the place of named weights.

    Args:
        weights: what `add_named_weights` returned.
        values: a dict from names to arrays.
        owner: whose weights they are, for the message.

    Raises:
        ValueError: there is none of such a name, or it has another shape; nothing then changes.
    """
    shapes = {name: list(weight.shape) for name, weight in weights.items()}
    for name, value in values.items():
        if shapes.get(name) != list(np.shape(value)):
            raise ValueError(
                f"{owner!r} has weights of these names and shapes: {shapes or 'none'}. "
                f"Received: {name} of {list(np.shape(value))}."
            )
    for name, value in values.items():
        weights[name].assign(value)
