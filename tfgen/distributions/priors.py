"""Priors: what latents are drawn from."""

import abc
import dataclasses

import tensorflow as tf
import tensorflow_probability as tfp

from tfgen.distributions import philox
from tfgen.distributions.normal import diagonal_normal
from tfgen.engine.serialization import Configured, serializable

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

    @property
    def shape(self):
        """The shape of one example's latents, a tuple."""
        return (self.size,)

    def initial_weights(self, example_shape):
        """Returns what the prior learns, a dict from names to float32 arrays; none, if empty.

        The model keeps them as trainable variables, and hands their values to `distribution` by
        these names.

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

    @property
    def description(self):
        """How latents are distributed, a dict for `tfgen.json`, which the explorer reads.

        `kind` is "normal", "uniform" (with `low` and `high`) or "other". `path` tells how to go
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
