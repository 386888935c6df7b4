"""The folder that a run writes to."""

import csv
import json
import pathlib
import shutil
import subprocess

from tfgen.files import check_writable, whole_file
from tfgen.serving.export import versions


class RunFolder:
    """A run's folder: where things are, and whether a run can begin or go on in it.

    Args:
        path: the folder, which is made.

    Raises:
        OSError: nothing can be written to it.
    """

    def __init__(self, path):
        self.path = pathlib.Path(path)
        self.config = self.path / "config.json"
        self.checkpoint = self.path / "checkpoint.weights.h5"
        self.log = self.path / "log.csv"
        self.model = self.path / "model.keras"
        self.summary = self.path / "summary.png"
        self.results = self.path / "results.json"
        check_writable(self.path)

    def begin(self, settings, fresh):
        """Notes a new run's settings, or makes sure that they are those of the run to go on with.

        Args:
            settings: a dict.
            fresh: whether to forget an earlier run.

        Raises:
            ValueError: an earlier run had other settings.
        """
        if fresh:
            self._forget()
        if self.config.exists():
            begun = json.loads(self.config.read_text())
            earlier = begun["settings"]
            other = {
                name: (earlier.get(name), value)
                for name, value in settings.items()
                if earlier.get(name) != value
            }
            if other:
                changes = ", ".join(f"{name} {old} -> {new}" for name, (old, new) in other.items())
                raise ValueError(
                    f"The run in {self.path} was started with other settings: {changes}. Start it "
                    "with the same ones to go on, add --fresh to begin anew, or choose another "
                    "folder with --output."
                )
            if (begun["versions"], begun["commit"]) != (versions(), commit()):
                print(
                    "Going on with other software than the run was begun with, see its config.json."
                )
            return
        write_json(self.config, {"settings": settings, "versions": versions(), "commit": commit()})

    def seconds(self):
        """Returns the time from the run's first beginning to its end, interruptions included."""
        return round(self.model.stat().st_mtime - self.config.stat().st_mtime)

    def trim_log(self, epochs):
        """Drops the log's lines of epochs that will be run again after an interruption."""
        if not self.log.exists():
            return
        with self.log.open(newline="") as file:
            rows = list(csv.reader(file))
        with whole_file(self.log) as path, path.open("w", newline="") as file:
            csv.writer(file).writerows(rows[: epochs + 1])

    def _forget(self):
        for name in ("pictures", "tensorboard"):
            shutil.rmtree(self.path / name, ignore_errors=True)
        # The settings go last: they say whose the rest is.
        for path in (
            self.results,
            self.model,
            self.summary,
            self.checkpoint,
            self.log,
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


def write_json(path, content):
    """Writes a JSON file that is whole or not there."""
    with whole_file(path) as temporary:
        temporary.write_text(json.dumps(content, indent=2) + "\n")


def commit():
    """Returns the commit of the code's checkout, with a plus if files differ; None without git."""
    where = pathlib.Path(__file__).parent
    command = ["git", "describe", "--always", "--abbrev=40", "--dirty=+", "--exclude=*"]
    try:
        found = subprocess.run(command, cwd=where, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return found.stdout.strip()
