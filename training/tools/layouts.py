"""Trains every recipe's model on one replica and on many, and compares the weights.

    $ python -m training.layouts --output training/results/layouts.json
    $ python -m training.layouts --recipes vae_fashion,wgan_gp_fashion

The same few steps from the same seed on the same batches of random examples, on one replica, on two
and four devices of one process, and in two worker processes. Batch normalization is that of the
global batch. What differs is the order of sums.

The steps are small ones of gradient descent, not those of the recipes' own optimizers: Adam
divides a gradient by its size, and so makes whole steps of rounding errors where a gradient is
nothing else; and in large steps a game's rounding errors grow twentyfold with each.
"""

import argparse
import dataclasses
import pathlib
import subprocess
import sys
import tempfile
import time

from tfgen.utils.tensorflow_setup import import_tensorflow

STEPS = (1, 10)  # after which weights are compared
BATCH_SIZE = 8


@dataclasses.dataclass(frozen=True)
class Layout:
    """Which devices take a step together: the arguments of `tfgen.strategy`, and processes."""

    strategy: str
    replicas: int | None = None
    workers: int = 1

    def command(self, *arguments):
        """Returns the command of a process, or of several, that train under this layout."""
        if self.workers == 1:
            return [sys.executable, "-m", "training.layouts", *arguments]
        launch = [sys.executable, "-m", "training.launch", f"--workers={self.workers}"]
        return [*launch, "--module=training.layouts", *arguments]


ALONE = "one replica"
LAYOUTS = {
    ALONE: Layout("none"),
    "two replicas": Layout("mirrored", 2),
    "four replicas": Layout("mirrored", 4),
    "two workers": Layout("multiworker", workers=2),
}


def main(arguments=None):
    """Runs the command."""
    options = parse(arguments)
    import_tensorflow()
    import training.recipes  # noqa: F401 (registers them)
    from training.recipes.recipe import RECIPES, find

    try:
        names = options.recipes.split(",") if options.recipes else sorted(RECIPES)
        names = [name for name in names if find(name).in_steps]
    except ValueError as error:
        sys.exit(f"layouts: {error}")
    if options.layout:
        train_all(names, LAYOUTS[options.layout], pathlib.Path(options.folder))
    else:
        compare(names, options.output)


def parse(arguments=None):
    """Returns the parsed command line."""
    parser = argparse.ArgumentParser(
        prog="python -m training.layouts",
        description="Trains every recipe's model for some steps on one replica and on several, and "
        "compares the weights.",
    )
    add = parser.add_argument
    add("--recipes", metavar="NAMES", help="separated by commas (default: all)")
    add("--output", metavar="FILE", help="a JSON file for the table")
    add("--layout", choices=LAYOUTS, help=argparse.SUPPRESS)  # in a process of its own
    add("--folder", help=argparse.SUPPRESS)
    return parser.parse_args(arguments)


def compare(names, output):
    """Trains under all layouts, prints how far the weights are apart, and writes it down."""
    from training.recipes.recipe import RECIPES
    from training.runs.run_folder import commit, write_json
    from training.tools.machine import machine

    start, measured = time.monotonic(), commit()  # now: it may be another one in the end
    with tempfile.TemporaryDirectory() as folder:
        for layout, each in LAYOUTS.items():
            print(f"training {len(names)} of {len(RECIPES)} recipes: {layout} ...", flush=True)
            where = pathlib.Path(folder, layout.replace(" ", "-"))
            arguments = ["--layout", layout, "--folder", where, "--recipes", ",".join(names)]
            subprocess.run(each.command(*map(str, arguments)), check=True)
        table = {name: differences(name, pathlib.Path(folder)) for name in names}
    print(f"\n{'largest difference of a weight':34}" + "".join(f"{name:>16}" for name in LAYOUTS))
    for name, row in table.items():
        for steps in map(str, STEPS):
            moved = f"moved {row['moved'][steps]:.0e}"
            figures = [f"{row[each][steps]:.0e}" for each in LAYOUTS if each != ALONE]
            print(f"{name:24}{steps:>3} steps" + "".join(f"{f:>16}" for f in (moved, *figures)))
    if output:
        record = {"layouts": table, "recipes": names, "batch_size": BATCH_SIZE}
        seconds = {"seconds": round(time.monotonic() - start)}
        write_json(output, {**record, **seconds, "machine": machine(), "commit": measured})


