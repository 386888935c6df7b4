"""The models that a server has: which versions of each are loaded, and what happened to others."""

import dataclasses
import enum
import logging
import pathlib
import threading

from tfgen.serving.errors import Code, ServingError, invalid
from tfgen.serving.servable import Servable

_LOG = logging.getLogger(__name__)


class State(enum.Enum):
    """What became of a version; the names and numbers are TensorFlow Serving's."""

    LOADING = 20
    AVAILABLE = 30
    END = 50


@dataclasses.dataclass
class Version:
    """A version of a model, whether it can be asked or not.

    Args:
        number: its number.
        state: its `State`.
        servable: the loaded SavedModel, while it is available.
        error: why it could not be loaded.
    """

    number: int
    state: State
    servable: Servable | None = None
    error: str = ""


class Models:
    """The models in a folder, ROOT/NAME/VERSION, each in its newest version that can be loaded.

    A new version is loaded beside the old one, which is given up when the new one can answer.
    What the old one has begun to answer it ends.

    Args:
        root: the folder.

    Raises:
        NotADirectoryError: there is no such folder.

    Example:
        >>> models = Models("saved_models")
        >>> models.refresh()
        >>> models.get("vae_fashion").signature("sample")
    """

    def __init__(self, root):
        self.root = pathlib.Path(root)
        if not self.root.is_dir():
            raise NotADirectoryError(
                f"There is no folder {self.root} of models to serve. Train one "
                "(`python -m training.train`), or name another."
            )
        self._versions = {}  # from a model's name to its versions by number
        self._lock = threading.Lock()  # for those who refresh: whoever asks never waits

    def names(self):
        """Returns the names of all models that were seen, in order."""
        return sorted(self._versions)

    def get(self, name, number=None, label=None):
        """Returns the servable of a model.

        Args:
            name: the model's name.
            number: of a version; `None` for the newest.
            label: of a version. There are none here: TensorFlow Serving has them.

        Raises:
            ServingError: there is none, or it is not available.
        """
        if label is not None:
            raise invalid(f"Unrecognized servable version label: {label}")
        available = [
            version
            for version in self._versions.get(name, {}).values()
            if version.servable is not None and number in (None, version.number)
        ]
        if not available:
            which = "Latest" if number is None else "Specific"
            rest = "" if number is None else f", {number}"
            raise ServingError(
                Code.NOT_FOUND, f"Servable not found for request: {which}({name}{rest})"
            )
        return max(available, key=lambda version: version.number).servable

    def status(self, name, number=None, label=None):
        """Returns the `Version`s of a model that were seen, the newest first.

        Raises:
            ServingError: there is none.
        """
        if label is not None:
            number = self.get(name, label=label).version
        found = [
            version
            for version in self._versions.get(name, {}).values()
            if number in (None, version.number)
        ]
        if not found:
            rest = "" if number is None else f" version {number}"
            raise ServingError(Code.NOT_FOUND, f"Could not find any versions of model {name}{rest}")
        return sorted(found, key=lambda version: version.number, reverse=True)

    def refresh(self):
        """Loads what is new in the folder, and gives up what is older, or gone."""
        with self._lock:
            folders = _version_folders(self.root)
            for name in {*folders, *self._versions}:
                self._refresh_model(name, folders.get(name, {}))

    def _refresh_model(self, name, folders):
        newest = None
        for number in sorted(folders, reverse=True):
            known = self._versions.get(name, {}).get(number)
            if known is None or (known.servable is None and not known.error):
                known = self._load(name, number, folders[number])
                self._set(name, known)
            if known.servable is not None:
                newest = number
                break  # older ones are not needed
        for number, version in self._versions.get(name, {}).items():
            if version.servable is not None and number != newest:
                _LOG.info("%s: version %d is given up", name, number)
                self._set(name, Version(number, State.END))

    def _load(self, name, number, folder):
        self._set(name, Version(number, State.LOADING))
        try:
            servable = Servable(folder)
        except Exception as error:  # whatever is wrong with a file, the others are served
            _LOG.error("%s: version %d cannot be loaded: %s", name, number, error)
            return Version(number, State.END, error=str(error))
        _LOG.info("%s: version %d is available", name, number)
        return Version(number, State.AVAILABLE, servable)

    def _set(self, name, version):
        # A new dict each time: who reads the old one is not disturbed.
        versions = {**self._versions.get(name, {}), version.number: version}
        self._versions = {**self._versions, name: versions}


def _version_folders(root):
    """Returns, for each model in a folder, its versions' folders by number."""
    found = {}
    for folder in root.iterdir():
        if folder.is_dir() and not folder.name.startswith("."):
            numbers = {
                int(each.name): each
                for each in folder.iterdir()
                if each.name.isdecimal() and each.name.isascii() and each.is_dir()
            }
            if numbers:
                found[folder.name] = numbers
    return found
