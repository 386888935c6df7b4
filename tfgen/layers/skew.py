"""Maps whose diagonals become columns."""

import tensorflow as tf


def skew(maps):
    """Moves each row by one place more to the right than the row above; zeros come in.

    So a place's neighbours above and on the left are in the column before it (van den Oord et al.,
    2016, "Pixel recurrent neural networks", section 3.2, figure 3).

    Args:
        maps: `[batch, height, width, channels]`.

    Returns:
        A tensor `[batch, height, width + height - 1, channels]`.
    """
    height, width, channels = maps.shape[1:]
    # Rows that are one place too long, read as rows of the right length, begin one later each.
    padded = tf.pad(maps, [[0, 0], [0, 0], [0, height], [0, 0]])
    flat = tf.reshape(padded, [-1, height * (width + height), channels])
    return tf.reshape(flat[:, :-height], [-1, height, width + height - 1, channels])


def unskew(maps):
    """Undoes `skew`: from `[batch, height, width + height - 1, channels]` to its argument."""
    height, skewed, channels = maps.shape[1:]
    flat = tf.reshape(maps, [-1, height * skewed, channels])
    flat = tf.pad(flat, [[0, 0], [0, height], [0, 0]])
    rows = tf.reshape(flat, [-1, height, skewed + 1, channels])
    return rows[:, :, : skewed - height + 1]
