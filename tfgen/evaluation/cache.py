"""What is expensive and does not change, kept on disk by its content."""

import contextlib

import numpy as np

from tfgen.evaluation.features import checksum_of
from tfgen.utils.cache import cache_folder, locked
from tfgen.utils.disk import optional
from tfgen.utils.files import atomic_write


def cached_features(features, source, progress=False):
    """Computes the features of a `tfgen.data.Source`, or reads them if they were computed before.

    They are found by the content of the examples and of the network, whatever these are called.

    Args:
        features: a `Features`.
        source: a `tfgen.data.Source`.
        progress: whether to show a progress bar.

    Returns:
        A float32 array `[count, size]`.
    """
    if not features.checksum:
        return features(source, progress=progress)  # features without a network, which take no time
    key = f"{features.name}-{features.checksum}-{checksum_of([source.images])}"
    return cached_arrays(key, lambda: {"features": features(source, progress=progress)})["features"]


def cached_arrays(key, compute):
    """Returns the arrays kept under a key, or computes and keeps them.

    Of two processes that want the same at once, one computes and the other waits for it. A file
    that was damaged since is computed anew. Where nothing can be written, as on a full disk, it
    warns, and the arrays are not kept.

    Args:
        key: a file's name without ending, which says all that the arrays depend on: digests of
            the content, not names of files that may change.
        compute: a function of nothing that returns a dict of arrays.

    Returns:
        A dict of arrays.

    Example:
        >>> cached_arrays(f"moments-{digest}", lambda: {"mean": features.mean(axis=0)})
    """
    path = cache_folder() / f"{key}.npz"
    what = f"The cache {path.parent}"
    with contextlib.ExitStack() as stack:
        with optional(what):
            stack.enter_context(locked(path))
        kept = _read(path)
        if kept is None:
            kept = compute()
            with optional(what), atomic_write(path) as temporary:
                np.savez(temporary, **kept)
        return kept


def _read(path):
    """Returns a file's arrays; `None` if it is missing or damaged (archives carry checksums)."""
    try:
        with path.open("rb") as file, np.lib.npyio.NpzFile(file) as archive:
            return dict(archive)
    except Exception:  # damage shows as anything, from EOFError to NotImplementedError
        return None
