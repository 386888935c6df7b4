"""PixelRNN's recurrent layers: LSTMs that go over an image by rows or by diagonals."""

import numpy as np
import tensorflow as tf
from keras import layers

from tfgen.engine.one_pass import row_by_row
from tfgen.engine.serialization import Configured, serializable
from tfgen.layers.causal_convolutions import causal_mask
from tfgen.layers.skew import skew, unskew


class PixelLSTM(Configured, layers.Layer):
    """An LSTM whose state is a line of places (van den Oord et al., 2016, equation 3).

    A subclass says in `call` which lines there are, and in `hear` what a line's places hear of the
    states of the line before.

    Args:
        filters: the size of a place's state.
        channels: the number of contiguous blocks of features, of which each hears of its own place
            the blocks up to itself.
        **kwargs: what every Keras layer takes: `name`, `dtype`.
    """

    columns = 1  # of the convolution of inputs
    neighbours = None  # how many places of the line before are heard

    def __init__(self, filters, channels=1, **kwargs):
        super().__init__(**kwargs)
        if channels < 1 or filters < 1 or filters % channels:
            raise ValueError(
                f"`filters` must be a multiple of channels={channels}, both at least 1. "
                f"Received: filters={filters}."
            )
        self.filters = filters
        self.channels = channels

    def build(self, input_shape):
        size = input_shape[-1]
        if size % self.channels:
            raise ValueError(
                f"The number of features that come in must be a multiple of "
                f"channels={self.channels}. Received: {size}."
            )
        mask = causal_mask((1, self.columns, size, self.filters), True, self.channels)
        self._mask = np.concatenate([mask] * 4, axis=-1)  # of each gate
        self.kernel = self.add_weight(name="kernel", shape=self._mask.shape)
        self.state_kernel = self.add_weight(
            name="state_kernel", shape=(self.neighbours * self.filters, 4 * self.filters)
        )
        self.bias = self.add_weight(name="bias", shape=(4 * self.filters,), initializer="zeros")

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.filters)

    def hear(self, states):
        """Returns what each place hears, `[batch, places, neighbours * filters]`."""
        raise NotImplementedError

    def of_inputs(self, maps):
        """Returns what maps add to the gates, `[batch, height, width, 4 * filters]`."""
        kernel = self.kernel * tf.cast(self._mask, self.compute_dtype)
        return tf.nn.conv2d(maps, kernel, 1, "SAME") + self.bias

    def scan(self, lines):
        """Goes over lines, one after the other.

        Args:
            lines: what inputs add to the gates, `[lines, batch, places, 4 * filters]`.

        Returns:
            The states, `[lines, batch, places, filters]`.
        """
        kernel = tf.cast(self.state_kernel, self.compute_dtype)

        def step(before, line):
            states, cells = before
            gates = line + tf.tensordot(self.hear(states), kernel, 1)
            output, forget, take, new = tf.split(gates, 4, axis=-1)
            cells = tf.sigmoid(forget) * cells + tf.sigmoid(take) * tf.tanh(new)
            return tf.sigmoid(output) * tf.tanh(cells), cells

        nothing = tf.zeros_like(lines[0, ..., : self.filters])
        return tf.scan(step, lines, (nothing, nothing))[0]


@row_by_row
@serializable
class RowLSTM(PixelLSTM):
    """Goes over rows from the top; a place hears three of the row above (section 3.1).

    So it sees a triangle above it. Of its own row it hears itself and the place on the left.

    Args:
        filters: the size of a place's state, a multiple of `channels`.
        channels: the number of contiguous blocks of features.
        **kwargs: what every Keras layer takes: `name`, `dtype`.

    Raises:
        ValueError: features do not divide into the channels.

    Example:
        >>> RowLSTM(16)(MaskedConv2D(32, 7, sees_itself=False)(images))
    """

    columns = 3
    neighbours = 3

    def hear(self, states):
        width = states.shape[1]
        padded = tf.pad(states, [[0, 0], [1, 1], [0, 0]])
        return tf.concat([padded[:, first : first + width] for first in range(3)], axis=-1)

    def call(self, maps):
        rows = tf.transpose(self.of_inputs(maps), [1, 0, 2, 3])
        return tf.transpose(self.scan(rows), [1, 0, 2, 3])


@row_by_row
@serializable
class DiagonalLSTM(PixelLSTM):
    """Goes over diagonals; a place hears its neighbours on the left and above (section 3.2).

    So it sees all rows above and its own, up to its column. With `backward` it goes from the right:
    it hears neighbours on the right and above, and its outputs move down by a row, since those of
    its own row have seen what comes later. A sum of both sees all that is earlier.

    Args:
        filters: the size of a place's state, a multiple of `channels`.
        channels: the number of contiguous blocks of features.
        backward: whether it begins on the right.
        **kwargs: what every Keras layer takes: `name`, `dtype`.

    Raises:
        ValueError: features do not divide into the channels.

    Example:
        >>> DiagonalLSTM(16)(features), DiagonalLSTM(16, backward=True)(features)
    """

    neighbours = 2

    def __init__(self, filters, channels=1, backward=False, **kwargs):
        super().__init__(filters, channels, **kwargs)
        self.backward = backward

    def hear(self, states):
        # Columns of skewed maps: the place above, of the column before, is one row up.
        above = tf.pad(states, [[0, 0], [1, 0], [0, 0]])[:, :-1]
        return tf.concat([above, states], axis=-1)

    def call(self, maps):
        if not self.backward:
            return self._forward(maps)
        outputs = self._forward(maps[:, :, ::-1])[:, :, ::-1]
        return tf.pad(outputs, [[0, 0], [1, 0], [0, 0], [0, 0]])[:, :-1]

    def _forward(self, maps):
        # Left of a row's first place all gates get 0, biases too, so that the state there stays 0.
        diagonals = tf.transpose(skew(self.of_inputs(maps)), [2, 0, 1, 3])
        states = self.scan(diagonals)
        return unskew(tf.transpose(states, [1, 2, 0, 3]))
