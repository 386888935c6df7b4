"""The folder that a run writes to."""

import contextlib
import csv
import functools
import json
import os
import pathlib
import shutil
import socket
import subprocess

from tfgen.utils.disk import warn_once
from tfgen.utils.files import atomic_write, check_writable, clear_unfinished
from tfgen.utils.locks import lock

_OF_THE_WEIGHTS = ("recipe", "shape")  # settings that weights of others do not fit


class RunFolder:
    """A run's folder: where things are, and whether a run can begin or go on in it.

    Args:
        path: the folder.
    """

    def __init__(self, path):
        self.path = pathlib.Path(path)
        self.config = self.path / "config.json"
        self.checkpoints = self.path / "checkpoints"
        self.log = self.path / "log.csv"
        self.model = self.path / "model.keras"
        self.summary = self.path / "summary.png"
        self.results = self.path / "results.json"
        self.evaluation = self.path / "evaluation.json"
        self.card = self.path / "README.md"
        self.mlflow = self.path / "mlflow.json"

    @property
    def has_weights(self):
        """Whether a run got as far as to save some: it goes on from those, wherever it began."""
        return self.model.exists() or any(self.checkpoints.glob("*"))

    def taken(self):
        """Returns a context in which no other process can take the folder.

        Raises:
            OSError: nothing can be written to it, or another run is writing to it.
        """
        check_writable(self.path)
        return locked(self.path / "lock")

    def begin(self, settings, layout, fresh=False, change=False):
        """Notes a new run's settings; of one to go on with, makes sure that they are the same.

        Args:
            settings: a dict of what decides the outcome.
            layout: a dict of what does not, beyond rounding: with how many replicas it is reached.
            fresh: whether to forget an earlier run.
            change: whether an earlier run's settings may be others; the new ones are noted.

        Raises:
            ValueError: an earlier run had other settings, or learnt what the new one cannot use.
        """
        # It imports TensorFlow, which others who write a file here have no use for.
        from tfgen.utils.versions import versions

        clear_unfinished(self.path)
        if fresh:
            self._forget()
        if not self.config.exists():
            begun = {"settings": settings, "layout": layout}
            write_json(self.config, {**begun, "versions": versions(), "commit": commit()})
            return
        begun = json.loads(self.config.read_text())
        changes = _differences(begun["settings"], settings)
        if others := _differences(begun["settings"], settings, _OF_THE_WEIGHTS):
            raise ValueError(
                f"The run in {self.path} is of another model: {others}. Choose another folder with "
                "--output, or add --fresh to begin anew."
            )
        if changes and not change:
            raise ValueError(
                f"The run in {self.path} was started with other settings: {changes}. Start it "
                "with the same ones to go on, add --change to go on with the new ones, --fresh to "
                "begin anew, or choose another folder with --output."
            )
        if moved := _differences(begun["layout"], layout):
            print(f"Going on with another layout than the run was begun with: {moved}.")
        if (begun["versions"], begun["commit"]) != (versions(), commit()):
            print("Going on with other software than the run was begun with, see its config.json.")
        if changes:
            self._note_changes(begun, settings, changes)

    def _note_changes(self, begun, settings, changes):
        print(f"Going on with other settings: {changes}.")
        changed = [*begun.get("changes", []), changes]
        self.results.unlink(missing_ok=True)
        write_json(self.config, {**begun, "settings": settings, "changes": changed})

    def seconds(self):
        """Returns the time that a complete run's training took, without interruptions."""
        return json.loads(self.results.read_text())["seconds"]

    def trim_log(self, epochs):
        """Drops the log's lines of epochs that will be run again after an interruption."""
        if not epochs:  # a header that was cut off, on a full disk, would stay
            self.log.unlink(missing_ok=True)
        if not self.log.exists():
            return
        with self.log.open(newline="") as file:
            rows = list(csv.reader(file))
        with atomic_write(self.log) as path, path.open("w", newline="") as file:
            csv.writer(file).writerows(rows[: epochs + 1])

    def _forget(self):
        for name in ("pictures", "tensorboard", "checkpoints"):
            shutil.rmtree(self.path / name, ignore_errors=True)
        # The settings go last: they say whose the rest is.
        for path in (
            self.card,
            self.evaluation,
            self.results,
            self.model,
            self.summary,
            self.log,
            self.mlflow,
            self.config,
        ):
            path.unlink(missing_ok=True)


def complete_run(text):
    """Returns the folder of a run that was trained to its end.

    Args:
        text: a recipe's name, whose run is in `runs/`, or a run's folder.

    Raises:
        FileNotFoundError: there is none.
    """
    path = pathlib.Path(text)
    path = path if path.exists() else pathlib.Path("runs", path)
    if not (path / "results.json").exists():  # looked for before a folder is made
        raise FileNotFoundError(
            f"There is no complete run in {path}: train it first (python -m training.train)."
        )
    return RunFolder(path)


@contextlib.contextmanager
def locked(path):
    """Holds a lock, which ends with this process, however that ends.

    On a disk without locks it warns, and keeps nobody out.

    Args:
        path: the lock's file, which is made.

    Raises:
        OSError: another process has it.
    """
    with path.open("ab+", buffering=0) as file:
        try:
            held = lock(file)
        except BlockingIOError as error:
            file.seek(0)
            raise OSError(
                f"Another run is writing to {path.parent}: {file.read().decode().strip()}. Wait "
                "for it, end it, or choose another folder with --output."
            ) from error
        if not held:
            warn_once(
                f"The disk of {path.parent} has no locks, so that a second run in that folder "
                "would not be refused. Going on: start one at a time, or choose a folder on "
                "another disk with --output."
            )
        with contextlib.suppress(OSError):  # on a full disk the lock holds, without its owner
            file.truncate(0)
            file.write(f"process {os.getpid()} on {socket.gethostname()}\n".encode())
        yield


def _differences(earlier, later, names=None):
    """Returns what differs between two dicts as text, empty if nothing does.

    Args:
        earlier: a dict.
        later: another one.
        names: the keys to compare; `None` for all of the later one.
    """
    return ", ".join(
        f"{name} {earlier.get(name)} -> {later[name]}"
        for name in names or later
        if earlier.get(name) != later[name]
    )


def write_json(path, content):
    """Writes a JSON file that is whole or not there."""
    with atomic_write(path) as temporary:
        temporary.write_text(json.dumps(content, indent=2) + "\n")


@functools.cache
def commit():
    """Returns the commit of the code's checkout, with a plus if files differ; None without one.

    It is that of the first call: ask before the work begins, for the checkout may move on.
    """
    file = pathlib.Path(__file__)
    try:
        # An installed package may lie inside of the checkout of another project.
        _git(file.parent, "ls-files", "--error-unmatch", file.name)
        return _git(file.parent, "describe", "--always", "--abbrev=40", "--dirty=+", "--exclude=*")
    except (OSError, subprocess.CalledProcessError):
        return None


def _git(folder, *arguments):
    """Returns what git prints in a folder."""
    command = ["git", *arguments]
    found = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    return found.stdout.strip()
