"""Bounds that weigh the divergence of the posterior from the prior."""

import dataclasses

import tensorflow as tf

from tfgen.engine.replicas import global_mean
from tfgen.engine.serialization import serializable
from tfgen.objectives.bounds.terms import Bound, check_not_negative, progress


@serializable
@dataclasses.dataclass(frozen=True)
class ELBO(Bound):
    """`E_q[log p(x|z)] - beta KL(q(z|x) || p(z))`.

    `beta = 1` is the evidence lower bound (Kingma and Welling, 2014, equation 3); a larger one
    presses harder for disentangled latents (Higgins et al., 2017, equation 4).

    Args:
        beta: the weight of the divergence, at least 0.
        warm_up: the number of training steps in which the weight rises in a line from 0 to `beta`
            (Sonderby et al., 2016, section 2.3). Without it many latents are given up before the
            decoder has learnt to use them. At 0 the weight is `beta` throughout.

    Example:
        >>> tfgen.VAE(encoder, decoder, prior, posterior, likelihood, bound=ELBO(beta=4.0))
    """

    beta: float = 1.0
    warm_up: int = 0

    def __post_init__(self):
        check_not_negative(self, "beta", "warm_up")

    def value(self, terms, step):
        weight = self.beta * progress(step, self.warm_up)
        return tf.reduce_mean(terms.log_likelihood, axis=0) - weight * terms.divergence


@serializable
@dataclasses.dataclass(frozen=True)
class Capacity(Bound):
    """`E_q[log p(x|z)] - gamma |KL(q(z|x) || p(z)) - C|` (Burgess et al., 2018, equation 8).

    The divergence, averaged over the batch, is held at `C` nats, the capacity of the latents. It
    rises while the model learns, so that one factor of the data after the other finds a latent.

    Args:
        gamma: the weight of the distance, at least 0; the paper's is 1000.
        capacity: `C` in the end, in nats, at least 0; the paper's is 25.
        warm_up: the number of training steps in which `C` rises in a line from 0.

    Example:
        >>> Capacity(gamma=1000.0, capacity=25.0, warm_up=100_000)
    """

    gamma: float = 1000.0
    capacity: float = 25.0
    warm_up: int = 0

    def __post_init__(self):
        check_not_negative(self, "gamma", "capacity", "warm_up")

    def value(self, terms, step):
        capacity = self.capacity * progress(step, self.warm_up)
        distance = tf.abs(global_mean(terms.divergence) - capacity)
        return tf.reduce_mean(terms.log_likelihood, axis=0) - self.gamma * distance


@serializable
@dataclasses.dataclass(frozen=True)
class FreeBits(Bound):
    """`E_q[log p(x|z)] - sum_j max(floor, E_x[KL_j])` (Kingma et al., 2016, equation 15).

    Each latent may tell `floor` nats for nothing. So none is given up before the decoder has learnt
    to use it. The expectation is over the batch: a single example may tell less.

    Args:
        floor: nats of each latent, at least 0; at 0 it is the evidence lower bound.

    Example:
        >>> FreeBits(floor=0.1)
    """

    floor: float = 0.1

    def __post_init__(self):
        check_not_negative(self, "floor")

    def value(self, terms, step):
        divergence = tf.reduce_sum(tf.maximum(self.floor, global_mean(terms.divergences)))
        return tf.reduce_mean(terms.log_likelihood, axis=0) - divergence
