"""Disks that are full or broken, and what killed processes leave on them, for tests."""

import contextlib
import errno
import fcntl
import os
import pathlib
import subprocess
import sys

import pytest

# What a disk says that takes no more.
REFUSALS = [errno.ENOSPC, errno.EIO, errno.EDQUOT]

_KILLED = """
import os, pathlib, signal, sys
from tfgen.utils.files import unfinished

with unfinished(sys.argv[1]) as folder:
    (folder / sys.argv[2]).write_bytes(b"half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def leave_unfinished(folder, name):
    """Has a process killed while it writes a file in `folder`; returns what it leaves."""
    before = set(folder.glob(".unfinished-*"))
    subprocess.run([sys.executable, "-c", _KILLED, str(folder), name], check=False)
    (left,) = set(folder.glob(".unfinished-*")) - before
    assert (left / name).read_bytes() == b"half"
    return left


@contextlib.contextmanager
def small_disk(folder, free, size=2**20):
    """Makes `folder` a small disk of which some bytes are free; a context. Only root can."""
    folder.mkdir(parents=True, exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("A small disk can only be mounted by root.")
    try:
        fill(folder, free)
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(folder, free=0):
    """Fills the disk that `folder` is, up to some bytes."""
    status = os.statvfs(folder)
    with (folder / "filler").open("ab") as file:
        file.write(bytes(status.f_bavail * status.f_frsize - free))


def refuse(monkeypatch, pattern, number):
    """Makes the disk refuse the files whose paths match a pattern, as in a shell.

    The refusal comes where a file is flushed to the disk, as many file systems have it.
    """
    genuine = os.fsync

    def fsync(descriptor):
        path = pathlib.Path(os.readlink(f"/proc/self/fd/{descriptor}"))
        if path.match(pattern):
            raise OSError(number, os.strerror(number))
        genuine(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)


def refuse_locks(monkeypatch, number):
    """Makes the file system one without locks, which says a certain error's number."""

    def flock(file, operation):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", flock)
