"""What a disk refuses, in words: the file, the reason, and what helps."""

import contextlib
import errno
import functools
import os
import warnings

_MENDS = {
    errno.ENOSPC: "make room on its disk",
    errno.EDQUOT: "make room in your quota on its disk",
    errno.EIO: "check its disk",
    errno.ESTALE: "mount its disk again",
    errno.EROFS: "mount its disk for writing",
    errno.EACCES: "change its permissions",
    errno.EPERM: "change its permissions",
}


def mend(error):
    """Returns what helps against an error of a disk; `None` if it is another error."""
    return _MENDS.get(_number(error))


def reason(error):
    """Returns why a disk refused something, in a few words, whichever library says it.

    Args:
        error: an OSError, or what TensorFlow and HDF5 raise in its place.
    """
    number = _number(error) or getattr(error, "errno", None)
    return os.strerror(number) if number else str(error).partition("\n")[0]


@contextlib.contextmanager
def needed(path):
    """Makes an error of the disk in the block name the file, the reason and what helps.

    Args:
        path: the file or folder that is written.

    Raises:
        OSError: the disk refuses it.
    """
    try:
        yield
    except Exception as error:
        in_words = isinstance(error, OSError) and error.errno is None
        if in_words or not mend(error):
            raise
        raise OSError(
            f"{path} could not be written ({reason(error)}). To mend it, {mend(error)}. Then run "
            "this again."
        ) from error


@contextlib.contextmanager
def optional(what):
    """Goes on after the block where the disk refuses what nothing else depends on.

    It is told by a warning, the same one once in a process.

    Args:
        what: what is written, and where; the sentence's subject.

    Example:
        >>> with optional("The pictures in runs/vae"):
        ...     write_png(path, pixels)
    """
    try:
        yield
    except Exception as error:
        if not isinstance(error, OSError) and not mend(error):
            raise
        warn_once(
            f"{what} could not be written ({reason(error)}). Going on without. To mend it, "
            f"{mend(error) or 'look at its disk'}."
        )


def _number(error):
    """Returns the number of a disk's error, which TensorFlow and HDF5 tell as text."""
    said = str(error)
    return next((number for number in _MENDS if os.strerror(number) in said), None)


@functools.cache
def warn_once(text):
    """Warns of something that a user can mend, the same once in a process."""
    warnings.warn(text, stacklevel=2)
