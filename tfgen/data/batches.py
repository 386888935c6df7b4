"""From a source to batches: the order is a function of (seed, epoch, position), not of a buffer."""

import itertools

import tensorflow as tf

from tfgen.data.source import binarize, to_floats


def batches(
    source,
    batch_size,
    *,
    shuffle=True,
    repeat=False,
    first_step=0,
    seed=0,
    labels=False,
    binarized=None,
):
    """Makes batches for `fit`: float32, images in [0, 1], NHWC.

    Whole batches are gathered by index, which is far faster than a shuffle buffer over single
    examples, and a stream can start at any step at once.

    Args:
        source: a `Source`.
        batch_size: examples per (global) batch.
        shuffle: whether each epoch has an order of its own; examples that do not fill a batch are
            then left to a later epoch. Otherwise the order is the source's and the last batch may
            be smaller.
        repeat: whether the batches go on without end, for `fit(..., steps_per_epoch=)`. Such a
            stream is a function of its arguments alone: started at `first_step` it goes on as one
            that began at 0. Without `repeat`, every pass over the data is an epoch with an order
            of its own, and the first pass is always the same.
        first_step: the batch at which a repeated stream starts.
        seed: an integer.
        labels: whether to yield `(images, labels)`.
        binarized: how pixels become 0 or 1, with the grey value as the chance of 1: "stochastic"
            draws anew at every visit (Burda et al., 2016), "static" once and for all.

    Returns:
        A `tf.data.Dataset`.

    Raises:
        ValueError: the batch size is not positive or, with `shuffle`, larger than the source; or
            labels are wanted and there are none, or vectors are to be binarized.

    Example:
        >>> stream = batches(Source(images), 64, repeat=True, first_step=1000)
        >>> model.fit(stream, steps_per_epoch=100, epochs=10)
    """
    steps = steps_per_epoch(source, batch_size, shuffle)
    if binarized and len(source.shape) != 3:
        raise ValueError(f"Only images can be binarized. Received: examples of {source.shape}.")
    if labels and source.labels is None:
        raise ValueError("These data have no labels. Pass labels=False.")
    if binarized not in (None, "stochastic", "static"):
        raise ValueError(
            f'`binarized` must be None, "stochastic" or "static". Received: {binarized!r}.'
        )
    if binarized == "static":
        source = source.binarized(seed)

    def indices(epoch, step):
        start = step * batch_size
        positions = tf.range(start, tf.minimum(start + batch_size, len(source)))
        if shuffle:
            positions = tf.random.experimental.index_shuffle(
                positions, seed=[seed, epoch], max_index=len(source) - 1
            )
            # The length is known, and XLA wants to know it.
            positions = tf.ensure_shape(positions, [batch_size])
        return positions

    examples = tf.constant(source.images)
    classes = tf.constant(source.labels) if labels else None

    def gather(epoch, step):
        chosen = indices(epoch, step)
        images = to_floats(tf.gather(examples, chosen))
        if binarized == "stochastic":
            images = binarize(images, seed=[seed, epoch * steps + step])
        return (images, tf.gather(classes, chosen)) if labels else images

    positions = _stream(steps, first_step) if repeat else _epoch(steps, shuffle)
    dataset = positions.map(gather, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
    return dataset.prefetch(tf.data.AUTOTUNE)


def steps_per_epoch(source, batch_size, shuffle=True):
    """Returns the number of batches in an epoch; arguments and errors are those of `batches`."""
    if batch_size < 1:
        raise ValueError(f"`batch_size` must be at least 1. Received: batch_size={batch_size}.")
    if not shuffle:
        return -(-len(source) // batch_size)
    if batch_size > len(source):
        raise ValueError(
            f"A shuffled batch must fit in the {len(source)} examples there are. "
            f"Received: batch_size={batch_size}."
        )
    return len(source) // batch_size


def _stream(steps, first_step):
    """Yields (epoch, step) without end."""
    return tf.data.Dataset.counter(first_step).map(lambda step: (step // steps, step % steps))


def _epoch(steps, shuffle):
    """Yields (epoch, step) of one epoch; what stands for the epoch is new at every pass."""
    if shuffle:  # `tf.data.Dataset.random` would mix in TensorFlow's global seed
        count = itertools.count()
        passes = tf.data.Dataset.from_generator(
            lambda: [next(count)], output_signature=tf.TensorSpec([], tf.int64)
        )
    else:
        passes = tf.data.Dataset.from_tensors(tf.constant(0, tf.int64))
    return passes.flat_map(
        lambda number: tf.data.Dataset.range(steps).map(lambda step: (number, step))
    ).apply(tf.data.experimental.assert_cardinality(steps))
