"""Likelihoods of pixels of more than two levels: categorical, and mixtures of logistics."""

import dataclasses
import math

import keras
import tensorflow as tf
import tensorflow_probability as tfp

from tfgen.distributions.likelihoods import PixelLikelihood, over_examples
from tfgen.distributions.limits import hold
from tfgen.engine.serialization import serializable

tfd = tfp.distributions

# Of the logarithms of scales, where values run from -1 to 1: e^-7 is an eighth of a level of 256.
_SCALES = (-7.0, 7.0)

_LEAST = 1e-30  # of uniform draws whose logarithm is taken twice


# `tfgen>Categorical` is a code's name in files.
@keras.saving.register_keras_serializable(package="tfgen.pixels")
@dataclasses.dataclass(frozen=True)
class Categorical(PixelLikelihood):
    """A probability of its own for each level of each value; the network outputs logits.

    It assumes nothing of levels: near ones are as strange to each other as any (van den Oord et
    al., 2016, "Pixel recurrent neural networks", section 2.2). So it fits a VQ-VAE's codes, too.

    Args:
        levels: how many values there are, at least 2.

    Example:
        >>> Categorical(4).distribution(tf.zeros([1, 28, 28, 4])).sample(seed=(0, 1))
    """

    levels: int = 256

    def __post_init__(self):
        _check_levels(self.levels)

    def parameters(self, example_shape):
        height, width, channels = _image_shape(self, example_shape)
        return {"logits": (height, width, channels * self.levels)}

    def distribution(self, logits):
        """Takes logits `[batch, height, width, channels * levels]`, those of a channel together."""
        logits = tf.cast(logits, tf.float32)
        places = tf.shape(logits)[:-1]
        channels = logits.shape[-1] // self.levels
        logits = tf.reshape(logits, tf.concat([places, [channels, self.levels]], axis=0))
        return over_examples(_Levels(logits=logits, dtype=tf.float32))


@serializable
@dataclasses.dataclass(frozen=True)
class DiscretizedLogistics(PixelLikelihood):
    """A mixture of logistic distributions, rounded to levels (Salimans et al., 2017, PixelCNN++).

    Near levels share what is learnt of them, unlike those of `Categorical`. The least and the
    greatest level take all the mass beyond (equation 2). A pixel's three channels share their
    component; green has a mean that is linear in red, blue one that is linear in both (equation 3).

    The outputs are, of each pixel, `components` logits, then means and then logarithms of scales,
    both red first, and for colours the coefficients before the hyperbolic tangent: green by red,
    blue by red, blue by green. In these values run from -1 to 1. Logarithms of scales are held
    between -7 and 7.

    Args:
        components: how many logistic distributions are mixed, at least 1.
        levels: how many values there are, at least 2.

    Example:
        >>> DiscretizedLogistics(5).parameters((32, 32, 3))  # {"logistics": (32, 32, 50)}
    """

    components: int = 5
    levels: int = 256

    joint = True

    def __post_init__(self):
        _check_levels(self.levels)
        if self.components < 1:
            raise ValueError(
                f"`components` must be at least 1. Received: components={self.components}."
            )

    def parameters(self, example_shape):
        """Returns the shape of the outputs.

        Raises:
            ValueError: the images have neither 1 nor 3 channels.
        """
        height, width, channels = _image_shape(self, example_shape)
        if channels not in (1, 3):
            raise ValueError(
                "Logistics are of grey images, 1 channel, or of colours, 3. Received: examples "
                f"{tuple(example_shape)}. `Categorical` takes any number of channels."
            )
        return {"logistics": (height, width, self.components * (3 if channels == 1 else 10))}

    def distribution(self, outputs):
        """Takes outputs `[batch, height, width, 3 or 10 times components]`."""
        return over_examples(_Logistics(*self._split(outputs), self.levels))

    def tempered(self, outputs, temperature):
        """Divides logits by the temperature and multiplies scales by it, which ties no exponents.

        The power of a mixture's probabilities is no mixture of the kind.
        """
        logits, means, log_scales, coefficients = self._split(outputs)
        log_scales += tf.math.log(tf.cast(temperature, tf.float32))
        shape = tf.shape(logits)[:-1]
        parts = [logits / temperature, means, log_scales, coefficients]
        flat = [tf.reshape(each, [*tf.unstack(shape), math.prod(each.shape[3:])]) for each in parts]
        return tf.ensure_shape(tf.concat(flat, axis=-1), outputs.shape)

    def _split(self, outputs):
        """Returns logits `[..., components]`, and the rest as `[..., channels, components]`."""
        outputs = tf.cast(outputs, tf.float32)
        channels = {3: 1, 10: 3}.get(outputs.shape[-1] / self.components)
        if channels is None:
            raise ValueError(
                f"Logistics of {self.components} components need {3 * self.components} outputs for "
                f"each pixel of grey images, {10 * self.components} of colours. Received: outputs "
                f"{outputs.shape}."
            )
        sizes = [1, channels, channels, 3 if channels == 3 else 0]
        logits, *others = tf.split(outputs, [self.components * size for size in sizes], axis=-1)
        places = tf.unstack(tf.shape(outputs)[:-1])
        means, log_scales, coefficients = (
            tf.reshape(each, [*places, size, self.components])
            for each, size in zip(others, sizes[1:], strict=True)
        )
        return logits, means, hold(log_scales, *_SCALES), coefficients


