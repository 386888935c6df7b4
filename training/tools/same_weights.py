"""Tells whether two checkouts of this project learn the same weights, bit for bit.

    $ python -m training.same_weights train ../before runs/before
    $ python -m training.same_weights train . runs/after
    $ python -m training.same_weights compare runs/before runs/after

The first two train every recipe for a few steps with the code of a checkout. The last compares what
was learnt: networks, averages and optimizers. Where TensorFlow Datasets would download a recipe's
data, the embedded images are taken. Both must run on one machine: others round otherwise.
"""

import argparse
import collections
import hashlib
import os
import pathlib
import subprocess
import sys
import zipfile

from training.tools.arguments import positive

_LIST = """
import training.recipes
try:
    from training.recipes.recipe import RECIPES
except ImportError:
    from training.recipe import RECIPES
for recipe in RECIPES.values():
    print(recipe.name, recipe.data, int(recipe.in_steps))
"""


def main(arguments=None):
    """Runs the command; exits with 1 where weights differ."""
    parser = argparse.ArgumentParser(
        prog="python -m training.same_weights", description=__doc__.splitlines()[0]
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    command = commands.add_parser("train", help="train every recipe with a checkout's code")
    command.set_defaults(run=lambda options: train(options))
    command.add_argument("checkout", type=pathlib.Path)
    command.add_argument("folder", type=pathlib.Path, help="where the runs go")
    command.add_argument("--steps", type=positive, default=20, help="default: %(default)s")
    command.add_argument("--recipes", help="names with commas between (default: all)")
    command = commands.add_parser("compare", help="compare what two such commands learnt")
    command.set_defaults(run=lambda options: compare(options.before, options.after))
    command.add_argument("before", type=pathlib.Path)
    command.add_argument("after", type=pathlib.Path)
    options = parser.parse_args(arguments)
    sys.exit(options.run(options))


def train(options):
    """Trains recipes in processes of a checkout; returns how many failed."""
    checkout, failed = options.checkout.resolve(), 0
    own = checkout / ".venv" / "bin" / "python"
    python = str(own) if own.exists() else sys.executable
    environment = {**os.environ, "PYTHONPATH": str(checkout)}

    def run(*arguments, **kwargs):
        command = [python, *arguments]
        return subprocess.run(command, cwd=checkout, env=environment, text=True, **kwargs)

    listed = run("-c", _LIST, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True).stdout
    for name, data, in_steps in (line.split() for line in listed.splitlines()):
        if options.recipes and name not in options.recipes.split(","):
            continue
        steps = ["--epochs=1", f"--steps={options.steps}"] if int(in_steps) else []
        data = ["--data=embedded"] if data.startswith("tfds:") else []
        folder = options.folder.resolve() / name
        folder.parent.mkdir(parents=True, exist_ok=True)
        arguments = [*steps, *data, "--no-export", "--fresh", f"--output={folder}"]
        with folder.with_suffix(".log").open("w") as log:
            result = run("-m", "training.train", name, *arguments, stdout=log, stderr=log)
        print(f"{name:22}{'trained' if result.returncode == 0 else f'failed, see {log.name}'}")
        failed += result.returncode != 0
    return failed


def compare(before, after):
    """Prints for each recipe whether both folders' weights are the same; returns how many not."""
    different = 0
    for path in sorted(before.glob("*/model.keras")):
        name = path.parent.name
        other = after / name / "model.keras"
        if not other.exists():
            print(f"{name:22}not trained after")
            different += 1
            continue
        first, second = digests(path), digests(other)
        missing = (first - second).total() + (second - first).total()
        count = first.total()
        same = f"the same {count} arrays" if not missing else f"{missing // 2} of {count} differ"
        print(f"{name:22}{same}")
        different += bool(missing)
    return different


def digests(path):
    """Returns how often each array is in a `.keras` file, by shape, type and content.

    Their names and order are left out: code may rename and reorder what it learns.
    """
    import h5py

    found = collections.Counter()

    def add(_, item):
        if isinstance(item, h5py.Dataset):
            array = item[()]
            digest = hashlib.sha256(array.tobytes()).hexdigest()
            found[array.shape, str(array.dtype), digest] += 1

    with zipfile.ZipFile(path).open("model.weights.h5") as file, h5py.File(file) as weights:
        weights.visititems(add)
    return found


if __name__ == "__main__":
    main()
