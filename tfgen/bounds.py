"""Bounds on the log-likelihood: what a variational autoencoder maximizes."""

import abc
import dataclasses

import tensorflow as tf

from tfgen.config import Configured, serializable
from tfgen.distributions import kl_divergence


class Bound(Configured, abc.ABC):
    """A function of one encoding and decoding; `samples` latents are drawn per example."""

    samples: int = 1

    @abc.abstractmethod
    def value(self, log_likelihood, latents, posterior, prior):
        """Returns the bound of each example.

        Args:
            log_likelihood: `log p(x|z)`, `[samples, batch]`.
            latents: `z`, `[samples, batch, size]`, drawn from `posterior`.
            posterior: `q(z|x)`, a TFP distribution with batch shape `[batch]`.
            prior: `p(z)`, a TFP distribution.

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

    Example:
        >>> tfgen.VAE(encoder, decoder, prior, posterior, likelihood, bound=ELBO(beta=4.0))
    """

    beta: float = 1.0

    def __post_init__(self):
        if self.beta < 0:
            raise ValueError(f"`beta` must be at least 0. Received: beta={self.beta}.")

    def value(self, log_likelihood, latents, posterior, prior):
        divergence = kl_divergence(posterior, prior, latents)
        return tf.reduce_mean(log_likelihood, axis=0) - self.beta * divergence
