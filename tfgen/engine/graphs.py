"""What runs as a graph: methods of models, and checks of values."""

import functools

import tensorflow as tf


def as_graph(method):
    """Makes a method of a model run as one graph, which is traced at its first call.

    Python's visit to every layer costs more than what small networks compute. Within a graph, such
    as an export's, the method is called as it is.

    Args:
        method: a function of a model and tensors. The graph follows the values of variables, and
            keeps all else that the method read when it was traced: a network that is put in
            another's place later is not seen. Each other value of a Python argument is traced
            anew, so only flags should be.

    Returns:
        The method.

    Example:
        >>> class Doubler(keras.Model):
        ...     @as_graph
        ...     def double(self, values):
        ...         return 2 * values
    """
    graph = tf.function(method, autograph=False, reduce_retracing=True)

    @functools.wraps(method)
    def run(self, *args, **kwargs):
        if tf.inside_function():
            return method(self, *args, **kwargs)
        return graph(self, *args, **kwargs)

    return run


def requirement(condition, message, received):
    """Checks values: at once where they are known, or else whenever the graph runs.

    XLA drops the check of a graph. What follows should then become NaN.

    Args:
        condition: a boolean scalar, what must be true.
        message: a sentence, what must be so.
        received: a tensor or number, what came.

    Returns:
        A list of operations for `tf.control_dependencies`.

    Raises:
        ValueError: the condition is known, and false.
    """
    known = tf.get_static_value(tf.convert_to_tensor(condition))
    if known is None:
        return [tf.debugging.Assert(condition, [message, received])]
    if not known:
        received = tf.get_static_value(tf.convert_to_tensor(received))
        raise ValueError(f"{message} Received: {received}.")
    return []
