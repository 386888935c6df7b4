"""A data set in memory, checked once."""

import dataclasses
import math

import numpy as np
import tensorflow as tf

from tfgen.data.examples import as_examples, as_labels
from tfgen.engine import noise
from tfgen.utils.arguments import check_count


@dataclasses.dataclass(frozen=True, eq=False)
class Source:
    """Examples in memory, and their labels.

    Pixels stay uint8 until a batch is made: a quarter of the memory, and a faster gather.

    Args:
        images: uint8 images `[count, height, width, channels]`; or floats: images in [0, 1], or
            vectors `[count, features]` of any finite value. `[count, height, width]` is read as
            grey images, booleans as black and white. Arrays and tensors of either library are
            taken.
        labels: integers `[count]` or `[count, 1]`, vectors of attributes `[count, size]`, or
            `None`.
        unreadable: the number of files that were left out because they are broken.

    Raises:
        ValueError: there are no examples, channels come first, integers are no pixels of 8 bits, a
            value is not finite, a float image is not in [0, 1], or the labels are no numbers or
            not as many as the images.

    Example:
        >>> Source(np.zeros([10, 28, 28, 1], np.uint8)).shape
        (28, 28, 1)
    """

    images: np.ndarray
    labels: np.ndarray | None = None
    unreadable: int = 0

    def __post_init__(self):
        object.__setattr__(self, "images", as_examples(self.images))
        if self.labels is not None:
            object.__setattr__(self, "labels", as_labels(self.labels, len(self.images)))

    def __repr__(self):
        if self.labels is None:
            labels = "no labels"
        elif self.labels.ndim == 1:
            labels = f"{len(np.unique(self.labels))} classes"
        else:
            labels = f"labels of shape {self.labels.shape[1:]}"
        return f"Source({len(self)} examples of shape {self.shape}, {self.images.dtype}, {labels})"

    def __len__(self):
        return len(self.images)

    @property
    def shape(self):
        """The shape of one example, a tuple of integers."""
        return self.images.shape[1:]

    @property
    def parts(self):
        """What a batch is drawn from: the source alone. Of `Domains`, two sources."""
        return (self,)

    def floats(self, count=None):
        """Returns the first `count` examples, or all, as float32; images in [0, 1]."""
        return to_floats(tf.constant(self.images[:count]))

    def take(self, places):
        """Returns a source of the examples at these places, an array of integers."""
        labels = None if self.labels is None else self.labels[places]
        return dataclasses.replace(self, images=self.images[places], labels=labels)

    def resample(self, weights, count=None, seed=0):
        """Returns a source of examples drawn with replacement, some more often than others.

        Args:
            weights: `[count]`, at least 0, in proportion to how often each is drawn, such as
                `tfgen.evaluation.rarity` gives them.
            count: how many to draw; `None` for as many as there are.
            seed: an integer: the same seed draws the same examples.

        Raises:
            ValueError: there are not as many weights as examples, one is negative or not finite,
                all are 0, or `count` is less than 1.
        """
        weights = np.asarray(weights, np.float64)
        if weights.shape != (len(self),):
            raise ValueError(
                f"`weights` must be one for each of {len(self)} examples. Received: weights of "
                f"shape {list(weights.shape)}."
            )
        if not (np.isfinite(weights).all() and weights.min() >= 0 and weights.any()):
            raise ValueError("`weights` must be finite, at least 0, and not all 0.")
        count = len(self) if count is None else count
        check_count("count", count)
        shares = weights / weights.sum()
        return self.take(np.random.default_rng(seed).choice(len(self), count, p=shares))

    def subset(self, count, seed=0):
        """Returns a source of `count` of the examples, drawn without replacement.

        They keep their order, so that all of them are this source again.

        Raises:
            ValueError: there are not so many, or `count` is less than 1.
        """
        if not 1 <= count <= len(self):
            raise ValueError(
                f"`count` must be from 1 to the {len(self)} examples. Received: count={count}."
            )
        return self.take(np.sort(np.random.default_rng(seed).permutation(len(self))[:count]))

    def binarized(self, seed=0):
        """Returns a source of images whose pixels are drawn once, 1 with the old value as chance.

        This is "static" binarization; for fresh draws at every visit, see `tfgen.data.batches`.
        """
        pixels = binarize(tf.constant(self.images), noise_seed=[seed, 0])
        return dataclasses.replace(self, images=np.asarray(pixels * 255, np.uint8))

    def rounded(self, levels):
        """Returns a source of images whose values are the nearest of so many levels.

        Raises:
            ValueError: `levels` is less than 2.
        """
        check_count("levels", levels, least=2)
        return dataclasses.replace(self, images=np.asarray(round_to_levels(self.floats(), levels)))


def to_floats(images):
    """Scales uint8 pixels to float32 in [0, 1]; leaves floats as they are."""
    if images.dtype == tf.uint8:
        return tf.cast(images, tf.float32) / 255.0
    return images


def round_to_levels(images, levels):
    """Returns values from 0 to 1 as the nearest of so many levels, `k / (levels - 1)`.

    Args:
        images: float32 `[...]`; values outside of the range become its ends.
        levels: an integer, at least 2.
    """
    return tf.round(tf.clip_by_value(images, 0.0, 1.0) * (levels - 1)) / (levels - 1)


def binarize(images, noise_seed, first=0):
    """Draws black-or-white pixels, white with the grey value as chance (Burda et al., 2016).

    A pixel is white where a random number is less than its grey value. Random bits are what that
    costs: of the number's two digits only the first is the pixel's own. The second, which decides
    for one pixel in 256, is the same for all pixels of an image.

    Args:
        images: `[count, height, width, channels]`, uint8, or floats in [0, 1].
        noise_seed: int32 `[2]`.
        first: the images before these in a larger batch, of which this is a part.

    Returns:
        float32 images of 0 and 1. The chance is exact for uint8, and to 1/65280 for floats.
    """
    count, first = tf.shape(images)[0], tf.cast(first, tf.int32)
    before = tf.cast(first, tf.int64) * math.prod(images.shape[1:])
    own = noise.bytes_from(before, tf.shape(images), noise_seed)
    all_shared = tf.random.stateless_uniform(
        [first + count], tf.random.fold_in(noise_seed, 1), 0, 255, tf.int32
    )
    shared = tf.reshape(all_shared[first:], [count, *[1] * (len(images.shape) - 1)])
    return tf.cast(_is_less(own, shared, images), tf.float32)


def _is_less(own, shared, images):
    """Compares a number of two digits, of 0 to 255 and of 0 to 254, with grey values."""
    if images.dtype == tf.uint8:  # 256 / 255 of a pixel: the digits are the pixel, twice
        return (own < images) | ((own == images) & (tf.cast(shared, tf.uint8) < images))
    behind = (tf.cast(shared, tf.float32) + 0.5) / 255.0
    return tf.cast(own, tf.float32) + behind < 256.0 * images
