"""Priors: what latents are drawn from."""

import abc
import dataclasses

import tensorflow as tf
import tensorflow_probability as tfp

from tfgen.distributions import philox, sphere
from tfgen.distributions.normal import diagonal_normal
from tfgen.engine.graphs import requirement
from tfgen.engine.serialization import Configured, serializable
from tfgen.utils.arguments import check_count

tfd = tfp.distributions


@dataclasses.dataclass(frozen=True)
class Prior(Configured, abc.ABC):
    """What latents are drawn from.

    Args:
        size: the number of latent dimensions, at least 1.

    Raises:
        ValueError: `size` is less than 1.
    """

    size: int

    def __post_init__(self):
        if self.size < 1:
            raise ValueError(f"`size` must be at least 1. Received: size={self.size}.")

    needs_encoder = False
    kept_weights = ()  # names of weights that no optimizer moves, see `kept_after`
    example_weights = ()  # names of weights that are shaped as examples, and can be shown

    @property
    def shape(self):
        """The shape of one example's latents, a tuple."""
        return (self.size,)

    def initial_weights(self, example_shape):
        """Returns what the prior learns, a dict from names to float32 arrays; none, if empty.

        The model keeps them as variables, trainable but for `kept_weights`, and hands their values
        to `distribution` by these names.

        Args:
            example_shape: the shape of an example, a tuple.
        """
        return {}

    @abc.abstractmethod
    def distribution(self):
        """Returns a TFP distribution over latents of `shape`.

        A prior with weights takes them by their names; one that `needs_encoder`, such as a
        VampPrior, takes `encode`, a function from examples to their posterior distributions.
        """

    def distribution_in_training(self, posterior, **learnt):
        """Returns the prior of a training batch's latents; here that of all latents.

        Args:
            posterior: the batch's `q(z|x)`, a TFP distribution.
            **learnt: what `distribution` takes.
        """
        return self.distribution(**learnt)

    def kept_after(self, examples, **learnt):
        """Returns new values of the `kept_weights` after a step, a dict.

        Args:
            examples: of the step, `[batch, ...]`.
            **learnt: the weights by their names.
        """
        return {}

    def checked(self, latents):
        """Returns latents that a user gives, `[..., size]`, if they can come from the prior.

        Raises:
            ValueError: they cannot; in a graph it is a `tf.errors.InvalidArgumentError`.
        """
        return latents

    def nearest(self, latents):
        """Returns the latents that can come from the prior nearest to any, `[..., size]`."""
        return latents

    @property
    def description(self):
        """How latents are distributed, a dict for `tfgen.json`, which the explorer reads.

        `kind` is "normal", "uniform" (with `low` and `high`), "sphere" (unit vectors) or "other".
        `path` tells how to go
        from one latent to another: "straight" or "spherical".
        """
        return {"size": self.size, "kind": "other", "path": "straight"}


@serializable
@dataclasses.dataclass(frozen=True)
class StandardNormal(Prior):
    """The prior `N(0, I)` (Kingma and Welling, 2014, section 3).

    Args:
        size: the number of latent dimensions, at least 1.

    Example:
        >>> StandardNormal(2).distribution().sample(3, seed=(0, 1)).shape
        TensorShape([3, 2])
    """

    def distribution(self):
        return diagonal_normal(tf.zeros([self.size]), tf.ones([self.size]))

    @property
    def description(self):
        return {"size": self.size, "kind": "normal", "path": "spherical"}


@serializable
@dataclasses.dataclass(frozen=True)
class Uniform(Prior):
    """Independent values from -1 to 1 (Radford et al., 2016, section 4).

    Args:
        size: the number of latent dimensions, at least 1.

    Example:
        >>> Uniform(2).distribution().sample(3, seed=(0, 1)).shape
        TensorShape([3, 2])
    """

    def distribution(self):
        return tfd.Independent(philox.Uniform(-tf.ones([self.size]), tf.ones([self.size])), 1)

    @property
    def description(self):
        bounds = {"low": -1.0, "high": 1.0}
        return {"size": self.size, "kind": "uniform", **bounds, "path": "straight"}


@serializable
@dataclasses.dataclass(frozen=True)
class UniformOnSphere(Prior):
    """Unit vectors, all directions alike: the hyperspherical VAE's prior (Davidson et al., 2018).

    Args:
        size: the number of coordinates, at least 2: one more than the sphere has dimensions.

    Example:
        >>> UniformOnSphere(3).distribution().sample(4, seed=(0, 1)).shape
        TensorShape([4, 3])
    """

    def __post_init__(self):
        check_count("size", self.size, least=2)

    def distribution(self):
        return sphere.UniformOnSphere(self.size)

    def checked(self, latents):
        """Returns latents that are unit vectors to a hundredth."""
        latents = tf.convert_to_tensor(latents)
        lengths = tf.norm(tf.cast(latents, tf.float32), axis=-1)
        farthest = tf.reduce_max(tf.abs(lengths - 1))
        message = (
            "Latents on a sphere must be unit vectors: divide each by its norm, as "
            "`prior.nearest(latents)` does. Told is by how much a norm differs from 1."
        )
        with tf.control_dependencies(requirement(farthest < 1e-2, message, farthest)):
            return tf.identity(latents)

    def nearest(self, latents):
        return tf.math.l2_normalize(latents, axis=-1, epsilon=1e-30)

    @property
    def description(self):
        return {"size": self.size, "kind": "sphere", "path": "spherical"}
