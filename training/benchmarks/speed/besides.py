"""What is measured beside the workloads: how commands start, and what the machine can do."""

import importlib.metadata
import json
import os
import platform
import statistics
import subprocess
import sys
import time

from training.benchmarks.speed.workers import WorkerError

COMMANDS = {
    "python": ["-c", "pass"],
    "import tfgen": ["-c", "import tfgen"],
    "python -m training.train --help": ["-m", "training.train", "--help"],
}
SOFTWARE = ("tensorflow", "keras", "torch", "numpy")


def start_up(turns):
    """Returns the seconds that commands take, each in a new process, in turn."""
    seconds = {name: [] for name in COMMANDS}
    for _ in range(turns):
        for name, arguments in COMMANDS.items():
            start = time.perf_counter()
            subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
            seconds[name].append(time.perf_counter() - start)
    return seconds


def answer_of(module, *arguments):
    """Runs a module in a process of its own; returns the JSON that it prints.

    Raises:
        WorkerError: it failed.
    """
    done = subprocess.run(
        [sys.executable, "-m", module, *map(str, arguments)], capture_output=True, text=True
    )
    if done.returncode:
        raise WorkerError(f"{module} failed: {(done.stderr.strip() or '?').splitlines()[-1]}")
    return json.loads(done.stdout)


def machine_rates(threads=None):
    """Returns the rates of products and copies now, and how many processes were waiting."""
    load = os.getloadavg()[0]  # before it changes that
    options = ["--threads", threads] if threads else []
    return {"load": load, **answer_of("training.benchmark.rates", *options)}


def product_rates(*measured):
    """Returns the median rate of matrix products in operations per second, by precision.

    Args:
        *measured: what `machine_rates` returned, before and after.
    """
    return {
        dtype: 1e9
        * statistics.median(rate for each in measured for rate in each["gigaflops"][dtype])
        for dtype in measured[0]["gigaflops"]
    }


def versions():
    """Returns the versions of the software that is there."""
    found = {"python": platform.python_version()}
    for name in SOFTWARE:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = None
    return found
