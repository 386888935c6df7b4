"""MADE's layer: some units hear some inputs."""

import numpy as np
import tensorflow as tf
from keras import layers

from tfgen.engine.one_pass import row_by_row
from tfgen.engine.serialization import serializable


@row_by_row
@serializable
class MaskedDense(layers.Dense):
    """A dense layer whose units hear inputs of no larger degree (Germain et al., 2015, MADE).

    With `strict` they hear those of a smaller degree, as outputs do (equations 8 and 9).

    Args:
        below: the degree of each input, integers.
        degrees: the degree of each unit, integers.
        strict: whether a unit's degree must be larger than an input's.
        **kwargs: what Keras' dense layer takes, but for its units.

    Raises:
        ValueError: there are not as many degrees as inputs.

    Example:
        >>> hidden = MaskedDense(range(1, 5), [1, 1, 2, 3])(keras.Input((4,)))
        >>> MaskedDense([1, 1, 2, 3], range(1, 5), strict=True)(hidden)  # each of those before it
    """

    def __init__(self, below, degrees, strict=False, **kwargs):
        super().__init__(len(degrees), **kwargs)
        self.below = [int(each) for each in below]
        self.degrees = [int(each) for each in degrees]
        self.strict = strict

    @property
    def mask(self):
        """1 where a unit hears an input, 0 elsewhere: an array `[inputs, units]`."""
        hears = np.less if self.strict else np.less_equal
        return hears.outer(self.below, self.degrees).astype(np.float32)

    def build(self, input_shape):
        if input_shape[-1] != len(self.below):
            raise ValueError(
                f"`below` has a degree for each input. Received: {len(self.below)} degrees for "
                f"{input_shape[-1]} inputs."
            )
        super().build(input_shape)

    def call(self, inputs):
        outputs = inputs @ (self.kernel * tf.cast(self.mask, self.compute_dtype))
        if self.use_bias:
            outputs += self.bias
        return outputs if self.activation is None else self.activation(outputs)

    def get_config(self):
        config = super().get_config()
        del config["units"]
        degrees = {"below": list(self.below), "degrees": list(self.degrees)}
        return {**config, **degrees, "strict": self.strict}
