"""Mixtures, as TFP's; of many normal components, in much less time."""

import math

import tensorflow as tf
import tensorflow_probability as tfp

from tfgen.distributions.normal import diagonal_normal

tfd = tfp.distributions


def mixture_of(components, logits=None):
    """Returns the mixture of a TFP distribution's batch.

    Args:
        components: a TFP distribution with batch shape `[count]`.
        logits: of the components' shares, `[count]`, or `[batch, count]` where each example has its
            own; `None`: equal shares.
    """
    if logits is None:
        logits = tf.zeros(components.batch_shape_tensor())
    is_normal = isinstance(components, tfd.Independent) and isinstance(
        components.distribution, tfd.Normal
    )
    kind = NormalMixture if is_normal else tfd.MixtureSameFamily
    return kind(tfd.Categorical(logits=logits), components)


class NormalMixture(tfd.MixtureSameFamily):
    """`tfd.MixtureSameFamily` of diagonal normal distributions.

    All squared distances are products of two matrices. TFP makes an array of the differences of
    every example, component and dimension, which takes many times as long. The products are in
    float64, since they cancel out where a deviation is small.

    Args:
        mixture_distribution: a `tfd.Categorical`, of the components' shares.
        components_distribution: independent normals `[count, size]`, as of `diagonal_normal`.
    """

    def __init__(self, mixture_distribution, components_distribution, name="NormalMixture"):
        super().__init__(mixture_distribution, components_distribution, name=name)
        # Once, not in each turn of a loop over examples.
        parts = components_distribution
        location, scale = (tf.cast(each, tf.float64) for each in (parts.mean(), parts.stddev()))
        self._precision = tf.transpose(scale**-2)
        self._scaled_location = tf.transpose(location) * self._precision
        self._at_zero = (
            -0.5 * tf.reduce_sum(tf.transpose(location) * self._scaled_location, axis=0)
            - tf.reduce_sum(tf.math.log(scale), axis=-1)
            - 0.5 * location.shape[-1] * math.log(2 * math.pi)
        )
        self._log_shares = tf.nn.log_softmax(mixture_distribution.logits_parameter())

    def _log_prob(self, value):
        vectors = tf.reshape(tf.cast(value, tf.float64), [-1, value.shape[-1]])
        densities = self._at_zero + tf.matmul(vectors, self._scaled_location)
        densities -= 0.5 * tf.matmul(vectors**2, self._precision)
        densities = tf.reshape(
            tf.cast(densities, tf.float32), tf.concat([tf.shape(value)[:-1], [-1]], axis=0)
        )
        return tf.reduce_logsumexp(self._log_shares + densities, axis=-1)

    def _sample_n(self, n, seed=None):
        seeds = tfp.random.split_seed(seed, n=2)
        chosen = self.mixture_distribution.sample(n, seed=seeds[0])
        parts = self.components_distribution
        location, scale = (tf.gather(each, chosen) for each in (parts.mean(), parts.stddev()))
        return diagonal_normal(location, scale).sample(seed=seeds[1])
