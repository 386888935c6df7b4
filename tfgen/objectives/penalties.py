"""Penalties and constraints that keep a discriminator smooth, as values.

A penalty is added to the discriminator's loss. It is called with the critic, real and fake
examples, tensors or structures of them such as pairs; one of your own is a dataclass with such a
`__call__`. A constraint holds after each step of the discriminator: see `Constraint`.
"""

import abc
import dataclasses

import tensorflow as tf

from tfgen.distributions import philox
from tfgen.engine import noise
from tfgen.engine.serialization import Configured, serializable
from tfgen.utils.arguments import check_number
from tfgen.utils.deprecation import renamed_arguments


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
    def __call__(self, critic, real, fake, noise_seed=(0, 0)):
        """Returns the penalty, a float32 scalar: the mean over the batch.

        Args:
            critic: a function from examples to logits `[batch, ...]`.
            real: float32 data `[batch, ...]`, or a structure of such tensors.
            fake: float32 samples, as `real`.
            noise_seed: int32 `[2]`, of the draws.
        """


class Constraint(Configured):
    """What holds for the discriminator after each of its steps, as a value.

    Called with a weight, it returns what that becomes: `WeightClipping` is one, and so is any
    function of a weight. A constraint may also have a state, such as the multiplier of Fisher GAN
    (Mroueh and Sercu, 2017): numbers that the model keeps, saves and resumes.

    Example:
        >>> class MeanNearZero(tfgen.penalties.Constraint):
        ...     def initial_state(self):
        ...         return {"multiplier": 0.0}
        ...
        ...     def loss(self, state, real_logits, fake_logits):
        ...         return state["multiplier"] * tf.reduce_mean(real_logits)
        ...
        ...     def next_state(self, state, real_logits, fake_logits):
        ...         return {"multiplier": state["multiplier"] + 0.1 * tf.reduce_mean(real_logits)}
    """

    def __call__(self, weight):
        """Returns what a weight of the discriminator becomes after a step: here, itself."""
        return weight

    def initial_state(self):
        """Returns the state before training, a dict of floats or arrays; empty for none."""
        return {}

    def loss(self, state, real_logits, fake_logits):
        """Returns what is added to the discriminator's loss, a scalar.

        Args:
            state: the state's float32 tensors, by name.
            real_logits: float32 `[batch, ...]`, the discriminator's outputs for data.
            fake_logits: float32 `[batch, ...]`, its outputs for samples.
        """
        return 0.0

    def next_state(self, state, real_logits, fake_logits):
        """Returns the state after a step, a dict as `state`; arguments as `loss` has them.

        Replicas' states are averaged: the result should be linear in means over the batch.
        """
        return state


