"""The diagonal normal distribution, and divergences."""

import tensorflow_probability as tfp

from tfgen.distributions import philox

tfd = tfp.distributions


def diagonal_normal(location, scale):
    """Returns the lecture's `MultivariateNormalDiag`, built of independent normals.

    These draw their samples in the order of their batch, on which `tfgen.noise.sample` relies.
    """
    return tfd.Independent(philox.Normal(location, scale), reinterpreted_batch_ndims=1)
