"""Parameters that are held within limits."""

import tensorflow as tf


def hold(values, low, high):
    """Clips values, and passes gradients on as if it did not, so that they come back."""
    return tf.grad_pass_through(lambda values: tf.clip_by_value(values, low, high))(values)
