"""Locks on files, also where a disk has none."""

import errno
import fcntl

# What file systems without locks say, among them some of clusters.
_NO_LOCKS = (errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOSYS)


def lock(file, wait=False):
    """Takes the lock of an open file, which lasts until the file is closed.

    Args:
        file: the open file.
        wait: whether to wait until another process gives it back.

    Returns:
        Whether there is a lock now; not so on a disk that has no locks.

    Raises:
        BlockingIOError: another process has it, and `wait` is false.
    """
    try:
        fcntl.flock(file, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise
        return False
    return True
