"""Bounds made of importance weights."""

import dataclasses
import math

import tensorflow as tf

from tfgen.engine.serialization import serializable
from tfgen.objectives.bounds.terms import Bound, check_counts, check_not_negative, progress
from tfgen.utils.arguments import check_number


@serializable
@dataclasses.dataclass(frozen=True)
class ImportanceWeighted(Bound):
    """`E log 1/k sum_i w_i`, `w_i = p(x, z_i) / q(z_i|x)` (Burda et al., 2016, equation 8).

    The bound rises with `k` towards `log p(x)`. For the encoder large `k` are a burden: the share
    of noise in its gradient grows (Rainforth et al., 2018). There are two ways out. One averages
    several bounds of fewer samples (MIWAE, the same paper, equation 12). The other takes the
    gradient through the latents alone, with the square of the normalized weights (Tucker et al.,
    2019, equation 8): its mean is the same, and its deviation is many times smaller.

    Args:
        samples: `k`, latents of each bound, at least 1.
        repeats: how many such bounds of each example are averaged, at least 1.
        doubly_reparametrized: whether the encoder's gradient is that of Tucker et al.
        warm_up: the number of training steps in which `p(z) / q(z|x)` gets its weight, as the
            exponent `beta` that rises in a line from 0 to 1; see `ELBO`.

    Example:
        >>> ImportanceWeighted(50)
        >>> ImportanceWeighted(8, repeats=8)  # MIWAE(8, 8)
    """

    samples: int = 5
    repeats: int = 1
    doubly_reparametrized: bool = False
    warm_up: int = 0

    def __post_init__(self):
        check_counts(self, "samples", "repeats")
        check_not_negative(self, "warm_up")

    @property
    def draws(self):
        return self.samples * self.repeats

    def value(self, terms, step):
        beta = progress(step, self.warm_up)
        if not self.doubly_reparametrized:
            return self._bound(terms.log_weights_of(terms.posterior, beta))
        log_weights = terms.log_weights_of(terms.fixed_posterior(), beta)
        shares = tf.stop_gradient(tf.nn.softmax(self._grouped(log_weights), axis=1))
        shares = tf.reshape(shares, tf.shape(log_weights))
        # The gradient reaches the decoder by the shares, and the encoder, behind the latents, by
        # their square: equation 8 at beta = 1, and by the same steps what holds before.
        terms.gradient.factor = 1 - beta * (1 - shares)
        descended = tf.reduce_sum(shares * log_weights, axis=0) / self.repeats
        return tf.stop_gradient(self._bound(log_weights) - descended) + descended

    def _bound(self, log_weights):
        sums = tf.reduce_logsumexp(self._grouped(log_weights), axis=1)
        return tf.reduce_mean(sums, axis=0) - math.log(self.samples)

    def _grouped(self, log_weights):
        """Returns the logarithms of weights as `[repeats, samples, batch]`."""
        return tf.reshape(log_weights, [self.repeats, self.samples, -1])


@serializable
@dataclasses.dataclass(frozen=True)
class Renyi(Bound):
    """`1 / (1 - alpha) log 1/k sum_i w_i^(1 - alpha)` (Li and Turner, 2016, equation 8).

    At `alpha = 0` it is the importance-weighted bound, and at 1, its limit, the evidence lower
    bound. With many samples it lies below `log p(x)` where `alpha` is above 0, and above it where
    `alpha` is below 0. With few samples it lies nearer to the evidence lower bound: too low for
    `alpha` below 1, too high above 1. With one sample every `alpha` gives that bound's estimate.

    Args:
        alpha: the order of Renyi's divergence, finite.
        samples: `k`, latents of each example, at least 1.

    Example:
        >>> Renyi(alpha=0.5, samples=5)
    """

    alpha: float = 0.5
    samples: int = 5

    def __post_init__(self):
        check_counts(self, "samples")
        check_number("alpha", self.alpha)

    def value(self, terms, step):
        if self.alpha == 1:
            return tf.reduce_mean(terms.log_weights, axis=0)
        power = 1 - self.alpha
        # From the weight whose power is largest, so that nothing cancels where powers are near 1.
        largest = (tf.reduce_max if power > 0 else tf.reduce_min)(terms.log_weights, axis=0)
        largest = tf.stop_gradient(largest)
        below = tf.reduce_mean(tf.math.expm1(power * (terms.log_weights - largest)), axis=0)
        return largest + tf.math.log1p(below) / power
