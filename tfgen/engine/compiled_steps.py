"""Several steps of training as one program of XLA's.

What a step costs besides its arithmetic, to hand batch and weights to a program and to come back,
is a fifth of the time of a small multilayer perceptron's step. Here it is paid once for a group.
"""

import tensorflow as tf

# Steps of a group, or fewer: its batches are copied side by side, in at most so many bytes.
_STEPS, _BYTES = 10, 2**26


def pays(model):
    """Tells whether a compiled model's steps are to be compiled together.

    Not those with kernels of convolutions: on processors XLA takes ten times as long for their
    gradients in a loop as it does outside of one.
    """
    together = model.jit_compile and model.steps_per_execution > 1
    return together and all(len(weight.shape) <= 2 for weight in model.weights)


def make_compiled_function(model, otherwise):
    """Returns what `fit` calls with an iterator over batches, for a model that XLA compiles.

    The steps are the same, in the same order and of the same batches, as one by one; only where
    reading fails, those of the batches just before are not taken.

    Args:
        model: the compiled model, whose `train_step` returns its metrics; its `steps_per_execution`
            steps are made in one call.
        otherwise: Keras' function, for what cannot lie side by side: batches that do not all have
            the same, known shape (one smaller batch at the end is enough), and iterators that are
            not TensorFlow's own.

    Returns:
        A function from an iterator to the model's metrics. It raises `StopIteration` at the data's
        end.
    """

    @tf.function(jit_compile=True, autograph=False)
    def take_steps(batches, count):
        """Takes a step with each of the first `count` of the batches that lie side by side."""

        def take_step(index):
            model.train_step(tf.nest.map_structure(lambda parts: parts[index], batches))
            return [index + 1]

        tf.while_loop(lambda index: index < count, take_step, [0])

    # Not with `reduce_retracing`, which forgets the batches' sizes when they change.
    @tf.function(autograph=False)
    def execute(iterator):
        def take_group(taken, more):
            wanted = tf.minimum(_group_of(iterator.element_spec), model.steps_per_execution - taken)
            batches, count, more = _read(iterator, wanted)
            take_steps(batches, count)
            return taken + count, more

        taken, _ = tf.while_loop(
            lambda taken, more: (taken < model.steps_per_execution) & more, take_group, [0, True]
        )
        return taken, model.get_metrics_result()

    def function(iterator):
        if not (isinstance(iterator, tf.data.Iterator) and _are_alike(iterator.element_spec)):
            return otherwise(iterator)
        taken, logs = execute(iterator)
        if not taken:
            raise StopIteration
        return logs

    return function


def _are_alike(spec):
    return all(
        isinstance(part, tf.TensorSpec) and part.shape.is_fully_defined()
        for part in tf.nest.flatten(spec)
    )


def _group_of(spec):
    """Returns how many batches are put side by side."""
    size = sum(part.shape.num_elements() * part.dtype.size for part in tf.nest.flatten(spec))
    return max(1, min(_STEPS, _BYTES // size))


def _read(iterator, wanted):
    """Puts batches side by side.

    Args:
        iterator: over batches of the same shapes.
        wanted: how many, an int32 scalar.

    Returns:
        A triple: the batches, each tensor with one more axis, in front, of a constant size; how
        many of them there are; and whether there may be more.
    """
    spec = iterator.element_spec
    arrays = [
        tf.TensorArray(part.dtype, _group_of(spec), element_shape=part.shape)
        for part in tf.nest.flatten(spec)
    ]

    def read(count, more, arrays):
        batch = iterator.get_next_as_optional()
        more = batch.has_value()

        def written():
            parts = zip(arrays, tf.nest.flatten(batch.get_value()), strict=True)
            return [array.write(count, part) for array, part in parts]

        arrays = tf.cond(more, written, lambda: arrays)
        return count + tf.cast(more, tf.int32), more, arrays

    count, more, arrays = tf.while_loop(
        lambda count, more, _: (count < wanted) & more, read, [0, True, arrays]
    )
    return tf.nest.pack_sequence_as(spec, [array.stack() for array in arrays]), count, more