def differences(name, folder):
    """Returns, for each layout and number of steps, the largest difference of any weight.

    Beside it stands how far a weight was moved at most.
    """
    import numpy as np

    def read(layout):
        with np.load(folder / layout.replace(" ", "-") / f"{name}.npz") as archive:
            return dict(archive)

    def largest(found, expected, steps, since):
        keys = [key for key in found if key.startswith(f"{steps}/")]
        return max(
            float(np.abs(found[key] - expected[key.replace(f"{steps}/", f"{since}/", 1)]).max())
            for key in keys
        )

    alone = read(ALONE)
    row = {"moved": {str(steps): largest(alone, alone, steps, 0) for steps in STEPS}}
    for layout in LAYOUTS:
        if layout != ALONE:
            found = read(layout)
            row[layout] = {str(steps): largest(found, alone, steps, steps) for steps in STEPS}
    return row


def train_all(names, layout, folder):
    """Trains each recipe's model under a layout, and writes its weights after some steps."""
    import tfgen
    from training.recipes.recipe import find
    from training.runs.ending import together

    strategy = tfgen.strategy(layout.strategy, layout.replicas)
    with together(strategy):
        for name in names:
            train(find(name), strategy, folder)


def train(recipe, strategy, folder):
    """Trains one recipe's model, and writes its weights before and after."""
    import keras
    import numpy as np
    import tensorflow as tf

    from tfgen import data
    from tfgen.engine.replicas import is_chief

    shape, examples = random_examples(recipe, BATCH_SIZE * max(STEPS))
    keras.utils.set_random_seed(0)
    with strategy.scope():
        model = recipe.build(shape, steps=100)
        # Clipped, since the losses' sizes differ a thousandfold.
        descent = [keras.optimizers.SGD(1e-3, global_clipnorm=1.0) for _ in model.optimizers]
        model.compile(*descent, jit_compile=False)  # XLA draws other numbers
    dataset = tf.data.Dataset.from_tensor_slices(examples if len(examples) > 1 else examples[0])
    batches = data.share(dataset.batch(BATCH_SIZE), strategy)
    found = {}
    for done, steps in zip((0, *STEPS), (0, *STEPS)[1:] + (None,), strict=True):
        for index, variable in enumerate(model.trainable_variables):
            found[f"{done}/{index}"] = variable.numpy()
        if steps is not None:
            model.fit(batches, steps_per_epoch=steps - done, verbose=0)
    if is_chief(strategy):
        folder.mkdir(parents=True, exist_ok=True)
        np.savez(folder / f"{recipe.name}.npz", **found)


def random_examples(recipe, count):
    """Returns the shape that a recipe's builder takes, and random examples, as `fit` takes them."""
    import numpy as np

    from tfgen import data

    known = {
        "demo": (32,),
        "ring": (2,),
        "grid": (2,),
        "marbles": (64, 64, 3),
        "sprites": (32, 32, 1),
    }
    shape = known.get(recipe.data, (*(recipe.size or (28, 28)), 1))
    random = np.random.default_rng(0)
    examples = (random.random((count, *shape), np.float32),)
    if recipe.captions:
        captions = np.resize(recipe.captions.all, count)
        examples += (recipe.captions.vocabulary.tokens(captions).numpy(),)
    elif recipe.labels:
        examples += (np.arange(count) % recipe.num_classes,)
    if recipe.find_data is data.domains:
        return (shape, shape), (*examples, random.random((count, *shape), np.float32))
    return shape, examples


if __name__ == "__main__":
    main()
