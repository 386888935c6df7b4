"""The folder of files that are kept between commands, and a lock on each of them."""

import contextlib
import os
import pathlib

from tfgen.utils.disk import warn_once
from tfgen.utils.locks import lock


def cache_folder():
    """Returns the folder of kept files: `TFGEN_CACHE`, or `~/.cache/tfgen`."""
    return pathlib.Path(os.environ.get("TFGEN_CACHE") or "~/.cache/tfgen").expanduser()


@contextlib.contextmanager
def locked(path):
    """Keeps other processes out of the block for the same path, until it ends or dies.

    On a disk without locks it warns, and keeps nobody out.

    Args:
        path: the file or folder to be; the folder that it lies in is made.

    Example:
        >>> with locked(cache_folder() / "features.npz"):
        ...     write_unless_there()
    """
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_name(f".{path.name}.lock").open("w") as file:
        if not lock(file, wait=True):
            warn_once(
                f"The disk of {path.parent} has no locks. Going on without: start one process at "
                "a time, or let TFGEN_CACHE name a folder on another disk."
            )
        yield
