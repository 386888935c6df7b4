"""What every score asks of its features."""

import numpy as np


def check_features(real, fake):
    """Returns two sets of features as arrays of one floating type, after making sure of them.

    Args:
        real: `[count, size]`, an array or tensor.
        fake: `[other count, size]`, as `real`.

    Returns:
        A pair of NumPy arrays, float32 or, if one of them is, float64.

    Raises:
        ValueError: one is no matrix, has fewer than two rows, or holds NaN or infinity; or the
            numbers of columns differ.
    """
    real, fake = check_vectors("real", real), check_vectors("fake", fake)
    for name, features in (("real", real), ("fake", fake)):
        if len(features) < 2:
            raise ValueError(
                f"A score needs at least 2 samples. Received: {len(features)} in `{name}`."
            )
    if real.shape[1] != fake.shape[1]:
        raise ValueError(
            "Real and fake features must be of one kind, with as many columns. "
            f"Received: {real.shape[1]} for real and {fake.shape[1]} for fake."
        )
    dtype = np.result_type(real, fake)
    return real.astype(dtype, copy=False), fake.astype(dtype, copy=False)


def check_vectors(name, features):
    """Returns `[count, size]` finite vectors as float32 or float64, after making sure of them."""
    features = np.asarray(features)
    if features.dtype != np.float64:
        features = features.astype(np.float32)
    if features.ndim != 2 or features.shape[1] == 0:
        raise ValueError(
            f"Expected vectors, [count, size]. Received: `{name}` of shape "
            f"{list(features.shape)}. Images become features by `tfgen.evaluation.PixelFeatures` "
            "and its kin."
        )
    finite = np.isfinite(features).all(axis=1)
    if not finite.all():
        raise ValueError(
            f"{np.sum(~finite)} of {len(features)} rows in `{name}` hold NaN or infinity, the "
            f"first at index {np.argmin(finite)}. Look at the images that they come from."
        )
    return features
