"""Convolutions that are fast where they make images of one channel on a processor.

TensorFlow's kernels for those reach less than a tenth of a processor's rate. As one product of
matrices, each pixel's channels by the kernel's weights, and a sum of what overlaps, the same takes
a quarter of the time for a kernel of 7x7, and three quarters for the smallest.
"""

import tensorflow as tf
from keras import layers

from tfgen.engine.one_pass import row_by_row
from tfgen.engine.serialization import serializable


@row_by_row
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
        mirrored = tf.reshape(kernel[::-1, ::-1], [*self.kernel_size, 1, -1])
        made = inputs.shape[1:3]
        if self.padding == "same":
            return _spread(inputs, mirrored, 1, [size // 2 for size in self.kernel_size], made)
        edges = [size - 1 for size in self.kernel_size]
        made = [size - edge for size, edge in zip(made, edges, strict=True)]
        return _spread(inputs, mirrored, 1, edges, made)


@row_by_row
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
        plain = plain and self.output_padding is None and min(self.kernel_size) >= self.strides[0]
        if not (plain and _is_faster(self, inputs)):
            return super().call(inputs)
        stride, kernel = self.strides[0], tf.convert_to_tensor(self.kernel)
        offsets = [(size - stride) // 2 for size in self.kernel_size]
        made = [size * stride for size in inputs.shape[1:3]]
        outputs = _spread(inputs, kernel, stride, offsets, made)
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


def _spread(images, kernel, stride, offsets, made):
    """The transposed convolution; for its gradients TensorFlow's own kernels are fast.

    Args:
        images: `[batch, height, width, channels]`.
        kernel: `[kernel height, kernel width, 1, channels]`.
        stride: the same down and to the right.
        offsets: the rows and columns that are left out at the top and on the left.
        made: how many rows and columns there are after that.

    Returns:
        Images `[batch, *made, 1]`.
    """
    sides = [
        [offset, (places - 1) * stride + size - offset - count]
        for offset, places, size, count in zip(
            offsets, images.shape[1:3], kernel.shape[:2], made, strict=True
        )
    ]

    @tf.custom_gradient
    def spread(images, kernel):
        def gradient(slope):
            slope = tf.pad(slope, [[0, 0], *sides, [0, 0]])
            of_kernel = tf.raw_ops.Conv2DBackpropFilter(
                input=slope,
                filter_sizes=kernel.shape,
                out_backprop=images,
                strides=[1, stride, stride, 1],
                padding="VALID",
            )
            return tf.nn.conv2d(slope, kernel, stride, "VALID"), of_kernel

        return _overlap(_parts(images, kernel[:, :, 0]), stride, offsets, made), gradient

    return spread(images, kernel)


def _parts(images, kernel):
    """Multiplies each pixel's channels by the weights at each place of a kernel.

    Args:
        images: `[batch, height, width, channels]`.
        kernel: `[kernel height, kernel width, channels]`.

    Returns:
        A tensor `[kernel height, kernel width, batch, height, width]`: the pixels of a place lie
        side by side, and are moved together.
    """
    *places, channels = kernel.shape
    parts = tf.matmul(
        tf.reshape(kernel, [-1, channels]), tf.reshape(images, [-1, channels]), transpose_b=True
    )
    return tf.reshape(parts, [*places, -1, *images.shape[1:3]])


def _overlap(parts, stride, offsets, made):
    """Adds parts `[kernel height, kernel width, batch, height, width]` where they overlap.

    Args:
        parts: the parts, each begun `stride` pixels after the one before.
        stride: the same down and to the right.
        offsets: the rows and columns that are left out at the top and on the left.
        made: how many rows and columns there are after that.

    Returns:
        Images `[batch, *made, 1]`.
    """
    for axis in (-2, -1):
        parts = _overlap_along(axis, parts, stride, offsets[axis], made[axis])
    return parts[..., tf.newaxis]


def _overlap_along(axis, parts, stride, offset, made):
    """Adds parts `[size, ..., height, width]` to `[..., height, width]`, of which one is `made`."""
    size = parts.shape[0]
    reach = -(-size // stride)  # how many places one part goes over

    def place(part, first):
        paddings = [[0, 0]] * len(part.shape)
        paddings[axis] = [first, reach - 1 - first]
        return tf.pad(part, paddings)

    parts = tf.unstack(parts)
    # What falls on every `stride`-th pixel, from each of the first ones on.
    phases = [
        tf.add_n([place(parts[index], index // stride) for index in range(first, size, stride)])
        for first in range(stride)
    ]
    shape = [-1 if size is None else size for size in phases[0].shape]
    shape[axis] *= stride
    added = tf.reshape(tf.stack(phases, axis=axis), shape)
    kept = slice(offset, offset + made)
    return added[..., kept] if axis == -1 else added[..., kept, :]
