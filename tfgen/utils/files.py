"""Atomic writes: a file is whole or not there."""

import contextlib
import os
import pathlib
import shutil
import tempfile

_UNFINISHED = ".unfinished-"


@contextlib.contextmanager
def atomic_write(path):
    """Gives a temporary path to write to, which becomes `path` when all went well.

    A reader, or a process that starts after a crash, sees the old file or the new one.

    Args:
        path: the file to be; its folder is made.

    Yields:
        A path in the same folder with the same ending.

    Example:
        >>> with atomic_write("runs/vae/model.keras") as path:
        ...     model.save(path)
    """
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with unfinished(path.parent) as folder:
        yield folder / path.name
        put(folder / path.name, path)


@contextlib.contextmanager
def unfinished(folder):
    """Gives a temporary folder inside of `folder`, which is removed in the end."""
    with tempfile.TemporaryDirectory(prefix=_UNFINISHED, dir=folder) as path:
        yield pathlib.Path(path)


def clear_unfinished(folder):
    """Removes what a killed process left in a folder of its own: nobody else may write there."""
    for path in pathlib.Path(folder).glob(f"{_UNFINISHED}*"):
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
            "or change its permissions."
        ) from error
