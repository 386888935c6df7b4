"""Bounds on the log-likelihood: what a variational autoencoder maximizes."""

import abc
import dataclasses

import tensorflow as tf

from tfgen.distributions import kl_divergence
from tfgen.engine.serialization import Configured, serializable


class Bound(Configured, abc.ABC):
    """A function of one encoding and decoding; `samples` latents are drawn per example."""

    samples: int = 1

    @abc.abstractmethod
    def value(self, log_likelihood, latents, posterior, prior, step):
        """Returns the bound of each example.

        Args:
            log_likelihood: `log p(x|z)`, `[samples, batch]`.
            latents: `z`, `[samples, batch, size]`, drawn from `posterior`.
            posterior: `q(z|x)`, a TFP distribution with batch shape `[batch]`.
            prior: `p(z)`, a TFP distribution.
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

    def value(self, log_likelihood, latents, posterior, prior, step):
        divergence = kl_divergence(posterior, prior, latents)
        return tf.reduce_mean(log_likelihood, axis=0) - self._weight(step) * divergence

    def _weight(self, step):
        if step is None or self.warm_up == 0:
            return self.beta
        return self.beta * tf.minimum(1.0, tf.cast(step, tf.float32) / self.warm_up)
