"""Maps `[batch, height, width, channels]` of which single places are read and written in a loop."""

import tensorflow as tf


def put(maps, values, row, column, compiled=False):
    """Writes values into maps at a place, without a copy of the maps where a loop owns them.

    Args:
        maps: `[batch, height, width, channels]`.
        values: `[batch, 1, 1, channels]`, or `[batch, 1, columns, channels]` for a part of a row.
        row: int32 scalar.
        column: int32 scalar, the first.
        compiled: whether XLA compiles this; what is fast for it is slow without it, and
            the other way does not compile.

    Returns:
        The maps.
    """
    values = tf.cast(values, maps.dtype)
    if compiled:
        return _scattered(maps, values, row, column)
    written = tf.raw_ops.TensorStridedSliceUpdate(
        input=maps,
        begin=[0, row, column, 0],
        end=[0, row + 1, column + values.shape[2], 0],
        strides=[1, 1, 1, 1],
        value=values,
        begin_mask=0b1001,
        end_mask=0b1001,
    )
    return tf.ensure_shape(written, maps.shape)


def get(maps, row, column, height=1, width=1):
    """Returns a part of maps, `[batch, height, width, channels]`, from a place on."""
    part = tf.slice(maps, [0, row, column, 0], [-1, height, width, -1])
    return tf.ensure_shape(part, [maps.shape[0], height, width, maps.shape[3]])


def _scattered(maps, values, row, column):
    count, columns = maps.shape[0], values.shape[2]
    places = [
        tf.reshape(each, [-1])
        for each in tf.meshgrid(tf.range(count), row, column + tf.range(columns), indexing="ij")
    ]
    flat = tf.reshape(values, [-1, values.shape[3]])
    return tf.tensor_scatter_nd_update(maps, tf.stack(places, axis=1), flat)
