"""The folder of files that are kept between commands, and a lock on each of them."""

import contextlib
import fcntl
import os
import pathlib


def cache_folder():
    """Returns the folder of kept files: `TFGEN_CACHE`, or `~/.cache/tfgen`."""
    return pathlib.Path(os.environ.get("TFGEN_CACHE") or "~/.cache/tfgen").expanduser()


@contextlib.contextmanager
def locked(path):
    """Keeps other processes out of the block for the same path, until it ends or dies.

    Args:
        path: the file or folder to be; the folder that it lies in is made.

    Example:
        >>> with locked(cache_folder() / "features.npz"):
        ...     write_unless_there()
    """
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_name(f".{path.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
