"""Nearest neighbours among features, and the score of the classifier that asks one neighbour.

Distances come from matrix products, block by block, so that 50,000 against 50,000 vectors of 2,048
features need less than 200 MB beyond the features themselves. Products are in float64:
`|x|^2 + |y|^2 - 2 xy` cancels, and float32 would not tell a copy from a close neighbour.
"""

from typing import NamedTuple

import numpy as np
from sklearn.metrics import pairwise_distances_argmin

from tfgen.evaluation.checks import check_features

# Rows per block. Larger blocks multiply no faster, and are slower to transpose.
_BLOCK = 1024


class Neighbours(NamedTuple):
    """The nearest point of each query: `indices` into the points, and Euclidean `distances`."""

    indices: np.ndarray
    distances: np.ndarray


class NearestNeighbourScore(NamedTuple):
    """Accuracies in [0, 1] of the 1-NN classifier: over all samples, the real, the generated."""

    total: float
    real: float
    fake: float


class Points:
    """Features that are seen from an origin, in float64, one block of rows at a time.

    Args:
        features: `[count, size]`, float32 or float64.
        origin: `[size]`, what to subtract: somewhere among the features, so that little cancels.
    """

    def __init__(self, features, origin):
        self._features = features
        self._origin = origin
        self.squared_norms = np.concatenate(
            [np.einsum("ij,ij->i", block, block) for _, block in self.blocks()]
        )

    def __len__(self):
        return len(self._features)

    def blocks(self, start=0):
        """Yields a slice and the rows that it stands for, from row `start` on."""
        for first in range(start, len(self), _BLOCK):
            rows = slice(first, first + _BLOCK)
            yield rows, np.subtract(self._features[rows], self._origin, dtype=np.float64)

    def slack(self, squared_distances):
        """Bounds by how much rounding can make two equal distances differ.

        A squared distance `d^2` between `x` and `y` from sums of `n` products is off by at most
        `2 (n + 3) u (|x|^2 + |y|^2)`, with `u = eps / 2`, and `|y|^2 <= 2 |x|^2 + 2 d^2`. Two
        distances that are to be compared differ by twice that.

        Args:
            squared_distances: `[count]`, one from each of these points.

        Returns:
            An array `[count]`, to compare squared distances with.
        """
        rounding = 6 * (self._features.shape[1] + 3) * np.finfo(np.float64).eps
        return rounding * (self.squared_norms + squared_distances)


def prepare(real, fake):
    """Returns real and fake features as `Points` around the mean of the real ones.

    Args:
        real: `[count, size]`, an array or tensor.
        fake: `[other count, size]`, as `real`.

    Raises:
        ValueError: as in `tfgen.evaluation.checks.check_features`.
    """
    real, fake = check_features(real, fake)
    origin = real.mean(axis=0, dtype=np.float64)
    return Points(real, origin), Points(fake, origin)


def check_equal_counts(real, fake):
    """Raises a ValueError unless there are as many real as generated samples."""
    if len(real) != len(fake):
        raise ValueError(
            "This score compares sets of one size. "
            f"Received: {len(real)} real and {len(fake)} generated samples. "
            f"Pass {min(len(real), len(fake))} of each."
        )


def squared_distances(points, others):
    """Yields all squared distances between two sets, block by block.

    Args:
        points: `Points`.
        others: `Points` around the same origin.

    Yields:
        A slice of `points`, a slice of `others`, and a matrix of squared distances between them,
        at least 0, which the caller may overwrite.
    """
    for rows, block in points.blocks():
        for columns, other in others.blocks():
            yield rows, columns, _products(points, rows, block, others, columns, other)


def kth_squared_distances(points, k):
    """Returns the squared distance `[count]` from each of the `Points` to its k-th neighbour.

    A point is no neighbour of itself, but a copy of it is, at a distance of 0 up to `slack`.

    Args:
        points: `Points`, more than `k`.
        k: the number of neighbours, at least 1.
    """
    smallest = np.full([len(points), k], np.inf)
    for rows, block in points.blocks():
        for columns, other in points.blocks(start=rows.start):
            squared = _products(points, rows, block, points, columns, other)
            if rows == columns:
                np.fill_diagonal(squared, np.inf)
            else:  # d(x, y) = d(y, x): only blocks on and above the diagonal are multiplied
                smallest[columns] = _merge(smallest[columns], squared.T.copy())
            smallest[rows] = _merge(smallest[rows], squared)
    return smallest[:, -1]


