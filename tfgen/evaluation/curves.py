"""Precision and recall as curves (Sajjadi et al., 2018)."""

from typing import NamedTuple

import numpy as np
from sklearn.cluster import MiniBatchKMeans
from threadpoolctl import threadpool_limits

from tfgen.evaluation.checks import check_features
from tfgen.evaluation.neighbours import check_equal_counts


class PrecisionRecallCurve(NamedTuple):
    """A curve, arrays `[angles]` in [0, 1], from high recall to high precision.

    `f_8` and `f_1_8` are the best F-scores on it: `f_8` weighs recall 8 times as much as precision,
    so it speaks of recall; `f_1_8` weighs precision 8 times as much as recall, and speaks of that.
    `f_1` weighs both alike: it is the best harmonic mean.
    """

    precision: np.ndarray
    recall: np.ndarray
    f_8: float
    f_1_8: float
    f_1: float


def precision_recall_curve(real, fake, clusters=20, angles=1001, runs=10, seed=0):
    """Computes the precision and recall that two sets attain (Sajjadi et al., 2018).

    K-means groups the union of both sets; what is then compared are the shares of real and
    generated samples in each cluster, as in `discrete_curve`. The clustering is random: the curve
    is the mean over several.

    Args:
        real: `[count, size]`, features, an array or tensor.
        fake: features of as many generated samples.
        clusters: the number of clusters, at least 1; more see finer differences.
        angles: the number of points of the curve, at least 1.
        runs: the number of clusterings, at least 1.
        seed: an integer; the same seed gives the same curve.

    Returns:
        A `PrecisionRecallCurve`.

    Raises:
        ValueError: the sets differ in size, which would bias the clustering towards the larger; a
            number is less than 1, or there are more clusters than samples; or as in
            `tfgen.evaluation.checks.check_features`.

    Example:
        >>> curve = evaluation.precision_recall_curve(real, fake)
        >>> plt.plot(curve.recall, curve.precision)
    """
    for name, number in (("clusters", clusters), ("angles", angles), ("runs", runs)):
        if number < 1:
            raise ValueError(f"`{name}` must be at least 1. Received: {name}={number}.")
    real, fake = check_features(real, fake)
    check_equal_counts(real, fake)
    union = np.concatenate([real, fake])
    if clusters > len(union):
        raise ValueError(
            f"`clusters` must be at most the number of samples, {len(union)} in both sets. "
            f"Received: clusters={clusters}."
        )
    curves = [
        discrete_curve(*_shares(union, clusters, run_seed), angles)
        for run_seed in np.random.SeedSequence(seed).generate_state(runs)
    ]
    precision, recall = np.mean(curves, axis=0)
    best = [_f_scores(precision, recall, weight).max() for weight in (8, 1 / 8, 1)]
    return PrecisionRecallCurve(precision, recall, *map(float, best))


def discrete_curve(real, fake, angles=1001):
    """Computes the curve between two discrete distributions (Sajjadi et al., 2018).

    With the real `p` and the generated `q`, at each slope `l = tan(i / (m + 1) pi / 2)`,

        precision(l) = sum min(l p, q),   recall(l) = sum min(p, q / l).

    Args:
        real: `[states]`, probabilities.
        fake: `[states]`, probabilities.
        angles: `m`, the number of slopes.

    Returns:
        An array `[2, angles]`: precision and recall.
    """
    slopes = np.tan(np.arange(1, angles + 1) / (angles + 1) * np.pi / 2)
    precision = np.minimum(slopes[:, np.newaxis] * real, fake).sum(axis=1)
    return np.stack([precision, precision / slopes])


def _shares(union, clusters, seed):
    """Returns the shares `[2, clusters]` of both halves of `union` in clusters of the whole."""
    means = MiniBatchKMeans(clusters, n_init=10, random_state=seed)
    with threadpool_limits(1):  # its batches are small: threads mostly wait for each other
        labels = means.fit_predict(union).reshape(2, -1)
    return [np.bincount(half, minlength=clusters) / len(half) for half in labels]


def _f_scores(precision, recall, weight):
    """Returns `(1 + b^2) P R / (b^2 P + R)`, with 0 where both are 0."""
    product, total = precision * recall, weight**2 * precision + recall
    ratio = np.divide(product, total, out=np.zeros_like(total), where=total > 0)
    return (1 + weight**2) * ratio
