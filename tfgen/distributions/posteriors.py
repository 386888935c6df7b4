"""Posteriors: how an encoder's outputs parametrize `q(z|x)`.

They compute in float32, whatever precision the encoder computes in.
"""

import abc
import dataclasses
import math

import tensorflow as tf

from tfgen.distributions import sphere
from tfgen.distributions.limits import hold
from tfgen.distributions.normal import diagonal_normal
from tfgen.engine.serialization import Configured, serializable

# The least and the largest standard deviation: beyond, a divergence is no number in float32.
LEAST_SCALE, LARGEST_SCALE = 1e-6, 1e6


class Posterior(Configured, abc.ABC):
    """How an encoder's outputs parametrize `q(z|x)`."""

    def parameters(self, latent_shape):
        """Returns the outputs that the encoder must have: a dict from what each is to its shape.

        `None`, as for a posterior that does not say, checks nothing; so does a shape of `None`.

        Args:
            latent_shape: the shape of one example's latents, a tuple.
        """
        return None

    def initial_weights(self, latent_shape):
        """Returns what the posterior learns beside the encoder, as `Prior.initial_weights`.

        The model keeps it as trainable variables, and hands their values to `distribution` by these
        names.

        Args:
            latent_shape: the shape of one example's latents, a tuple.
        """
        return {}

    @abc.abstractmethod
    def distribution(self, *outputs):
        """Returns a TFP distribution with batch shape `[batch]` over latents.

        A posterior with weights takes them by their names.
        """

    def point(self, distribution):
        """Returns what stands for a posterior where one latent is wanted: its mean."""
        return distribution.mean()

    def answers(self, distribution):
        """Returns what an export's `encode` tells of a posterior, a dict of `[batch, ...]`."""
        return {"mean": distribution.mean(), "standard_deviation": distribution.stddev()}


@serializable
@dataclasses.dataclass(frozen=True)
class DiagonalNormal(Posterior):
    """`q(z|x) = N(location, diag(softplus(scale))^2)`, as in the lecture code.

    The encoder outputs two tensors `[batch, size]`: the location and the scale before softplus.
    Scales are held between 1e-6 and 1e6. Beyond, the gradient is that at the limit, so that a
    scale comes back.

    Example:
        >>> DiagonalNormal().distribution(tf.zeros([1, 2]), tf.zeros([1, 2])).stddev()  # log 2
    """

    def parameters(self, latent_shape):
        return {"location": latent_shape, "scale before softplus": latent_shape}

    def distribution(self, location, scale):
        # softplus(x) is exp(x) where that is small, and x where that is large.
        scale = hold(tf.cast(scale, tf.float32), math.log(LEAST_SCALE), LARGEST_SCALE)
        scale = tf.nn.softplus(scale)
        return diagonal_normal(tf.cast(location, tf.float32), scale)


@serializable
@dataclasses.dataclass(frozen=True)
class LogVarianceNormal(Posterior):
    """`q(z|x) = N(location, diag(exp(log_variance)))` (Kingma and Welling, 2014, appendix C.2).

    The encoder outputs two tensors `[batch, size]`: the location and the logarithm of the variance.
    Standard deviations are held between 1e-6 and 1e6. Beyond, the gradient is that at the limit, so
    that they come back.

    Example:
        >>> LogVarianceNormal().distribution(tf.zeros([1, 2]), tf.zeros([1, 2])).stddev()  # 1
    """

    def parameters(self, latent_shape):
        return {"location": latent_shape, "logarithm of the variance": latent_shape}

    def distribution(self, location, log_variance):
        limits = 2 * math.log(LEAST_SCALE), 2 * math.log(LARGEST_SCALE)
        scale = tf.exp(0.5 * hold(tf.cast(log_variance, tf.float32), *limits))
        return diagonal_normal(tf.cast(location, tf.float32), scale)


@serializable
@dataclasses.dataclass(frozen=True)
class VonMisesFisher(Posterior):
    """`q(z|x) = vMF(direction / |direction|, 1 + softplus(concentration))`, on the unit sphere.

    The posterior of the hyperspherical VAE (Davidson et al., 2018), beside `UniformOnSphere`. The
    encoder outputs `[batch, size]` and `[batch, 1]`, as of `networks.mlp_encoder(...,
    heads=(size, 1))`; the authors' code adds the 1, too. What stands for a posterior is its mean
    direction, since its mean is within the sphere.

    Example:
        >>> VonMisesFisher().distribution(tf.ones([1, 3]), tf.zeros([1, 1])).concentration  # 1.69
    """

    def parameters(self, latent_shape):
        return {"direction": latent_shape, "concentration before softplus": (1,)}

    def distribution(self, direction, concentration):
        # Of a black image, an untrained network makes 0, which has no direction.
        first = 1e-6 * tf.one_hot(0, direction.shape[-1])
        direction = tf.math.l2_normalize(tf.cast(direction, tf.float32) + first, axis=-1)
        concentration = 1 + tf.nn.softplus(tf.cast(concentration[..., 0], tf.float32))
        return sphere.VonMisesFisher(direction, concentration)

    def point(self, distribution):
        return distribution.mode()

    def answers(self, distribution):
        found = {"direction": distribution.mode(), "concentration": distribution.concentration}
        return super().answers(distribution) | found
