"""Convolutions that are fast where they make images of one channel on a processor.

TensorFlow's kernels for those reach less than a tenth of a processor's rate. As one product of
matrices, each pixel's channels by the kernel's weights, and a sum of what overlaps, the same takes
a quarter of the time for a kernel of 7x7, and three quarters for the smallest.
"""

import tensorflow as tf
from keras import layers

from tfgen.config import serializable


@serializable
class ImageConv2D(layers.Conv2D):
    """`keras.layers.Conv2D`, faster with one filter: for outputs in one channel.

    Weights, arguments and results are the same, but for rounding. It is of use on processors, with
    `strides=1`; else it is Keras' own.

    Example:
        >>> images = ImageConv2D(1, 7, padding="same", activation="sigmoid")(features)
    """

    def convolution_op(self, inputs, kernel):
        plain = self.strides == (1, 1) and self.groups == 1
        if not (plain and _is_faster(self, inputs)):
            return super().convolution_op(inputs, kernel)
        # A convolution is the transposed one of the mirrored kernel, without its edges.
        parts = _parts(inputs, kernel[::-1, ::-1, :, 0])
        made = inputs.shape[1:3]
        if self.padding == "same":
            return _overlap_by_one(parts, [size // 2 for size in self.kernel_size], made)
        edges = [size - 1 for size in self.kernel_size]
        made = [size - edge for size, edge in zip(made, edges, strict=True)]
        return _overlap_by_one(parts, edges, made)


@serializable
class ImageConv2DTranspose(layers.Conv2DTranspose):
    """`keras.layers.Conv2DTranspose`, faster with one filter: for outputs in one channel.

    Weights, arguments and results are the same, but for rounding. It is of use on processors, with
    equal `strides` and `padding="same"`; else it is Keras' own.

    Example:
        >>> images = ImageConv2DTranspose(1, 4, strides=2, padding="same")(features)
    """

    def call(self, inputs):
        plain = self.strides[0] == self.strides[1] and self.padding == "same"
        plain = plain and self.output_padding is None
        if not (plain and _is_faster(self, inputs)):
            return super().call(inputs)
        outputs = _spread(inputs, tf.convert_to_tensor(self.kernel), self.strides[0])
        if self.use_bias:
            outputs = outputs + self.bias
        return outputs if self.activation is None else self.activation(outputs)


def _is_faster(layer, inputs):
    return (
        layer.filters == 1
        and layer.dilation_rate == (1, 1)
        and layer.data_format == "channels_last"
        and None not in inputs.shape[1:]
        and not tf.config.list_physical_devices("GPU")
    )


def _spread(images, kernel, stride):
    """The transposed convolution; for its gradients TensorFlow's own kernels are fast."""
    offsets = [max(size - stride, 0) // 2 for size in kernel.shape[:2]]
    made = [size * stride for size in images.shape[1:3]]
    strides = [1, stride, stride, 1]

    @tf.custom_gradient
    def spread(images, kernel):
        def gradient(slope):
            of_kernel = tf.raw_ops.Conv2DBackpropFilter(
                input=slope,
                filter_sizes=kernel.shape,
                out_backprop=images,
                strides=strides,
                padding="SAME",
            )
            return tf.nn.conv2d(slope, kernel, strides, "SAME"), of_kernel

        return _overlap(_parts(images, kernel[:, :, 0]), stride, offsets, made), gradient

    return spread(images, kernel)


def _parts(images, kernel):
    """Multiplies each pixel's channels by the weights at each place of a kernel.

    Args:
        images: `[batch, height, width, channels]`.
        kernel: `[kernel height, kernel width, channels]`.

    Returns:
        A tensor `[batch, height, width, kernel height, kernel width]`.
    """
    *places, channels = kernel.shape
    parts = tf.matmul(
        tf.reshape(images, [-1, channels]), tf.reshape(kernel, [-1, channels]), transpose_b=True
    )
    return tf.reshape(parts, [-1, *images.shape[1:3], *places])


def _overlap_by_one(parts, offsets, made):
    """Is `_overlap` with stride 1, with a gradient that needs no image of zeros for each slice."""

    def gradient(slope):
        """What lies below the kernel at each pixel."""
        height, width, *sizes = parts.shape[1:]
        paddings = [
            [offset, places + size - 1 - offset - count]
            for offset, places, size, count in zip(
                offsets, (height, width), sizes, made, strict=True
            )
        ]
        slope = tf.pad(slope, [[0, 0], *paddings, [0, 0]])
        slope = tf.concat([slope[:, :, left : left + width] for left in range(sizes[1])], axis=-1)
        slope = tf.concat([slope[:, top : top + height] for top in range(sizes[0])], axis=-1)
        return tf.reshape(slope, [-1, height, width, *sizes])

    return tf.custom_gradient(lambda parts: (_overlap(parts, 1, offsets, made), gradient))(parts)


def _overlap(parts, stride, offsets, made):
    """Adds parts `[batch, height, width, kernel height, kernel width]` where they overlap.

    Args:
        parts: the parts, each begun `stride` pixels after the one before.
        stride: the same down and to the right.
        offsets: the rows and columns that are left out at the top and on the left.
        made: how many rows and columns there are after that.

    Returns:
        Images `[batch, *made, 1]`.
    """
    rows = _overlap_rows(parts, stride, offsets[0], made[0])
    columns = tf.transpose(rows, [0, 2, 1, 3])[..., None]
    return tf.transpose(_overlap_rows(columns, stride, offsets[1], made[1]), [0, 2, 1, 3])


def _overlap_rows(parts, stride, offset, made):
    """Adds parts `[batch, rows, others, size, rest]` to `[batch, made, others, rest]`."""
    rows, others, size, rest = parts.shape[1:]
    reach = -(-size // stride)  # how many places one part goes over
    parts = tf.pad(parts, [[0, 0], [reach - 1] * 2, [0, 0], [0, reach * stride - size], [0, 0]])
    parts = tf.reshape(parts, [-1, rows + 2 * (reach - 1), others, reach, stride, rest])
    places = rows + reach - 1
    added = tf.add_n(
        [parts[:, first : first + places, :, reach - 1 - first] for first in range(reach)]
    )
    added = tf.reshape(tf.transpose(added, [0, 1, 3, 2, 4]), [-1, places * stride, others, rest])
    return added[:, offset : offset + made]
