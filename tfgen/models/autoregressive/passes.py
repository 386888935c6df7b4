"""A network's outputs at one place after the other, as sampling asks for them.

A plain pass computes all places to use one. But a place's outputs need little that is new: all else
was computed for places before. So each layer's input is kept, and at a place a layer sees a window
of it (Ramachandran et al., 2017, "Fast generation for convolutional autoregressive models"). What
depends on rows above only is computed a row at a time.
"""

import tensorflow as tf
from keras import layers

from tfgen.layers import CausalAttention, Positions
from tfgen.layers.causal import CausalLayer
from tfgen.models.autoregressive.maps import get, put
from tfgen.models.autoregressive.plan import When, plan_of


def passes_of(network, conditions, compiled=False):
    """Returns what computes a network's outputs place by place, as fast as its layers allow.

    Args:
        network: a built Keras model from images, or from images and conditions, to one output.
        conditions: what it takes besides the images, a list of vectors or images.
        compiled: whether XLA compiles this.
    """
    plan = plan_of(network)
    if plan is None:
        return PlainPasses(network, conditions)
    return CachedPasses(network, conditions, plan, compiled)


class PlainPasses:
    """A whole pass for each place, of any network.

    Args:
        network: see `passes_of`.
        conditions: see `passes_of`.
    """

    def __init__(self, network, conditions):
        self._network, self._conditions = network, conditions

    def whole(self, rows):
        """Returns the outputs at all places, `[batch, height, width, outputs]`.

        Args:
            rows: float32 `[batch, height, width, channels]`.
        """
        inputs = [rows, *self._conditions] if self._conditions else rows
        return tf.cast(self._network(inputs, training=False), tf.float32)

    def begin(self, rows):
        """Returns what is kept from place to place, a list of tensors, before the first."""
        return []

    def begin_row(self, kept, row):
        """Returns what is kept, and what is known in a row, a dict."""
        return kept, {}

    def outputs_at(self, kept, known, rows, row, column):
        """Returns the outputs at a place, `[batch, 1, 1, outputs]`, what is kept, what is known.

        Args:
            kept: what is kept.
            known: what is known in the row.
            rows: the images, as far as they were drawn.
            row: int32 scalar.
            column: int32 scalar.
        """
        return get(self.whole(rows), row, column), kept, known

    def end_place(self, kept, known, rows, row, column):
        """Returns what is kept once the pixel at a place, or a value of it, was drawn."""
        return kept


class CachedPasses(PlainPasses):
    """Passes that compute at each place what is new there, of networks of known layers.

    Args:
        network: see `passes_of`.
        conditions: see `passes_of`.
        plan: of the network, see `plan_of`.
        compiled: see `passes_of`.
    """

    def __init__(self, network, conditions, plan, compiled):
        super().__init__(network, conditions)
        self._plan, self._compiled = plan, compiled
        self._shapes = [tuple(each.shape) for each in network.inputs]
        self._shapes += [call.shape for call in plan]
        self._when = [When.PIXEL, *[When.ALWAYS] * len(conditions), *(call.when for call in plan)]
        output = network.outputs[0]
        self._output = next(call.made for call in plan if call.node.outputs[0] is output)
        self._kept = [
            (call.made, *each, call.layer.compute_dtype) for call in plan for each in call.kept
        ]
        self._always = self._visit(When.ALWAYS, dict(enumerate(conditions, 1)), None, None, None)

    def begin(self, rows):
        def empty(number, margins, dtype):
            height, width, channels = self._shapes[number][1:]
            (top, bottom), (left, right) = margins
            shape = [top + height + bottom, left + width + right, channels]
            maps = tf.zeros([tf.shape(rows)[0], *shape], dtype)
            return tf.ensure_shape(maps, [rows.shape[0], *shape])

        return [empty(*each) for _, *each in self._kept]

    def begin_row(self, kept, row):
        kept = list(kept)
        known = {number: self._row_of(number, value, row) for number, value in self._always.items()}
        return kept, self._visit(When.ROW, known, kept, row, tf.constant(0))

    def outputs_at(self, kept, known, rows, row, column):
        kept = list(kept)
        known = {number: self._here(number, value, column) for number, value in known.items()}
        known = self._visit(When.PLACE, known, kept, row, column)
        return tf.cast(known[self._output], tf.float32), kept, known

    def end_place(self, kept, known, rows, row, column):
        kept, known = list(kept), {**known, 0: get(rows, row, column)}
        self._keep(0, known[0], kept, row, column)
        self._visit(When.PIXEL, known, kept, row, column)
        return kept

    def _visit(self, when, known, kept, row, column):
        """Makes the calls whose time it is, and returns what is then known."""
        for call in self._plan:
            if call.when == when:
                known[call.made] = self._made(call, known, kept, row, column)
                if when != When.ALWAYS:
                    self._keep(call.made, known[call.made], kept, row, column)
        return known

    def _made(self, call, known, kept, row, column):
        if call.when == When.ALWAYS:
            return self._called(call, known)
        scale = self._scale(call.made)
        maps = [
            each for each, (made, *_) in zip(kept, self._kept, strict=True) if made == call.made
        ]
        if isinstance(call.layer, CausalLayer):
            window = self._window(call, *maps, row // scale, column // scale)
            return call.layer(window, is_padded=True)
        if isinstance(call.layer, CausalAttention):
            query = known[call.taken[0]]
            return call.layer.of_place(query, *maps, row // scale, column // scale)
        if isinstance(call.layer, Positions):
            return call.layer.of_part(known[call.taken[0]], row // scale, column // scale)
        if isinstance(call.layer, layers.UpSampling2D):
            wide = call.layer.size[1] if call.when == When.ROW else 1
            return tf.repeat(known[call.taken[0]], wide, axis=2)
        return self._called(call, known)

    def _called(self, call, known):
        """Returns what a layer makes of values as they are."""
        tensors = {
            id(tensor): known[number]
            for tensor, number in zip(call.node.input_tensors, call.taken, strict=True)
        }
        arguments, options = call.node.arguments.fill_in(tensors)
        return call.layer(*arguments, **options)

    def _window(self, call, maps, row, column):
        """Returns what a layer sees of its padded input, for a place or for a row."""
        height, width = call.layer.window
        down, right = call.layer.strides
        if call.when == When.ROW:
            return get(maps, row * down, 0, height, maps.shape[2])
        return get(maps, row * down, column * right, height, width)

    def _keep(self, number, value, kept, row, column):
        """Writes a value, of a place or of a row, where layers will see it."""
        for index, (_, taken, ((top, _), (left, _)), _) in enumerate(self._kept):
            if taken == number:
                scale = self._scale(number)
                place = row // scale + top, column // scale + left
                kept[index] = put(kept[index], value, *place, self._compiled)

    def _row_of(self, number, value, row):
        """Returns of a row what is always known: of vectors, all."""
        if len(value.shape) < 4 or value.shape[1] == 1:
            return value
        return get(value, row // self._scale(number), 0, 1, value.shape[2])

    def _here(self, number, value, column):
        """Returns at a place what is known of its row: of vectors, all."""
        if len(value.shape) < 4 or value.shape[2] == 1:
            return value
        return get(value, 0, column // self._scale(number))

    def _scale(self, number):
        """Returns how many rows of the image a row of a map stands for."""
        return self._shapes[0][1] // self._shapes[number][1]
