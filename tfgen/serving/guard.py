"""Checks that become a part of an export, so that every server refuses what has no answer."""

import tensorflow as tf

MOST = 4096  # samples of a request: more would be a server's memory


def guarded(function, specs):
    """Returns a signature's function that refuses numbers which are not finite, and large counts.

    Rows are counted where a seed or another single number stands beside them: there, servers do
    not.

    Args:
        function: from tensors to a dict of tensors.
        specs: the list of its `tf.TensorSpec`s.

    Returns:
        A function of the same tensors. In the graph it raises `tf.errors.InvalidArgumentError`.
    """
    alone = any(spec.shape.rank == 0 for spec in specs)  # no server puts such requests together

    def call(*inputs):
        return function(
            *(_checked(value, spec.name, alone) for value, spec in zip(inputs, specs, strict=True))
        )

    return call


def _checked(value, name, alone):
    checks = []
    if name == "count":
        message = f"The input count must be between 1 and {MOST}"
        checks = [
            tf.debugging.assert_greater_equal(value, 1, message),
            tf.debugging.assert_less_equal(value, MOST, message),
        ]
    elif alone and value.shape.rank:
        message = f"The input {name} must have at most {MOST} rows"
        checks = [tf.debugging.assert_less_equal(tf.shape(value)[0], MOST, message)]
    with tf.control_dependencies(checks):
        if value.dtype.is_floating:
            return tf.debugging.check_numerics(value, f"The input {name} must be finite")
        return tf.identity(value)
