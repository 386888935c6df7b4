"""Layers that treat each pixel by itself."""

import tensorflow as tf
from keras import activations, layers

from tfgen.engine.one_pass import row_by_row
from tfgen.engine.serialization import Configured, serializable


class PixelLayer(Configured, layers.Layer):
    """A layer whose output at a place comes of that place alone."""


@row_by_row
@serializable
class OneHotLevels(PixelLayer):
    """Makes each value `k / (levels - 1)` as many as there are levels: the k-th is 1, others are 0.

    So it tells a network nothing of which levels are near: what numbers of codes need. A channel's
    values lie together.

    Args:
        levels: how many values there are, at least 2.
        **kwargs: what every Keras layer takes: `name`, `dtype`.

    Raises:
        ValueError: `levels` is less than 2.

    Example:
        >>> OneHotLevels(4)(keras.Input((28, 28, 3)))  # [batch, 28, 28, 12]
    """

    def __init__(self, levels, **kwargs):
        # Half precision does not tell the levels of many.
        super().__init__(autocast=False, **kwargs)
        if levels < 2:
            raise ValueError(f"`levels` must be at least 2. Received: levels={levels}.")
        self.levels = levels

    def call(self, images):
        numbers = tf.cast(tf.round(images * (self.levels - 1)), tf.int32)
        shape = tf.shape(images)
        hot = tf.one_hot(numbers, self.levels, dtype=self.compute_dtype)
        return tf.reshape(hot, tf.concat([shape[:-1], [images.shape[-1] * self.levels]], axis=0))

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], input_shape[-1] * self.levels)


@row_by_row
@serializable
class Gate(PixelLayer):
    """Multiplies one half of the features by the sigmoid of the other (van den Oord et al., 2016b).

    That paper, "Conditional image generation with PixelCNN decoders", takes the hyperbolic tangent
    of the first half (equation 2); Salimans et al., 2017, take it as it is.

    Args:
        activation: of the first half, as Keras names it; `None` for none.
        channels: the number of contiguous blocks that features come in, of which each has both
            halves.
        **kwargs: what every Keras layer takes: `name`, `dtype`.

    Example:
        >>> Gate("tanh")(keras.layers.Conv2D(64, 1)(maps))  # [batch, height, width, 32]
    """

    def __init__(self, activation=None, channels=1, **kwargs):
        super().__init__(**kwargs)
        self.activation = activations.get(activation)
        self.channels = channels

    def build(self, input_shape):
        if input_shape[-1] % (2 * self.channels):
            raise ValueError(
                f"Features in channels={self.channels} blocks of two halves must be a multiple of "
                f"{2 * self.channels}. Received: {input_shape[-1]} features."
            )

    def call(self, features):
        parts = tf.split(features, 2 * self.channels, axis=-1)
        first, second = (tf.concat(parts[half::2], axis=-1) for half in (0, 1))
        return self.activation(first) * tf.sigmoid(second)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], input_shape[-1] // 2)
