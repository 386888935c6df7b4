"""The models that a server has: which versions of each are loaded, and what happened to others."""

import gc
import logging
import pathlib
import threading

from tfgen.serving.choices import Choice
from tfgen.serving.errors import Code, ServingError, invalid
from tfgen.serving.loader import Loader, State, Version
from tfgen.serving.version_folders import VersionFolders

_LOG = logging.getLogger(__name__)


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
        self._loader = Loader()
        self._stopped = threading.Event()
        self._lock = threading.Lock()  # for those who refresh: whoever asks never waits

    def names(self):
        """Returns the names of all models that can be asked, in order."""
        return sorted(filter(self.has, self._versions))

    def has(self, name):
        """Tells whether a model can be asked."""
        versions = self._versions.get(name, {}).values()
        return any(version.servable is not None for version in versions)

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

    def choose(self, choices, given_up=None):
        """Serves certain models and versions from now on.

        Args:
            choices: a dict from a model's name to its `Choice`.
            given_up: a `threading.Event`; once it is set, no more is loaded.

        Raises:
            ServingError: a model has no version that can be served, a label is that of another, the
                folder cannot be read, or the choice is given up. Then all is as it was.
        """
        with self._lock:
            before, folders = self._versions, self._find()
            try:
                kept = self._load_chosen(choices, folders, given_up)
                _check(choices, kept)
            except ServingError:
                self._versions = before
                self._forget(folders)
                raise
            self._choices = choices
            # What was given up by an earlier choice is told no more, or names would gather.
            self._versions = {
                name: versions
                for name, versions in self._versions.items()
                if name in choices or self.has(name)
            }
            self._give_up(kept, folders)

    def refresh(self):
        """Loads what is new in the folder, and gives up what is older, or gone.

        Raises:
            ServingError: the folder cannot be read, or the models were stopped.
        """
        with self._lock:
            choices, folders = self._choices, self._find()
            if choices is None:
                choices = {name: Choice(name) for name in folders}
            self._give_up(self._load_chosen(choices, folders), folders)

    def stop(self):
        """Loads no more from now on. What is being loaded is the last."""
        self._stopped.set()

    def _find(self):
        try:
            return self._folders.find()
        except OSError as error:
            raise ServingError(
                Code.UNAVAILABLE, f"The folder of models cannot be read: {error.strerror}."
            ) from error

    def _load_chosen(self, choices, folders, given_up=None):
        """Loads what is chosen and not served yet; returns the versions to serve, by model."""
        return {
            name: self._load_model(name, choice, folders.get(choice.folder, {}), given_up)
            for name, choice in choices.items()
        }

    def _load_model(self, name, choice, folders, given_up):
        kept = set()
        for number in sorted(folders, reverse=True):
            if choice.numbers is not None and number not in choice.numbers:
                continue
            if len(kept) == choice.newest:
                break  # older ones are not needed
            self._check_wanted(given_up)
            before = self._versions.get(name, {}).get(number)
            if self._folder_of(name) != choice.folder:
                before = None  # it is another model, of the same name
            if self._load(name, number, folders[number], before).servable is not None:
                kept.add(number)
        return kept

    def _check_wanted(self, given_up):
        """Raises a ServingError if nobody waits any more for what is to be loaded."""
        if self._stopped.is_set():
            raise ServingError(Code.UNAVAILABLE, "The server is shutting down.")
        if given_up is not None and given_up.is_set():
            raise ServingError(Code.UNAVAILABLE, "The choice of models was given up.")

    def _folder_of(self, name):
        """Returns the name of the folder that a model's versions come from."""
        return (self._choices or {}).get(name, Choice(name)).folder

    def _load(self, name, number, folder, before):
        """Returns a version as it is once its folder was loaded, if that was due.

        Args:
            name: the model's name.
            number: the version's.
            folder: where it is.
            before: the `Version` that it was; `None` if it is new.
        """
        if number not in self._versions.get(name, {}):
            self._set(name, Version(number, State.LOADING))
        version = self._loader.load(folder)
        if version.servable is None and before is not None and before.servable is not None:
            return before  # of a release whose new file cannot be loaded
        if version is not before:
            self._set(name, version)
        return version

    def _give_up(self, kept, folders):
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
        self._forget(folders)

    def _forget(self, folders):
        """Frees what was loaded and is not served, and forgets what is gone."""
        served = {
            version.folder
            for versions in self._versions.values()
            for version in versions.values()
            if version.servable is not None
        }
        there = {folder for versions in folders.values() for folder in versions.values()}
        if self._loader.forget_all_but(served, there):
            gc.collect()  # a loaded SavedModel refers to itself, and would stay for long

    def _labelled(self, name, label):
        """Returns the number of the version that has a label."""
        choice = (self._choices or {}).get(name)
        if choice is None or label not in choice.labels:
            raise invalid(f"Unrecognized servable version label: {label}")
        return choice.labels[label]

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
