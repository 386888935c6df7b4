"""Penalties and constraints that keep a discriminator smooth, as values.

A penalty is added to the discriminator's loss. It is called with the critic, real and fake
examples; one of your own is a serializable dataclass with such a `__call__`.
"""

import abc
import dataclasses

import tensorflow as tf

from tfgen.distributions import philox
from tfgen.engine import noise
from tfgen.engine.serialization import Configured, serializable


@dataclasses.dataclass(frozen=True)
class Penalty(Configured, abc.ABC):
    """What is added to the discriminator's loss.

    Args:
        weight: its factor, at least 0.

    Raises:
        ValueError: `weight` is negative.
    """

    weight: float = 10.0

    def __post_init__(self):
        if not self.weight >= 0:
            raise ValueError(f"`weight` must be at least 0. Received: weight={self.weight}.")

    @abc.abstractmethod
    def __call__(self, critic, real, fake, seed=(0, 0)):
        """Returns the penalty, a float32 scalar: the mean over the batch.

        Args:
            critic: a function from examples to logits `[batch, ...]`.
            real: float32 data `[batch, ...]`.
            fake: float32 samples `[batch, ...]`.
            seed: int32 `[2]`, of the draws.
        """


@serializable
@dataclasses.dataclass(frozen=True)
class GradientPenalty(Penalty):
    """Gradients of norm 1 between data and samples (Gulrajani et al., 2017, equation 3).

        weight E[(||grad D(x_hat)|| - 1)^2],    x_hat = e x + (1 - e) G(z),    e ~ U(0, 1)

    with one `e` per example. The critic should have no batch normalization: the gradient is meant
    to be that of one output by its own input.

    Example:
        >>> GradientPenalty(10.0)(critic, real, fake, seed=(0, 1))
    """

    def __call__(self, critic, real, fake, seed=(0, 0)):
        share = _uniform_per_example(real, seed)
        norms = gradient_norms(critic, share * real + (1 - share) * fake)
        return self.weight * tf.reduce_mean(tf.square(norms - 1))


@serializable
@dataclasses.dataclass(frozen=True)
class Dragan(Penalty):
    """Gradients of norm 1 around the data (Kodali et al., 2017, equation 1 and algorithm 1).

        weight E[(||grad D(x + d)|| - 1)^2]

    The paper's `d` is normal; its authors' code, whose way this is, goes a share `e ~ U(0, 1)`, one
    per example, towards `x + spread std(x) u`, `u ~ U(0, 1)` per value, where `std(x)` is the
    batch's standard deviation over all values.

    Args:
        weight: see `Penalty`.
        spread: the size of the noise, in standard deviations of the data, positive.

    Raises:
        ValueError: `weight` is negative, or `spread` is not positive.

    Example:
        >>> Dragan(10.0)(critic, real, fake, seed=(0, 1))
    """

    spread: float = 0.5

    def __post_init__(self):
        super().__post_init__()
        if not self.spread > 0:
            raise ValueError(f"`spread` must be positive. Received: spread={self.spread}.")

    def __call__(self, critic, real, fake, seed=(0, 0)):
        uniform = philox.Uniform(tf.zeros_like(real), 1.0)
        noises = noise.sample(uniform, 1, tf.random.fold_in(seed, 1))[0]
        share = _uniform_per_example(real, seed)
        near = real + share * self.spread * global_deviation(real) * noises
        return self.weight * tf.reduce_mean(tf.square(gradient_norms(critic, near) - 1))


@serializable
@dataclasses.dataclass(frozen=True)
class RealGradient(Penalty):
    """R1: flat at the data (Mescheder et al., 2018, equation 9).

        weight/2 E_x[||grad D(x)||^2]

    Example:
        >>> RealGradient(10.0)(critic, real, fake)
    """

    def __call__(self, critic, real, fake, seed=(0, 0)):
        return 0.5 * self.weight * tf.reduce_mean(_squared_gradient_norms(critic, real))


@serializable
@dataclasses.dataclass(frozen=True)
class WeightClipping(Configured):
    """Keeps every weight of the critic in a box after each step (Arjovsky et al., 2017).

    No penalty but a constraint: the `constraint` of a `tfgen.GAN`.

    Args:
        limit: the largest absolute value, positive; the paper's `c`.

    Raises:
        ValueError: `limit` is not positive.

    Example:
        >>> tfgen.GAN(generator, critic, prior, Wasserstein(), constraint=WeightClipping(0.01))
    """

    limit: float = 0.01

    def __post_init__(self):
        if not self.limit > 0:
            raise ValueError(f"`limit` must be positive. Received: limit={self.limit}.")

    def __call__(self, weight):
        """Returns the weight that a step's result becomes."""
        return tf.clip_by_value(weight, -self.limit, self.limit)


def gradient_norms(critic, examples):
    """Returns `||grad D(x)||` of each example, `[batch]`; it can be differentiated again."""
    # The root has no derivative at 0, where a dead critic's gradient is.
    return tf.sqrt(_squared_gradient_norms(critic, examples) + 1e-12)


def _squared_gradient_norms(critic, examples):
    with tf.GradientTape() as tape:
        tape.watch(examples)
        # Over the batch the sum: an example's gradient is that of its own output.
        total = tf.reduce_sum(tf.cast(critic(examples), tf.float32))
    gradient = tf.cast(tape.gradient(total, examples), tf.float32)
    return tf.reduce_sum(tf.square(gradient), axis=range(1, len(examples.shape)))


def global_deviation(examples):
    """Returns the standard deviation of all values of the global batch, a scalar."""
    return tf.sqrt(_global_mean(tf.square(examples - _global_mean(examples))))


def _global_mean(values):
    mean = tf.reduce_mean(values)
    context = tf.distribute.get_replica_context()
    if context is not None and context.num_replicas_in_sync > 1:
        mean = context.all_reduce(tf.distribute.ReduceOp.MEAN, mean)
    return mean


def _uniform_per_example(examples, seed):
    """Draws one number per example, `[batch, 1, ...]`."""
    shape = [tf.shape(examples)[0]] + [1] * (len(examples.shape) - 1)
    return noise.sample(philox.Uniform(tf.zeros(shape), 1.0), 1, seed)[0]
