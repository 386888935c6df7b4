"""Steps on several replicas, in one process or in many.

Keras 3's own loop fails there: with `steps_per_execution` above 1 under `MirroredStrategy` ("You
must feed a value for placeholder"), and on scalar logs under `MultiWorkerMirroredStrategy`
(keras#20585). The function made here takes its place when there is more than one replica.
"""

import functools

import keras
import tensorflow as tf

from tfgen.engine.keras_internals import layers_of, reduction_axes, replace_moments


def make_replicated_function(model, take_step, even=False):
    """Returns what `fit` and `evaluate` call with an iterator over distributed batches.

    Args:
        model: the compiled model; its `steps_per_execution` steps are made in one call.
        take_step: the model's `take_train_step` or `take_test_step`.
        even: whether replicas must have equal shares of a batch. Those of a training step must:
            each replica's mean counts the same.

    Returns:
        A function from an iterator to the logs of the last step, averaged over replicas. It raises
        `StopIteration` at the data's end, and a ValueError at a batch that cannot be shared evenly.
    """
    strategy = model.distribute_strategy

    @tf.function(reduce_retracing=True, autograph=False)  # as Keras does with its own steps
    def one_step(batch):
        def run(step):
            names = []

            def logs_of(data):
                logs = step(data)
                names[:] = logs
                return tf.stack(list(logs.values()))  # one message for all

            means = strategy.reduce("MEAN", strategy.run(logs_of, args=(batch,)), axis=None)
            return dict(zip(names, tf.unstack(means), strict=True))

        return take_step(run)

    def function(iterator):
        batch = next(iterator)
        for remaining in reversed(range(model.steps_per_execution)):
            if even:
                _check_even(strategy, batch)
            logs = one_step(batch)
            batch = next(iterator, None) if remaining else None
            if batch is None:
                return logs

    return function


def _check_even(strategy, batch):
    shares = strategy.experimental_local_results(tf.nest.flatten(batch)[0])
    sizes = [len(share) for share in shares]
    if len(set(sizes)) > 1:
        raise ValueError(
            f"{len(sizes)} replicas cannot share a batch of {sum(sizes)} examples evenly. Choose a "
            "batch size that their number divides, and leave out an epoch's last, smaller batch "
            "(`drop_remainder=True`)."
        )


def synchronize_statistics(model):
    """Makes a model's batch normalization normalize by the global batch, not by a replica's share.

    Otherwise each replica has statistics of its own, of which the first one's are saved. Keras can
    do so too (`synchronized=True`), with three messages for each layer where this has one.
    """
    for layer in layers_of(model):
        if isinstance(layer, keras.layers.BatchNormalization):
            replace_moments(layer, functools.partial(_moments_of_all, layer))


def _moments_of_all(layer, inputs, mask):
    """Returns mean and variance over the equal shares that all replicas have of a batch."""
    if mask is not None:
        raise ValueError("Batch normalization of several replicas takes no mask.")
    context = tf.distribute.get_replica_context()
    own = tf.stack(tf.nn.moments(tf.cast(inputs, tf.float32), reduction_axes(layer)))

    # All means and variances in one message, each in its replica's row. Sums of squares would be
    # less to send, but the difference E[x^2] - E[x]^2 cancels where the mean is large.
    replicas = context.num_replicas_in_sync
    row = tf.one_hot(context.replica_id_in_sync_group, replicas)[:, None, None]
    rows = context.all_reduce(tf.distribute.ReduceOp.SUM, row * own)
    means, variances = tf.unstack(rows, axis=1)
    mean = tf.reduce_mean(means, axis=0)
    variance = tf.reduce_mean(variances + tf.math.squared_difference(means, mean), axis=0)
    return tf.cast(mean, inputs.dtype), tf.cast(variance, inputs.dtype)


def update(variables, function):
    """Puts `function(value)` in place of each variable's value, alike on all replicas.

    Args:
        variables: Keras variables.
        function: from an index in that list and a value to a value.
    """
    tf.distribute.get_replica_context().merge_call(
        lambda strategy: [
            strategy.extended.update(
                variable.value, lambda value, index=index: value.assign(function(index, value))
            )
            for index, variable in enumerate(variables)
        ]
    )


