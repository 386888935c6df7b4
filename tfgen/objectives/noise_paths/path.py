"""What a noise path is, and how times in training are drawn otherwise."""

import abc
import dataclasses

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
