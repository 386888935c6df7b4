"""Which networks treat every example by itself, so that two batches can pass as one.

One pass over both reads and moves a network's weights once where two do so twice. Where only batch
normalization looks at a whole batch, it normalizes each by itself within that pass.
"""

import keras
import tensorflow as tf
from keras import layers

from tfgen.engine.keras_internals import Functional, nodes_of, run_through

# None that draws or has a state: dropout's numbers and spectral normalization's vectors depend on
# what is passed together, and in what order.
_ROW_BY_ROW = {
    layers.InputLayer,
    *(layers.Dense, layers.Conv2D, layers.Conv2DTranspose, layers.SeparableConv2D),
    *(layers.ReLU, layers.LeakyReLU, layers.ELU, layers.PReLU, layers.Softmax, layers.Activation),
    *(layers.Flatten, layers.Reshape, layers.RepeatVector, layers.Rescaling),
    *(layers.Add, layers.Concatenate, layers.Dot, layers.Multiply),
    *(layers.ZeroPadding2D, layers.Cropping2D, layers.UpSampling2D),
    *(layers.MaxPooling2D, layers.AveragePooling2D),
    *(layers.GlobalMaxPooling2D, layers.GlobalAveragePooling2D),
    *(layers.LayerNormalization, layers.GroupNormalization),
}

_BATCH_BY_BATCH = {layers.BatchNormalization}


def row_by_row(layer):
    """Declares that a class of layers makes each row of its output of that row of its input.

    Example:
        >>> @row_by_row
        ... class Square(keras.layers.Layer):
        ...     def call(self, inputs):
        ...         return tf.square(inputs)
    """
    _ROW_BY_ROW.add(layer)
    return layer


def treats_rows_alone(network):
    """Tells whether a network is known to make each row of its output of that row of its input.

    Layers and functions that are not Keras' or tfgen's own are not known.

    Args:
        network: a Keras layer or model.
    """
    if type(network) is Functional:
        return all(treats_rows_alone(operation) for operation in network.operations)
    if type(network) is keras.Sequential:
        return all(treats_rows_alone(layer) for layer in network.layers)
    return type(network) in _ROW_BY_ROW and _is_plain(network)


def treats_batches_alone(network):
    """Tells whether a network is known to treat rows alone but for batch normalization.

    Not where the order of its updates would change, or what it is told differs: where one is called
    twice, or with arguments of its own.

    Args:
        network: a Keras layer or model.
    """
    if treats_rows_alone(network):
        return True
    if type(network) not in (Functional, keras.Sequential):
        return type(network) in _BATCH_BY_BATCH and _is_plain(network)
    nodes = nodes_of(network)
    called = [node.operation for node in nodes]
    return all(
        treats_rows_alone(node.operation)
        or treats_batches_alone(node.operation)
        and called.count(node.operation) == 1
        and all(value is None for value in node.arguments.kwargs.values())
        for node in nodes
    )


def on_both(network, first, second, training):
    """Returns a network's outputs for two batches, of one pass if it allows that.

    Args:
        network: a Keras model.
        first: what it takes, a structure of tensors `[batch, ...]`.
        second: another such; the batches may differ in size.
        training: whether layers behave as in training.

    Returns:
        A pair of the structures of tensors that `network` returns.
    """
    if not treats_batches_alone(network):
        return network(first, training=training), network(second, training=training)
    sizes = [tf.shape(tf.nest.flatten(each)[0])[0] for each in (first, second)]
    both = tf.nest.map_structure(_join, first, second)
    if treats_rows_alone(network):
        outputs = network(both, training=training)
    else:
        outputs = _pass_apart(network, both, sizes, training)
    halves = zip(*(tf.split(each, sizes) for each in tf.nest.flatten(outputs)), strict=True)
    return tuple(tf.nest.pack_sequence_as(outputs, half) for half in halves)


def _pass_apart(network, whole, sizes, training):
    """Passes batches that lie one after the other; keeps them apart where layers look at a batch.

    Args:
        network: batch normalization, or a model that has some.
        whole: what it takes, a structure of tensors `[sum(sizes), ...]`.
        sizes: those of the batches.
        training: whether layers behave as in training.
    """
    if type(network) in _BATCH_BY_BATCH:
        parts = tf.split(whole, sizes)
        return tf.concat([network(part, training=training) for part in parts], axis=0)

    def pass_layer(layer):
        if treats_rows_alone(layer):
            return layer  # with whatever arguments it was called
        # Keras notes a mask with the call, `None` here.
        return lambda whole, mask=None: _pass_apart(layer, whole, sizes, training)

    return run_through(network, whole, pass_layer)


def _is_plain(layer):
    axes = tf.nest.flatten(getattr(layer, "axis", -1))
    return (
        all(axis == -1 or axis > 0 for axis in axes)
        # Keras forgets the losses of a network's first call at its second.
        and layer.activity_regularizer is None
        and _is_known(getattr(layer, "activation", None))
    )


def _is_known(activation):
    if isinstance(activation, layers.Layer):
        return treats_rows_alone(activation)
    return activation is None or activation.__module__.startswith(("keras.", "tfgen."))


def _join(first, second):
    return tf.concat([tf.cast(first, second.dtype), second], axis=0)
