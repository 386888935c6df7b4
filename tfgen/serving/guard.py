"""Checks that become a part of an export, so that every server refuses what has no answer."""

import tensorflow as tf

MOST = 4096  # samples of a request: more would be a server's memory
_MOST_OF = {"count": MOST, "steps": 1000}  # what is counted by a number; DDPM takes 1,000 steps
# Rounding, and resizing by cubic curves, leave the range of images by less. Pixels of 0 to 255, and
# images in [-1, 1], leave [0, 1] by more.
_SLACK = 0.5


def guarded(function, specs, limits_of):
    """Returns a signature's function that refuses what its model has no answer to.

    That are numbers which are not finite, images far outside of the model's range, and large
    counts of samples or steps. Rows are counted where a seed or another single number stands beside
    them: there, servers do not.

    Args:
        function: from tensors to a dict of tensors.
        specs: the list of its `tf.TensorSpec`s.
        limits_of: a function from the spec of images to their least and largest value, see
            `tfgen.GenerativeModel.limits_of`.

    Returns:
        A function of the same tensors. In the graph it raises `tf.errors.InvalidArgumentError`.
    """
    alone = any(spec.shape.rank == 0 for spec in specs)  # no server puts such requests together

    def call(*inputs):
        return function(
            *(
                _in_range(_checked(value, spec.name, alone), spec, limits_of)
                for value, spec in zip(inputs, specs, strict=True)
            )
        )

    return call


def _checked(value, name, alone):
    checks = []
    if name in _MOST_OF:
        message = f"The input {name} must be between 1 and {_MOST_OF[name]}"
        checks = [
            tf.debugging.assert_greater_equal(value, 1, message),
            tf.debugging.assert_less_equal(value, _MOST_OF[name], message),
        ]
    elif alone and value.shape.rank:
        message = f"The input {name} must have at most {MOST} rows"
        checks = [tf.debugging.assert_less_equal(tf.shape(value)[0], MOST, message)]
    with tf.control_dependencies(checks):
        if value.dtype.is_floating:
            return tf.debugging.check_numerics(value, f"The input {name} must be finite")
        return tf.identity(value)


def _in_range(value, spec, limits_of):
    low, high = limits_of(spec) if spec.name == "images" else (None, None)
    if low is None:
        return value
    message = f"The input {spec.name} must be in [{low:g}, {high:g}]"
    checks = [
        tf.debugging.assert_less_equal(
            tf.reduce_max(value), high + _SLACK, f"{message}: divide pixels by 255"
        ),
        tf.debugging.assert_greater_equal(
            tf.reduce_min(value), low - _SLACK, f"{message}: (images + 1) / 2 is, of [-1, 1]"
        ),
    ]
    with tf.control_dependencies(checks):
        return tf.identity(value)
