"""Batches for several worker processes."""

import tensorflow as tf


def share(dataset, strategy):
    """Gives each worker process its rows of every global batch.

    TensorFlow's own sharding deals whole batches to the workers in turn, so that a step's batch
    depends on their number. With this, a step sees the same global batch on any layout. Under a
    strategy of one process it changes nothing.

    Args:
        dataset: batches of a size that the number of replicas divides; the same on every worker.
        strategy: a `tf.distribute.Strategy`.

    Returns:
        What `fit` takes: the data set, or a distributed one.

    Raises:
        tf.errors.InvalidArgumentError: while iterating, where a batch cannot be divided evenly.

    Example:
        >>> model.fit(share(stream, strategy), steps_per_epoch=100)
    """
    if not isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy):
        return dataset
    replicas = strategy.num_replicas_in_sync

    def own_rows(context):
        # The strategy draws one element for each of the worker's replicas.
        count = replicas // context.num_input_pipelines
        first = context.input_pipeline_id * count

        def own(*batch):
            return tf.data.Dataset.from_tensor_slices(
                tf.nest.map_structure(
                    lambda rows: _divide(rows, replicas)[first : first + count], batch
                )
            )

        return dataset.flat_map(own).map(lambda *batch: batch[0] if len(batch) == 1 else batch)

    return strategy.distribute_datasets_from_function(own_rows)


def _divide(rows, replicas):
    """Reshapes `[batch, ...]` to `[replicas, batch / replicas, ...]`."""
    return tf.reshape(rows, tf.concat([[replicas, -1], tf.shape(rows)[1:]], axis=0))
