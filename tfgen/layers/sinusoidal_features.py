"""Waves of a number, by which a network can tell near values apart."""

import math

from keras import layers, ops

from tfgen.engine.one_pass import row_by_row
from tfgen.engine.serialization import Configured, serializable

_FASTEST, _SLOWEST = 1000.0, 0.1  # radians from 0 to 1


@row_by_row
@serializable
class SinusoidalFeatures(Configured, layers.Layer):
    """Cosines and sines of a number from 0 to 1, of frequencies from slow to fast.

    As positions in Vaswani et al., 2017, section 3.5, and steps of noise in Ho et al., 2020,
    appendix B: there are 1,000 steps, so that their fastest wave turns by 1 in a step.

    Args:
        size: how many features there are, even and at least 2.
        **kwargs: what every Keras layer takes: `name`, `dtype`.

    Raises:
        ValueError: `size` is odd, or less than 2.

    Example:
        >>> SinusoidalFeatures(64)(keras.Input(()))  # [batch, 64]
    """

    def __init__(self, size, **kwargs):
        # In float32 even under mixed precision: half precision does not tell 0.999 from 1.
        super().__init__(autocast=False, **kwargs)
        if size < 2 or size % 2:
            raise ValueError(f"`size` must be even and at least 2. Received: size={size}.")
        self.size = size

    def call(self, numbers):
        half = self.size // 2
        slower = math.log(_SLOWEST / _FASTEST) / max(half - 1, 1)
        frequencies = [_FASTEST * math.exp(slower * index) for index in range(half)]
        angles = ops.cast(numbers, "float32")[:, None] * ops.array(frequencies, "float32")
        return ops.cast(
            ops.concatenate([ops.cos(angles), ops.sin(angles)], axis=-1), self.compute_dtype
        )

    def compute_output_shape(self, input_shape):
        return (*input_shape, self.size)
