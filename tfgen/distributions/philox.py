"""TFP's normal and uniform distributions, drawn by a generator that is named.

It is Philox, TensorFlow's own on processors and GPUs. Where it may choose, XLA draws the same
numbers, but takes ten times as long for them on a processor.
"""

import tensorflow as tf
import tensorflow_probability as tfp

tfd = tfp.distributions


class Normal(tfd.Normal):
    """`tfd.Normal`, with the same samples."""

    def _sample_n(self, n, seed=None):
        return self.loc + self.scale * _draw(tf.random.stateless_normal, self, n, seed)


class Uniform(tfd.Uniform):
    """`tfd.Uniform`, with the same samples."""

    def _sample_n(self, n, seed=None):
        return self.low + self.range() * _draw(tf.random.stateless_uniform, self, n, seed)


def _draw(function, distribution, n, seed):
    """Returns numbers `[n, *batch_shape]` of the standard normal or uniform distribution."""
    shape = tf.concat([[n], distribution.batch_shape_tensor()], axis=0)
    seed = tfp.random.sanitize_seed(seed)
    return function(shape, seed, dtype=distribution.dtype, alg="philox")
