"""Checks that become a part of an export, so that every server refuses what has no answer."""

import tensorflow as tf

MOST = 4096  # samples of a request: more would be a server's memory


def guarded(function, specs):
    """Returns a signature's function that refuses numbers which are not finite, and large counts.

    Args:
        function: from tensors to a dict of tensors.
        specs: the list of its `tf.TensorSpec`s.

    Returns:
        A function of the same tensors. In the graph it raises `tf.errors.InvalidArgumentError`.
    """

    def call(*inputs):
        return function(
            *(_checked(value, spec.name) for value, spec in zip(inputs, specs, strict=True))
        )

    return call


def _checked(value, name):
    if value.dtype.is_floating:
        return tf.debugging.check_numerics(value, f"The input {name} must be finite")
    if name == "count":
        message = f"The input count must be between 1 and {MOST}"
        checks = [
            tf.debugging.assert_greater_equal(value, 1, message),
            tf.debugging.assert_less_equal(value, MOST, message),
        ]
        with tf.control_dependencies(checks):
            return tf.identity(value)
    return value
