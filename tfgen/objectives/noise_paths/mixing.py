"""Paths on which examples make room for noise."""

import dataclasses
import math

import tensorflow as tf

from tfgen.engine.serialization import serializable
from tfgen.objectives.noise_paths.path import NoisePath
from tfgen.utils.arguments import check_number


@serializable
@dataclasses.dataclass(frozen=True)
class Linear(NoisePath):
    """The straight path of flow matching and rectified flow: `x_t = (1 - t) x + t e`.

    Lipman et al., 2023, "Flow matching for generative modeling" (the optimal transport path of
    section 4.1, with no noise left at the end), and Liu et al., 2023, "Flow straight and fast",
    equation 1. Both count time from noise to data.

    Example:
        >>> Linear().scales(tf.constant(0.25))  # 0.75, 0.25
    """

    def scales(self, times):
        return 1.0 - times, times

    def rates(self, times):
        return -tf.ones_like(times), tf.ones_like(times)

    def time_at(self, ratio):
        return ratio / (1.0 + ratio)


@serializable
@dataclasses.dataclass(frozen=True)
class VariancePreserving(NoisePath):
    """The path of DDPM, with a linear schedule of noise, in continuous time.

        a(t) = exp(-1/2 int_0^t b(u) du),   s(t)^2 = 1 - a(t)^2,   b(u) = b_0 + (b_1 - b_0) u

    Ho et al., 2020, section 4, take 1,000 steps with variances from 0.0001 to 0.02. In continuous
    time these are `b_0 = 0.1` and `b_1 = 20` (Song et al., 2021, appendix C).

    Args:
        least: `b_0`, positive.
        largest: `b_1`, at least `least`.

    Raises:
        ValueError: a value is not positive, or they are in the wrong order.

    Example:
        >>> VariancePreserving().scales(tf.constant(1.0))  # 0.0066, 1.0
    """

    least: float = 0.1
    largest: float = 20.0

    first = 1e-3  # the first of DDPM's steps

    def __post_init__(self):
        for name in ("least", "largest"):
            check_number(name, getattr(self, name))
        if not 0 < self.least <= self.largest:
            raise ValueError(
                "`least` must be positive, and at most `largest`. "
                f"Received: least={self.least}, largest={self.largest}."
            )

    def scales(self, times):
        log_scale = -0.5 * times * (self.least + 0.5 * times * (self.largest - self.least))
        return tf.exp(log_scale), tf.sqrt(-tf.math.expm1(2 * log_scale))

    def rates(self, times):
        scale, deviation = self.scales(times)
        rate = self.least + times * (self.largest - self.least)
        return -0.5 * rate * scale, 0.5 * rate * scale**2 / deviation

    def time_at(self, ratio):
        # `int_0^t b(u) du = log(1 + ratio^2)` is a quadratic equation for the time.
        total = tf.math.log1p(ratio**2)
        root = tf.sqrt(self.least**2 + 2 * (self.largest - self.least) * total)
        return 2 * total / (self.least + root)


@serializable
@dataclasses.dataclass(frozen=True)
class Cosine(NoisePath):
    """The path of improved DDPM: `a(t) = f(t) / f(0)`, `f(t) = cos(pi/2 (t + o) / (1 + o))`.

    Nichol and Dhariwal, 2021, equation 17; `s(t)^2 = 1 - a(t)^2`. It adds noise more slowly than a
    linear schedule. As in the paper, a trace of the example is left at the end.

    Args:
        offset: `o`, not negative, which makes the first noise larger.

    Example:
        >>> Cosine().scales(tf.constant(0.5))  # 0.70, 0.71
    """

    offset: float = 0.008

    first = 1e-3
    _LAST = 0.999  # of the way to where nothing is left

    def __post_init__(self):
        check_number("offset", self.offset, least=0)

    def scales(self, times):
        first, moved = self._first_angle, self._speed * times
        # What is left to 1, without a difference of nearly equal numbers.
        square = tf.sin(moved) * tf.sin(moved + 2 * first)
        return tf.cos(first + moved) / math.cos(first), tf.sqrt(square) / math.cos(first)

    def rates(self, times):
        scale, deviation = self.scales(times)
        angle = self._first_angle + self._speed * times
        rate = -self._speed * tf.sin(angle) / math.cos(self._first_angle)
        return rate, -scale * rate / deviation

    def time_at(self, ratio):
        cosine = math.cos(self._first_angle) / tf.sqrt(1.0 + ratio**2)
        return (tf.acos(cosine) - self._first_angle) / self._speed

    @property
    def _first_angle(self):
        return 0.5 * math.pi * self.offset / (1.0 + self.offset)

    @property
    def _speed(self):
        return 0.5 * math.pi * self._LAST / (1.0 + self.offset)
