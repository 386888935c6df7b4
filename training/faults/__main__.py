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
import pathlib
import random
import signal
import sys
import tempfile

from training.faults import disks  # noqa: F401 (registers its faults)
from training.faults.kinds import FAULTS
from training.faults.record import Record
from training.faults.runs import Broken, NotPossible, Undisturbed
from training.tools.arguments import positive


def main(arguments=None):
    """Runs the command; exits with 1 if a promise was broken."""
    options = parse(arguments)
    chosen = {name: fault for name, fault in FAULTS.items() if options.only in name}
    if not chosen:
        sys.exit(f"faults: no fault's name contains {options.only!r}. There are: {list(FAULTS)}.")
    try:
        record = Record(options.output, options.seed)
        inject(chosen, options.times, record)
    except (OSError, ValueError) as error:
        sys.exit(f"faults: {error}")
    except KeyboardInterrupt:
        kept = "The same command goes on." if options.output else "--output would have kept it."
        print(f"\nfaults: interrupted. {kept}", file=sys.stderr)
        sys.exit(128 + signal.SIGINT)
    kept, tried = record.totals()
    print(f"{kept} of {tried} promises kept.")
    sys.exit(kept != tried)


def inject(faults, times, record):
    """Injects each fault until it was tried so many times.

    Args:
        faults: a dict from names to `Fault`s.
        times: how often each is tried, earlier sittings included.
        record: the `Record` that counts them.
    """
    with tempfile.TemporaryDirectory() as folder:
        undisturbed = Undisturbed(pathlib.Path(folder, "undisturbed"))
        for turn in range(times):
            for index, (name, fault) in enumerate(faults.items()):
                if record.tried(name) > turn:
                    continue
                draw = random.Random(f"{record.seed}/{name}/{turn}")
                kept = False
                try:
                    fault.inject(pathlib.Path(folder, f"{index}-{turn}"), draw, undisturbed)
                    kept = True
                except NotPossible as error:
                    print(f"\n{name}: not possible here. {error}\n", flush=True)
                    continue
                except Broken as error:
                    print(f"\n{name}, turn {turn}: {error}\n", flush=True)
                record.note(name, fault.promise, kept)


def parse(arguments=None):
    """Returns the parsed command line."""
    parser = argparse.ArgumentParser(
        prog="python -m training.faults",
        description="Kills, stops and damages small trainings, starts them again, and compares "
        "what they learnt with a run that was not disturbed.",
    )
    add = parser.add_argument
    add("--times", type=positive, default=1, help="how often to try each fault (default: 1)")
    add("--only", default="", metavar="TEXT", help="only faults whose name contains this")
    add("--seed", type=int, default=0, help="decides the moments (default: 0)")
    add("--output", metavar="FILE", help="a JSON file for the table, added to if it is there")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
