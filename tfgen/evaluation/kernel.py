"""The kernel distance between two sets of features."""

from typing import NamedTuple

import numpy as np

from tfgen.evaluation.checks import check_features


class KernelDistance(NamedTuple):
    """A kernel distance: its value and its standard error."""

    value: float
    standard_error: float


# Rows of a kernel matrix at a time: of 50,000 columns they are 400 MB.
_ROWS = 1000


def kernel_distance(real, fake, subsets=None, subset_size=1000, seed=0):
    """Estimates the squared maximum mean discrepancy with a cubic kernel, without bias.

        k(x, y) = (x . y / size + 1)^3
        MMD^2 = mean k(x_i, x_j) + mean k(y_i, y_j) - 2 mean k(x_i, y_j),   i != j

    (Binkowski et al., 2018, section 4; Gretton et al., 2012, equation 3). On `InceptionFeatures` it
    is the Kernel Inception Distance. Its expectation does not depend on the number of samples; it
    may be below zero.

    Args:
        real: features `[count, size]`.
        fake: features `[other count, size]`.
        subsets: `None` takes the whole sets, each pair once, and its standard error comes from the
            variance of the samples' own parts in it (of equal distributions it is too large, by
            up to a factor of 1.4). A number takes the mean over so many random subsets with the
            standard error of that mean, which knows nothing of what the sets share: the paper's.
        subset_size: samples in a subset, of each set.
        seed: an integer, of the subsets.

    Returns:
        A `KernelDistance`: the value and its standard error, floats. (The paper's tables show a
        thousand times the value.)

    Raises:
        ValueError: fewer than 2 samples, different sizes, NaN or infinity, less than 2 subsets,
            or subsets larger than the sets.

    Example:
        >>> value, standard_error = evaluation.kernel_distance(real_features, fake_features)
    """
    real, fake = check_features(real, fake)
    if subsets is None:
        return _whole_distance(real, fake)
    if subsets < 2:
        raise ValueError(f"`subsets` must be at least 2. Received: subsets={subsets}.")
    if not 2 <= subset_size <= min(len(real), len(fake)):
        raise ValueError(
            f"`subset_size` must be from 2 to the {min(len(real), len(fake))} samples of the "
            f"smaller set. Received: subset_size={subset_size}."
        )
    random = np.random.default_rng(seed)
    values = [
        _whole_distance(
            real[random.choice(len(real), subset_size, replace=False)],
            fake[random.choice(len(fake), subset_size, replace=False)],
        ).value
        for _ in range(subsets)
    ]
    return KernelDistance(float(np.mean(values)), float(np.std(values, ddof=1) / subsets**0.5))


def _whole_distance(real, fake):
    real_real, fake_fake = _row_means_within(real), _row_means_within(fake)
    real_fake, fake_real = _row_means_between(real, fake)
    value = real_real.mean() + fake_fake.mean() - 2 * real_fake.mean()
    # The estimate's first-order (Hajek) terms: each sample's own part in it. Their factor 2 is
    # that every sample stands in two places of a symmetric kernel.
    variance = sum(
        4 * np.var(within - between, ddof=1) / len(within)
        for within, between in ((real_real, real_fake), (fake_fake, fake_real))
    )
    return KernelDistance(float(value), float(variance**0.5))


def _row_means_within(samples):
    """Returns the mean kernel of each sample with the others of its set, `[count]`."""
    sums = np.concatenate([_kernel(rows, samples).sum(axis=1) for rows in _blocks(samples)])
    own = _polynomial(np.einsum("ij,ij->i", samples, samples, dtype=np.float64) / samples.shape[1])
    return (sums - own) / (len(samples) - 1)


def _row_means_between(real, fake):
    """Returns the mean kernel of each real sample with the fake ones, and of each fake one."""
    rows, columns = [], np.zeros(len(fake))
    for block in _blocks(real):
        kernel = _kernel(block, fake)
        rows.append(kernel.mean(axis=1))
        columns += kernel.sum(axis=0)
    return np.concatenate(rows), columns / len(real)


def _kernel(rows, samples):
    # Products may be rounded to float32, with errors that cancel; sums of cubes may not.
    return _polynomial((rows @ samples.T).astype(np.float64) / samples.shape[1])


def _polynomial(products):
    return (products + 1) ** 3


def _blocks(samples):
    return (samples[start : start + _ROWS] for start in range(0, len(samples), _ROWS))
