"""Parts of images, brought back to their size, and mirror images."""

import dataclasses
import math

import tensorflow as tf
import tensorflow_probability as tfp

from tfgen.distributions import philox
from tfgen.engine import noise
from tfgen.engine.serialization import Configured, serializable
from tfgen.objectives.augmentations.geometry import sides
from tfgen.utils.arguments import check_number

tfd = tfp.distributions


@serializable
@dataclasses.dataclass(frozen=True)
class RandomCrop(Configured):
    """Cuts a part out of each image and brings it back to the image's size, linearly.

    The part's share of the area is uniform, the logarithm of its stretch too, and its place (Chen
    et al., 2020, appendix A). No part is longer than the image's sides. Apart for each image.

    Args:
        area: the least share of the area, above 0, up to 1.
        stretch: the most that the part's sides may differ by, as a factor, at least 1.

    Raises:
        ValueError: a number is out of its range.

    Example:
        >>> RandomCrop(0.3)(images, noise_seed=(0, 1))
    """

    area: float = 0.08
    stretch: float = 4 / 3

    def __post_init__(self):
        check_number("stretch", self.stretch, least=1)
        check_number("area", self.area)
        if not 0 < self.area <= 1:
            raise ValueError(f"`area` must be above 0, up to 1. Received: area={self.area}.")

    def __call__(self, images, noise_seed=(0, 0)):
        """Returns parts of images, as large as these.

        Args:
            images: `[batch, height, width, channels]`.
            noise_seed: int32 `[2]`, of the draws.
        """
        height, width = sides(images)
        draws = noise.sample_batch(tfd.Sample(philox.Uniform(), 4), tf.shape(images)[0], noise_seed)
        area, stretch, top, left = tf.unstack(draws, axis=1)
        area = self.area + (1 - self.area) * area
        stretch = tf.exp((2 * stretch - 1) * math.log(self.stretch) / 2)
        # Shares of the image's sides.
        tall = tf.minimum(tf.sqrt(area) * stretch, 1.0)
        wide = tf.minimum(tf.sqrt(area) / stretch, 1.0)
        rows = _readings(top * (1 - tall), tall, height, images.dtype)
        columns = _readings(left * (1 - wide), wide, width, images.dtype)
        return tf.einsum("bih,bhwc,bjw->bijc", rows, images, columns)


@serializable
@dataclasses.dataclass(frozen=True)
class RandomFlip(Configured):
    """Exchanges left and right in each image, as often as not, apart for each.

    Example:
        >>> RandomFlip()(images, noise_seed=(0, 1))
    """

    def __call__(self, images, noise_seed=(0, 0)):
        """Returns images, of which some are their mirror images.

        Args:
            images: `[batch, height, width, channels]`.
            noise_seed: int32 `[2]`, of the draws.
        """
        sides(images)
        draws = noise.sample_batch(tfd.Sample(philox.Uniform(), 1), tf.shape(images)[0], noise_seed)
        flipped = draws[:, :, tf.newaxis, tf.newaxis] < 0.5
        return tf.where(flipped, tf.reverse(images, axis=[2]), images)


def _readings(start, share, size, dtype):
    """Returns how each pixel of a part is read from the whole: `[batch, size, size]`.

    Args:
        start: where the part begins, float32 `[batch]`, a share of the side.
        share: how much of the side it is.
        size: the side's pixels.
        dtype: of the images.
    """
    middles = (tf.range(size, dtype=tf.float32) + 0.5) / size  # of the part's pixels
    places = (start[:, tf.newaxis] + share[:, tf.newaxis] * middles) * size - 0.5
    places = tf.clip_by_value(places, 0.0, size - 1.0)
    away = tf.abs(places[:, :, tf.newaxis] - tf.range(size, dtype=tf.float32))
    return tf.cast(tf.nn.relu(1 - away), dtype)
