"""What bounds are made of where latents lie in layers."""

import dataclasses
import functools
import typing

import tensorflow as tf
import tensorflow_probability as tfp

tfd = tfp.distributions


class Layer(typing.NamedTuple):
    """One layer of latents on a way down; `rows` are samples times batch, sample by sample.

    Attributes:
        latents: `z_i`, float32 `[rows, size]`.
        posterior: the location and the scale of `q(z_i | z_<i, x)`, `[rows, size]` each.
        prior: those of `p(z_i | z_<i)`, which broadcast against them.
    """

    latents: tf.Tensor
    posterior: tuple
    prior: tuple


class Densities(typing.NamedTuple):
    """The logarithms of densities that make importance weights, `[samples, batch]` each."""

    likelihood: tf.Tensor
    prior: tf.Tensor
    posterior: tf.Tensor


@dataclasses.dataclass(frozen=True, eq=False)
class HierarchicalTerms:
    """The terms of every bound where latents lie in layers, in nats; see `Terms`.

    Args:
        log_likelihood: `log p(x|z)`, `[samples, batch]`.
        layers: a list of `Layer`s, the top one first.
        fixed_posterior: a function without arguments that returns the `Densities` of the same
            latents anew, where no gradient flows to what `q` was computed with, and all others
            come through `gradient`.
        gradient: a `ScaledGradient`.
    """

    log_likelihood: tf.Tensor
    layers: list
    fixed_posterior: typing.Callable
    gradient: typing.Any

    prior = None  # no single distribution, of which a bound could ask more

    @functools.cached_property
    def layer_divergences(self):
        """`KL(q(z_i | z_<i, x) || p(z_i | z_<i))` of each latent, a list of `[batch, size]`.

        In closed form given the latents above, of which it is the mean over the samples.
        """
        return [
            tf.reduce_mean(self._per_sample(_divergence(layer)), axis=0) for layer in self.layers
        ]

    @functools.cached_property
    def divergences(self):
        """The divergence of each latent of all layers, `[batch, total]`."""
        return tf.concat(self.layer_divergences, axis=-1)

    @functools.cached_property
    def divergence(self):
        """`KL(q(z|x) || p(z))` of each example, `[batch]`."""
        return tf.reduce_sum(self.divergences, axis=-1)

    @functools.cached_property
    def posterior(self):
        """The `Densities` of the latents."""
        log_prior = tf.add_n([log_density(each.prior, each.latents) for each in self.layers])
        log_posterior = tf.add_n(
            [log_density(each.posterior, each.latents) for each in self.layers]
        )
        return Densities(
            self.log_likelihood, self._per_sample(log_prior), self._per_sample(log_posterior)
        )

    @functools.cached_property
    def log_weights(self):
        """`log p(x|z) + log p(z) - log q(z|x)`, `[samples, batch]`."""
        return self.log_weights_of(self.posterior)

    def log_weights_of(self, densities, weight=1.0):
        """Returns the logarithms of the weights `p(x|z) (p(z) / q(z|x))^weight` of densities."""
        return densities.likelihood + weight * (densities.prior - densities.posterior)

    def _per_sample(self, values):
        """Returns values of rows as `[samples, batch, ...]`."""
        return tf.reshape(values, [*tf.unstack(tf.shape(self.log_likelihood)), *values.shape[1:]])


def log_density(normal, latents):
    """Returns the logarithm of a diagonal normal's density, `[rows]`.

    Args:
        normal: its location and its scale.
        latents: `[rows, size]`.
    """
    return tf.reduce_sum(tfd.Normal(*normal).log_prob(latents), axis=-1)


def _divergence(layer):
    return tfd.Normal(*layer.posterior).kl_divergence(tfd.Normal(*layer.prior))
