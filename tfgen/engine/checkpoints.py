"""A folder of checkpoints, each of which is whole or known to be damaged."""

import hashlib
import os
import pathlib
import re
import shutil
import warnings

from tfgen.utils.disk import mend, reason
from tfgen.utils.files import check_writable, put, unfinished

SHARE = 0.01  # of the time between two saves, at most, for the second to be worth it

_NAME = re.compile(r"(?P<step>\d{10})-(?P<digest>[0-9a-f]{32})\.weights\.h5")


class CheckpointFolder:
    """The newest few states of a run, in files whose names hold their step and their checksum.

    A state is first written beside, so that one that is cut off never takes a name. Damage that
    comes later, such as a flipped bit or a lost end, is found by the checksum when it is read; then
    the state before it is taken.

    Args:
        path: the folder, which is made.
        keep: how many states are kept, at least 1. With one there is none before it.

    Raises:
        OSError: nothing can be written to the folder.
        ValueError: `keep` is less than 1.

    Example:
        >>> folder = CheckpointFolder("runs/vae/checkpoints")
        >>> folder.write(100, model.save_weights)
        >>> model.load_weights(folder.newest())
    """

    def __init__(self, path, keep=2):
        if keep < 1:
            raise ValueError(f"`keep` must be at least 1. Received: keep={keep}.")
        self.path = pathlib.Path(path)
        self.keep = keep
        check_writable(self.path)

    def write(self, step, save, size=0):
        """Keeps a state, and forgets the oldest ones.

        Args:
            step: the number of steps taken.
            save: a function that writes the state to the path it is called with.
            size: about how many bytes that takes, so that it is not begun where there is no room:
                HDF5 may crash the process when a disk fills up under a file that it writes.

        Raises:
            OSError: it cannot be written, for instance because the disk is full. What was kept
                before is still there.
        """
        try:
            if shutil.disk_usage(self.path).free < size:
                raise OSError(f"{size / 2**20:.0f} MiB are needed")
            with unfinished(self.path) as folder:
                written = folder / "state.weights.h5"
                save(written)
                put(written, self.path / f"{step:010d}-{digest(written)}.weights.h5")
        except (OSError, RuntimeError) as error:  # HDF5 raises either
            raise OSError(self._say_what_stands(step, error)) from error
        for path in self.files()[self.keep :]:
            path.unlink()

    def files(self):
        """Returns the paths of all states, the newest first."""
        named = [path for path in self.path.iterdir() if _NAME.fullmatch(path.name)]
        # Of two with one step, the one written last is the run's.
        return sorted(named, key=lambda path: (_step(path), path.stat().st_mtime_ns), reverse=True)

    def newest(self):
        """Returns the path of the newest state that is whole; `None` if there never was a state.

        Warns of each that is damaged, and goes back to the one before.

        Raises:
            ValueError: all are damaged.
        """
        files = self.files()
        for path in files:
            if digest(path) == _NAME.fullmatch(path.name)["digest"]:
                return path
            warnings.warn(
                f"The checkpoint {path} is damaged: its checksum is not that in its name. Going "
                "back to the one before.",
                stacklevel=2,
            )
        if files:
            raise ValueError(
                f"Every checkpoint in {self.path} is damaged. Bring one back from a copy, or "
                "remove them to begin anew."
            )
        return None

    def _say_what_stands(self, step, error):
        stands = self.files()
        kept = f"That of step {_step(stands[0])} stands" if stands else "There is none before it"
        status = os.statvfs(self.path)
        free = status.f_bavail * status.f_frsize / 2**20
        return (
            f"The checkpoint of step {step} could not be saved in {self.path} ({reason(error)}; "
            f"{free:.0f} MiB are free). {kept}: {mend(error) or 'make room'}, and start again with "
            "the same command."
        )


def digest(path):
    """Returns the checksum of a file: 32 hexadecimal digits of its SHA-256."""
    state = hashlib.sha256()
    with pathlib.Path(path).open("rb") as file:
        while block := file.read(1 << 20):
            state.update(block)
    return state.hexdigest()[:32]


def _step(path):
    return int(_NAME.fullmatch(path.name)["step"])
