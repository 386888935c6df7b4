"""One look at what `fit` is given, before the first step."""

import collections.abc
import weakref

import keras
import numpy as np
import tensorflow as tf

IMAGE_LIMITS = (0.0, 1.0)
# Data sets whose examples were checked as they were read. To look at their first batch again would
# begin a pass, and so change the order of the next ones.
_CHECKED = weakref.WeakSet()


def mark_as_checked(dataset):
    """Notes that a data set's examples need no look, and returns it."""
    _CHECKED.add(dataset)
    return dataset


def look(model, x, y, batch_size):
    """Looks at the first batch of what `fit` is given.

    Args:
        model: a `tfgen.GenerativeModel`, whose `check_batch` is called.
        x: an array, a `tf.data.Dataset` or an iterator; others are not looked at.
        y: labels, or a second domain's arrays, or `None`.
        batch_size: rows of arrays to look at.

    Returns:
        `x`; of an iterator, one that begins with the batch that was looked at.

    Raises:
        ValueError: the array is no examples: it has one axis, or no rows; or see `check_batch`.
    """
    if isinstance(x, keras.utils.PyDataset):
        return x
    if isinstance(x, tf.data.Dataset):
        if x not in _CHECKED:
            for batch in x.take(1):
                model.check_batch(batch)
    elif isinstance(x, (np.ndarray, tf.Tensor)):
        _check_rows(x)
        rows = slice(batch_size or 32)
        given = x if y is None else (x, y)
        model.check_batch(tf.nest.map_structure(lambda array: array[rows], given))
    elif isinstance(x, collections.abc.Iterator):
        first = next(x, None)
        if first is None:
            raise ValueError("There must be examples. Received: an iterator without any.")
        model.check_batch(first)
        return _put_back(first, x)
    return x


def _put_back(first, rest):
    """Yields all of an iterator whose first element was taken; Keras takes generators."""
    yield first
    yield from rest


def check_values(examples, low=None, high=None):
    """Makes sure that examples are finite and in a range.

    Args:
        examples: float `[batch, ...]`, of a first batch.
        low: the least value that they may have; `None` for any.
        high: the largest value.

    Raises:
        ValueError: they are not.
    """
    values = np.asarray(examples)
    if not np.isfinite(values).all():
        raise ValueError(
            f"{np.sum(~np.isfinite(values))} of {values.size} values in the first batch are NaN or "
            "infinite. Remove or repair these examples."
        )
    if low is None or not values.size:
        return
    least, most = values.min(), values.max()
    if least < low or most > high:
        raise ValueError(
            f"{'Images' if values.ndim == 4 else 'Examples'} must be in [{low:g}, {high:g}]. "
            f"Received: values from {least:g} to {most:g} in the first batch. {_mend(least, most)}"
        )


def _mend(least, most):
    if least >= 0 and most > 2:
        return "Divide pixels by 255."
    if least >= -1.01 and most <= 1.01:
        return "Images in [-1, 1] become (images + 1) / 2; networks rescale within, if they like."
    return (
        "Scale them. For other values, a VAE takes the likelihood `Gaussian`, and a model of your "
        "own overrides `limits_of`."
    )


def _check_rows(x):
    if len(x.shape) < 2:
        raise ValueError(
            "Examples must be images [count, height, width, channels] or vectors [count, "
            f"features]. Received: an array of shape {list(x.shape)}."
            + (" Add an axis: x[:, None]." if len(x.shape) == 1 else "")
        )
    if not len(x):
        raise ValueError(f"There must be examples. Received: an array of shape {list(x.shape)}.")
