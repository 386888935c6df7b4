"""Images that are made darker or brighter."""

import dataclasses

import tensorflow as tf
import tensorflow_probability as tfp

from tfgen.distributions import philox
from tfgen.engine import noise
from tfgen.engine.serialization import Configured, serializable

tfd = tfp.distributions


@serializable
@dataclasses.dataclass(frozen=True)
class RandomBrightness(Configured):
    """Multiplies each image by a number that is uniform from `1 - limit` to `1 + limit`.

    Contrastive learning needs it: views of one image are else found by how bright they are (Chen et
    al., 2020, section 3.1, of colours).

    Args:
        limit: from 0 to 1.

    Raises:
        ValueError: `limit` is not from 0 to 1.

    Example:
        >>> RandomBrightness(0.5)(images, noise_seed=(0, 1))
    """

    limit: float = 0.5

    def __post_init__(self):
        if not 0 <= self.limit <= 1:
            raise ValueError(f"`limit` must be from 0 to 1. Received: limit={self.limit}.")

    def __call__(self, images, noise_seed=(0, 0)):
        """Returns darker or brighter images, shaped as `images`, `[batch, ...]`."""
        uniform = philox.Uniform(1 - self.limit, 1 + self.limit)
        shape = [1] * (len(images.shape) - 1)
        factors = noise.sample_batch(tfd.Sample(uniform, shape), tf.shape(images)[0], noise_seed)
        return images * tf.cast(factors, images.dtype)
