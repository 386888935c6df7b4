"""Where a token or a patch is."""

from keras import layers

from tfgen.engine.one_pass import row_by_row
from tfgen.engine.serialization import serializable


@row_by_row
@serializable
class Positions(layers.Layer):
    """Adds a learnt vector to each of a sequence's vectors, by its place (Devlin et al., 2019).

    Attention alone does not see in which order vectors come.

    Example:
        >>> Positions()(keras.layers.Embedding(100, 64)(tokens))  # [batch, length, 64]
    """

    def build(self, input_shape):
        self.vectors = self.add_weight(
            name="embeddings", shape=tuple(input_shape[1:]), initializer="random_normal"
        )

    def call(self, inputs):
        return inputs + self.vectors
