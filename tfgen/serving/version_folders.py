"""Where the models of a folder are: ROOT/NAME/VERSION, and release files ROOT/NAME.tfgen."""

import contextlib
import logging
import pathlib

from tfgen.serving.manifest import SUFFIX
from tfgen.serving.release import open_release

_LOG = logging.getLogger(__name__)
_MOST_DIGITS = 19  # of a number that fits into 64 bits


class VersionFolders:
    """Finds the folders of all versions of all models, as they are now.

    A release file is the version 1 of the model that it is named after, from the cache's folder. It
    is opened again when the file has changed. Where a folder has versions of that model, the file
    is left aside: the folder is what somebody trained here.

    Args:
        root: the folder of models.

    Example:
        >>> VersionFolders("saved_models").find()
        {'vae_fashion': {1: PosixPath('saved_models/vae_fashion/1')}}
    """

    def __init__(self, root):
        self.root = pathlib.Path(root)
        self._opened = {}  # from a release file's path to its state and its version's folder

    def find(self):
        """Returns, for each model, its versions' folders by number."""
        found = _folders(self.root)
        packed = {path.stem: path for path in release_files(self.root) if path.stem not in found}
        self._opened = {path: self._open(path) for path in packed.values()}
        for name, path in packed.items():
            _, version = self._opened[path]
            if version is not None:
                found[name] = {1: version}
        return found

    def _open(self, path):
        """Returns a release file's state, and its version's folder or `None`.

        A file that cannot be opened, such as one that is being copied, leaves what it was before.
        """
        before, version = self._opened.get(path, (None, None))
        state = _state(path)
        if state == before:
            return before, version
        try:
            version = open_release(path).version
        except (OSError, ValueError) as error:  # whatever is wrong with it, the others are served
            _LOG.error("%s: %s", path.stem, error)
        return state, version


def release_files(root):
    """Returns the paths of the release files in a folder, in order."""
    return sorted(path for path in pathlib.Path(root).glob(f"[!.]*{SUFFIX}") if path.is_file())


def version_number(name):
    """Returns the number of a version that a text names; `None` if it is no such number."""
    if not (name.isascii() and name.isdecimal()) or len(name) > _MOST_DIGITS:
        return None
    return int(name) if int(name) < 2**63 else None


def _folders(root):
    found = {}
    for folder in root.iterdir():
        with contextlib.suppress(OSError):  # one that may not be read, such as `lost+found`
            if folder.is_dir() and not folder.name.startswith("."):
                numbers = {
                    number: each
                    for each in folder.iterdir()
                    if (number := version_number(each.name)) is not None and each.is_dir()
                }
                if numbers:
                    found[folder.name] = numbers
    return found


def _state(path):
    """Returns what changes when a file does; `None` if it is gone meanwhile."""
    with contextlib.suppress(OSError):
        stat = path.stat()
        return stat.st_size, stat.st_mtime_ns, stat.st_ino
    return None
