"""The angle between a direction and a von Mises-Fisher vector: all that its concentration decides.

A vector of `n` coordinates on the unit sphere, at the angle `a` from the mean direction, has

    p(a) = exp(-k (1 - cos a)) sin(a)^(n-2) / Z(k),     0 <= a <= pi.

`Z` is a Bessel function in disguise. Gauss and Legendre's nodes, laid where the density is not
negligible, give it, its moments and its distribution function to float32's precision.
"""

import math

import numpy as np
import tensorflow as tf

from tfgen.distributions.limits import hold

# Below, the density on the sphere is constant to float32's precision; above, angles are too small.
LEAST_CONCENTRATION, LARGEST_CONCENTRATION = 1e-6, 1e8
# Farther from the mode than so many deviations, the density is below 1e-9 of its largest value.
_REACH = 10.0
_NODES, _WEIGHTS = (part.astype(np.float32) for part in np.polynomial.legendre.leggauss(64))
_CELLS = 64
_NEWTON_STEPS = 4


class PolarAngle:
    """The distribution of the angle, one for each concentration.

    Args:
        coordinates: `n`, of the vectors, at least 2.
        concentration: `k`, float32. It is held between 1e-6 and 1e8.
    """

    def __init__(self, coordinates, concentration):
        self._power = float(coordinates - 2)
        self.concentration = hold(concentration, LEAST_CONCENTRATION, LARGEST_CONCENTRATION)
        self._low, self._high = self._interval()
        angles, weights = _quadrature(self._low, self._high)
        self._log_masses = self._log_density(angles) + tf.math.log(weights)
        self._drops = _drop(angles)

    @property
    def log_normalizer(self):
        """`log Z(k)`, shaped as the concentration."""
        return tf.reduce_logsumexp(self._log_masses, axis=-1)

    def mean_drop(self, power=1):
        """Returns the mean of `(1 - cos a)^power`, shaped as the concentration."""
        return tf.reduce_sum(tf.nn.softmax(self._log_masses) * self._drops**power, axis=-1)

    def quantile(self, probabilities):
        """Returns the angles below which the angle lies with given probabilities.

        Newton's method finds them, from the guess of a table. Their gradient towards the
        concentration is that of the distribution function `F` (Figurnov et al., 2018, equation 6),

            da/dk = -(dF/dk) / p(a) = 1/p(a) integral_0^a (1 - cos s - E[1 - cos a]) p(s) ds.

        Args:
            probabilities: float32 in (0, 1), `[..., *k.shape]`.
        """
        angles = self._guess(probabilities)
        lower = probabilities < 0.5
        # The nearer tail, in which float32 tells small probabilities apart.
        target = tf.where(lower, probabilities, 1 - probabilities)
        sign = tf.where(lower, 1.0, -1.0)
        cell = (self._high - self._low) / _CELLS
        for _ in range(_NEWTON_STEPS):
            log_density = self._log_density(angles[..., tf.newaxis])[..., 0] - self.log_normalizer
            excess = self._tail(angles, lower) - target * tf.exp(-log_density)
            angles -= tf.clip_by_value(sign * excess, -cell, cell)
            angles = tf.clip_by_value(angles, self._low + 1e-3 * cell, self._high - 1e-3 * cell)
        mean = self.mean_drop()[..., tf.newaxis]
        slope = sign * self._tail(angles, lower, lambda drop: drop - mean)
        change = self.concentration - tf.stop_gradient(self.concentration)
        return tf.stop_gradient(angles) + tf.stop_gradient(slope) * change

    def _interval(self):
        """Returns where the density is not negligible, by its mode and the curvature there."""
        concentration = tf.stop_gradient(self.concentration)
        total = self._power + tf.sqrt(self._power**2 + 4 * concentration**2)
        cosine, squared_sine = 2 * concentration / total, 2 * self._power / total
        mode = tf.atan2(tf.sqrt(squared_sine), cosine)
        curvature = concentration * cosine + tf.math.divide_no_nan(self._power, squared_sine)
        reach = _REACH * tf.math.rsqrt(curvature)
        return tf.maximum(mode - reach, 0.0), tf.minimum(mode + reach, math.pi)

    def _log_density(self, angles):
        """Returns `log p(a) + log Z(k)` of angles `[..., *k.shape, nodes]`."""
        concentration = self.concentration[..., tf.newaxis]
        return tf.math.xlogy(self._power, tf.sin(angles)) - concentration * _drop(angles)

    def _guess(self, probabilities):
        """Returns the quantiles of a density that is constant in each cell of a table."""
        low, width = self._low[..., tf.newaxis], (self._high - self._low)[..., tf.newaxis]
        centres = low + width * (tf.range(_CELLS, dtype=tf.float32) + 0.5) / _CELLS
        masses = tf.nn.softmax(self._log_density(centres))
        before = tf.cumsum(masses, axis=-1, exclusive=True)
        # The share of each cell that lies below the probability.
        shares = (probabilities[..., tf.newaxis] - before) / tf.maximum(masses, 1e-30)
        cells = tf.reduce_sum(tf.clip_by_value(shares, 0.0, 1.0), axis=-1)
        return self._low + (self._high - self._low) * cells / _CELLS

    def _tail(self, angles, lower, function=tf.ones_like):
        """Returns the integral of `f(1 - cos s) p(s) / p(a) ds` over one side of each angle `a`.

        Args:
            angles: `a`, `[..., *k.shape]`.
            lower: booleans, whether it is the side of the smaller angles.
            function: `f`.
        """
        begin, end = tf.where(lower, self._low, angles), tf.where(lower, angles, self._high)
        nodes, weights = _quadrature(begin, end)
        ratio = self._log_density(nodes) - self._log_density(angles[..., tf.newaxis])
        return tf.reduce_sum(weights * tf.exp(ratio) * function(_drop(nodes)), axis=-1)


def _quadrature(low, high):
    """Returns Gauss and Legendre's nodes between limits, and their weights, `[..., nodes]`."""
    middle, half = (high + low)[..., tf.newaxis] / 2, (high - low)[..., tf.newaxis] / 2
    return middle + half * _NODES, half * _WEIGHTS


def _drop(angles):
    """Returns `1 - cos a`, in which no digits of small angles are lost."""
    return 2 * tf.square(tf.sin(angles / 2))
