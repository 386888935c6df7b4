"""Images put side by side."""

import math

import numpy as np
import tensorflow as tf
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from sklearn.metrics import pairwise_distances_argmin

from tfgen.latent_space import arithmetic
from tfgen.utils.files import atomic_write


def grid(images, columns=None):
    """Puts images into one, row by row, with a line of one pixel between them.

    Args:
        images: `[count, height, width, 1 or 3]`, in [0, 1].
        columns: images in a row; the default makes the grid about square.

    Returns:
        A uint8 tensor `[rows * (height + 1) - 1, columns * (width + 1) - 1, 1 or 3]`.

    Raises:
        ValueError: these are no images.

    Example:
        >>> write_png("samples.png", grid(model.sample(64, seed=0)))
    """
    _check_images(images)
    count, height, width, channels = images.shape
    columns = columns or math.ceil(math.sqrt(count))
    rows = math.ceil(count / columns)
    # A Gaussian's mean may leave the range that a picture can show.
    images = tf.clip_by_value(tf.cast(images, tf.float32), 0.0, 1.0)
    missing = rows * columns - count
    images = tf.pad(images, [[0, missing], [0, 1], [0, 1], [0, 0]], constant_values=1.0)
    images = tf.reshape(images, [rows, columns, height + 1, width + 1, channels])
    images = tf.transpose(images, [0, 2, 1, 3, 4])
    whole = tf.reshape(images, [rows * (height + 1), columns * (width + 1), channels])
    return tf.image.convert_image_dtype(whole[:-1, :-1], tf.uint8, saturate=True)


def translation_grid(images, *translations, columns=16):
    """Returns a grid of rows: images, and below them each translation of the row above.

    Args:
        images: `[count, height, width, 1 or 3]`, in [0, 1].
        *translations: functions from images to images, such as a `tfgen.CycleGAN`'s
            `translate_a_to_b` and `translate_b_to_a`.
        columns: images in a row.

    Returns:
        A uint8 tensor, see `grid`.

    Example:
        >>> rows = translation_grid(lemons, model.translate_a_to_b, model.translate_b_to_a)
    """
    rows = [tf.convert_to_tensor(images)]
    for translate in translations:
        rows.append(translate(rows[-1]))
    # One domain may be grey where the other is coloured.
    channels = max(row.shape[-1] for row in rows)
    rows = [tf.broadcast_to(row, [*row.shape[:-1], channels]) for row in rows]
    return _stacked_grid(rows, columns)


def reconstruction_grid(model, images, columns=16):
    """Returns a grid of pairs: an image above its reconstruction, `columns` pairs in a row."""
    return _stacked_grid([images, model.reconstruct(images)], columns)


def neighbour_grid(samples, source, columns=16):
    """Returns a grid of pairs: a sample above the image of least squared difference to it.

    Args:
        samples: float32 `[count, height, width, channels]`.
        source: a `tfgen.data.Source` of images of that shape.
        columns: pairs in a row.

    Raises:
        ValueError: these are no images, or of different shapes.
    """
    _check_images(samples)
    if tuple(samples.shape[1:]) != tuple(source.shape):
        raise ValueError(
            "Samples and the images to compare with must have one shape. Received: samples of "
            f"{list(samples.shape[1:])} and images of {list(source.shape)}."
        )
    images = source.floats()
    vectors = [tf.reshape(each, [len(each), -1]) for each in (samples, images)]
    nearest = pairwise_distances_argmin(*vectors)
    return _stacked_grid([samples, tf.gather(images, nearest)], columns)


def arithmetic_grid(model, add, subtract=()):
    """Shows sums of latents (Radford et al., 2016, figure 7): `tfgen.latent_space.arithmetic`.

    Args:
        model: a model that can "generate".
        add: groups of latents, each `[count, size]`.
        subtract: other groups.

    Returns:
        A uint8 tensor, see `grid`: in a row the examples of a group, those to be added first, with
        that of its mean at the end; in the last row, below the means, the example of the sum.

    Raises:
        ValueError: see `tfgen.latent_space.arithmetic`.

    Example:
        >>> write_png("sum.png", arithmetic_grid(gan, [men_with_glasses, women], [men]))
    """
    total = model.generate(arithmetic(add, subtract)[tf.newaxis])
    rows = [
        (model.generate(group), model.generate(tf.reduce_mean(group, axis=0, keepdims=True)))
        for group in map(tf.convert_to_tensor, [*add, *subtract])
    ]
    columns = 1 + max(len(examples) for examples, _ in rows)
    rows.append((total[:0], total))
    images = []
    for examples, last in rows:
        missing = [[0, columns - 1 - len(examples)], [0, 0], [0, 0], [0, 0]]
        images += [tf.pad(examples, missing, constant_values=1.0), last]
    return grid(tf.concat(images, axis=0), columns)


def principal_plane(vectors):
    """Returns a function that projects onto the first two principal components of vectors.

    Args:
        vectors: an array `[count, size]`. Points of the plane are left as they are.

    Example:
        >>> project = principal_plane(data)
        >>> project(samples).shape
        (400, 2)
    """
    if vectors.shape[1] == 2:
        return lambda others: others
    centre = vectors.mean(axis=0)
    _, _, directions = np.linalg.svd(vectors - centre, full_matrices=False)
    plane = np.zeros([2, vectors.shape[1]])  # of a single vector or feature there is but one
    plane[: len(directions[:2])] = directions[:2]
    # An axis and its opposite serve alike: that one is taken which points to the largest value.
    largest = np.take_along_axis(plane, np.abs(plane).argmax(axis=1)[:, np.newaxis], axis=1)
    plane *= np.where(largest < 0, -1, 1)
    return lambda others: (others - centre) @ plane.T


def scatter(vectors):
    """Shows vectors as points, by their first two principal components.

    Args:
        vectors: `[count, size]`; points of the plane are shown as they are.

    Returns:
        A uint8 array `[height, width, 3]`.

    Example:
        >>> write_png("samples.png", scatter(model.sample(1000, seed=0)))
    """
    vectors = np.asarray(vectors)
    figure = Figure(figsize=(4, 4), layout="constrained")
    figure.subplots().scatter(*principal_plane(vectors)(vectors).T, s=6)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3]


def write_png(path, pixels):
    """Writes a uint8 image `[height, width, 1 or 3]`; the file is whole or not there."""
    with atomic_write(path) as temporary:
        tf.io.write_file(str(temporary), tf.io.encode_png(pixels))


def _stacked_grid(parts, columns):
    """Returns a grid in which images of one index stand in one column, `parts[0]` above."""
    for part in parts:
        _check_images(part)
    count, *shape = parts[0].shape
    columns = min(columns, count)
    missing = [[0, -count % columns], [0, 0], [0, 0], [0, 0]]  # in the last rows
    parts = tf.stack([tf.pad(part, missing, constant_values=1.0) for part in parts])
    rows = tf.transpose(tf.reshape(parts, [len(parts), -1, columns, *shape]), [1, 0, 2, 3, 4, 5])
    return grid(tf.reshape(rows, [-1, *shape]), columns)


def _check_images(images):
    if len(images.shape) != 4:
        raise ValueError(
            "A picture needs images, [count, height, width, channels]. Received: an array of shape "
            f"{list(images.shape)}. Vectors are shown by `SampleGrid`, as points."
        )