class _Levels(tfd.Categorical):
    """TFP's, over levels from 0 to 1 in the place of numbers of classes."""

    def _log_prob(self, value):
        logits, last = self.logits, self.logits.shape[-1] - 1
        classes = tf.cast(tf.round(value * last), tf.int32)
        if classes.shape.rank != logits.shape.rank - 1:  # samples in front of the batch
            shape = tf.broadcast_dynamic_shape(tf.shape(classes), tf.shape(logits)[:-1])
            logits = tf.broadcast_to(logits, tf.concat([shape, [last + 1]], axis=0))
            classes = tf.broadcast_to(classes, shape)
        return -tf.nn.sparse_softmax_cross_entropy_with_logits(labels=classes, logits=logits)

    def _sample_n(self, n, seed=None):
        shape = tf.concat([[n], tf.shape(self.logits)], axis=0)
        chosen = tf.argmax(self.logits + _gumbel(shape, seed), axis=-1, output_type=tf.int32)
        return tf.cast(chosen, tf.float32) / (self.logits.shape[-1] - 1)


class _Logistics(tfd.Distribution):
    """One pixel, all channels: a mixture of logistics over levels from 0 to 1.

    Args:
        logits: of the components, float32 `[..., components]`.
        means: where values run from -1 to 1, `[..., channels, components]`, as all that follow.
        log_scales: the logarithms of scales.
        coefficients: before the hyperbolic tangent; 3 in the place of channels, or none.
        levels: how many values there are.
    """

    def __init__(self, logits, means, log_scales, coefficients, levels):
        self._logits, self._means, self._log_scales = logits, means, log_scales
        self._coefficients = tf.tanh(coefficients)
        self._last = levels - 1
        super().__init__(
            dtype=tf.float32,
            reparameterization_type=tfd.NOT_REPARAMETERIZED,
            validate_args=False,
            allow_nan_stats=True,
            parameters={
                "logits": logits,
                "means": means,
                "log_scales": log_scales,
                "coefficients": coefficients,
                "levels": levels,
            },
        )

    def _batch_shape(self):
        return self._logits.shape[:-1]

    def _batch_shape_tensor(self):
        return tf.shape(self._logits)[:-1]

    def _event_shape(self):
        return self._means.shape[-2:-1]

    def _event_shape_tensor(self):
        return tf.constant(self._means.shape[-2:-1])

    def _means_given(self, channel, seen):
        """Returns a channel's means `[..., components]`, given those before it (equation 3)."""
        means = self._means[..., channel, :]
        for index, values in enumerate(seen):
            # The coefficients of a channel begin after those of the channels before it.
            weights = self._coefficients[..., channel * (channel - 1) // 2 + index, :]
            means = means + weights * values
        return means

    def _log_prob(self, value):
        scaled = 2 * value[..., tf.newaxis] - 1  # [..., channels, 1]
        channels = [scaled[..., index, :] for index in range(self._means.shape[-2])]
        log_probs = [
            _log_mass(
                channels[index],
                self._means_given(index, channels[:index]),
                self._log_scales[..., index, :],
                self._last,
            )
            for index in range(len(channels))
        ]
        weights = tf.nn.log_softmax(self._logits)
        return tf.reduce_logsumexp(weights + tf.add_n(log_probs), axis=-1)

    def _sample_n(self, n, seed=None):
        of_component, of_values = tfp.random.split_seed(seed, n=2, salt="logistics")
        count = self._logits.shape[-1]
        shape = tf.concat([[n], tf.shape(self._logits)], axis=0)
        chosen = tf.argmax(self._logits + _gumbel(shape, of_component), axis=-1)
        chosen = tf.one_hot(chosen, count)
        shape = tf.concat([shape[:-1], self._means.shape[-2:-1]], axis=0)
        uniform = tf.random.stateless_uniform(shape, of_values)
        # Of 0 it is minus infinity, which belongs to the least level.
        standard = tf.math.log(uniform) - tf.math.log1p(-uniform)
        drawn, seen = [], []
        for index in range(self._means.shape[-2]):
            mean = tf.reduce_sum(chosen * self._means_given(index, seen), axis=-1)
            scale = tf.exp(tf.reduce_sum(chosen * self._log_scales[..., index, :], axis=-1))
            drawn.append(_nearest(mean + scale * standard[..., index], self._last))
            # Channels hear levels, as in training, not what these were rounded from.
            seen.append(2 * drawn[-1][..., tf.newaxis] - 1)
        return tf.stack(drawn, axis=-1)


def _log_mass(values, means, log_scales, last):
    """Returns the logarithm of a level's mass under a logistic distribution (equation 2).

    It is that of `s(above) - s(below)`, where `s` is the sigmoid, `above` and `below` the level's
    ends. As `softplus`es it loses no digits: the difference of ends does not depend on the values.

    Args:
        values: from -1 to 1.
        means: such, any.
        log_scales: the logarithms of scales.
        last: the number of the last level, from 0 on.
    """
    inverse = tf.exp(-log_scales)
    half = 1 / last
    above = inverse * (values - means + half)
    below = inverse * (values - means - half)
    least, greatest = values < half - 1, values > 1 - half
    inner = tfp.math.log1mexp(2 * half * inverse)
    return (
        -tf.where(greatest, 0.0, tf.nn.softplus(-above))
        - tf.where(least, 0.0, tf.nn.softplus(below))
        + tf.where(least | greatest, 0.0, inner)
    )


def _nearest(values, last):
    """Rounds values from -1 to 1 to levels from 0 to 1."""
    return tf.clip_by_value(tf.round((values + 1) / 2 * last), 0, last) / last


def _gumbel(shape, seed):
    """Draws what makes the largest of logits a draw of their softmax."""
    uniform = tf.random.stateless_uniform(shape, seed, minval=_LEAST)
    return -tf.math.log(-tf.math.log(uniform))


def _image_shape(likelihood, shape):
    if len(shape) != 3:
        raise ValueError(
            f"{likelihood} is of images, (height, width, channels). Received: examples "
            f"{tuple(shape)}."
        )
    return shape


def _check_levels(levels):
    if levels < 2:
        raise ValueError(f"`levels` must be at least 2. Received: levels={levels}.")
