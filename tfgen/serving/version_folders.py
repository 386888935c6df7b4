"""Where the models of a folder are: ROOT/NAME/VERSION, and release files ROOT/NAME.tfgen."""

import contextlib
import logging
import os
import pathlib
import stat

from tfgen.serving.manifest import SUFFIX
from tfgen.serving.release import open_release
from tfgen.serving.retries import Retries

_LOG = logging.getLogger(__name__)
_MOST_DIGITS = 19  # of a number that fits into 64 bits


class VersionFolders:
    """Finds the folders of all versions of all models, as they are now.

    A release file is the version 1 of the model that it is named after, from the cache's folder. It
    is opened again when the file has changed. Where a folder has versions of that model, the file
    is left aside: the folder is what somebody trained here.

    A disk may fail for a moment. What cannot be read then is as it was: only what is missing in a
    folder that could be listed is gone.

    Args:
        root: the folder of models.

    Example:
        >>> VersionFolders("saved_models").find()
        {'vae_fashion': {1: PosixPath('saved_models/vae_fashion/1')}}
    """

    def __init__(self, root):
        self.root = pathlib.Path(root)
        self._found = {}  # what was in folders at the last look
        self._unreadable = {}  # from a model's name to why its folder could not be read
        self._opened = {}  # from a release file's path to its state and its version's folder
        self._retries = Retries()  # of release files

    def find(self):
        """Returns, for each model, its versions' folders by number.

        Raises:
            OSError: the folder of models cannot be read.
        """
        names = sorted(name for name in os.listdir(self.root) if not name.startswith("."))
        folders = {name: self._look(name) for name in names}
        self._found = {name: versions for name, versions in folders.items() if versions}
        packed = [
            self.root / name
            for name, versions in folders.items()
            if versions is None and name.endswith(SUFFIX)
        ]
        found = dict(self._found)
        packed = {path.stem: path for path in packed if path.stem not in found}
        self._opened = {path: self._open(path) for path in packed.values()}
        for name, path in packed.items():
            _, version = self._opened[path]
            if version is not None:
                found[name] = {1: version}
        return found

    def _look(self, name):
        """Returns the folders of a model's versions by number; `None` if the name is a file's."""
        before = self._found.get(name, {})
        try:
            found = _numbered(self.root / name, before)
        except FileNotFoundError:  # gone meanwhile
            return {}
        except NotADirectoryError:
            return None
        except OSError as error:
            if self._unreadable.get(name) != str(error):
                _LOG.warning("%s: its folder cannot be read, and stays as it was: %s", name, error)
            self._unreadable[name] = str(error)
            return before
        self._unreadable.pop(name, None)
        return found

    def _open(self, path):
        """Returns a release file's state, and its version's folder or `None`.

        A file that cannot be opened, such as one that is being copied, leaves what it was before.
        """
        before, version = self._opened.get(path, (None, None))
        state = _state(path)
        if state == before or not self._retries.is_due(path, state):
            return before, version
        try:
            version = open_release(path).version
        except (OSError, ValueError) as error:  # whatever is wrong with it, the others are served
            if self._retries.failed(path, state, str(error)):
                _LOG.error("%s: %s", path.stem, error)
            return before, version
        self._retries.forget(path)
        return state, version


def release_files(root):
    """Returns the paths of the release files in a folder, in order."""
    return sorted(path for path in pathlib.Path(root).glob(f"[!.]*{SUFFIX}") if path.is_file())


def version_number(name):
    """Returns the number of a version that a text names; `None` if it is no such number."""
    if not (name.isascii() and name.isdecimal()) or len(name) > _MOST_DIGITS:
        return None
    return int(name) if int(name) < 2**63 else None


def _numbered(folder, before):
    """Returns the folders of versions in a model's folder, by number.

    Args:
        folder: the model's folder.
        before: what was found before. A version that is there, but cannot be looked at, is as then.

    Raises:
        OSError: the model's folder cannot be listed.
    """
    found = {}
    for name in os.listdir(folder):
        if (number := version_number(name)) is None:
            continue
        try:
            is_version = stat.S_ISDIR(os.stat(folder / name).st_mode)
        except FileNotFoundError:  # gone meanwhile, or a link to nothing
            is_version = False
        except OSError:
            is_version = number in before
        if is_version:
            found[number] = folder / name
    return found


def _state(path):
    """Returns what changes when a file does; `None` if it is gone meanwhile."""
    with contextlib.suppress(OSError):
        found = path.stat()
        return found.st_size, found.st_mtime_ns, found.st_ino
    return None
