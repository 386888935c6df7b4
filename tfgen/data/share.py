"""Batches for several worker processes."""

import tensorflow as tf

from tfgen.engine.replicas import several_workers


def share(dataset, strategy, even=True):
    """Gives each worker process its rows of every global batch.

    TensorFlow's own sharding deals whole batches to the workers in turn, so that a step's batch
    depends on their number. With this, a step sees the same global batch on any layout. Under a
    strategy of one process it changes nothing.

    Args:
        dataset: batches; the same on every worker.
        strategy: a `tf.distribute.Strategy`.
        even: whether all replicas must have equally many rows, as training needs it. Evaluation
            does not, where the last batch may be smaller.

    Returns:
        What `fit` takes: the data set, or a distributed one.

    Raises:
        tf.errors.InvalidArgumentError: while iterating, where a batch cannot be shared evenly.

    Example:
        >>> model.fit(share(stream, strategy), steps_per_epoch=100)
    """
    if not several_workers(strategy):
        return dataset
    replicas = strategy.num_replicas_in_sync

    def own_rows(context):
        # The strategy draws one element for each of the worker's replicas.
        count = replicas // context.num_input_pipelines
        first = context.input_pipeline_id * count
        local = tf.data.Dataset.range(first, first + count)

        @tf.autograph.experimental.do_not_convert
        def own(*batch):
            size = tf.shape(tf.nest.flatten(batch)[0], tf.int64)[0]
            message = f"{replicas} replicas cannot share a batch evenly: choose another size."
            check = [tf.debugging.assert_equal(size % replicas, tf.zeros([], tf.int64), message)]
            with tf.control_dependencies(check if even else []):
                size = tf.identity(size)
            return local.map(
                lambda replica: tf.nest.map_structure(
                    lambda rows: rows[
                        size * replica // replicas : size * (replica + 1) // replicas
                    ],
                    batch if len(batch) > 1 else batch[0],
                )
            )

        return _as_endless_as(dataset, dataset.flat_map(own))

    return strategy.distribute_datasets_from_function(own_rows)


def share_of(batch_size, strategy):
    """Returns the size of a replica's share of a batch; raises a ValueError if it is not even."""
    replicas = strategy.num_replicas_in_sync
    if batch_size % replicas:
        raise ValueError(
            f"{replicas} replicas cannot share a batch of {batch_size} examples evenly. Choose "
            "another batch size."
        )
    return batch_size // replicas


def share_reading(numbers, read_all, strategy):
    """Shares batches between workers before they are read.

    Args:
        numbers: a data set of the numbers of batches.
        read_all: a function from a data set of (number, replica) to one of the shares that the
            replicas have of those batches.
        strategy: a strategy of several workers.
    """

    def own_rows(context):
        count = strategy.num_replicas_in_sync // context.num_input_pipelines
        first = context.input_pipeline_id * count

        @tf.autograph.experimental.do_not_convert
        def own(number):
            return tf.data.Dataset.range(first, first + count).map(
                lambda replica: (number, replica)
            )

        return read_all(_as_endless_as(numbers, numbers.flat_map(own)))

    return strategy.distribute_datasets_from_function(own_rows)


def _as_endless_as(dataset, shared):
    """Tells TensorFlow that `shared` has no end if `dataset` has none.

    Otherwise workers ask each other before every batch whether there is one.
    """
    if dataset.cardinality() != tf.data.INFINITE_CARDINALITY:
        return shared
    return shared.apply(tf.data.experimental.assert_cardinality(dataset.cardinality()))
