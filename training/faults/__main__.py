"""Breaks small runs in every way it can think of, and looks whether anything was lost.

    $ python -m training.faults --times 10 --output training/results/faults.json
    $ python -m training.faults --times 1 --only chief

Each fault is injected at a random moment into a training, which is then started again with the same
command. The promise is kept if that ends with the weights, to the last bit, and with the log of a
run that was not disturbed, and if what was said is what should be.
"""

import argparse
import collections
import pathlib
import random
import sys
import tempfile
import time

from training.faults.kinds import FAULTS
from training.faults.runs import Broken, NotPossible, Undisturbed
from training.runs.run_folder import commit, write_json
from training.tools.arguments import positive
from training.tools.machine import machine


def main(arguments=None):
    """Runs the command; exits with 1 if a promise was broken."""
    options = parse(arguments)
    chosen = {name: fault for name, fault in FAULTS.items() if options.only in name}
    if not chosen:
        sys.exit(f"faults: no fault's name contains {options.only!r}. There are: {list(FAULTS)}.")
    start, code = time.monotonic(), commit()
    tried, kept = collections.Counter(), collections.Counter()
    with tempfile.TemporaryDirectory() as folder:
        undisturbed = Undisturbed(pathlib.Path(folder, "undisturbed"))
        for turn in range(options.times):
            for index, (name, fault) in enumerate(chosen.items()):
                draw = random.Random(f"{options.seed}/{name}/{turn}")
                tried[name] += 1
                try:
                    fault.inject(pathlib.Path(folder, f"{index}-{turn}"), draw, undisturbed)
                    kept[name] += 1
                except NotPossible as error:
                    del tried[name]
                    print(f"\n{name}: not possible here. {error}\n", flush=True)
                    continue
                except Broken as error:
                    print(f"\n{name}, turn {turn}: {error}\n", flush=True)
                print(f"{name:44}{kept[name]} of {tried[name]} kept", flush=True)
    if options.output:
        table = [
            {"fault": name, "promise": fault.promise, "tried": tried[name], "kept": kept[name]}
            for name, fault in chosen.items()
        ]
        seconds = round(time.monotonic() - start)
        record = {"faults": table, "times": options.times, "seed": options.seed, "seconds": seconds}
        write_json(
            pathlib.Path(options.output),
            {**record, "machine": machine(), "commit": code},
        )
    print(f"{kept.total()} of {tried.total()} promises kept.")
    sys.exit(kept != tried)


def parse(arguments=None):
    """Returns the parsed command line."""
    parser = argparse.ArgumentParser(
        prog="python -m training.faults",
        description="Kills, stops and damages small trainings, starts them again, and compares "
        "what they learnt with a run that was not disturbed.",
    )
    add = parser.add_argument
    add("--times", type=positive, default=1, help="how often to inject each fault (default: 1)")
    add("--only", default="", metavar="TEXT", help="only faults whose name contains this")
    add("--seed", type=int, default=0, help="decides the moments (default: 0)")
    add("--output", metavar="FILE", help="a JSON file for the table")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
