"""What may be an example or a label: arrays are checked, and refused with the way to mend them."""

import warnings

import numpy as np

_TO_CALLER = 5  # the warning's level: past `as_examples` and what `Source(...)` calls


def as_examples(images):
    """Returns examples as `tfgen.data.Source` keeps them.

    Args:
        images: what `Source` takes.

    Returns:
        An array of uint8 or float32, `[count, height, width, channels]` or `[count, features]`.

    Raises:
        ValueError: see `Source`.
    """
    images = _as_array(images, "The images differ in size. Give all of them one.")
    if images.ndim == 3:
        images = images[..., np.newaxis]
    _check_shape(images)
    if images.dtype == bool:
        is_white = images.ndim == 4
        return images.astype(np.uint8) * np.uint8(255) if is_white else images.astype(np.float32)
    if images.dtype == np.uint8:
        _warn_of_darkness(images.max(), 1, "`images.astype(bool)` for black and white")
        return images
    if not np.issubdtype(images.dtype, np.floating):
        raise ValueError(f"Expected uint8 pixels or floats. {_mend_type(images)}")
    with np.errstate(over="ignore"):  # to infinity, which is refused below
        images = images.astype(np.float32)
    _check_values(images)
    if images.ndim == 4:
        twice = "`255 * images` if they were divided twice"
        _warn_of_darkness(images.max(), np.float32(1 / 255), twice)
    return images


def as_labels(labels, count):
    """Returns labels as `tfgen.data.Source` keeps them: integers in a column become `[count]`.

    Raises:
        ValueError: they are no numbers, not as many as the examples, or of odd shapes.
    """
    labels = _as_array(labels, "The labels differ in length. Give one integer for each example.")
    if labels.dtype.kind not in "biuf":
        example = f" such as {labels.flat[0]!r}" if labels.size else ""
        raise ValueError(
            f"Labels must be integers. Received: labels of {labels.dtype}{example}. Number the "
            "classes of all splits at once: `names, labels = np.unique(labels, "
            "return_inverse=True)`."
        )
    if labels.ndim not in (1, 2):
        raise ValueError(
            "Labels must be integers [count], or vectors of attributes [count, size]. Received: "
            f"labels of shape {labels.shape}."
        )
    if len(labels) != count:
        raise ValueError(
            "There must be as many labels as examples. "
            f"Received: {len(labels)} labels and {count} examples."
        )
    is_column = labels.shape[1:] == (1,) and labels.dtype.kind in "iu"
    return labels[:, 0] if is_column else labels


def _as_array(values, message):
    try:
        return np.asarray(values)
    except ValueError as error:  # NumPy's answer to lists of arrays of several shapes
        raise ValueError(f"{message} ({error})") from error


def _check_shape(images):
    if images.ndim not in (2, 4) or images.size == 0:
        raise ValueError(
            "Expected images [count, height, width, channels] or vectors [count, features], at "
            f"least one. Received: an array of shape {images.shape}."
        )
    if images.ndim == 4 and images.shape[1] in (1, 3) and min(images.shape[2:]) > 4:
        raise ValueError(
            "Channels come last: [count, height, width, channels]. Received: an array of shape "
            f"{images.shape}, where they seem to come first. Move them: "
            "`images.transpose(0, 2, 3, 1)`."
        )


def _mend_type(images):
    """Says what type was received, and how to come to another without a loss."""
    if not np.issubdtype(images.dtype, np.integer):
        return f"Received: an array of {images.dtype}."
    low, high = images.min(), images.max()
    received = f"Received: an array of {images.dtype}, values from {low} to {high}."
    if images.ndim == 2:
        return f"{received} Convert vectors with `.astype('float32')`."
    if low >= 0 and high <= 1:
        return f"{received} Convert black and white pixels with `.astype(bool)`."
    if low >= 0 and high <= 255:
        return f"{received} Convert pixels of 0 to 255 with `.astype('uint8')`."
    return f"{received} Scale them to floats in [0, 1], those of 16 bits with `images / 65535`."


def _check_values(images):
    finite = np.isfinite(images.reshape(len(images), -1)).all(axis=1)
    if not finite.all():
        raise ValueError(
            f"{np.sum(~finite)} of {len(images)} examples hold NaN or infinity, the first at index "
            f"{np.argmin(finite)}. Remove or repair them."
        )
    if images.ndim != 4:
        return
    low, high = images.min(), images.max()
    if low < 0 or high > 1:
        raise ValueError(
            f"Float images must be in [0, 1]. Received: values from {low:g} to {high:g}. "
            f"{_mend_range(low, high)}"
        )


def _mend_range(low, high):
    if low >= 0 and high <= 255:
        return "Pass `images / 255`."
    if low >= -1 and high <= 1:
        return "Pass `(images + 1) / 2`."
    return "Scale them."


def _warn_of_darkness(largest, limit, mend):
    """Warns of pixels so dark that they were probably scaled wrongly."""
    if 0 < largest <= limit:
        warnings.warn(
            f"The images are almost black: their largest value is {largest:.3g}, at most 1/255 of "
            f"white. Pass {mend}.",
            stacklevel=_TO_CALLER,
        )
