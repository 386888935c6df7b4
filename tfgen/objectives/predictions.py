"""What a diffusion's network predicts, as values: a mixture of the example and of the noise.

    y = c_x x + c_e e,   x_t = a x + s e

Two linear equations: with `x_t`, a prediction of any `y` tells both the example and the noise.
"""

import abc
import dataclasses

import tensorflow as tf

from tfgen.engine.serialization import Configured, serializable
from tfgen.utils.arguments import check_number


class Prediction(Configured, abc.ABC):
    """What a network predicts of a noisy example."""

    @abc.abstractmethod
    def shares(self, path, times):
        """Returns `c_x` and `c_e`, both shaped as `times`.

        Args:
            path: a `tfgen.noise_paths.NoisePath`.
            times: float32 `[...]`, from 0 to 1.
        """

    def input_scale(self, path, times):
        """Returns what the network's input is multiplied by, shaped as `times`."""
        return tf.ones_like(times)

    def solve(self, path, times, noisy, predicted):
        """Returns the example and the noise that a prediction tells.

            x = (c_e x_t - s y) / d,   e = (a y - c_x x_t) / d,   d = a c_e - s c_x

        Args:
            path: a `tfgen.noise_paths.NoisePath`.
            times: float32, which broadcasts with the examples.
            noisy: `x_t`, float32 `[batch, ...]`.
            predicted: `y`, shaped as `noisy`.
        """
        (scale, deviation), (of_data, of_noise) = path.scales(times), self.shares(path, times)
        determinant = scale * of_noise - deviation * of_data
        example = (of_noise * noisy - deviation * predicted) / determinant
        return example, (scale * predicted - of_data * noisy) / determinant


@serializable
@dataclasses.dataclass(frozen=True)
class Epsilon(Prediction):
    """The noise `e` (Ho et al., 2020, equation 14). Where only noise is left it tells nothing."""

    def shares(self, path, times):
        return tf.zeros_like(times), tf.ones_like(times)


@serializable
@dataclasses.dataclass(frozen=True)
class Example(Prediction):
    """The example `x` itself (Ho et al., 2020, section 3.2; the prior of DALL-E 2)."""

    def shares(self, path, times):
        return tf.ones_like(times), tf.zeros_like(times)


@serializable
@dataclasses.dataclass(frozen=True)
class V(Prediction):
    """`v = a e - s x` (Salimans and Ho, 2022, section 4): it tells enough at every time."""

    def shares(self, path, times):
        scale, deviation = path.scales(times)
        return -deviation, scale


@serializable
@dataclasses.dataclass(frozen=True)
class Velocity(Prediction):
    """The velocity `dx_t/dt = a' x + s' e`: flow matching (Lipman et al., 2023, equation 9)."""

    def shares(self, path, times):
        return path.rates(times)


@serializable
@dataclasses.dataclass(frozen=True)
class Preconditioned(Prediction):
    """EDM's prediction, whose target and whose network's input have about variance 1.

    Karras et al., 2022, table 1: `x = c_skip x_t + c_out y`, with the input `c_in x_t`.

    Args:
        data_deviation: of the values of examples, as the network sees them; positive.

    Raises:
        ValueError: it is not positive.
    """

    data_deviation: float = 0.5

    def __post_init__(self):
        check_number("data_deviation", self.data_deviation)
        if self.data_deviation <= 0:
            raise ValueError(
                "`data_deviation` must be positive. "
                f"Received: data_deviation={self.data_deviation}."
            )

    def shares(self, path, times):
        (scale, deviation), total = path.scales(times), self._total(path, times)
        return deviation / (self.data_deviation * total), -self.data_deviation * scale / total

    def input_scale(self, path, times):
        return 1.0 / self._total(path, times)

    def _total(self, path, times):
        """Returns the deviation of noisy examples."""
        scale, deviation = path.scales(times)
        return tf.sqrt((scale * self.data_deviation) ** 2 + deviation**2)


@serializable
@dataclasses.dataclass(frozen=True)
class Consistent(Preconditioned):
    """A consistency model's prediction: where the least noise is, what is seen is the example.

    Song et al., 2023, "Consistency models", equation 5 and appendix C: `x = c_skip x_t + c_out y`,
    with `c_skip = 1` and `c_out = 0` at the path's first time.

    Args:
        data_deviation: of the values of examples, as the network sees them; positive.
    """

    def shares(self, path, times):
        (scale, deviation), (skip, out) = path.scales(times), self._mixture(path, times)
        return (1.0 - skip * scale) / out, -skip * deviation / out

    def solve(self, path, times, noisy, predicted):
        skip, out = self._mixture(path, times)
        (scale, deviation), example = path.scales(times), skip * noisy + out * predicted
        return example, (noisy - scale * example) / deviation

    def _mixture(self, path, times):
        """Returns `c_skip` and `c_out`."""
        scale, deviation = path.scales(times)
        first_scale, least = path.scales(tf.constant(path.first, tf.float32))
        above = deviation - scale * least / first_scale
        square = self.data_deviation**2
        skip = square * scale / (above**2 + square * scale**2)
        return skip, self.data_deviation * above / self._total(path, times)
