"""Units that learn their activation."""

from keras import layers, ops

from tfgen.engine.one_pass import row_by_row
from tfgen.engine.serialization import Configured, serializable


@row_by_row
@serializable
class Maxout(Configured, layers.Layer):
    """Keeps the largest of every few neighbouring features (Goodfellow et al., 2013, section 2).

    After a linear layer of `units * pieces` features this is the paper's hidden layer of `units`:
    each unit is a convex function, made of as many linear pieces.

    Args:
        pieces: how many features become one, at least 1.
        **kwargs: what every Keras layer takes: `name`, `dtype`.

    Raises:
        ValueError: `pieces` is not positive, or does not divide the number of features.

    Example:
        >>> Maxout(5)(keras.layers.Dense(200 * 5)(inputs))  # [batch, 200]
    """

    def __init__(self, pieces, **kwargs):
        super().__init__(**kwargs)
        if pieces < 1:
            raise ValueError(f"`pieces` must be at least 1. Received: pieces={pieces}.")
        self.pieces = pieces

    def build(self, input_shape):
        if input_shape[-1] % self.pieces:
            raise ValueError(
                f"The number of features must be a multiple of pieces={self.pieces}. "
                f"Received: {input_shape[-1]} features."
            )

    def call(self, features):
        *axes, size = ops.shape(features)
        return ops.max(ops.reshape(features, (*axes, size // self.pieces, self.pieces)), axis=-1)
