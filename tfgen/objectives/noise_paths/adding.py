"""Paths on which noise is added, and nothing taken away."""

import dataclasses
import math

import tensorflow as tf
import tensorflow_probability as tfp

from tfgen.engine.serialization import serializable
from tfgen.objectives.noise_paths.path import NoisePath
from tfgen.utils.arguments import check_number

tfd = tfp.distributions


@serializable
@dataclasses.dataclass(frozen=True)
class EDM(NoisePath):
    """The path of EDM: noise is added, and nothing taken away, `x_t = x + s(t) e`.

    Karras et al., 2022, table 1: time is proportional to the deviation of the noise, steps are
    spaced by its seventh root (equation 5), and the network learns from log-normal deviations.
    It goes with the prediction `Preconditioned`.

    Args:
        least: the least deviation before the last step, positive.
        largest: the deviation at time 1, above `least`.
        mean: of the deviation's logarithm in training.
        deviation: of the deviation's logarithm in training, positive.

    Raises:
        ValueError: a value is not positive, or they are in the wrong order.

    Example:
        >>> EDM().scales(tf.constant(0.5))  # 1.0, 40.0
    """

    least: float = 0.002
    largest: float = 80.0
    mean: float = -1.2
    deviation: float = 1.2

    _ROOT = 7.0  # `rho` of the paper

    def __post_init__(self):
        for field in dataclasses.fields(self):
            check_number(field.name, getattr(self, field.name))
        if not 0 < self.least < self.largest or self.deviation <= 0:
            raise ValueError(
                "`least` and `deviation` must be positive, and `least` below `largest`. Received: "
                f"least={self.least}, largest={self.largest}, deviation={self.deviation}."
            )

    @property
    def first(self):
        return self.least / self.largest

    def scales(self, times):
        return tf.ones_like(times), self.largest * times

    def rates(self, times):
        return tf.zeros_like(times), self.largest * tf.ones_like(times)

    def time_at(self, ratio):
        return ratio / self.largest

    def time_of(self, index, steps):
        index, steps = (tf.cast(each, tf.float32) for each in (index, steps))
        first, last = (each ** (1 / self._ROOT) for each in (self.largest, self.least))
        root = first + index / tf.maximum(steps - 1.0, 1.0) * (last - first)
        return tf.where(index < steps, (root / first) ** self._ROOT, 0.0)

    @property
    def begin(self):
        return self.first

    def time_to(self, index, steps):
        # A step less than to an example: `time_of` comes to the least noise with its last but one.
        return EDM.time_of(self, index, steps + 1)

    def training_times(self):
        return tfd.LogNormal(self.mean - math.log(self.largest), self.deviation)

    def levels(self, times):
        within = tf.math.log(tf.maximum(times, self.first) / self.first)
        return within / -math.log(self.first)


@serializable
@dataclasses.dataclass(frozen=True)
class FewSteps(EDM):
    """The path of EDM in a few steps, the last of which begins well above the least noise.

    EDM's own last step begins at the least noise, where there is nothing to add for a model that
    says the whole example at once. With two steps the second one begins at 2.5.

    Example:
        >>> 80 * FewSteps().time_of(1, 2)  # 2.5
    """

    def time_of(self, index, steps):
        return tf.where(index < steps, super().time_of(index, steps + 1), 0.0)