def nearest(queries, points):
    """Finds the nearest point of each query, such as the training image closest to a sample.

    Args:
        queries: `[count, size]`, an array or tensor.
        points: `[other count, size]`, as `queries`.

    Returns:
        `Neighbours` of two arrays `[count]`: the index of the nearest point (of equally near ones,
        any) and its Euclidean distance, which is exactly 0 for a copy.

    Raises:
        ValueError: one is no matrix, is empty, or holds NaN or infinity; or the numbers of columns
            differ.

    Example:
        >>> indices, distances = evaluation.nearest(features(samples), features(images))
        >>> closest = images[indices]
    """
    queries, points = np.asarray(queries), np.asarray(points)
    indices = pairwise_distances_argmin(queries, points)
    # From differences, which do not cancel as the search's products do; a row needs no memory.
    distances = [
        np.linalg.norm(np.subtract(query, points[index], dtype=np.float64))
        for query, index in zip(queries, indices, strict=True)
    ]
    return Neighbours(indices, np.array(distances))


def nearest_neighbour_score(real, fake):
    """Computes how well the nearest neighbour tells real from generated samples.

    Each sample is given the class of its nearest neighbour among all others, real or generated;
    the score is the accuracy of this leave-one-out 1-NN classifier (Lopez-Paz and Oquab, 2017; Xu
    et al., 2018). About 0.5 is best: for two sets of `n` samples of one distribution
    `(n - 1) / (2 n - 1)` is expected. 1 is for sets far apart, 0 for a set that is a copy of the
    other. The accuracies over the real and over the generated samples can differ, as when generated
    samples crowd around few of the modes.

    Where the nearest real and the nearest generated sample are equally far, up to rounding, half a
    sample is right: the expectation of a fair coin. So copies give exactly 0 if no sample is in a
    set twice.

    Args:
        real: `[count, size]`, features, an array or tensor.
        fake: features of as many generated samples.

    Returns:
        A `NearestNeighbourScore`: `total`, and the accuracy over the `real` and the `fake` samples.

    Raises:
        ValueError: the sets differ in size, where chance would not be 0.5; or as in
            `tfgen.evaluation.checks.check_features`.

    Example:
        >>> evaluation.nearest_neighbour_score(features, features + 100.0)
        NearestNeighbourScore(total=1.0, real=1.0, fake=1.0)
    """
    real, fake = prepare(real, fake)
    check_equal_counts(real, fake)
    real_to_fake, fake_to_real = np.full(len(real), np.inf), np.full(len(fake), np.inf)
    for rows, columns, squared in squared_distances(real, fake):
        real_to_fake[rows] = np.minimum(real_to_fake[rows], squared.min(axis=1))
        fake_to_real[columns] = np.minimum(fake_to_real[columns], squared.min(axis=0))
    accuracies = _accuracy(real, real_to_fake), _accuracy(fake, fake_to_real)
    return NearestNeighbourScore(float(np.mean(accuracies)), *accuracies)


def _accuracy(points, to_other_class):
    """Returns the share of `points` whose nearest neighbour is one of them."""
    to_own_class = kth_squared_distances(points, 1)
    tied = np.abs(to_own_class - to_other_class) <= points.slack(to_own_class)
    return float(np.mean(np.where(tied, 0.5, to_own_class < to_other_class)))


def _products(points, rows, block, others, columns, other):
    """Returns the squared distances between two blocks: `|x|^2 + |y|^2 - 2 xy`."""
    squared = (-2 * block) @ other.T
    squared += points.squared_norms[rows, np.newaxis]
    squared += others.squared_norms[columns]
    return np.maximum(squared, 0, out=squared)


def _merge(smallest, block):
    """Returns the smallest numbers of each row of `smallest` and `block`, in order.

    A few minima one after the other are found faster than by partitioning. Overwrites `block`.
    """
    rows = np.arange(len(block))
    found = [smallest]
    for _ in range(smallest.shape[1]):
        columns = block.argmin(axis=1)
        found.append(block[rows, columns, np.newaxis])
        block[rows, columns] = np.inf
    return np.sort(np.concatenate(found, axis=1), axis=1)[:, : smallest.shape[1]]
