"""Noise that is added to values, or takes some away."""

import dataclasses

import tensorflow as tf
import tensorflow_probability as tfp

from tfgen.distributions import philox
from tfgen.engine import noise
from tfgen.engine.serialization import Configured, serializable
from tfgen.utils.arguments import check_number

tfd = tfp.distributions


@serializable
@dataclasses.dataclass(frozen=True)
class GaussianNoise(Configured):
    """Adds normal noise to every value: what a denoising autoencoder learns to take away.

    Args:
        scale: the noise's standard deviation, at least 0.

    Raises:
        ValueError: `scale` is negative.

    Example:
        >>> GaussianNoise(0.3)(images, noise_seed=(0, 1))
    """

    scale: float = 0.3

    def __post_init__(self):
        check_number("scale", self.scale, least=0)

    def __call__(self, images, noise_seed=(0, 0)):
        """Returns examples with noise, shaped as `images`, floats `[batch, ...]`."""
        if not tf.as_dtype(images.dtype).is_floating:
            raise TypeError(
                f"Examples must be floating-point. Received: {tf.as_dtype(images.dtype).name}. "
                "Divide pixels by 255."
            )
        normal = tfd.Sample(philox.Normal(0.0, self.scale), images.shape[1:])
        noises = noise.sample_batch(normal, tf.shape(images)[0], noise_seed)
        return images + tf.cast(noises, images.dtype)


@serializable
@dataclasses.dataclass(frozen=True)
class MaskingNoise(Configured):
    """Sets a share of all values to 0, each apart (Vincent et al., 2008, section 3.1).

    Args:
        share: how likely a value is lost, from 0 to 1.

    Raises:
        ValueError: `share` is not from 0 to 1.

    Example:
        >>> MaskingNoise(0.25)(images, noise_seed=(0, 1))
    """

    share: float = 0.25

    def __post_init__(self):
        if not 0 <= self.share <= 1:
            raise ValueError(f"`share` must be from 0 to 1. Received: share={self.share}.")

    def __call__(self, images, noise_seed=(0, 0)):
        """Returns examples with values lost, shaped as `images`, `[batch, ...]`."""
        uniform = tfd.Sample(philox.Uniform(), images.shape[1:])
        draws = noise.sample_batch(uniform, tf.shape(images)[0], noise_seed)
        return tf.where(draws < self.share, tf.zeros_like(images), images)
