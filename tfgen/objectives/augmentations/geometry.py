"""Images that are turned, scaled, moved, cut and mirrored."""

import dataclasses

import tensorflow as tf
import tensorflow_probability as tfp

from tfgen.distributions import philox
from tfgen.engine import noise
from tfgen.engine.serialization import Configured, serializable
from tfgen.utils.arguments import check_number
from tfgen.utils.deprecation import renamed_arguments

tfd = tfp.distributions


@serializable
@dataclasses.dataclass(frozen=True)
class RandomAffine(Configured):
    """Turns, shears, scales and shifts each image around its middle, and interpolates linearly.

    Each amount is uniform from `-limit` to `limit`, apart for each image. What comes in from
    outside is 0.

    Args:
        turn: the limit of the angle, in radians.
        shear: the limit of the horizontal shift, in pixels for each pixel of height.
        scale: the limit of the change of size, as a share of it, less than 1.
        shift: the limit of the shift in both directions, as a share of the image's sides.

    Raises:
        ValueError: a limit is negative, or `scale` is not less than 1.

    Example:
        >>> RandomAffine(turn=0.3)(images, noise_seed=(0, 1))
    """

    turn: float = 0.35
    shear: float = 0.35
    scale: float = 0.15
    shift: float = 0.07

    def __post_init__(self):
        limits = dataclasses.asdict(self)
        for name, limit in limits.items():
            check_number(name, limit)
        if min(limits.values()) < 0 or self.scale >= 1:
            raise ValueError(
                f"The limits must be at least 0, and `scale` less than 1. Received: {limits}."
            )

    @renamed_arguments(seed="noise_seed")
    def __call__(self, images, noise_seed=(0, 0)):
        """Returns changed images.

        Args:
            images: `[batch, height, width, channels]`.
            noise_seed: int32 `[2]`, of the draws.
        """
        height, width = sides(images)
        limits = [self.turn, self.shear, self.scale, self.shift * width, self.shift * height]
        draws = noise.sample_batch(
            tfd.Sample(philox.Uniform(-1.0, 1.0), 5), tf.shape(images)[0], noise_seed
        )
        draws = tf.reshape(tf.transpose(draws * limits), [5, -1, 1, 1])
        angle, shear, scale, right, down = tf.unstack(draws)
        middle = (width - 1) / 2, (height - 1) / 2
        x, y = tf.meshgrid(
            tf.range(width, dtype=tf.float32) - middle[0],
            tf.range(height, dtype=tf.float32) - middle[1],
        )
        # From where a pixel goes to where it comes from.
        x = x + shear * y
        x, y = tf.cos(angle) * x - tf.sin(angle) * y, tf.sin(angle) * x + tf.cos(angle) * y
        x, y = (1 + scale) * x + right, (1 + scale) * y + down
        return interpolate(images, middle[0] + x, middle[1] + y)


@serializable
@dataclasses.dataclass(frozen=True)
class RandomShift(Configured):
    """Shifts each image by whole pixels, down and to the right or back.

    Each shift is one of `-n, ..., n` pixels, all equally likely, and apart for each image. What
    comes in from outside is 0. The translation of Zhao et al., 2020, section 3.

    Args:
        limit: the limit of the shift in both directions, as a share of the image's sides, from 0
            to 1; `n` is that many pixels, rounded. The default is the paper's.

    Raises:
        ValueError: `limit` is not from 0 to 1.

    Example:
        >>> RandomShift(0.125)(images, noise_seed=(0, 1))
    """

    limit: float = 0.125

    def __post_init__(self):
        if not 0 <= self.limit <= 1:
            raise ValueError(f"`limit` must be from 0 to 1. Received: limit={self.limit}.")

    @renamed_arguments(seed="noise_seed")
    def __call__(self, images, noise_seed=(0, 0)):
        """Returns shifted images.

        Args:
            images: `[batch, height, width, channels]`.
            noise_seed: int32 `[2]`, of the draws.
        """
        height, width = sides(images)
        draws = noise.sample_batch(tfd.Sample(philox.Uniform(), 2), tf.shape(images)[0], noise_seed)
        rows = self._origins(draws[:, :1], height, images.dtype)
        columns = self._origins(draws[:, 1:], width, images.dtype)
        return tf.einsum("bih,bhwc,bjw->bijc", rows, images, columns)

    def _origins(self, draws, size, dtype):
        """Returns for each pixel a row with a 1 where it comes from: `[batch, size, size]`."""
        largest = int(self.limit * size + 0.5)
        shifts = tf.cast(draws * (2 * largest + 1), tf.int32) - largest
        return tf.one_hot(tf.range(size) - shifts, size, dtype=dtype)  # outside is a row of 0


def sides(images):
    """Returns height and width; raises a ValueError unless these are images of a known size."""
    if len(images.shape) != 4 or None in images.shape[1:3]:
        raise ValueError(
            "There must be images of a known size, [batch, height, width, channels]. "
            f"Received: {list(images.shape)}."
        )
    return images.shape[1:3]


def interpolate(images, x, y):
    """Reads images between their pixels, linearly in both directions.

    Exact derivatives are why this is here: the one that TensorFlow has for its own transformation
    of images is an approximation, a fifth away from it at `RandomAffine`'s limits.

    Args:
        images: `[batch, height, width, channels]`, 0 outside.
        x: float32 `[batch, ...]`, distances from the left, in pixels.
        y: the same from above.

    Returns:
        A tensor `[batch, ..., channels]`.
    """
    height, width, channels = images.shape[1:]
    pixels = tf.reshape(images, [-1, height * width, channels])
    parts = []
    for column in (tf.floor(x), tf.floor(x) + 1):
        for row in (tf.floor(y), tf.floor(y) + 1):
            inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
            share = (1 - tf.abs(x - column)) * (1 - tf.abs(y - row))
            index = tf.cast(tf.where(inside, row * width + column, 0), tf.int32)
            share = tf.cast(tf.where(inside, share, 0), images.dtype)
            parts.append(share[..., tf.newaxis] * tf.gather(pixels, index, batch_dims=1))
    return tf.add_n(parts)
