"""Orders of pixels, as values: which pixel comes first, which next ("where to start?").

    p(x) = prod_i p(x_i | x_<i)

holds in every order. A network sees pixels row by row; an order says which pixel of the image lies
where in these rows. One of your own is a dataclass that derives from `PixelOrder`.
"""

import abc
import dataclasses

import numpy as np
import tensorflow as tf

from tfgen.engine.serialization import Configured, serializable


class PixelOrder(Configured, abc.ABC):
    """In which order an image's pixels come."""

    @abc.abstractmethod
    def places(self, height, width):
        """Returns the pixels in their order, an integer array `[height * width]`.

        Pixels are counted row by row from the top, each row from the left.
        """

    def to_rows(self, images):
        """Returns images `[batch, height, width, channels]` with their pixels in this order."""
        return self._gathered(images, self.places(*images.shape[1:3]))

    def from_rows(self, rows):
        """Returns the images of such rows, each pixel where it was."""
        return self._gathered(rows, np.argsort(self.places(*rows.shape[1:3])))

    def _gathered(self, images, places):
        height, width, channels = images.shape[1:]
        pixels = tf.gather(tf.reshape(images, [-1, height * width, channels]), places, axis=1)
        return tf.reshape(pixels, [-1, height, width, channels])


@serializable
@dataclasses.dataclass(frozen=True)
class RowByRow(PixelOrder):
    """From the upper left corner to the right, row by row: what is used if nothing is said.

    Example:
        >>> RowByRow().places(2, 3)  # [0, 1, 2, 3, 4, 5]
    """

    def places(self, height, width):
        return np.arange(height * width)

    def to_rows(self, images):
        return images

    def from_rows(self, rows):
        return rows


@serializable
@dataclasses.dataclass(frozen=True)
class ColumnByColumn(PixelOrder):
    """From the upper left corner down, column by column; of square images.

    Example:
        >>> ColumnByColumn().places(2, 2)  # [0, 2, 1, 3]
    """

    def places(self, height, width):
        if height != width:
            raise ValueError(
                "Only square images can come column by column. "
                f"Received: images of {height}x{width} pixels."
            )
        return np.arange(height * width).reshape(height, width).T.reshape(-1)


@serializable
@dataclasses.dataclass(frozen=True)
class Backwards(PixelOrder):
    """From the lower right corner to the left, row by row, up.

    Example:
        >>> Backwards().places(2, 3)  # [5, 4, 3, 2, 1, 0]
    """

    def places(self, height, width):
        return np.arange(height * width)[::-1]


@serializable
@dataclasses.dataclass(frozen=True)
class Shuffled(PixelOrder):
    """In an order by chance. Convolutions then see no neighbours; `networks.made` does not care.

    Args:
        seed: an integer from 0 to 2**32 - 1, which decides the order, for good.

    Example:
        >>> Shuffled(seed=0).places(2, 2)  # each of 0 to 3, once
    """

    seed: int = 0

    def places(self, height, width):
        # Unlike those of `default_rng`, its draws stay: a saved model's order is made anew.
        return np.random.RandomState(self.seed).permutation(height * width)
