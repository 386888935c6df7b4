"""Posteriors: how an encoder's outputs parametrize `q(z|x)`.

They compute in float32, whatever precision the encoder computes in.
"""

import abc
import dataclasses

import tensorflow as tf

from tfgen.distributions.normal import diagonal_normal
from tfgen.engine.serialization import Configured, serializable


class Posterior(Configured, abc.ABC):
    """How an encoder's outputs parametrize `q(z|x)`."""

    @abc.abstractmethod
    def distribution(self, *outputs):
        """Returns a TFP distribution with batch shape `[batch]` over vectors."""


@serializable
@dataclasses.dataclass(frozen=True)
class DiagonalNormal(Posterior):
    """`q(z|x) = N(location, diag(softplus(scale))^2)`, as in the lecture code.

    The encoder outputs two tensors `[batch, size]`: the location and the scale before softplus.

    Example:
        >>> DiagonalNormal().distribution(tf.zeros([1, 2]), tf.zeros([1, 2])).stddev()  # log 2
    """

    def distribution(self, location, scale):
        scale = tf.nn.softplus(tf.cast(scale, tf.float32))
        return diagonal_normal(tf.cast(location, tf.float32), scale)


@serializable
@dataclasses.dataclass(frozen=True)
class LogVarianceNormal(Posterior):
    """`q(z|x) = N(location, diag(exp(log_variance)))` (Kingma and Welling, 2014, appendix C.2).

    The encoder outputs two tensors `[batch, size]`: the location and the logarithm of the variance.

    Example:
        >>> LogVarianceNormal().distribution(tf.zeros([1, 2]), tf.zeros([1, 2])).stddev()  # 1
    """

    def distribution(self, location, log_variance):
        scale = tf.exp(0.5 * tf.cast(log_variance, tf.float32))
        return diagonal_normal(tf.cast(location, tf.float32), scale)
