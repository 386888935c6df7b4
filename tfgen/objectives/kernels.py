"""Kernels, and how far two distributions are apart by them: the maximum mean discrepancy."""

import abc
import dataclasses

import tensorflow as tf

from tfgen.engine.graphs import requirement
from tfgen.engine.serialization import Configured, serializable
from tfgen.utils.arguments import check_number


class Kernel(Configured, abc.ABC):
    """How alike two vectors are, a positive definite function that is largest where they agree."""

    @abc.abstractmethod
    def __call__(self, squares, size):
        """Returns `k(x, y)`, shaped as `squares`.

        Args:
            squares: float32 `[...]`, the squared distances `|x - y|^2`.
            size: the number of values of a vector.
        """


@serializable
@dataclasses.dataclass(frozen=True)
class InverseMultiquadratics(Kernel):
    """A sum of inverse multiquadratics (Tolstikhin et al., 2018, section 4).

        k(x, y) = sum_s  s C / (s C + |x - y|^2),   C = 2 size variance

    The paper writes one, with `s = 1`; the sum over scales is that of its authors' program. `C` is
    the expected squared distance of two draws of `N(0, variance I)`. The tails are heavy, so that
    codes far from the prior still feel a gradient; those of a Gaussian kernel do not.

    Args:
        scales: the `s`, a sequence of positive numbers.
        variance: of a latent under the prior, positive.

    Raises:
        ValueError: there is no scale, or a number is not positive.

    Example:
        >>> InverseMultiquadratics((1.0,))(tf.constant([0.0, 6.0]), size=3)  # [1, 0.5]
    """

    scales: tuple = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
    variance: float = 1.0

    def __post_init__(self):
        if not self.scales:
            raise ValueError("`scales` must hold a number. Received: none.")
        for name, value in (
            *(("scales", each) for each in self.scales),
            ("variance", self.variance),
        ):
            check_number(name, value)
            if value <= 0:
                raise ValueError(f"`{name}` must be positive. Received: {name}={value}.")

    def __call__(self, squares, size):
        constants = [2.0 * size * self.variance * scale for scale in self.scales]
        return tf.add_n([constant / (constant + squares) for constant in constants])


def maximum_mean_discrepancy(first, second, kernel):
    """Estimates the squared maximum mean discrepancy of two distributions, without bias.

        MMD^2 = mean k(x_i, x_j) + mean k(y_i, y_j) - 2 mean k(x_i, y_l),   i != j

    (Gretton et al., 2012, equation 3). Its expectation is 0 where the distributions are the same:
    it may be below that.

    Args:
        first: float32 `[count, size]`, draws of one.
        second: float32 `[other count, size]`, of the other.
        kernel: a `Kernel`.

    Returns:
        A float32 scalar.

    Raises:
        ValueError: one has a single draw, which has no pair. In a graph it is a
            `tf.errors.InvalidArgumentError`; XLA drops the check, and the result is NaN.
    """
    size = first.shape[-1]
    checks = [_pairs_of(draws) for draws in (first, second)]
    with tf.control_dependencies([check for found in checks for check in found]):
        return (
            _mean_within(kernel(_squares(first, first), size))
            + _mean_within(kernel(_squares(second, second), size))
            - 2 * tf.reduce_mean(kernel(_squares(first, second), size))
        )


def _pairs_of(draws):
    count = tf.shape(draws)[0]
    message = "A discrepancy is one of pairs: a batch must have at least 2 examples."
    return requirement(count >= 2, message, count)


def _squares(first, second):
    """Returns all squared distances, `[count, other count]`."""
    # Not by products, whose rounding would be that of the vectors' squares.
    differences = first[:, tf.newaxis] - second
    return tf.reduce_sum(tf.square(differences), axis=-1)


def _mean_within(values):
    """Returns the mean of a square matrix but for its diagonal."""
    count = tf.cast(tf.shape(values)[0], values.dtype)
    within = tf.linalg.set_diag(values, tf.zeros_like(values[0]))
    return tf.reduce_sum(within) / (count * (count - 1))
