"""Noise paths, as values: how an example becomes noise.

    x_t = a(t) x + s(t) e,   e ~ N(0, I)

Time runs from 0, the example, to 1, noise. Papers of flows count the other way, and take noise for
time 0; papers of diffusion count steps. One of your own is a dataclass that derives from
`NoisePath`.
"""

import abc
import dataclasses
import math

import tensorflow as tf
import tensorflow_probability as tfp

from tfgen.engine.serialization import Configured, serializable
from tfgen.utils.arguments import check_number

tfd = tfp.distributions


class NoisePath(Configured, abc.ABC):
    """How much is left of an example at each time, and how much noise there is."""

    first = 0.0  # the least time at which a network is asked
    begin = 1e-3  # the time at which the ways of examples begin: at 0 they are whole

    @abc.abstractmethod
    def scales(self, times):
        """Returns `a(t)` and `s(t)`, both shaped as `times`.

        Args:
            times: float32 `[...]`, from 0 to 1.
        """

    @abc.abstractmethod
    def rates(self, times):
        """Returns the derivatives `a'(t)` and `s'(t)`, both shaped as `times`."""

    def velocity(self, times, example, noise):
        """Returns `dx_t/dt = a' x + s' e`, shaped as the examples."""
        scale_rate, deviation_rate = self.rates(times)
        return scale_rate * example + deviation_rate * noise

    @abc.abstractmethod
    def time_at(self, ratio):
        """Returns the time at which noise and example have this ratio, `s(t) / a(t)`.

        Args:
            ratio: float32 `[...]`, positive.
        """

    def time_of(self, index, steps):
        """Returns the time after `index` of so many steps from noise to an example.

        Args:
            index: an integer or int32 tensor, from 0, for time 1, to `steps`, for time 0.
            steps: an integer or int32 tensor.
        """
        return 1.0 - tf.cast(index, tf.float32) / tf.cast(steps, tf.float32)

    def time_to(self, index, steps):
        """Returns a time of a way that ends at `begin`, and not at 0; see `time_of`."""
        return tf.maximum(self.time_of(index, steps), self.begin)

    def training_times(self):
        """Returns the distribution of the times that a network learns from."""
        return tfd.Uniform(self.first, 1.0)

    def levels(self, times):
        """Returns what a network is told of times, about 0 to 1."""
        return times


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


@serializable
@dataclasses.dataclass(frozen=True)
class LogitNormal(Configured):
    """Times in training near the middle of the way, where there is most to learn.

    Esser et al., 2024, equation 19: the logistic function of normal numbers.

    Args:
        mean: of the normal numbers.
        deviation: of the normal numbers, positive.

    Example:
        >>> tfgen.Diffusion(network, times=LogitNormal())
    """

    mean: float = 0.0
    deviation: float = 1.0

    def __post_init__(self):
        check_number("mean", self.mean)
        check_number("deviation", self.deviation)
        if self.deviation <= 0:
            raise ValueError(f"`deviation` must be positive. Received: deviation={self.deviation}.")

    def training_times(self):
        """Returns the distribution of the times that a network learns from."""
        return tfd.LogitNormal(self.mean, self.deviation)
