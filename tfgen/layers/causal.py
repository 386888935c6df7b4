"""What layers have in common that see earlier places of a map only, and make each of a window.

Sampling then computes one place at a time: see `tfgen.models.autoregressive.passes`.
"""

import abc
import enum

import tensorflow as tf
from keras import layers


class Reach(enum.IntEnum):
    """How far a place sees: rows above its own always, and of its own row this much."""

    ABOVE = 0  # nothing
    EARLIER = 1  # the places to the left
    ITSELF = 2  # the places to the left, and the place itself
    ROW = 3  # all of it


class CausalLayer(layers.Layer, abc.ABC):
    """A layer whose output at a place is made of a window of its input.

    A subclass has `reach`, a `Reach`; `window`, the height and the width; `margins`, the zeros
    around the input, `((top, bottom), (left, right))`; and `strides`, down and to the right. It
    says in `of_windows` what a part of the padded input makes.
    """

    strides = (1, 1)

    def call(self, inputs, is_padded=False):
        """Returns the outputs of a map; or, of a part of one that is padded, of its windows."""
        if not is_padded:
            inputs = tf.pad(inputs, [(0, 0), *self.margins, (0, 0)])
        return self.of_windows(inputs)

    @abc.abstractmethod
    def of_windows(self, inputs):
        """Returns the outputs of all windows of a part of the padded input.

        Args:
            inputs: `[batch, height, width, channels]`, at least a window large.

        Returns:
            `[batch, height - window height + 1, ...]`, or, with strides, every so many of these.
        """
