"""Measures all ways of one workload in turn."""

import contextlib
import functools

from training.benchmarks.speed.tasks import IN_STEPS
from training.benchmarks.speed.turns import calibrate, rates, ratios, take_turns
from training.benchmarks.speed.workers import Worker, WorkerError

# What is measured beside training, with at most so many seconds of a turn each; what it counts.
BESIDES = ("predict", "call", "sample", *IN_STEPS, "read")
SECONDS_BESIDES = 1.0
# What `fit` costs is measured in one process, of one model: two processes of the same code differ
# by as much, for as long as they live. It is as little as a turn's noise: more turns find it.
FIT_AND_BARE = ("train", "bare")
PAIRS = 5  # of these in a turn
# Of exports and checkpoints, which take seconds.
REPETITIONS = 3
EXPORTS = ("export", "load the export", "save", "load")
# What plain Keras does instead; to call a generator is faster there than `predict`.
OF_KERAS = {
    **{task: task for task in ("train", "read", *IN_STEPS)},
    **dict.fromkeys(("predict", "call", "sample"), "call"),
    "bare": "train",
}


class Measurement:
    """The processes that do a workload, and what they took.

    Args:
        name: the workload's name.
        workload: a `Workload`.
        options: the parsed command line.
        operations: from each way to the operations of a step.
        tell: a function that prints a line.
    """

    def __init__(self, name, workload, options, operations, tell=print):
        self.name = name
        self.workload = workload
        self.options = options
        self.operations = operations
        self.tell = tell
        self.workers = {}  # by way and precision: those that are alive
        self.left_out = []

    def run(self):
        """Returns what was measured, a dict for the JSON file."""
        with contextlib.ExitStack() as stack:
            first = {}
            for dtype in self.options.dtypes:
                for way in self.options.ways:
                    if way in self.workload.ways:
                        with self._losing((way, dtype)):
                            self.workers[way, dtype] = self._start(stack, way, dtype)
                            # By itself: those that came before wait.
                            first[way, dtype] = self.workers[way, dtype].seconds_to_first("train")
            turns = self.options.turns
            training = self._measure(("train",), turns, self.options.seconds)
            for row in training:
                key = row["way"], row["dtype"]
                row["first_step_seconds"] = first[key]
                row["operations_per_step"] = self.operations[row["way"]]
                row["peak_megabytes"] = row["peak_megabytes_of_gpu"] = None
                with self._losing(key):
                    peaks = self.workers[key].peak_megabytes()
                    row["peak_megabytes"], row["peak_megabytes_of_gpu"] = peaks
            pairs = self._measure(
                FIT_AND_BARE, PAIRS * turns, self.options.seconds, ways=("tfgen",)
            )
            steps = len(self.workload.arrays()[0]) // self.workload.batch_size
            share = min(self.options.seconds, SECONDS_BESIDES)
            return {
                "batch_size": self.workload.batch_size,
                "epoch_steps": steps,
                "training": training,
                "besides": self._measure(BESIDES, turns, share),
                "fit_and_bare": pairs,
                "fit_of_bare": fit_of_bare(pairs),
                "checkpoint_seconds": self._repeat(("checkpoint",)),
                "exports": self._repeat(EXPORTS) if self.workload.exported else {},
                "left_out": self.left_out,
            }

    def _start(self, stack, way, dtype):
        options = ["--batch-size", self.workload.batch_size]
        if self.options.threads:
            options += ["--threads", self.options.threads]
        worker = Worker(self.name, way, dtype, *options)
        stack.callback(worker.close)
        return worker

    def _measure(self, tasks, turns, seconds, ways=None):
        """Measures the tasks of all processes that have them; returns a row for each.

        Args:
            tasks: their names.
            turns: how many.
            seconds: of a turn.
            ways: whose; `None` for all.
        """
        counts, runs = {}, {}
        for key, worker in list(self.workers.items()):
            if ways is not None and key[0] not in ways:
                continue
            for task in tasks:
                if task in worker.tasks:
                    run = functools.partial(worker.seconds, task)
                    with self._losing(key):
                        run(worker.quantum(task))  # the first time compiles
                        count = calibrate(run, worker.quantum(task), seconds)
                        counts[(*key, task)] = count
                        runs[(*key, task)] = functools.partial(run, count)
        found = take_turns(runs, turns, lambda key, error: self._lose(key[:2], error))
        rows = [
            self._row(key, counts[key], each)
            for key, each in found.items()
            if key[:2] in self.workers
        ]
        compare(rows)
        return rows

    def _row(self, key, count, seconds):
        way, dtype, task = key
        examples = self.workers[way, dtype].examples(task) or 1
        return {
            **dict(way=way, dtype=dtype, task=task, count=count, seconds=seconds),
            "per_second": rates(count * examples, seconds),
        }

    def _repeat(self, tasks):
        """Returns the seconds of tasks of tfgen's, from the precision to the task to a list."""
        found = {}
        for (way, dtype), worker in list(self.workers.items()):
            if way == "tfgen":
                with self._losing((way, dtype)):
                    found[dtype] = {
                        task: [worker.seconds(task) for _ in range(REPETITIONS)] for task in tasks
                    }
        return found

    @contextlib.contextmanager
    def _losing(self, key):
        try:
            yield
        except WorkerError as error:
            self._lose(key, error)

    def _lose(self, key, error):
        way, dtype = key
        if any((way, dtype) == (each["way"], each["dtype"]) for each in self.left_out):
            return  # another of its tasks
        self.workers.pop(key, None)
        self.left_out.append({"way": way, "dtype": dtype, "why": str(error)})
        self.tell(f"{self.name}, {way}, {dtype}: left out: {error}")


def compare(rows):
    """Adds to each row how many times as fast as plain Keras it was, turn by turn.

    `times_keras` compares with plain Keras in the same precision, `times_keras_float32` in
    float32; they are missing where that was not measured.
    """
    known = {(row["way"], row["dtype"], row["task"]): row["per_second"] for row in rows}
    for row in rows:
        task = OF_KERAS[row["task"]]
        for name, dtype in (("times_keras", row["dtype"]), ("times_keras_float32", "float32")):
            if ("keras", dtype, task) in known:
                row[name] = ratios(row["per_second"], known["keras", dtype, task])


def fit_of_bare(pairs):
    """Returns `fit` as a share of the bare loop, from the precision to a list of the turns'."""
    return {dtype: ratios(*both) for dtype, both in _fit_and_bare(pairs).items()}


def _fit_and_bare(pairs):
    """Returns the rates of `fit` and of the bare loop, by precision."""
    known = {(row["dtype"], row["task"]): row["per_second"] for row in pairs}
    return {
        dtype: [known[dtype, task] for task in FIT_AND_BARE]
        for dtype in dict.fromkeys(dtype for dtype, _ in known)
    }


def add_shares(result, products):
    """Adds to each row of training its share of the rate of matrix products, turn by turn.

    Args:
        result: what `Measurement.run` returned.
        products: from the precision to the operations per second.
    """
    for row in result["training"]:
        row["share_of_products"] = [
            rate * row["operations_per_step"] / products[row["dtype"]] for rate in row["per_second"]
        ]
