"""Trains a recipe in several worker processes on this machine, and starts them again if they fail.

    $ python -m training.launch --workers 2 vae_fashion
    $ python -m training.launch --workers 4 --restarts 3 wgan_gp_fashion --epochs 40

What follows the options is what `python -m training.train` takes. A process for each worker is what
a cluster's scheduler starts on its machines; see training/cluster for those.
"""

import argparse
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time

from training import train
from training.runs.catalogue import describe_recipes
from training.tools.arguments import positive

_EXAMPLES = """\
  python -m training.launch --workers 2 vae_fashion
  python -m training.launch --workers 4 --restarts 3 wgan_gp_fashion --epochs 40
"""
# A worker notices at once when another one dies, and within half a minute when it hangs.
_SECONDS_TO_END = 60
# Of a worker that another one left alone, or that was asked to end: see `training.ending`.
_WORTH_A_RESTART = (128 + signal.SIGUSR1, 128 + signal.SIGTERM)


def main(arguments=None):
    """Runs the command, and exits with the code of the worker that ended first."""
    options, rest = parse(arguments)
    launcher = Launcher([sys.executable, "-m", options.module, *rest], options)
    signal.signal(signal.SIGTERM, launcher.terminate)
    sys.exit(launcher.run(options.restarts))


def parse(arguments=None):
    """Returns the parsed command line, and what is for the workers."""
    parser = argparse.ArgumentParser(
        prog="python -m training.launch",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        usage="%(prog)s [--workers N] [--restarts N] [--gpus-per-worker N] RECIPE ...",
        description="Trains a recipe in several worker processes on this machine. All other\n"
        "arguments are those of `python -m training.train`.",
        epilog=f"examples:\n{_EXAMPLES}\nrecipes:\n{describe_recipes()}",
    )
    add = parser.add_argument
    add("--workers", type=positive, default=2, help="how many processes (default: 2)")
    add(
        "--restarts",
        type=int,
        default=0,
        help="how often to start all again when one was killed or lost (default: 0)",
    )
    add("--gpus-per-worker", type=positive, help="give each worker as many GPUs of its own")
    add("--module", default=train.__name__, help=argparse.SUPPRESS)
    options, rest = parser.parse_known_args(arguments)
    if options.module == train.__name__:
        train.parse(rest)  # a mistake is told once, and not by every worker
    return options, rest


class Launcher:
    """Starts worker processes, shows what they print, and ends all when one fails.

    Args:
        command: the workers' command, a list.
        options: the command line, see `parse`.
    """

    def __init__(self, command, options):
        self.command = command
        self.options = options
        self.processes = []
        self.terminated = False

    def run(self, restarts):
        """Runs the workers until all are done, or one failed once too often; returns its code."""
        for remaining in reversed(range(restarts + 1)):
            code = self._run_once()
            again = code < 0 or code in _WORTH_A_RESTART
            if code == 0 or self.terminated or not again or not remaining:
                return code if code >= 0 else 128 - code
            self._tell(f"starting all workers again ({remaining} restarts are left).")

    def terminate(self, number=None, frame=None):
        """Asks all workers to end: they save their state."""
        self.terminated = True
        for process in self.processes:
            process.terminate()

    def _run_once(self):
        ports = free_ports(self.options.workers)
        if reachable():
            self._tell(
                f"the workers listen on all networks of this machine, at the ports {ports}: "
                "TensorFlow does so, and asks nobody for a password. Keep strangers from them; "
                "docs/guides/devices.md says how."
            )
        addresses = [f"localhost:{port}" for port in ports]
        self.processes = [self._start(index, addresses) for index in range(len(addresses))]
        readers = [
            threading.Thread(target=_show, args=(index, process.stdout))
            for index, process in enumerate(self.processes)
        ]
        for reader in readers:
            reader.start()
        try:
            return self._wait()
        finally:
            for process in self.processes:
                process.kill()
                process.wait()
            for reader in readers:
                reader.join()

    def _start(self, index, addresses):
        cluster = {"worker": addresses}
        task = {"type": "worker", "index": index}
        # Workers that each took all processors would stand in each other's way.
        threads = max(1, len(os.sched_getaffinity(0)) // len(addresses))
        environment = {
            "TF_NUM_INTRAOP_THREADS": str(threads),
            "OMP_NUM_THREADS": str(threads),
            **os.environ,
            "PYTHONUNBUFFERED": "1",
            "TF_CONFIG": json.dumps({"cluster": cluster, "task": task}),
        }
        if count := self.options.gpus_per_worker:
            own = range(index * count, (index + 1) * count)
            environment["CUDA_VISIBLE_DEVICES"] = ",".join(map(str, own))
        return subprocess.Popen(
            self.command,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )

    def _wait(self):
        """Waits for all to end, and returns the code of the first that failed, or 0."""
        failed = None
        while failed is None and any(process.poll() is None for process in self.processes):
            time.sleep(0.05)
            failed = next((p for p in self.processes if p.poll() not in (None, 0)), None)
        failed = failed or next((p for p in self.processes if p.poll() != 0), None)
        if failed is None:
            return 0
        self._tell(f"worker {self.processes.index(failed)} {_fate(failed.returncode)}.")
        deadline = time.monotonic() + _SECONDS_TO_END
        for index, process in enumerate(self.processes):
            try:
                process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                self._tell(f"worker {index} does not end, and is killed.")
        return failed.returncode

    def _tell(self, text):
        print(f"launch: {text}", flush=True)


def reachable():
    """Tells whether this machine has another network than the one within itself."""
    return any(not name.startswith("lo") for _, name in socket.if_nameindex())


def free_ports(count):
    """Returns ports that are free now."""
    sockets = [socket.create_server(("localhost", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def _show(index, stream):
    with stream:
        for line in stream:
            print(f"[worker {index}] {line}", end="", flush=True)


def _fate(code):
    if code < 0:
        return f"was killed ({signal.Signals(-code).name})"
    return f"ended with code {code}"


if __name__ == "__main__":
    main()
