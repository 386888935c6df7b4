"""Versions are loaded from their folders: each once, and again after a failure that may pass."""

import contextlib
import dataclasses
import enum
import logging
import pathlib

from tfgen.serving.description import is_described
from tfgen.serving.errors import without_paths
from tfgen.serving.retries import Retries
from tfgen.serving.servable import Servable
from tfgen.serving.trust import PROGRAM

_LOG = logging.getLogger(__name__)


class State(enum.Enum):
    """What became of a version; the names and numbers are TensorFlow Serving's."""

    LOADING = 20
    AVAILABLE = 30
    END = 50


@dataclasses.dataclass(frozen=True, eq=False)
class Version:
    """A version of a model, whether it can be asked or not.

    Args:
        number: its number.
        state: its `State`.
        folder: where it was loaded from.
        servable: the loaded SavedModel, while it is available.
        error: why it could not be loaded, without paths of this machine.
    """

    number: int
    state: State
    folder: pathlib.Path | None = None
    servable: Servable | None = None
    error: str = ""


class Loader:
    """Loads versions, and remembers what became of them.

    A folder is loaded once, however many names its model has. After a failure it is tried again
    with growing pauses, see `tfgen.serving.retries`.
    """

    def __init__(self):
        self._versions = {}  # by their folders
        self._retries = Retries()

    def is_due(self, folder):
        """Tells whether a folder would be loaded now: it is not, and did not fail just now."""
        known = self._versions.get(folder)
        return known is None or (
            known.servable is None and self._retries.is_due(folder, _files(folder))
        )

    def load(self, folder):
        """Returns the `Version` in a folder, loaded if it is due."""
        if self.is_due(folder):
            self._versions[folder] = self._try(folder)
        return self._versions[folder]

    def forget_all_but(self, served, there):
        """Forgets what is of no more use, so that its memory can be found.

        Args:
            served: the folders whose versions are served.
            there: the folders that there are; those that cannot be loaded are not tried too often.

        Returns:
            Whether a version that was loaded is forgotten.
        """
        gone = {
            folder: version
            for folder, version in self._versions.items()
            if folder not in (there if version.servable is None else served)
        }
        for folder in gone:
            del self._versions[folder]
            self._retries.forget(folder)
        return any(version.servable is not None for version in gone.values())

    def _try(self, folder):
        number, files = int(folder.name), _files(folder)
        try:
            servable = Servable(folder)
        except Exception as error:  # whatever is wrong with a file, the others are served
            if self._retries.failed(folder, files, str(error)):
                _LOG.error("%s: version %d cannot be loaded: %s", folder.parent.name, number, error)
            told = without_paths(str(error).replace(str(folder), f"{folder.parent.name}/{number}"))
            return Version(number, State.END, folder, error=told)
        self._retries.forget(folder)
        if not is_described(folder):
            _LOG.warning("%s: not exported by tfgen. %s", folder.parent.name, PROGRAM)
        _LOG.info("%s: version %d is available", folder.parent.name, number)
        return Version(number, State.AVAILABLE, folder, servable)


def _files(folder):
    """Returns names, sizes and times of a version's files: others when a copy goes on."""
    found = set()
    with contextlib.suppress(OSError):  # a folder that cannot be read
        for path in folder.rglob("*"):
            with contextlib.suppress(OSError):  # gone meanwhile
                stat = path.lstat()
                found.add((path.name, stat.st_size, stat.st_mtime_ns))
    return frozenset(found)