def is_chief(strategy):
    """Tells whether this process is the one that writes files, of those that train a model."""
    return strategy.extended.should_save_summary


def meets(strategy):
    """Tells whether replicas meet in updates, be there one alone: XLA cannot compile that."""
    kinds = (tf.distribute.MirroredStrategy, tf.distribute.MultiWorkerMirroredStrategy)
    return isinstance(strategy, kinds)


def several_workers(strategy):
    """Tells whether more than one process trains."""
    return isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy)


def told_by_any(strategy, *flags):
    """Tells every worker what any of them knows; all must ask at the same point of the program.

    Args:
        strategy: a `tf.distribute.Strategy`.
        *flags: booleans.

    Returns:
        For each, whether it is true on any worker; of a single one, not a list.
    """
    flags = [bool(total) for total in sum_over_workers(strategy, [float(flag) for flag in flags])]
    return flags[0] if len(flags) == 1 else flags


def from_chief(strategy, values):
    """Returns the chief's floats on every worker; all must give as many, and ask at once."""
    own = values if is_chief(strategy) else [0.0] * len(values)
    return sum_over_workers(strategy, own).tolist()


def broadcast(strategy, variables):
    """Gives Keras variables the chief's values on every worker; all must ask at once."""
    if not several_workers(strategy):
        return

    # Strategies put what they send at once end to end: it must be of one type.
    for dtype in sorted({variable.dtype for variable in variables}):  # alike on all workers
        _broadcast_alike(strategy, [each for each in variables if each.dtype == dtype])


def _broadcast_alike(strategy, variables):
    def send():
        context = tf.distribute.get_replica_context()
        first = context.replica_id_in_sync_group == 0
        values = [tf.convert_to_tensor(variable.value) for variable in variables]
        own = [tf.where(first, value, tf.zeros_like(value)) for value in values]
        sent = context.all_reduce(tf.distribute.ReduceOp.SUM, own)
        update(variables, lambda index, _: sent[index])

    tf.function(lambda: strategy.run(send), autograph=False)()


def sum_over_workers(strategy, value):
    """Returns the sum of what each worker has; all must ask at once.

    Args:
        strategy: a `tf.distribute.Strategy`.
        value: a number or array, of one shape on all workers.

    Returns:
        A float64 array, the same on every worker.
    """
    value = tf.constant(value, tf.float64)
    if not several_workers(strategy):
        return value.numpy()
    local = len(strategy.extended.worker_devices)
    # One of a worker's replicas speaks for all.
    values = strategy.experimental_distribute_values_from_function(
        lambda context: value * (context.replica_id_in_sync_group % local == 0)
    )
    return strategy.reduce("SUM", values, axis=None).numpy()


def global_mean(values):
    """Returns the mean over the examples of all replicas, in a step; gradients flow to all.

    Args:
        values: float32 `[batch, ...]`, of this replica's examples.

    Returns:
        A tensor `[...]`.
    """
    context = tf.distribute.get_replica_context()
    if context is None or context.num_replicas_in_sync == 1:
        return tf.reduce_mean(values, axis=0)
    own = [tf.reduce_sum(values, axis=0), tf.cast(tf.shape(values)[0], values.dtype)]
    total, count = context.all_reduce(tf.distribute.ReduceOp.SUM, own)
    return total / count


def from_all_replicas(values):
    """Returns the examples of all replicas, in a step, and where this one's begin.

    Args:
        values: float32 `[batch, ...]`, of this replica's examples; all have as many.

    Returns:
        A tensor `[global batch, ...]`, through which gradients flow to all, and an int32 scalar.
    """
    context = tf.distribute.get_replica_context()
    if context is None or context.num_replicas_in_sync == 1:
        return values, 0
    first = context.replica_id_in_sync_group * tf.shape(values)[0]
    gathered = context.all_gather(values, axis=0)
    return tf.ensure_shape(gathered, [None, *values.shape[1:]]), first