@serializable
@dataclasses.dataclass(frozen=True)
class GradientPenalty(Penalty):
    """Gradients of norm 1 between data and samples (Gulrajani et al., 2017, equation 3).

        weight E[(||grad D(x_hat)|| - 1)^2],    x_hat = e x + (1 - e) G(z),    e ~ U(0, 1)

    with one `e` per example. The critic should have no batch normalization: the gradient is meant
    to be that of one output by its own input.

    Example:
        >>> GradientPenalty(10.0)(critic, real, fake, noise_seed=(0, 1))
    """

    @renamed_arguments(seed="noise_seed")
    def __call__(self, critic, real, fake, noise_seed=(0, 0)):
        share = _uniform_per_example(real, noise_seed)
        between = tf.nest.map_structure(
            lambda real, fake: _like(share, real) * real + (1 - _like(share, real)) * fake,
            real,
            fake,
        )
        norms = gradient_norms(critic, between)
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
        >>> Dragan(10.0)(critic, real, fake, noise_seed=(0, 1))
    """

    spread: float = 0.5

    def __post_init__(self):
        super().__post_init__()
        if not self.spread > 0:
            raise ValueError(f"`spread` must be positive. Received: spread={self.spread}.")

    @renamed_arguments(seed="noise_seed")
    def __call__(self, critic, real, fake, noise_seed=(0, 0)):
        share = _uniform_per_example(real, noise_seed)
        seeds = [
            tf.random.fold_in(noise_seed, 1 + index) for index in range(len(tf.nest.flatten(real)))
        ]

        def near(real, noise_seed):
            uniform = philox.Uniform(tf.zeros_like(real), 1.0)
            noises = noise.sample(uniform, 1, noise_seed)[0]
            return real + _like(share, real) * self.spread * global_deviation(real) * noises

        around = tf.nest.map_structure(near, real, tf.nest.pack_sequence_as(real, seeds))
        return self.weight * tf.reduce_mean(tf.square(gradient_norms(critic, around) - 1))


@serializable
@dataclasses.dataclass(frozen=True)
class RealGradient(Penalty):
    """R1: flat at the data (Mescheder et al., 2018, equation 9).

        weight/2 E_x[||grad D(x)||^2]

    Example:
        >>> RealGradient(10.0)(critic, real, fake)
    """

    @renamed_arguments(seed="noise_seed")
    def __call__(self, critic, real, fake, noise_seed=(0, 0)):
        return 0.5 * self.weight * tf.reduce_mean(_squared_gradient_norms(critic, real))


@serializable
@dataclasses.dataclass(frozen=True)
class WeightClipping(Constraint):
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
        return tf.clip_by_value(weight, -self.limit, self.limit)


@serializable
@dataclasses.dataclass(frozen=True)
class FisherConstraint(Constraint):
    """Keeps the critic's second moment near 1 (Mroueh and Sercu, 2017, algorithm 1).

        Omega = 1/2 E_x[f(x)^2] + 1/2 E_z[f(G(z))^2]
        f ascends      E_x[f(x)] - E_z[f(G(z))] + lambda (1 - Omega) - rho/2 (1 - Omega)^2
        lambda         <- lambda - rho (1 - Omega)

    With `tfgen.games.Wasserstein()` that is Fisher GAN: no weight is clipped, and no gradient is
    taken twice. The multiplier `lambda` is saved and resumed with the model.

    Args:
        rho: the weight of the square, and the rate of the multiplier, positive.

    Raises:
        ValueError: `rho` is not positive.

    Example:
        >>> tfgen.GAN(generator, critic, prior, Wasserstein(), constraint=FisherConstraint())
    """

    rho: float = 1e-6

    def __post_init__(self):
        check_number("rho", self.rho)
        if self.rho <= 0:
            raise ValueError(f"`rho` must be positive. Received: rho={self.rho}.")

    def initial_state(self):
        return {"multiplier": 0.0}

    def loss(self, state, real_logits, fake_logits):
        missing = 1.0 - global_mean(self._moment(real_logits, fake_logits))
        return -state["multiplier"] * missing + 0.5 * self.rho * tf.square(missing)

    def next_state(self, state, real_logits, fake_logits):
        missing = 1.0 - self._moment(real_logits, fake_logits)
        return {"multiplier": state["multiplier"] - self.rho * missing}

    def _moment(self, real_logits, fake_logits):
        """Returns `Omega` of this replica's share of a batch, a scalar."""
        squares = (tf.reduce_mean(tf.square(each)) for each in (real_logits, fake_logits))
        return 0.5 * tf.add_n(list(squares))


def gradient_norms(critic, examples):
    """Returns `||grad D(x)||` of each example, `[batch]`; it can be differentiated again.

    Of a structure of tensors it is the norm of all their gradients together.
    """
    # The root has no derivative at 0, where a dead critic's gradient is.
    return tf.sqrt(_squared_gradient_norms(critic, examples) + 1e-12)


def _squared_gradient_norms(critic, examples):
    with tf.GradientTape() as tape:
        tape.watch(examples)
        # Over the batch the sum: an example's gradient is that of its own output.
        total = tf.reduce_sum(tf.cast(critic(examples), tf.float32))
    squares = []
    for gradient in tf.nest.flatten(tape.gradient(total, examples)):
        gradient = tf.cast(gradient, tf.float32)
        squares.append(tf.reduce_sum(tf.square(gradient), axis=range(1, len(gradient.shape))))
    return squares[0] if len(squares) == 1 else tf.add_n(squares)


def global_deviation(examples):
    """Returns the standard deviation of all values of the global batch, a scalar."""
    return tf.sqrt(global_mean(tf.square(examples - global_mean(examples))))


def global_mean(values):
    """Returns the mean of all values of the global batch, a scalar."""
    mean = tf.reduce_mean(values)
    context = tf.distribute.get_replica_context()
    if context is not None and context.num_replicas_in_sync > 1:
        mean = context.all_reduce(tf.distribute.ReduceOp.MEAN, mean)
    return mean


def _uniform_per_example(examples, noise_seed):
    """Draws one number per example, `[batch, 1, ...]`, of the first tensor's rank."""
    first = tf.nest.flatten(examples)[0]
    shape = [tf.shape(first)[0]] + [1] * (len(first.shape) - 1)
    return noise.sample(philox.Uniform(tf.zeros(shape), 1.0), 1, noise_seed)[0]


def _like(share, examples):
    """Returns numbers per example in the rank of other tensors."""
    if len(share.shape) == len(examples.shape):
        return share
    return tf.reshape(share, [-1] + [1] * (len(examples.shape) - 1))
