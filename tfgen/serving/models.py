"""The models that a server has: which versions of each are loaded, and what happened to others."""

import contextlib
import dataclasses
import enum
import gc
import logging
import pathlib
import threading

from tfgen.serving.choices import Choice
from tfgen.serving.errors import Code, ServingError, invalid
from tfgen.serving.servable import Servable
from tfgen.serving.version_folders import VersionFolders

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
        files: what its files were then; it is tried again when they are others.
    """

    number: int
    state: State
    servable: Servable | None = None
    error: str = ""
    files: frozenset = frozenset()


class Models:
    """The models in a folder, each in its newest version that can be loaded.

    They are ROOT/NAME/VERSION, and release files ROOT/NAME.tfgen where there is no such folder.

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
        self._folders = VersionFolders(self.root)
        self._choices = None  # all models, by the names of their folders
        if not self.root.is_dir():
            raise NotADirectoryError(
                f"There is no folder {self.root} of models to serve. Train one "
                "(`python -m training.train`), or name another."
            )
        self._versions = {}  # from a model's name to its versions by number
        self._lock = threading.Lock()  # for those who refresh: whoever asks never waits

    def names(self):
        """Returns the names of all models that can be asked, in order."""
        return sorted(
            name
            for name, versions in self._versions.items()
            if any(version.servable is not None for version in versions.values())
        )

    def get(self, name, number=None, label=None):
        """Returns the servable of a model.

        Args:
            name: the model's name.
            number: of a version; `None` for the newest.
            label: of a version, instead of its number.

        Raises:
            ServingError: there is none, or it is not available.
        """
        if label is not None:
            number = self._labelled(name, label)
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
            number = self._labelled(name, label)
        found = [
            version
            for version in self._versions.get(name, {}).values()
            if number in (None, version.number)
        ]
        if not found:
            rest = "" if number is None else f" version {number}"
            raise ServingError(Code.NOT_FOUND, f"Could not find any versions of model {name}{rest}")
        return sorted(found, key=lambda version: version.number, reverse=True)

    def choose(self, choices):
        """Serves certain models and versions from now on.

        Args:
            choices: a dict from a model's name to its `Choice`.

        Raises:
            ServingError: a model has no version that can be served, or a label is that of another.
                Then all is as it was.
        """
        with self._lock:
            before = self._versions
            kept = self._load_chosen(choices, self._folders.find())
            try:
                _check(choices, kept)
            except ServingError:
                self._versions = before
                raise
            self._choices = choices
            self._give_up(kept)

    def refresh(self):
        """Loads what is new in the folder, and gives up what is older, or gone."""
        with self._lock:
            choices, folders = self._choices, self._folders.find()
            if choices is None:
                choices = {name: Choice(name) for name in folders}
            self._give_up(self._load_chosen(choices, folders))

    def _load_chosen(self, choices, folders):
        """Loads what is chosen and not served yet; returns the versions to serve, by model."""
        return {
            name: self._load_model(name, choice, folders.get(choice.folder, {}))
            for name, choice in choices.items()
        }

    def _load_model(self, name, choice, folders):
        kept = set()
        for number in sorted(folders, reverse=True):
            if choice.numbers is not None and number not in choice.numbers:
                continue
            if len(kept) == choice.newest:
                break  # older ones are not needed
            known = self._versions.get(name, {}).get(number, Version(number, State.LOADING))
            if _has_changed(known, folders[number]):
                self._set(name, known)
                known = self._load(name, number, folders[number])
                self._set(name, known)
            if known.servable is not None:
                kept.add(number)
        return kept

    def _give_up(self, kept):
        """Gives up all versions but those whose numbers are kept, by models' names."""
        gone = [
            (name, number)
            for name, versions in self._versions.items()
            for number, version in versions.items()
            if version.servable is not None and number not in kept.get(name, ())
        ]
        for name, number in gone:
            _LOG.info("%s: version %d is given up", name, number)
            self._set(name, Version(number, State.END))
        if gone:
            gc.collect()  # a loaded SavedModel refers to itself, and would stay for long

    def _labelled(self, name, label):
        """Returns the number of the version that has a label."""
        choice = (self._choices or {}).get(name)
        if choice is None or label not in choice.labels:
            raise invalid(f"Unrecognized servable version label: {label}")
        return choice.labels[label]

    def _load(self, name, number, folder):
        files = _files(folder)
        try:
            servable = Servable(folder)
        except Exception as error:  # whatever is wrong with a file, the others are served
            _LOG.error("%s: version %d cannot be loaded: %s", name, number, error)
            return Version(number, State.END, error=str(error), files=files)
        _LOG.info("%s: version %d is available", name, number)
        return Version(number, State.AVAILABLE, servable)

    def _set(self, name, version):
        # A new dict each time: who reads the old one is not disturbed.
        versions = {**self._versions.get(name, {}), version.number: version}
        self._versions = {**self._versions, name: versions}


def _check(choices, kept):
    """Raises a ServingError unless something is served of all models, and all that has labels."""
    missing = sorted(name for name in choices if not kept[name])
    if missing:
        raise ServingError(
            Code.FAILED_PRECONDITION,
            f"There is no version to serve of {', '.join(missing)}: see the log, and whether the "
            "base paths end with the names of folders of models.",
        )
    for name, choice in choices.items():
        for label, number in choice.labels.items():
            if number not in kept[name]:
                raise ServingError(
                    Code.FAILED_PRECONDITION,
                    f"Request to assign label {label} to version {number} of model {name}, which "
                    "is not currently available for inference",
                )


def _has_changed(version, folder):
    """Tells whether a version is to be loaded: it is not, is another, or has other files now."""
    if version.servable is not None:
        return version.servable.path != folder
    return version.files != _files(folder)


def _files(folder):
    """Returns names, sizes and times of a version's files: others when a copy goes on."""
    found = set()
    for path in folder.rglob("*"):
        with contextlib.suppress(OSError):  # gone meanwhile
            stat = path.lstat()
            found.add((path.name, stat.st_size, stat.st_mtime_ns))
    return frozenset(found)
