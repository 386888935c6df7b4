"""Convolutions whose outputs see earlier pixels only, in raster order: rows, each from the left."""

import numpy as np
import tensorflow as tf
from keras import layers

from tfgen.engine.one_pass import row_by_row
from tfgen.engine.serialization import serializable
from tfgen.layers.causal import CausalLayer, Reach

# What a causal convolution settles itself.
_SETTLED = ("padding", "data_format", "dilation_rate", "groups")


class CausalConv2D(CausalLayer, layers.Conv2D):
    """A convolution that sees no row below its own: there its kernel has no weights.

    Args:
        filters: how many maps come out.
        kernel_size: `(rows, columns)` of weights; the last row lies on the output's own.
        left: how many of the columns lie left of the output's own.
        **kwargs: what Keras' convolution takes, but for padding, dilation and groups.
    """

    def __init__(self, filters, kernel_size, left, **kwargs):
        super().__init__(filters, kernel_size, padding="valid", **kwargs)
        self._left = left

    @property
    def window(self):
        return self.kernel_size

    @property
    def margins(self):
        height, width = self.kernel_size
        return (height - 1, 0), (self._left, width - 1 - self._left)

    def of_windows(self, inputs):
        return layers.Conv2D.call(self, inputs)

    def convolution_op(self, inputs, kernel):
        return super().convolution_op(inputs, self.seen(tf.convert_to_tensor(kernel)))

    def seen(self, kernel):
        """Returns the kernel without the weights of what the layer must not see."""
        return kernel

    def compute_output_shape(self, input_shape):
        batch, *places, _ = input_shape
        made = [-(-size // step) for size, step in zip(places, self.strides, strict=True)]
        return (batch, *made, self.filters)

    def get_config(self):
        config = super().get_config()
        return {name: config[name] for name in config if name not in _SETTLED}


@row_by_row
@serializable
class MaskedConv2D(CausalConv2D):
    """PixelCNN's convolution (van den Oord et al., 2016, "Pixel recurrent neural networks", 3.4).

    It is one of zero padding, whose mask hides what comes later: rows below, columns to the right
    and, unless `sees_itself`, its own place (mask A, for images; mask B is for what comes of it).
    The rows below have no weights at all.

    With `channels`, features come in as many contiguous blocks, one of each channel. At its own
    place a block sees those of earlier channels, and its own if `sees_itself`.

    Args:
        filters: how many maps come out, a multiple of `channels`.
        kernel_size: as for Keras' convolution, rows and columns odd.
        sees_itself: whether a place sees itself: False is mask A, True is mask B.
        channels: the number of blocks of features; 1 keeps all together.
        **kwargs: what Keras' convolution takes, but for strides, padding, dilation and groups.

    Raises:
        ValueError: the kernel's size is even, or features do not divide into the channels.

    Example:
        >>> hidden = MaskedConv2D(32, 7, sees_itself=False)(images)
        >>> hidden = MaskedConv2D(32, 3, sees_itself=True)(hidden)
    """

    def __init__(self, filters, kernel_size, sees_itself, channels=1, **kwargs):
        height, width = _pair(kernel_size)
        if not (height % 2 and width % 2):
            raise ValueError(
                "A masked kernel has a middle: its rows and columns must be odd. Received: "
                f"kernel_size={kernel_size}."
            )
        _check_blocks("filters", filters, channels)
        super().__init__(filters, (height // 2 + 1, width), left=width // 2, strides=1, **kwargs)
        self.sees_itself = sees_itself
        self.channels = channels

    @property
    def reach(self):
        # A colour that sees earlier ones of its own place sees what was drawn there: sampling keeps
        # a pixel's channels one by one.
        return Reach.ITSELF if self.sees_itself else Reach.EARLIER

    def build(self, input_shape):
        _check_blocks("features that come in", input_shape[-1], self.channels)
        self._mask = causal_mask(
            (*self.kernel_size, input_shape[-1], self.filters), self.sees_itself, self.channels
        )
        super().build(input_shape)

    def seen(self, kernel):
        return kernel * tf.cast(self._mask, kernel.dtype)

    def get_config(self):
        config = super().get_config()
        del config["strides"]
        height, width = self.kernel_size
        own = {"sees_itself": self.sees_itself, "channels": self.channels}
        return {**config, "kernel_size": (2 * height - 1, width), **own}


@row_by_row
@serializable
class ShiftedConv2D(CausalConv2D):
    """PixelCNN++'s convolution, which has weights for what it sees alone (Salimans et al., 2017).

    With `sees_right` it sees columns on both sides, else none to the right of its own. It sees rows
    up to its own, the output's own place among them: `Shift` hides that.

    Args:
        filters: how many maps come out.
        kernel_size: as for Keras' convolution: the rows above and the own; the columns, odd with
            `sees_right`.
        strides: as for Keras' convolution. Places are those that are multiples of it.
        sees_right: whether it sees columns to the right.
        **kwargs: what Keras' convolution takes, but for padding, dilation and groups.

    Raises:
        ValueError: with `sees_right` the number of columns is even.

    Example:
        >>> above = ShiftedConv2D(32, (2, 3), sees_right=True)(Shift(rows=1)(images))
        >>> ShiftedConv2D(64, 2, strides=2, sees_right=False)(above)  # half the rows and columns
    """

    def __init__(self, filters, kernel_size, strides=1, sees_right=True, **kwargs):
        _, width = _pair(kernel_size)
        if sees_right and width % 2 == 0:
            raise ValueError(
                "A kernel that sees both sides has as many columns left as right: they must be "
                f"odd. Received: kernel_size={kernel_size}."
            )
        left = width // 2 if sees_right else width - 1
        super().__init__(filters, kernel_size, left=left, strides=strides, **kwargs)
        self.sees_right = sees_right

    @property
    def reach(self):
        return Reach.ROW if self.sees_right else Reach.ITSELF

    def get_config(self):
        return {**super().get_config(), "sees_right": self.sees_right}


def causal_mask(shape, sees_itself, channels):
    """Returns 1 for the weights that a masked convolution has, 0 for others.

    Args:
        shape: the kernel's `(rows, columns, inputs, filters)`; its last row is the output's own.
        sees_itself: whether a place sees itself.
        channels: the number of blocks of features.
    """
    mask = np.ones(shape, np.float32)
    middle = shape[1] // 2
    mask[-1, middle + 1 :] = 0
    of_inputs, of_filters = (np.arange(size) * channels // size for size in shape[2:])
    if sees_itself:
        mask[-1, middle] = of_inputs[:, np.newaxis] <= of_filters
    else:
        mask[-1, middle] = of_inputs[:, np.newaxis] < of_filters
    return mask


def _check_blocks(what, count, channels):
    if channels < 1 or count % channels:
        raise ValueError(
            f"The number of {what} must be a multiple of channels={channels}, which is at least 1. "
            f"Received: {count}."
        )


def _pair(size):
    return (size, size) if isinstance(size, int) else tuple(size)
