"""Normalization of each map of each image by itself."""

import tensorflow as tf
from keras import layers

from tfgen.engine.one_pass import row_by_row
from tfgen.engine.serialization import serializable


@row_by_row
@serializable
class InstanceNormalization(layers.GroupNormalization):
    """Makes each map of each image have mean 0 and variance 1, then scales and shifts it.

    Ulyanov et al., 2016, "Instance normalization: the missing ingredient for fast stylization",
    equation 2. Weights, values and gradients are those of `keras.layers.GroupNormalization` with as
    many groups as channels, but for rounding; the gradient, written out, passes over the maps less
    often. (A gradient's gradient is exact here; in Keras' the mean's part is missing.) Statistics
    are float32 in half precisions too.

    Args:
        epsilon: what is added to the variance.
        **kwargs: what Keras' layer takes, without `groups` and `axis`.

    Example:
        >>> InstanceNormalization()(features)  # [batch, height, width, channels], as they came
    """

    def __init__(self, epsilon=1e-5, **kwargs):
        super().__init__(groups=-1, axis=-1, epsilon=epsilon, **kwargs)

    def call(self, inputs):
        dtype = tf.float64 if inputs.dtype == tf.float64 else tf.float32
        channels = inputs.shape[-1:]
        gamma = tf.cast(self.gamma, dtype) if self.scale else tf.ones(channels, dtype)
        beta = tf.cast(self.beta, dtype) if self.center else tf.zeros(channels, dtype)
        normalized = _normalize(tf.cast(inputs, dtype), gamma, beta, self.epsilon)
        return tf.cast(normalized, self.compute_dtype)

    def get_config(self):
        config = super().get_config()
        return {name: config[name] for name in config if name not in ("groups", "axis")}


def _normalize(inputs, gamma, beta, epsilon):
    """Normalizes `[batch, ..., channels]` over all axes between; `gamma`, `beta`: `[channels]`."""
    places = list(range(1, len(inputs.shape) - 1))

    @tf.custom_gradient
    def normalize(inputs, gamma, beta):
        centered = inputs - tf.reduce_mean(inputs, places, keepdims=True)
        variance = tf.reduce_mean(tf.square(centered), places, keepdims=True)
        scale = tf.math.rsqrt(variance + epsilon)

        def gradient(slope):
            """Leaves of the slope what changes neither the mean nor the variance."""
            shift = tf.reduce_mean(slope, places, keepdims=True)
            stretch = scale * tf.reduce_mean(slope * centered, places, keepdims=True)
            of_inputs = gamma * scale * (slope - shift - centered * (scale * stretch))
            count = tf.cast(tf.reduce_prod(tf.shape(inputs)[1:-1]), inputs.dtype)
            of_gamma, of_beta = (
                count * tf.reduce_sum(mean, [0, *places]) for mean in (stretch, shift)
            )
            return of_inputs, of_gamma, of_beta

        return centered * (scale * gamma) + beta, gradient

    return normalize(inputs, gamma, beta)
