"""Random changes of images that leave what they show, as values.

An augmentation is called with images and a seed; one of your own is a serializable dataclass with
such a `__call__`. Keras' random layers will not do where a step is to be repeated exactly, on any
number of replicas: they count their draws.
"""

import dataclasses

import keras
import tensorflow as tf
import tensorflow_probability as tfp

from tfgen import noise
from tfgen.config import Configured, serializable

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
        >>> RandomAffine(turn=0.3)(images, seed=(0, 1))
    """

    turn: float = 0.35
    shear: float = 0.35
    scale: float = 0.15
    shift: float = 0.07

    def __post_init__(self):
        limits = dataclasses.asdict(self)
        if min(limits.values()) < 0 or self.scale >= 1:
            raise ValueError(
                f"The limits must be at least 0, and `scale` less than 1. Received: {limits}."
            )

    def __call__(self, images, seed=(0, 0)):
        """Returns changed images.

        Args:
            images: `[batch, height, width, channels]`.
            seed: int32 `[2]`, of the draws.
        """
        height, width = images.shape[1:3]
        limits = [self.turn, self.shear, self.scale, self.shift * width, self.shift * height]
        draws = noise.draw(tfd.Sample(tfd.Uniform(-1.0, 1.0), 5), tf.shape(images)[0], seed)
        angle, shear, scale, right, down = tf.unstack(draws * limits, axis=1)
        cosine, sine = tf.cos(angle), tf.sin(angle)
        # The map from where a pixel goes to where it comes from: scale, shear, turn, shift.
        matrix = [
            (1 + scale) * (cosine + shear * sine),
            (1 + scale) * (shear * cosine - sine),
            (1 + scale) * sine,
            (1 + scale) * cosine,
        ]
        x, y = (width - 1) / 2, (height - 1) / 2  # the middle, which only the shift moves
        offsets = (
            x - matrix[0] * x - matrix[1] * y + right,
            y - matrix[2] * x - matrix[3] * y + down,
        )
        zero = tf.zeros_like(angle)
        transform = [matrix[0], matrix[1], offsets[0], matrix[2], matrix[3], offsets[1], zero, zero]
        return keras.ops.image.affine_transform(
            images,
            tf.stack(transform, axis=1),
            interpolation="bilinear",
            data_format="channels_last",
        )
