"""Steps on several worker processes.

Keras 3's own `fit` fails under `MultiWorkerMirroredStrategy`, where it cannot reduce scalar logs
(keras#20585). These functions are put in place of Keras' when a strategy spans processes.
"""

import tensorflow as tf


def spans_workers(strategy):
    """Tells whether a strategy's replicas live in more than one process."""
    return isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy)


def make_worker_function(model, step):
    """Returns what `fit` and `evaluate` call with an iterator over distributed batches.

    Args:
        model: the compiled model; its `steps_per_execution` steps are made in one call.
        step: the model's `train_step` or `test_step`.

    Returns:
        A function from an iterator to the logs of the last step, averaged over replicas. It raises
        `tf.errors.OutOfRangeError` at the data's end.
    """
    strategy = model.distribute_strategy

    @tf.function(reduce_retracing=True, jit_compile=model.jit_compile)
    def run(data):
        return strategy.run(step, args=(data,))

    @tf.function(reduce_retracing=True)
    def one_step(iterator):
        logs = run(next(iterator))
        return {name: strategy.reduce("MEAN", log, axis=None) for name, log in logs.items()}

    def function(iterator):
        for _ in range(model.steps_per_execution):
            logs = one_step(iterator)
        return logs

    return function
