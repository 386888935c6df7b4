"""What a batch is made of: the one place that unpacks what `fit` hands to a model."""

import keras
import tensorflow as tf

# The usual keys of batches that are dicts, as TensorFlow Datasets has them.
_EXAMPLES = ("image", "images", "examples")
_LABELS = ("label", "labels")


def unpack(data, integers=False):
    """Splits a batch into examples and labels.

    Types are checked here, once per trace; values are not, because that would cost every step:
    `tfgen.data.Source` checks them, and `fit` looks at its first batch.

    Args:
        data: examples, `(examples,)`, `(examples, labels)`, or a dict of these by their usual keys:
            `image` or `images`, `label` or `labels`. Labels may be anything, such as captions.
        integers: whether examples are integers, such as the tokens of a sequence.

    Returns:
        A pair: float32 examples (integers stay as they are), and labels or `None`.

    Raises:
        TypeError: the examples are integers, such as pixels from 0 to 255; or the reverse.
        ValueError: there are sample weights, for which no model has a use; or a dict has none of
            the usual keys.

    Example:
        >>> images, labels = unpack({"image": tf.zeros([2, 8, 8, 1]), "label": tf.zeros([2])})
    """
    examples, labels, weights = keras.utils.unpack_x_y_sample_weight(data)
    if weights is not None:
        refuse_weights()
    if isinstance(examples, dict):
        examples, labels = _take_by_keys(examples, labels)
    examples = tf.convert_to_tensor(examples)
    if integers:
        _check_integers(examples)
        return examples, labels
    if not examples.dtype.is_floating:
        mend = "Divide pixels by 255, or let `tfgen.data.load_batches` make the batches."
        if examples.shape.rank == 2:
            mend = "Convert vectors with `.astype('float32')`."
        raise TypeError(
            "Examples must be floating-point, images in [0, 1]. "
            f"Received: {examples.dtype.name}. {mend}"
        )
    return tf.cast(examples, tf.float32), labels


def unpack_pair(data):
    """Splits a batch of two domains, or of aligned pairs, into both sides.

    Args:
        data: `(first, second)`, each as `unpack` takes examples.

    Returns:
        A pair of float32 tensors.

    Raises:
        ValueError: there is but one side; or the sides are not as many, which a graph checks in
            each step where it does not know their sizes.
    """
    first, second = unpack(data)
    if second is None:
        raise ValueError(
            "Batches must be pairs, (images_a, images_b). "
            f"Received: one array of shape {list(first.shape)}. Call fit(images_a, images_b), or "
            "fit a dataset of pairs."
        )
    second, _ = unpack(second)
    sizes = first.shape[0], second.shape[0]
    if None not in sizes and sizes[0] != sizes[1]:
        raise ValueError(
            f"A batch must have as many images of A as of B. Received: {sizes[0]} and {sizes[1]}."
        )
    if None in sizes:
        message = "A batch must have as many images of A as of B."
        check = tf.debugging.assert_equal(tf.shape(first)[0], tf.shape(second)[0], message)
        with tf.control_dependencies([] if check is None else [check]):
            first = tf.identity(first)
    return first, second


def check_shape(examples, shape, what):
    """Makes sure that examples have a network's shape.

    Args:
        examples: a tensor. Where not even its rank is known, it gets the network's.
        shape: `(None, ...)`.
        what: what must be so, such as "`images_a` must be what its generator takes".

    Returns:
        The examples.

    Raises:
        ValueError: they have another shape, as far as a graph knows it.
    """
    if examples.shape.rank is None:
        return tf.ensure_shape(examples, shape)
    if not examples.shape.is_compatible_with(shape):
        raise ValueError(f"{what}, {list(shape)}. Received: {list(examples.shape)}.")
    return examples


def refuse_weights():
    """Raises the ValueError of sample weights."""
    raise ValueError("Sample weights are not supported: pass examples, or (examples, labels).")


def _take_by_keys(batch, labels):
    """Returns a dict's examples and labels; the given labels if it has none."""
    examples = [batch[key] for key in _EXAMPLES if key in batch]
    if not examples:
        raise ValueError(
            f"A batch that is a dict must have one of the keys {list(_EXAMPLES)}. "
            f"Received: {sorted(batch)}. Make batches (images, labels) of it: "
            "dataset.map(lambda batch: (batch['...'], batch['...']))."
        )
    found = [batch[key] for key in _LABELS if key in batch]
    return examples[0], found[0] if found else labels


def _check_integers(examples):
    if not examples.dtype.is_integer:
        raise TypeError(f"Examples must be integers. Received: {examples.dtype.name}.")
