"""Moment matching: how far the samples' first two moments are from the data's."""

from typing import NamedTuple

import numpy as np

from tfgen.evaluation.checks import check_features
from tfgen.evaluation.moments import Moments


class MomentMatching(NamedTuple):
    """Relative errors of the moments: 0 where they match, 1 where the samples have none."""

    mean: float
    covariance: float
    deviation: float


def moment_matching(real, fake):
    """Compares mean, covariance and each feature's standard deviation, relative to the real ones.

        |m_f - m_r| / |m_r|,   |S_f - S_r| / |S_r|,   |s_f - s_r| / |s_r|   (Frobenius norms)

    On `PixelFeatures` the last is pixel by pixel: samples that are too smooth, or all alike, show
    there.

    Args:
        real: features `[count, size]`.
        fake: features `[other count, size]`.

    Returns:
        A `MomentMatching` of three floats.

    Raises:
        ValueError: fewer than 2 samples, different sizes, NaN or infinity, or real features whose
            mean or variance is zero throughout, against which nothing is relative.

    Example:
        >>> evaluation.moment_matching(real_features, fake_features).covariance
        0.31
    """
    real, fake = (Moments.of(features) for features in check_features(real, fake))
    return MomentMatching(
        _relative_error("mean", real.mean, fake.mean),
        _relative_error("covariance", real.covariance, fake.covariance),
        _relative_error("deviation", _deviations(real), _deviations(fake)),
    )


def _deviations(moments):
    return np.sqrt(np.diag(moments.covariance))


def _relative_error(name, real, fake):
    norm = np.linalg.norm(real)
    if norm == 0:
        raise ValueError(
            f"The real features' {name} is zero throughout, and no error is relative to that. "
            "Are all real samples the same, or the features dead?"
        )
    return float(np.linalg.norm(fake - real) / norm)
