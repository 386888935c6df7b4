"""Distributions on the unit sphere, as TFP's.

TFP has both, but its von Mises-Fisher distribution draws samples with a gradient that is right on
the ordinary sphere only, and is slow and less exact in many dimensions.
"""

import math

import tensorflow as tf
import tensorflow_probability as tfp

from tfgen.distributions.polar_angle import PolarAngle

tfd = tfp.distributions

# What TFP asks of every distribution.
_KIND = {
    "dtype": tf.float32,
    "reparameterization_type": tfd.FULLY_REPARAMETERIZED,
    "validate_args": False,
    "allow_nan_stats": True,
}


class VonMisesFisher(tfd.Distribution):
    """Unit vectors around a mean direction: `p(z) = C exp(k m^T z)` (Davidson et al., 2018, eq. 3).

    Samples are filled in the order `[samples, batch, ...]`. They carry gradients.

    Args:
        mean_direction: `m`, unit vectors `[batch, n]`, with `n` at least 2.
        concentration: `k`, `[batch]`: from 0, the uniform distribution, to a point at infinity.

    Example:
        >>> VonMisesFisher(tf.constant([[1.0, 0.0, 0.0]]), tf.constant([10.0])).sample(5, seed=0)
    """

    def __init__(self, mean_direction, concentration, name="VonMisesFisher"):
        parameters = dict(locals())
        self.mean_direction, self.concentration = mean_direction, concentration
        self._angle = PolarAngle(mean_direction.shape[-1], concentration)
        super().__init__(**_KIND, parameters=parameters, name=name)

    @classmethod
    def _parameter_properties(cls, dtype, num_classes=None):
        properties = tfp.util.ParameterProperties
        return {
            "mean_direction": properties(event_ndims=1),
            "concentration": properties(event_ndims=0),
        }

    def _event_shape(self):
        return self.mean_direction.shape[-1:]

    def _event_shape_tensor(self):
        return tf.shape(self.mean_direction)[-1:]

    @property
    def _log_normalizer(self):
        """`log` of the integral of `exp(-k (1 - m^T z))` over the sphere."""
        return self._angle.log_normalizer + _log_area(self.mean_direction.shape[-1] - 1)

    def _log_prob(self, value):
        # 1 - m^T z, of which the difference of nearly equal numbers would lose digits
        drop = tf.reduce_sum(tf.math.squared_difference(value, self.mean_direction), axis=-1) / 2
        return -self._angle.concentration * drop - self._log_normalizer

    def _sample_n(self, n, seed=None):
        seed = tfp.random.sanitize_seed(seed)
        shape = tf.concat([[n], tf.shape(self.mean_direction)], axis=0)
        normal = tf.random.stateless_normal(shape, tf.random.fold_in(seed, 0), alg="philox")
        uniform = tf.random.stateless_uniform(
            shape[:-1], tf.random.fold_in(seed, 1), 1e-7, 1.0 - 1e-7, alg="philox"
        )
        angle = self._angle.quantile(uniform)[..., tf.newaxis]
        # Every direction at right angles to the mean is equally likely.
        along = tf.reduce_sum(normal * self.mean_direction, axis=-1, keepdims=True)
        across = tf.math.l2_normalize(normal - along * self.mean_direction, axis=-1, epsilon=1e-30)
        return tf.cos(angle) * self.mean_direction + tf.sin(angle) * across

    def _entropy(self):
        drop = self._angle.mean_drop()
        return self._angle.concentration * drop + self._log_normalizer

    def _mean(self):
        return (1 - self._angle.mean_drop())[..., tf.newaxis] * self.mean_direction

    def _mode(self):
        return self.mean_direction

    def _variance(self):
        drop, squared_drop = (self._angle.mean_drop(power) for power in (1, 2))
        along = squared_drop - drop**2
        across = (2 * drop - squared_drop) / (self.mean_direction.shape[-1] - 1)
        squares = tf.square(self.mean_direction)
        return along[..., tf.newaxis] * squares + across[..., tf.newaxis] * (1 - squares)


class UniformOnSphere(tfd.Distribution):
    """Unit vectors of `n` coordinates, all directions alike.

    Args:
        coordinates: `n`, at least 2.

    Example:
        >>> UniformOnSphere(3).sample(5, seed=0)
    """

    def __init__(self, coordinates, name="UniformOnSphere"):
        parameters = dict(locals())
        self.coordinates = coordinates
        super().__init__(**_KIND, parameters=parameters, name=name)

    @classmethod
    def _parameter_properties(cls, dtype, num_classes=None):
        return {"coordinates": tfp.util.ParameterProperties(event_ndims=None)}

    def _batch_shape(self):
        return tf.TensorShape([])

    def _batch_shape_tensor(self):
        return tf.constant([], tf.int32)

    def _event_shape(self):
        return tf.TensorShape([self.coordinates])

    def _event_shape_tensor(self):
        return tf.constant([self.coordinates])

    def _log_prob(self, value):
        return tf.fill(tf.shape(value)[:-1], -_log_area(self.coordinates))

    def _sample_n(self, n, seed=None):
        seed = tfp.random.sanitize_seed(seed)
        normal = tf.random.stateless_normal([n, self.coordinates], seed, alg="philox")
        return tf.math.l2_normalize(normal, axis=-1, epsilon=1e-30)

    def _entropy(self):
        return tf.constant(_log_area(self.coordinates))

    def _mean(self):
        return tf.zeros([self.coordinates])

    def _variance(self):
        return tf.fill([self.coordinates], 1 / self.coordinates)


@tfd.RegisterKL(VonMisesFisher, UniformOnSphere)
def _divergence_from_uniform(posterior, prior, name=None):
    """`E log q(z) + log area` (Davidson et al., 2018, equation 7): the directions do not matter."""
    return prior.entropy() - posterior.entropy()


def _log_area(coordinates):
    """Returns the logarithm of the area of the unit sphere of vectors of `n` coordinates."""
    return math.log(2) + coordinates / 2 * math.log(math.pi) - math.lgamma(coordinates / 2)
