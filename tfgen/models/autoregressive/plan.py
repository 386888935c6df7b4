"""What of a network can be computed when, while an image is drawn pixel by pixel."""

import dataclasses
import enum

import keras
import tensorflow as tf
from keras import layers

from tfgen.engine.keras_internals import Functional, nodes_in_order
from tfgen.engine.one_pass import treats_rows_alone
from tfgen.layers import CausalAttention, LeakyReLU, Positions
from tfgen.layers.causal import CausalLayer, Reach
from tfgen.layers.pixels import PixelLayer


class When(enum.IntEnum):
    """When values at a place are known; each is later than the one before."""

    ALWAYS = 0  # they depend on conditions only
    ROW = 1  # when the place's row begins: all of the row is then known
    PLACE = 2  # when the place is reached
    PIXEL = 3  # when the place's pixel has been drawn


# Of layers that treat each place of a map by itself.
_POINTWISE = {
    *(layers.Dense, layers.Activation, layers.ReLU, layers.ELU, layers.LeakyReLU, LeakyReLU),
    *(layers.Add, layers.Multiply, layers.Concatenate, layers.Rescaling),
    *(layers.LayerNormalization, Positions),
}

# When a causal layer's output is known: by when its input is, and how far it reaches.
_KNOWN = {
    (When.ROW, Reach.ABOVE): When.ROW,
    (When.ROW, Reach.EARLIER): When.ROW,
    (When.ROW, Reach.ITSELF): When.ROW,
    (When.ROW, Reach.ROW): When.ROW,
    (When.PLACE, Reach.ABOVE): When.ROW,
    (When.PLACE, Reach.EARLIER): When.PLACE,
    (When.PLACE, Reach.ITSELF): When.PLACE,
    (When.PIXEL, Reach.ABOVE): When.ROW,
    (When.PIXEL, Reach.EARLIER): When.PLACE,
    (When.PIXEL, Reach.ITSELF): When.PIXEL,
}


@dataclasses.dataclass(frozen=True)
class Call:
    """A call of a layer: what it takes, what it makes, and when.

    Args:
        node: Keras' node.
        taken: the numbers of the values that it takes, a tuple.
        made: the number of the value that it makes, which is also this call's.
        when: when that is known.
        shape: of that, `[None, height, width, channels]`, or `[None, size]`.
    """

    node: object
    taken: tuple
    made: int
    when: When
    shape: tuple

    @property
    def layer(self):
        return self.node.operation

    @property
    def kept(self):
        """What is kept of its inputs: pairs of a value's number and the zeros around its map."""
        if isinstance(self.layer, CausalLayer):
            return [(self.taken[0], self.layer.margins)]
        if isinstance(self.layer, CausalAttention):
            return [(number, ((0, 0), (0, 0))) for number in self.taken[1:]]
        return []


def plan_of(network):
    """Returns a network's calls in their order, or `None` where a layer is not known.

    Args:
        network: a built Keras model from images, or from images and conditions, to one output.

    Returns:
        A list of `Call`s, or `None`.
    """
    if type(network) not in (Functional, keras.Sequential):
        return None
    numbers = {id(each): number for number, each in enumerate(network.inputs)}
    known = [When.PIXEL, *[When.ALWAYS] * (len(network.inputs) - 1)]
    calls = []
    for node in nodes_in_order(network):
        taken = tuple(numbers[id(each)] for each in node.input_tensors)
        when = _when(node.operation, [known[each] for each in taken])
        if when is None or len(node.outputs) != 1 or not _fits(network, node, when):
            return None
        numbers[id(node.outputs[0])] = len(known)
        calls.append(Call(node, taken, len(known), when, tuple(node.outputs[0].shape)))
        known.append(when)
    return calls if known[numbers[id(network.outputs[0])]] <= When.PLACE else None


def _fits(network, node, when):
    """Returns whether a map has as large a share of the image's rows as of its columns."""
    shape, image = node.outputs[0].shape, network.inputs[0].shape
    if when == When.ALWAYS and (len(shape) < 4 or shape[1:3] == (1, 1)):
        return True
    (height, width), (rows, columns) = shape[1:3], image[1:3]
    return rows % height == columns % width == 0 and rows // height == columns // width


def _when(layer, inputs):
    """Returns when a layer's output is known, by when its inputs are; `None` of others."""
    latest = max(inputs)
    if latest == When.ALWAYS:
        return When.ALWAYS if treats_rows_alone(layer) else None
    if isinstance(layer, CausalLayer):
        return _KNOWN.get((latest, layer.reach)) if treats_rows_alone(layer) else None
    if type(layer) is CausalAttention:
        kept = inputs[0] <= When.PLACE and min(inputs[1:]) > When.ALWAYS
        return When.PLACE if kept else None
    return latest if _is_pointwise(layer) else None


def _is_pointwise(layer):
    if type(layer) is layers.Conv2D:
        return layer.kernel_size == layer.strides == (1, 1) and treats_rows_alone(layer)
    if type(layer) is layers.UpSampling2D:
        return layer.interpolation == "nearest"
    if type(layer) is layers.Dropout:
        return True  # which leaves out nothing here
    known = isinstance(layer, PixelLayer) or type(layer) in _POINTWISE
    axes = tf.nest.flatten(getattr(layer, "axis", -1))
    return known and treats_rows_alone(layer) and all(axis in (-1, 3) for axis in axes)
