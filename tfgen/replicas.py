"""Steps on several replicas, in one process or in many.

Keras 3's own loop fails there: with `steps_per_execution` above 1 under `MirroredStrategy` ("You
must feed a value for placeholder"), and on scalar logs under `MultiWorkerMirroredStrategy`
(keras#20585). The function made here takes its place when there is more than one replica.
"""

import tensorflow as tf


def make_replicated_function(model, take_step):
    """Returns what `fit` and `evaluate` call with an iterator over distributed batches.

    Args:
        model: the compiled model; its `steps_per_execution` steps are made in one call.
        take_step: the model's `take_train_step` or `take_test_step`.

    Returns:
        A function from an iterator to the logs of the last step, averaged over replicas. It raises
        `StopIteration` at the data's end.

    Raises:
        ValueError: the model is to be compiled with XLA, which cannot compile a step that several
            devices take together.
    """
    if model.jit_compile:
        raise ValueError(
            "`jit_compile=True` needs a single replica. "
            f"Received: {model.distribute_strategy.num_replicas_in_sync} replicas. Compile the "
            "model with jit_compile=False."
        )
    strategy = model.distribute_strategy

    @tf.function(reduce_retracing=True, autograph=False)  # as Keras does with its own steps
    def one_step(batch):
        def run(step):
            logs = strategy.run(step, args=(batch,))
            return {name: strategy.reduce("MEAN", log, axis=None) for name, log in logs.items()}

        return take_step(run)

    def function(iterator):
        logs = one_step(next(iterator))
        for _ in range(model.steps_per_execution - 1):
            batch = next(iterator, None)
            if batch is None:
                break
            logs = one_step(batch)
        return logs

    return function


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
