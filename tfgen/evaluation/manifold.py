"""How two sets cover each other, with balls to the k-th neighbour in place of their supports."""

from typing import NamedTuple

import numpy as np

from tfgen.evaluation.neighbours import kth_squared_distances, prepare, squared_distances


class PrecisionRecall(NamedTuple):
    """Shares in [0, 1]: of samples that look real, and of real images that can be generated."""

    precision: float
    recall: float

    @property
    def f_1(self):
        """The harmonic mean of both (Lucic et al., 2018); 0 where one is 0."""
        if 0 in self:
            return 0.0
        return 2 / (1 / self.precision + 1 / self.recall)


class DensityCoverage(NamedTuple):
    """`density`, at least 0 and about 1 for real images, and `coverage`, a share in [0, 1]."""

    density: float
    coverage: float


def precision_recall(real, fake, k=3):
    """Computes precision and recall between manifolds (Kynkäänniemi et al., 2019, equations 1, 2).

    A set's manifold is the union of balls, around each of its samples, that reach to the sample's
    k-th neighbour in the set, itself not counted. Precision is the share of generated samples in
    the real manifold, recall the share of real samples in the generated one. Balls are closed, as
    in the paper: what is on the border, up to rounding, is inside.

    The balls shrink as sets grow, and one outlier can make a ball that holds much: compare scores
    of equal `k` and sizes only. The paper takes `k=3` and 50,000 of each.

    Args:
        real: `[count, size]`, features, an array or tensor.
        fake: `[other count, size]`, features of generated samples.
        k: which neighbour a ball reaches to, at least 1.

    Returns:
        A `PrecisionRecall`.

    Raises:
        ValueError: `k` is less than 1, or not less than the size of a set; or as in
            `tfgen.evaluation.checks.check_features`.

    Example:
        >>> precision, recall = evaluation.precision_recall(real, fake, k=5)
    """
    real, fake = prepare(real, fake)
    real_radii, fake_radii = _squared_radii("real", real, k), _squared_radii("fake", fake, k)
    precise, recalled = np.zeros(len(fake), bool), np.zeros(len(real), bool)
    for rows, columns, squared in squared_distances(real, fake):
        precise[columns] |= (squared <= real_radii[rows, np.newaxis]).any(axis=0)
        recalled[rows] |= (squared <= fake_radii[columns]).any(axis=1)
    return PrecisionRecall(float(precise.mean()), float(recalled.mean()))


def density_coverage(real, fake, k=5):
    """Computes density and coverage (Naeem et al., 2020, section 3).

    Around each real sample is a ball that reaches to its k-th real neighbour, itself not counted.
    Density is the number of balls that a generated sample is in, on average and divided by `k`:
    an outlier's large ball counts for little. Coverage is the share of balls with a generated
    sample inside.

    For samples of the real distribution, density is 1 in expectation, and coverage near
    `1 - 2^-k` if the sets are large and equal (their lemma 2). Balls are closed: what is on the
    border, up to rounding, is inside. The authors' code leaves the border out, which matters for
    copies and discrete data only: a copy of the real set has density `1 + 1 / k` and coverage 1.

    Args:
        real: `[count, size]`, features, an array or tensor.
        fake: `[other count, size]`, features of generated samples.
        k: which neighbour a ball reaches to, at least 1.

    Returns:
        A `DensityCoverage`.

    Raises:
        ValueError: `k` is less than 1, or not less than the number of real samples; or as in
            `tfgen.evaluation.checks.check_features`.

    Example:
        >>> density, coverage = evaluation.density_coverage(real, fake, k=5)
    """
    real, fake = prepare(real, fake)
    radii = _squared_radii("real", real, k)
    pairs, covered = 0, np.zeros(len(real), bool)
    for rows, _, squared in squared_distances(real, fake):
        inside = squared <= radii[rows, np.newaxis]
        pairs += np.count_nonzero(inside)
        covered[rows] |= inside.any(axis=1)
    return DensityCoverage(pairs / (k * len(fake)), float(covered.mean()))


def _squared_radii(name, points, k):
    """Returns the squared radius `[count]` of each point's ball, with what rounding asks for."""
    if k < 1:
        raise ValueError(f"`k` must be at least 1. Received: k={k}.")
    if k >= len(points):
        raise ValueError(
            f"`k` is too large: a sample among {len(points)} has {len(points) - 1} neighbours. "
            f"Received: k={k} and {len(points)} samples in {name}. Pass more samples, or a "
            "smaller k."
        )
    squared = kth_squared_distances(points, k)
    return squared + points.slack(squared)
