"""Runs to disturb, and one that is left in peace to compare with."""

import os
import pathlib
import subprocess
import threading
import time
import zipfile

import h5py
import numpy as np

SECONDS = 600  # more than any of these runs should take


class Broken(Exception):
    """A promise was not kept."""


class NotPossible(Exception):
    """A fault cannot be injected on this machine."""


class Run:
    """One start of a command on a run's folder.

    Args:
        command: a list of words.
        folder: the run's folder.
        *options: more words for the command.
        environment: a dict of variables that it is started with.
    """

    def __init__(self, command, folder, *options, environment=None):
        self.folder = folder
        self.text = ""
        self.process = subprocess.Popen(
            [*command, f"--output={folder}", *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **(environment or {})},
        )
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def wait_until(self, happened):
        """Waits for something that must come before the run's end."""
        deadline = time.monotonic() + SECONDS
        while not happened():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise Broken(f"What was waited for did not come:\n{self.text}")
            time.sleep(0.001)

    def wait_for_epoch(self, number):
        """Waits for the beginning of an epoch, counted from 1."""
        self.wait_until(lambda: f"Epoch {number}/" in self.text)

    def wait_for_save(self):
        """Waits for a checkpoint that is being written."""
        folder = self.folder / "checkpoints"
        self.wait_until(lambda: any(folder.glob(".unfinished-*/*.h5")))

    def worker(self, index):
        """Returns the process number of a launcher's worker."""
        children = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return int(children.read_text().split()[index])

    def kill(self):
        """Ends the process as a power cut would."""
        self.process.kill()
        self.code()

    def code(self):
        """Waits for the end, and returns the exit code."""
        try:
            code = self.process.wait(SECONDS)
        except subprocess.TimeoutExpired as error:
            self.process.kill()
            raise Broken(f"It did not end within {SECONDS} seconds:\n{self.text}") from error
        self._reader.join()
        return code

    def expect(self, code, *texts):
        """Raises `Broken` unless the run ends with a code, and has said certain things."""
        found = self.code()
        if found != code:
            raise Broken(f"Expected the code {code}, received {found}:\n{self.text}")
        for text in texts:
            if text not in self.text:
                raise Broken(f"{text!r} was not said:\n{self.text}")

    def _read(self):
        with self.process.stdout as stream:
            for line in stream:
                self.text += line


class Undisturbed:
    """Runs that nothing happened to, to compare with.

    Args:
        folder: where they are kept.
    """

    def __init__(self, folder):
        self.folder = folder
        self._known = {}
        self._training = threading.Lock()

    def outcome(self, command):
        """Returns the weights that a command ends with, and its log."""
        name = command[2]
        with self._training:
            if name not in self._known:
                Run(command, self.folder / name).expect(0)
                self._known[name] = weights(self.folder / name), log(self.folder / name)
        return self._known[name]

    def compare(self, command, folder, tolerance=0.0):
        """Raises `Broken` unless a run ended as the undisturbed one: its weights and its log."""
        found, (expected, logged) = weights(folder), self.outcome(command)
        if list(found) != list(expected):
            raise Broken("The model has other weights.")
        for name, value in expected.items():
            if not np.allclose(found[name], value, rtol=tolerance, atol=tolerance):
                raise Broken(f"{name} differs by {np.abs(found[name] - value).max()}.")
        # Two replicas' sums, put together in a checkpoint within an epoch, are rounded.
        tolerance = max(tolerance, 1e-6)
        lines = log(folder)
        if lines.shape != logged.shape or not np.allclose(
            lines, logged, rtol=tolerance, atol=tolerance, equal_nan=True
        ):
            raise Broken(f"The log differs:\n{lines}\n{logged}")


def weights(folder):
    """Returns the arrays of a run's trained model by name, read without TensorFlow."""
    found = {}

    def keep(name, each):
        if isinstance(each, h5py.Dataset):
            found[name] = each[()]

    with zipfile.ZipFile(folder / "model.keras") as archive:
        with archive.open("model.weights.h5") as opened, h5py.File(opened) as file:
            file.visititems(keep)
    return found


def log(folder):
    """Returns the numbers that a run logged, a row for each epoch."""
    return np.genfromtxt(folder / "log.csv", delimiter=",", skip_header=1)


def checkpoints(folder):
    """Returns the files of a run's checkpoints, the newest last."""
    return sorted((folder / "checkpoints").glob("*.h5"))
