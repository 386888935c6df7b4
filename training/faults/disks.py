"""What a disk can do to a run: it is full, broken, or over its quota, at each of its files."""

import contextlib
import errno
import functools
import os
import pathlib
import subprocess

from training.faults.kinds import ALONE, EPOCHS, EXPORTING, begun, fault, killed
from training.faults.runs import Broken, NotPossible, Run, checkpoints

_REFUSALS = (errno.ENOSPC, errno.EIO, errno.EDQUOT)
# What a run needs: the pattern of its files, and how many writes there are to choose from.
_NEEDED = {
    "the configuration": ("*/config.json", 2),
    "the log": ("*/log.csv", 2 * EPOCHS),
    "a checkpoint": ("*/checkpoints/*", 2 * EPOCHS),
    "the model": ("*/model.keras", 4),
    "the results": ("*/results.json", 2),
}
_OPTIONAL = {
    "the pictures": ("*/pictures/*.png", EPOCHS),
    "TensorBoard's events": ("*/tensorboard/*", EPOCHS),
    "the summary": ("*/summary.png", 2),
    "the card": ("*/README.md", 2),
}


@functools.cache
def _library(folder):
    """Compiles the library that makes writes fail, once; returns its path."""
    source = pathlib.Path(__file__).with_name("full_disk.c")
    folder.mkdir(exist_ok=True)
    path = folder / "full_disk.so"
    command = ["cc", "-shared", "-fPIC", "-o", path, source, "-ldl"]
    try:
        subprocess.run(command, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise NotPossible(f"Writes are made to fail by a C library for Linux ({error}).") from error
    return path


def _refuse(pattern, writes, draw, undisturbed):
    """Returns variables for a process in which writes to some files fail, and why in words.

    Args:
        pattern: of the files' paths, as in a shell.
        writes: one of so many of their first writes is the first to fail.
        draw: a `random.Random`.
        undisturbed: the `Undisturbed`, whose folder keeps the library.
    """
    number = draw.choice(_REFUSALS)
    environment = {
        "LD_PRELOAD": str(_library(undisturbed.folder)),
        "FAULT_PATH": pattern,
        "FAULT_ERRNO": str(number),
        "FAULT_AFTER": str(draw.randrange(writes)),
    }
    return environment, os.strerror(number)


def _check_last_line(run, *texts):
    """Raises `Broken` unless a run's last line, its only error, has certain texts."""
    last = run.text.splitlines()[-1]
    if not last.startswith("train: ") or "Traceback" in run.text:
        raise Broken(f"Its end is not told in a line:\n{run.text}")
    for text in texts:
        if text not in last:
            raise Broken(f"{text!r} is not in its last line:\n{last}")


def _refuse_needed(pattern, writes):
    def inject(folder, draw, undisturbed):
        environment, reason = _refuse(pattern, writes, draw, undisturbed)
        run = Run(ALONE, folder, environment=environment)
        run.expect(1)
        _check_last_line(run, "could not be", str(folder), reason, "disk")
        Run(ALONE, folder).expect(0)
        undisturbed.compare(ALONE, folder)

    return inject


def _refuse_optional(pattern, writes):
    def inject(folder, draw, undisturbed):
        environment, reason = _refuse(pattern, writes, draw, undisturbed)
        run = Run(ALONE, folder, environment=environment)
        run.expect(0, reason)
        warnings = [line for line in run.text.splitlines() if line.startswith("Warning: ")]
        if len(warnings) != len(set(warnings)) or "Going on without" not in warnings[0]:
            raise Broken(f"It was not told in a line, once:\n{run.text}")
        undisturbed.compare(ALONE, folder)

    return inject


for _name, (_pattern, _writes) in _NEEDED.items():
    fault(f"a full or broken disk at {_name}", "a line names it; then the same weights")(
        _refuse_needed(_pattern, _writes)
    )
for _name, (_pattern, _writes) in _OPTIONAL.items():
    fault(f"a full or broken disk at {_name}", "a warning; it goes on; the same weights")(
        _refuse_optional(_pattern, _writes)
    )


@fault("a full or broken disk at the export", "a line; the results are kept; then it is written")
def _(folder, draw, undisturbed):
    exports = folder.parent / f"{folder.name}-exports"
    command = (*EXPORTING, f"--export={exports}")
    environment, reason = _refuse(f"{exports}/*/version/*", 4, draw, undisturbed)
    run = Run(command, folder, environment=environment)
    run.expect(1)
    _check_last_line(run, "could not be written", str(exports), reason)
    if not (folder / "results.json").exists() or any(exports.iterdir()):
        raise Broken("The results are gone, or there is half an export.")
    Run(command, folder).expect(0, "is complete")
    if [path.name for path in exports.iterdir()] != ["1"]:
        raise Broken("The export is not there.")
    undisturbed.compare(ALONE, folder)


@contextlib.contextmanager
def _small_disk(folder):
    """Mounts a disk of 64 MiB at a folder."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", folder]
    mounted = subprocess.run(mount, capture_output=True, text=True)
    if mounted.returncode:
        raise NotPossible(f"A small disk can only be mounted by root ({mounted.stderr.strip()}).")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def _fill(folder, free=0):
    """Fills a disk up to some bytes; returns the file that does so."""
    status = os.statvfs(folder)
    filler = folder / "filler"
    filler.write_bytes(bytes(max(0, status.f_bavail * status.f_frsize - free)))
    return filler


@fault("the disk is full", "it says so and ends; the old checkpoint stands; then the same weights")
def _(folder, draw, undisturbed):
    with _small_disk(folder):
        killed(folder, draw)
        newest = checkpoints(folder)[-1]
        filler = _fill(folder, free=600_000)
        Run(ALONE, folder).expect(1, "could not be saved", "MiB are free", "stands: make room")
        if not newest.exists():
            raise Broken("The old checkpoint is gone.")
        filler.unlink()
        Run(ALONE, folder).expect(0, "Going on after epoch")
        undisturbed.compare(ALONE, folder)


@fault("the disk fills up at any moment", "it says so; with room again, it ends; the same weights")
def _(folder, draw, undisturbed):
    with _small_disk(folder):
        run = begun(ALONE, folder, draw, first=1)
        filler = _fill(folder)
        run.expect(1)
        _check_last_line(run, "could not be", str(folder), "make room")
        filler.unlink()
        Run(ALONE, folder).expect(0)
        undisturbed.compare(ALONE, folder)
