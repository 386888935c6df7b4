"""The Frechet distance between two sets of features, each seen as a normal distribution."""

import numpy as np
from scipy import linalg

from tfgen.evaluation.checks import check_vectors
from tfgen.evaluation.moments import Moments


def frechet_distance(real, fake):
    """Returns the Frechet distance of two sets of features (Heusel et al., 2017, equation 6).

        ||m_r - m_f||^2 + tr(S_r + S_f - 2 (S_r S_f)^(1/2))

    with means `m` and covariances `S`. On `InceptionFeatures` it is the Frechet Inception Distance.
    It falls with more samples, because it is biased: compare equal numbers only.

    Args:
        real: features `[count, size]`, arrays or tensors; or their `Moments`.
        fake: as `real`, of another count if need be; one may be `Moments` and the other not.

    Returns:
        A float, at least 0 but for rounding; 0 where both have the same moments.

    Raises:
        ValueError: fewer than 2 samples, different sizes, NaN or infinity.

    Example:
        >>> evaluation.frechet_distance(features(real_images), features(model.sample(10000)))
        12.34
    """
    real, fake = _moments_of("real", real), _moments_of("fake", fake)
    _check_sizes(real, fake)
    difference = real.mean - fake.mean
    traces = np.trace(real.scatter) / real.degrees + np.trace(fake.scatter) / fake.degrees
    # S = scatter / degrees: taken out of the root, the division spares two copies.
    root = trace_of_root(real.scatter, fake.scatter) / np.sqrt(real.degrees * fake.degrees)
    return float(difference @ difference + traces - 2 * root)


def trace_of_root(first, second):
    """Returns `tr (A B)^(1/2)` of two positive semidefinite matrices.

    With `A = F F^T`, the product `A B` has the eigenvalues of the symmetric `F^T B F`. Those are
    real and can be had fast and without loss, while a general matrix root fails for covariances
    of fewer samples than features.
    """
    # Symmetric matrices are their own transposes, and transposed they need not be copied.
    factor, failed = linalg.lapack.dpotrf(first.T, lower=True)
    if failed:
        return _trace_of_singular_root(first, second)
    product, _ = linalg.lapack.dsygst(second.T, factor, itype=2, lower=True)
    return _sum_of_roots(product)


def _trace_of_singular_root(first, second):
    values, vectors = linalg.eigh(first)
    factor = vectors * np.sqrt(np.maximum(values, 0))
    return _sum_of_roots(factor.T @ second @ factor)


def _sum_of_roots(symmetric):
    values = linalg.eigvalsh(symmetric, lower=True, overwrite_a=True, check_finite=False)
    return np.sum(np.sqrt(np.maximum(values, 0)))  # zero may have been rounded below itself


def _moments_of(name, features):
    if isinstance(features, Moments):
        return features
    return Moments.of(check_vectors(name, features))


def _check_sizes(real, fake):
    if len(real.mean) != len(fake.mean):
        raise ValueError(
            "Moments must be of features of one kind. "
            f"Received: {len(real.mean)} features for real and {len(fake.mean)} for fake."
        )
