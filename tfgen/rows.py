"""Which networks treat every example by itself, so that several batches can pass as one.

One pass over both batches reads and moves a network's weights once where two do so twice.
"""

import keras
import tensorflow as tf
from keras import layers

# A private name of Keras, whose public one, `keras.Model`, is that of its subclasses too.
from keras.src.models.functional import Functional

from tfgen.layers import ImageConv2D, ImageConv2DTranspose, Maxout, ReflectionPadding2D

# None with a state: batch normalization's statistics, dropout's draws and spectral normalization's
# vectors depend on what is passed together, and in what order.
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
    *(ImageConv2D, ImageConv2DTranspose, Maxout, ReflectionPadding2D),
}


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
    return (
        type(network) in _ROW_BY_ROW
        and getattr(network, "axis", None) != 0
        # Keras forgets the losses of a network's first call at its second.
        and network.activity_regularizer is None
        and _is_known(getattr(network, "activation", None))
    )


def on_both(function, network, first, second):
    """Returns `function(first)` and `function(second)`, of one pass if the network allows it.

    Args:
        function: from a structure of tensors to a tensor `[batch, ...]`, by calling the network.
        network: the network.
        first: a structure of tensors `[batch, ...]`.
        second: another such.
    """
    if not treats_rows_alone(network):
        return function(first), function(second)
    sizes = [tf.shape(tf.nest.flatten(each)[0])[0] for each in (first, second)]
    return tf.split(function(tf.nest.map_structure(_join, first, second)), sizes)


def _is_known(activation):
    if isinstance(activation, layers.Layer):
        return treats_rows_alone(activation)
    return activation is None or activation.__module__.startswith(("keras.", "tfgen."))


def _join(first, second):
    return tf.concat([tf.cast(first, second.dtype), second], axis=0)
