"""Breaks small runs in every way it can think of, and looks whether anything was lost.

    $ python -m training.faults --times 10 --output training/results/faults.json
    $ python -m training.faults --times 1 --only chief

Each fault is injected at a random moment into a training, which is then started again with the same
command. The promise is kept if that ends with the weights, to the last bit, and with the log of a
run that was not disturbed, and if what was said is what should be.

The file of `--output` is written after each fault. Interrupted, and started again with it, the
command goes on where it was, until each fault was tried `--times` times in all.
"""

import argparse
import concurrent.futures
import pathlib
import random
import signal
import sys
import tempfile
import threading

from training.faults import disks  # noqa: F401 (registers its faults)
from training.faults.kinds import FAULTS
from training.faults.record import Record
from training.faults.runs import Broken, NotPossible, Undisturbed
from training.tools.arguments import positive, seed


def main(arguments=None):
    """Runs the command; exits with 1 if a promise was broken."""
    options = parse(arguments)
    chosen = {name: fault for name, fault in FAULTS.items() if options.only in name}
    if not chosen:
        sys.exit(f"faults: no fault's name contains {options.only!r}. There are: {list(FAULTS)}.")
    try:
        record = Record(options.output, options.seed)
        inject(chosen, options.times, record, options.at_once)
    except (OSError, ValueError) as error:
        sys.exit(f"faults: {error}")
    except KeyboardInterrupt:
        kept = "The same command goes on." if options.output else "--output would have kept it."
        print(f"\nfaults: interrupted. {kept}", file=sys.stderr)
        sys.exit(128 + signal.SIGINT)
    kept, tried = record.totals()
    print(f"{kept} of {tried} promises kept.")
    sys.exit(kept != tried)


def inject(faults, times, record, at_once=1):
    """Injects each fault until it was tried so many times.

    Args:
        faults: a dict from names to `Fault`s.
        times: how often each is tried, earlier sittings included.
        record: the `Record` that counts them.
        at_once: how many are injected at the same time, each into a run of its own.
    """
    with (
        tempfile.TemporaryDirectory() as folder,
        concurrent.futures.ThreadPoolExecutor(at_once) as pool,
    ):
        undisturbed = Undisturbed(pathlib.Path(folder, "undisturbed"))
        ending = threading.Event()

        def attempt(index, name, turn):
            run, draw = pathlib.Path(folder, f"{index}-{turn}"), f"{record.seed}/{name}/{turn}"
            kept = False
            try:
                faults[name].inject(run, random.Random(draw), undisturbed)
                kept = True
            except NotPossible as error:
                print(f"\n{name}: not possible here. {error}\n", flush=True)
                return
            except Broken as error:
                if ending.is_set():  # whoever interrupts this command, interrupts its runs
                    return
                print(f"\n{name}, turn {turn}: {error}\n", flush=True)
            record.note(name, faults[name].promise, kept)

        for turn in range(times):
            due = [each for each in enumerate(faults) if record.tried(each[1]) <= turn]
            tries = [pool.submit(attempt, *each, turn) for each in due]
            try:
                for tried in concurrent.futures.as_completed(tries):
                    tried.result()
            except BaseException:
                ending.set()
                pool.shutdown(wait=False, cancel_futures=True)
                raise


def parse(arguments=None):
    """Returns the parsed command line."""
    parser = argparse.ArgumentParser(
        prog="python -m training.faults",
        description="Kills, stops and damages small trainings, starts them again, and compares "
        "what they learnt with a run that was not disturbed.",
    )
    add = parser.add_argument
    add("--times", type=positive, default=1, help="how often to try each fault (default: 1)")
    add("--at-once", type=positive, default=1, help="how many at the same time (default: 1)")
    add("--only", default="", metavar="TEXT", help="only faults whose name contains this")
    add("--seed", type=seed, default=0, help="decides the moments (default: 0)")
    add("--output", metavar="FILE", help="a JSON file for the table, added to if it is there")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
