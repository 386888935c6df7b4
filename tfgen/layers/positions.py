"""Where a token or a patch is."""

import tensorflow as tf
from keras import layers

from tfgen.engine.one_pass import row_by_row
from tfgen.engine.serialization import serializable


@row_by_row
@serializable
class Positions(layers.Layer):
    """Adds a learnt vector to each of a sequence's vectors, by its place (Devlin et al., 2019).

    Attention alone does not see in which order vectors come. Maps work as well.

    Example:
        >>> Positions()(keras.layers.Embedding(100, 64)(tokens))  # [batch, length, 64]
    """

    def build(self, input_shape):
        self.vectors = self.add_weight(
            name="embeddings", shape=tuple(input_shape[1:]), initializer="random_normal"
        )

    def call(self, inputs):
        return inputs + self.vectors

    def of_part(self, values, row, column):
        """Returns the output of a part of maps, `[batch, rows, columns, channels]`.

        Args:
            values: of that part.
            row: its first row, an int32 scalar tensor.
            column: its first column.
        """
        part = tf.slice(self.vectors, [row, column, 0], values.shape[1:])
        return values + tf.cast(part, values.dtype)
