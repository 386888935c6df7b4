"""From a source to batches: the order is a function of (seed, epoch, position), not of a buffer."""

import itertools
import warnings

import tensorflow as tf

from tfgen.data.share import share_of, share_reading
from tfgen.data.source import binarize, round_to_levels, to_floats
from tfgen.engine.fit_checks import mark_as_checked
from tfgen.engine.replicas import several_workers
from tfgen.utils.arguments import check_count

_READERS = 4  # batches that are read at once; each is a few gatherings of whole batches


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
    levels=None,
    strategy=None,
):
    """Makes batches for `fit`: float32, images in [0, 1], NHWC.

    Whole batches are gathered by index, which is far faster than a shuffle buffer over single
    examples, and a stream can start at any step at once.

    Of two `Domains`, each has an order of its own. An epoch is one of the longer; the shorter goes
    on with its next epoch, which a warning says. Without `shuffle` it begins
    again at its first example, so that both sides of every batch are equally long.

    Args:
        source: a `Source`, or `Domains`.
        batch_size: examples per (global) batch, of each domain.
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
        levels: to how many levels `k / (levels - 1)` values are rounded, at least 2; `None` leaves
            them.
        strategy: with several worker processes, shuffled batches are shared between them, as by
            `tfgen.data.share`, but each worker reads its own rows only.

    Returns:
        A `tf.data.Dataset` of batches, or of pairs of batches, one of each domain.

    Raises:
        ValueError: the batch size is not positive or, with `shuffle`, larger than the source or
            than a domain, or cannot be shared evenly; labels are wanted and there are none, vectors
            are to be binarized, or `levels` is less than 2.

    Example:
        >>> stream = batches(Source(images), 64, repeat=True, first_step=1000)
        >>> model.fit(stream, steps_per_epoch=100, epochs=10)
    """
    steps = steps_per_epoch(source, batch_size, shuffle)
    parts = source.parts
    _check(parts, labels, binarized, levels)
    if shuffle:
        _tell_what_repeats(parts)
    shared = strategy is not None and shuffle and several_workers(strategy)
    share_size = share_of(batch_size, strategy) if shared else batch_size

    def reader(index, part):
        """Returns a function from a step's number to the examples that `part` gives it."""

        def seed_of(number):  # for each epoch or step, and each part
            return [seed, number * len(parts) + index]

        if binarized == "static":
            part = part.binarized(seed + index)
        examples = tf.constant(part.images)
        classes = tf.constant(part.labels) if labels else None

        def read(number, replica=0):
            if shuffle:
                chosen = _shuffled(number, batch_size, len(part), seed_of)
                chosen = tf.reshape(chosen, [-1, share_size])[replica]
            else:
                chosen = _in_order(number % steps, batch_size, len(source)) % len(part)
            images = tf.gather(examples, chosen)
            if binarized == "stochastic":
                images = binarize(images, seed_of(number), first=replica * share_size)
            else:
                images = to_floats(images)
            if levels:
                images = round_to_levels(images, levels)
            return (images, tf.gather(classes, chosen)) if labels else images

        return read

    readers = [reader(index, part) for index, part in enumerate(parts)]

    @tf.autograph.experimental.do_not_convert
    def read(*which):
        batch = [read_part(*which) for read_part in readers]
        return batch[0] if len(batch) == 1 else tuple(batch)

    def read_all(numbers):
        dataset = numbers.map(read, num_parallel_calls=_READERS, deterministic=True)
        options = tf.data.Options()
        # With its tuning, TensorFlow 2.21 may take seconds to give up an iterator: as long as the
        # tuner's pause, which doubles each time. `fit` ends later by that.
        options.autotune.enabled = False
        return dataset.prefetch(_READERS).with_options(options)

    numbers = tf.data.Dataset.counter(first_step) if repeat else _epoch(steps, shuffle)
    if shared:
        return share_reading(numbers, read_all, strategy)
    return mark_as_checked(read_all(numbers))  # a `Source` checks its examples


def steps_per_epoch(source, batch_size, shuffle=True):
    """Returns the number of batches in an epoch; arguments and errors are those of `batches`."""
    if batch_size < 1:
        raise ValueError(f"`batch_size` must be at least 1. Received: batch_size={batch_size}.")
    if not shuffle:
        return -(-len(source) // batch_size)
    fewest = min(len(part) for part in source.parts)
    if batch_size > fewest:
        raise ValueError(
            f"A shuffled batch must fit in the {fewest} examples there are. "
            f"Received: batch_size={batch_size}. Take a smaller one (--batch-size {fewest})."
        )
    return len(source) // batch_size


def _check(parts, labels, binarized, levels):
    if levels is not None:
        check_count("levels", levels, least=2)
    for part in parts:
        if binarized and len(part.shape) != 3:
            raise ValueError(f"Only images can be binarized. Received: examples of {part.shape}.")
        if labels and part.labels is None:
            raise ValueError("These data have no labels. Pass labels=False.")
    if binarized not in (None, "stochastic", "static"):
        raise ValueError(
            f'`binarized` must be None, "stochastic" or "static". Received: {binarized!r}.'
        )


def _tell_what_repeats(parts):
    lengths = [len(part) for part in parts]
    if len(set(lengths)) > 1:
        warnings.warn(
            f"The domains have {' and '.join(map(str, lengths))} examples: while the longer is "
            "seen once, the shorter repeats.",
            stacklevel=3,
        )


def _shuffled(number, batch_size, length, seed_of):
    """Returns the indices of a step's whole batch, in the order of its epoch."""
    steps = length // batch_size
    positions = number % steps * batch_size + tf.range(batch_size, dtype=tf.int64)
    return tf.random.experimental.index_shuffle(
        positions, seed_of(number // steps), max_index=length - 1
    )


def _in_order(step, batch_size, length):
    """Returns the indices of a batch, of which an epoch's last may be smaller."""
    start = step * batch_size
    return tf.range(start, tf.minimum(start + batch_size, length))


def _epoch(steps, shuffle):
    """Yields the numbers of one epoch's steps; at every pass, they are those of a new epoch."""
    if shuffle:  # `tf.data.Dataset.random` would mix in TensorFlow's global seed
        count = itertools.count()
        passes = tf.data.Dataset.from_generator(
            lambda: [next(count)], output_signature=tf.TensorSpec([], tf.int64)
        )
    else:
        passes = tf.data.Dataset.from_tensors(tf.constant(0, tf.int64))

    @tf.autograph.experimental.do_not_convert
    def steps_of(number):
        return tf.data.Dataset.range(number * steps, (number + 1) * steps)

    return passes.flat_map(steps_of).apply(tf.data.experimental.assert_cardinality(steps))
