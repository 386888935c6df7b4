"""What bounds are made of."""

import abc
import dataclasses
import functools
import typing

import tensorflow as tf
import tensorflow_probability as tfp

from tfgen.distributions import kl_divergence
from tfgen.engine.serialization import Configured
from tfgen.utils.arguments import check_count, check_number

tfd = tfp.distributions


@dataclasses.dataclass(frozen=True, eq=False)
class Terms:
    """What one encoding and decoding of a batch gives: the terms of every bound, in nats.

    Args:
        log_likelihood: `log p(x|z)`, `[samples, batch]`.
        latents: `z`, `[samples, batch, ...]`, drawn from `posterior`.
        posterior: `q(z|x)`, a TFP distribution with batch shape `[batch]`.
        prior: `p(z)`, a TFP distribution.
        fixed_posterior: a function without arguments that returns `q(z|x)` of the same parameters,
            through which no gradient flows; `None` where no bound wants it.
        gradient: a `ScaledGradient` that the latents came through; `None` where none is wanted.
        log_posterior: `log q(z|x)`, `[samples, batch]`, where it is known; else it is computed.
    """

    log_likelihood: tf.Tensor
    latents: tf.Tensor
    posterior: typing.Any
    prior: typing.Any
    fixed_posterior: typing.Callable | None = None
    gradient: typing.Any = None
    log_posterior: tf.Tensor | None = None

    @functools.cached_property
    def divergence(self):
        """`KL(q(z|x) || p(z))` of each example, `[batch]`: in closed form where TFP has it."""
        return kl_divergence(self.posterior, self.prior, self.latents, self.log_posterior)

    @functools.cached_property
    def divergences(self):
        """The divergence of each latent, `[batch, size]`, which add up to `divergence`.

        Raises:
            ValueError: the latents are not independent, in the posterior or in the prior.
        """
        for name in ("posterior", "prior"):
            check_independent(name, getattr(self, name))
        return self.posterior.distribution.kl_divergence(self.prior.distribution)

    @functools.cached_property
    def log_weights(self):
        """`log p(x|z) + log p(z) - log q(z|x)`, `[samples, batch]`."""
        return self.log_weights_of(self.posterior)

    def log_weights_of(self, posterior, weight=1.0):
        """Returns the logarithms of the weights `p(x|z) (p(z) / q(z|x))^weight` of a posterior."""
        is_known = posterior is self.posterior and self.log_posterior is not None
        log_posterior = self.log_posterior if is_known else posterior.log_prob(self.latents)
        return self.log_likelihood + weight * (self.prior.log_prob(self.latents) - log_posterior)


class ScaledGradient:
    """Passes a tensor on, and multiplies its gradient by a `factor` that is known only later.

    The factor has the tensor's first axes, or is `None` for 1. `unscaled` is the tensor itself,
    whose gradient is left as it is.

    Example:
        >>> gradient = ScaledGradient()
        >>> loss = function(gradient(tensor))
        >>> gradient.factor = tf.stop_gradient(loss)
    """

    def __init__(self):
        self.factor = self.unscaled = None

    def __call__(self, tensor):
        self.unscaled = tensor

        @tf.custom_gradient
        def pass_on(tensor):
            return tf.identity(tensor), self._scaled

        return pass_on(tensor)

    def _scaled(self, gradient):
        if self.factor is None:
            return gradient
        further = [1] * (gradient.shape.rank - self.factor.shape.rank)
        return tf.reshape(self.factor, tf.concat([tf.shape(self.factor), further], 0)) * gradient


class Bound(Configured, abc.ABC):
    """A function of one encoding and decoding; `draws` latents are drawn per example."""

    samples: int = 1

    @property
    def draws(self):
        """How many latents the bound takes of each example."""
        return self.samples

    @abc.abstractmethod
    def value(self, terms, step):
        """Returns the bound of each example.

        Args:
            terms: a `Terms`, or what a model has in its place, with the same `log_likelihood`,
                `divergence` and `log_weights`.
            step: the number of training steps taken so far, an int64 scalar; `None` when evaluated,
                where whatever a bound changes in training is at its end.

        Returns:
            A tensor `[batch]`, in nats. Where it depends on the whole batch, its mean does.
        """


def progress(step, warm_up):
    """Returns how far training has come on a way of so many steps, from 0 to 1."""
    if step is None or warm_up == 0:
        return 1.0
    return tf.minimum(1.0, tf.cast(step, tf.float32) / warm_up)


def check_independent(name, distribution):
    """Raises a ValueError unless a distribution over vectors is one of independent numbers."""
    if not isinstance(distribution, tfd.Independent):
        raise ValueError(
            f"The bound needs a {name} of independent latents, such as a diagonal normal. "
            f"Received: {distribution}. `bounds.ELBO()` takes any."
        )


def check_not_negative(bound, *names):
    """Raises a ValueError unless each of a bound's numbers is finite and at least 0."""
    for name in names:
        check_number(name, getattr(bound, name), least=0)


def check_counts(bound, *names):
    """Raises a ValueError unless each of a bound's counts is an integer, at least 1."""
    for name in names:
        check_count(name, getattr(bound, name))
