"""The processes that measure, from the outside."""

import json
import subprocess
import sys
import tempfile
import time


class WorkerError(Exception):
    """A process that measures cannot, or can no more; its message is one line."""


class Worker:
    """A process that answers how long tasks take; see `training.benchmark.worker`.

    Args:
        *arguments: the worker's: the names of the workload and of the way, the precision, options.
        module: what runs.

    Raises:
        WorkerError: the process ended before it was ready.
    """

    def __init__(self, *arguments, module="training.benchmark.worker"):
        self._start = time.perf_counter()
        self._errors = tempfile.TemporaryFile("w+")
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
        )
        try:
            self.tasks = self._read()["tasks"]
        except WorkerError:
            self.close()
            raise

    def seconds(self, task, count=1):
        """Returns the seconds that a task took so many times.

        Raises:
            WorkerError: the process ended meanwhile.
        """
        return self._ask(task=task, count=count)["seconds"]

    def seconds_to_first(self, task):
        """Does a task once; returns the seconds since the process was started."""
        self.seconds(task, self.quantum(task))
        return time.perf_counter() - self._start

    def quantum(self, task):
        """Returns the number that counts of a task must be multiples of."""
        return self.tasks[task][0]

    def examples(self, task):
        """Returns the examples that a task makes or reads at once, or `None`."""
        return self.tasks[task][1]

    def peak_megabytes(self):
        """Returns the peak of the process' memory so far, and of a GPU's or `None`."""
        answer = self._ask(task="memory")
        return answer["megabytes"], answer["of_gpu"]

    def close(self):
        """Ends the process."""
        try:
            self._process.stdin.close()
        except BrokenPipeError:
            pass  # it has ended
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()
        self._errors.close()

    def _ask(self, **request):
        try:
            print(json.dumps(request), file=self._process.stdin, flush=True)
        except BrokenPipeError:
            pass  # what it has to say is read below
        return self._read()

    def _read(self):
        line = self._process.stdout.readline()
        if not line:
            raise WorkerError(self._last_words())
        return json.loads(line)

    def _last_words(self):
        code = self._process.wait()
        self._errors.seek(0)
        lines = self._errors.read().strip().splitlines() or ["it said nothing"]
        return f"its process ended with {code}: {lines[-1]}"
