"""Attention to what came earlier."""

import numpy as np
import tensorflow as tf
from keras import layers

from tfgen.engine.one_pass import row_by_row
from tfgen.engine.serialization import Configured, serializable


@row_by_row
@serializable
class CausalAttention(Configured, layers.Layer):
    """Lets each place look at all strictly earlier ones, in raster order (Chen et al., 2018).

    "PixelSNAIL: an improved autoregressive generative model", section 2.2. It has no weights: it
    takes maps of queries, of keys and of values, which convolutions of size 1 make. Keys and values
    may be of the pixels themselves, as a place does not look at itself. Queries may not be: they
    belong to the place that looks. The first place has nothing to look at, and gets zeros.

    Args:
        heads: how many parts the features of queries, keys and values divide into, each with
            weights of its own.
        **kwargs: what every Keras layer takes: `name`, `dtype`.

    Raises:
        ValueError: the features do not divide into heads, or those of queries and keys differ.

    Example:
        >>> CausalAttention(heads=4)([queries, keys, values])  # [batch, height, width, features]
    """

    def __init__(self, heads=1, **kwargs):
        super().__init__(**kwargs)
        self.heads = heads

    def build(self, input_shape):
        queries, keys, values = (shape[-1] for shape in input_shape)
        if queries != keys or self.heads < 1 or queries % self.heads or values % self.heads:
            raise ValueError(
                f"Queries and keys need as many features, all a multiple of heads={self.heads}. "
                f"Received: {queries} of queries, {keys} of keys and {values} of values."
            )

    def call(self, inputs):
        queries, keys, values = inputs
        height, width = queries.shape[1:3]
        places = np.arange(height * width)
        earlier = places[np.newaxis] < places[:, np.newaxis]
        outputs = self._attend(queries, keys, values, tf.constant(earlier))
        return tf.reshape(outputs, [-1, height, width, values.shape[-1]])

    def of_place(self, query, keys, values, row, column):
        """Returns the output at one place, `[batch, 1, 1, features]`.

        Args:
            query: of that place, `[batch, 1, 1, features]`.
            keys: maps of keys; what is not earlier may be anything finite.
            values: such maps of values.
            row: the place's, an int32 scalar tensor.
            column: the place's.
        """
        height, width = keys.shape[1:3]
        earlier = tf.range(height * width)[tf.newaxis] < row * width + column
        return self._attend(query, keys, values, earlier)[:, tf.newaxis]

    def compute_output_shape(self, input_shape):
        return input_shape[2]

    def _attend(self, queries, keys, values, earlier):
        """Returns what places see, `[batch, places, features]`.

        Args:
            queries: maps of the places that look.
            keys: maps of those that they look at.
            values: such maps.
            earlier: booleans `[places that look, places]`.
        """
        queries, keys, values = (self._split(each) for each in (queries, keys, values))
        scale = queries.shape[-1] ** -0.5
        # What is not to be seen has no weight whatever it is, and no row is without a maximum.
        scores = tf.cast(tf.einsum("bqhd,bkhd->bhqk", queries, keys), tf.float32) * scale
        weights = tf.nn.softmax(tf.where(earlier, scores, tf.float32.min))
        weights = tf.cast(tf.where(earlier, weights, 0.0), values.dtype)
        seen = tf.einsum("bhqk,bkhd->bqhd", weights, values)
        return tf.reshape(seen, [-1, queries.shape[1], self.heads * values.shape[-1]])

    def _split(self, maps):
        height, width, features = maps.shape[1:]
        return tf.reshape(maps, [-1, height * width, self.heads, features // self.heads])
