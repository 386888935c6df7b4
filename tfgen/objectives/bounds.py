"""Bounds on the log-likelihood: what a variational autoencoder maximizes."""

import abc
import dataclasses
import functools
import typing

import tensorflow as tf

from tfgen.distributions import kl_divergence
from tfgen.engine.serialization import Configured, serializable


@dataclasses.dataclass(frozen=True, eq=False)
class Terms:
    """What one encoding and decoding of a batch gives: the terms of every bound, in nats.

    Args:
        log_likelihood: `log p(x|z)`, `[samples, batch]`.
        latents: `z`, `[samples, batch, ...]`, drawn from `posterior`.
        posterior: `q(z|x)`, a TFP distribution with batch shape `[batch]`.
        prior: `p(z)`, a TFP distribution.
    """

    log_likelihood: tf.Tensor
    latents: tf.Tensor
    posterior: typing.Any
    prior: typing.Any

    @functools.cached_property
    def divergence(self):
        """`KL(q(z|x) || p(z))` of each example, `[batch]`: in closed form where TFP has it."""
        return kl_divergence(self.posterior, self.prior, self.latents)

    @functools.cached_property
    def log_weights(self):
        """`log p(x|z) + log p(z) - log q(z|x)`, `[samples, batch]`."""
        return (
            self.log_likelihood
            + self.prior.log_prob(self.latents)
            - self.posterior.log_prob(self.latents)
        )


class Bound(Configured, abc.ABC):
    """A function of one encoding and decoding; `samples` latents are drawn per example."""

    samples: int = 1

    @abc.abstractmethod
    def value(self, terms, step):
        """Returns the bound of each example.

        Args:
            terms: a `Terms`, or what a model has in its place, with the same `log_likelihood`,
                `divergence` and `log_weights`.
            step: the number of training steps taken so far, an int64 scalar; `None` when evaluated,
                where whatever a bound changes in training is at its end.

        Returns:
            A tensor `[batch]`, in nats.
        """


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
        for name in ("beta", "warm_up"):
            value = getattr(self, name)
            if value < 0:
                raise ValueError(f"`{name}` must be at least 0. Received: {name}={value}.")

    def value(self, terms, step):
        return tf.reduce_mean(terms.log_likelihood, axis=0) - self._weight(step) * terms.divergence

    def _weight(self, step):
        if step is None or self.warm_up == 0:
            return self.beta
        return self.beta * tf.minimum(1.0, tf.cast(step, tf.float32) / self.warm_up)
