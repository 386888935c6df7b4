"""Atomic writes: a file is whole or not there."""

import contextlib
import os
import pathlib
import shutil
import tempfile
import time

from tfgen.utils.disk import mend, needed
from tfgen.utils.locks import lock

_UNFINISHED = ".unfinished-"
_LOCK = "lock"  # in it; a process that lives holds it
_OLD = 24 * 3600  # seconds, after which one without a lock is given up


@contextlib.contextmanager
def atomic_write(path):
    """Gives a temporary path to write to, which becomes `path` when all went well.

    A reader, or a process that starts after a crash, sees the old file or the new one.

    Args:
        path: the file to be; its folder is made.

    Yields:
        A path in the same folder with the same ending.

    Raises:
        OSError: the disk refuses it; the message names the file, the reason and what helps.

    Example:
        >>> with atomic_write("runs/vae/model.keras") as path:
        ...     model.save(path)
    """
    path = pathlib.Path(path)
    with needed(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with unfinished(path.parent) as folder:
            yield folder / path.name
            put(folder / path.name, path)


@contextlib.contextmanager
def unfinished(folder):
    """Gives a temporary folder inside of `folder`, which is removed in the end.

    What killed processes left in `folder` is cleared first, see `clear_unfinished`.
    """
    clear_unfinished(folder)
    path, held = _make_unfinished(folder)
    try:
        yield path
    finally:
        held.close()  # first: NFS keeps a removed file that is open, and its folder with it
        shutil.rmtree(path, ignore_errors=True)


def clear_unfinished(folder):
    """Removes the temporary folders in `folder` that no living process writes to.

    A living process holds a lock in its own. Where a disk has no locks, and for folders of versions
    that took none, one that has not changed for a day is removed.
    """
    for path in pathlib.Path(folder).glob(f"{_UNFINISHED}*"):
        with contextlib.suppress(OSError):  # it is in use, or gone meanwhile
            _clear(path)


def _make_unfinished(folder):
    """Returns a new temporary folder, and the open file in it whose lock says that it is in use."""
    while True:
        path = pathlib.Path(tempfile.mkdtemp(prefix=_UNFINISHED, dir=folder))
        held = (path / _LOCK).open("w")
        with contextlib.suppress(BlockingIOError):  # another process has begun to clear it
            lock(held)
            if os.fstat(held.fileno()).st_nlink:  # and it has not ended that either
                return path, held
        held.close()


def _clear(path):
    """Removes a temporary folder, unless a living process writes to it."""
    left = time.time() - path.stat().st_mtime > _OLD
    with contextlib.suppress(FileNotFoundError), (path / _LOCK).open("r+") as file:
        left = lock(file) or left
        if left:
            (path / _LOCK).unlink()  # who has just made it, and had no lock yet, makes another
    if left:
        shutil.rmtree(path, ignore_errors=True)


def put(source, path):
    """Moves a written file to its place, so that it is there after a power cut too."""
    flush(source)
    os.replace(source, path)
    flush(path.parent)


def flush(path):
    """Waits until a file's or a folder's content is on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def check_writable(folder):
    """Makes a folder if need be, and raises an OSError that names it if nothing can be written."""
    try:
        pathlib.Path(folder).mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise OSError(
            f"Nothing can be written to the folder {folder} ({error.strerror}). Choose another, "
            f"or {mend(error) or 'change its permissions'}."
        ) from error
