"""Trains a recipe: pictures, checkpoints and logs on the way, an export at the end.

    $ python -m training.train                      # the default recipe, on embedded images
    $ python -m training.train --list
    $ python -m training.train vae_mnist --epochs 50 --data tfds:mnist

Interrupted in any way and started again with the same command, it goes on exactly where it was.
"""

import argparse
import signal
import sys

from tfgen.utils.tensorflow_setup import import_tensorflow, show_warnings_plainly
from training.runs.catalogue import check_recipe, describe_recipes
from training.tools.arguments import positive, seed, size


def main(arguments=None):
    """Runs the command; see `training.runs.ending` for how it ends."""
    options = parse(arguments)
    if options.list:
        print(describe_recipes(), end="")  # at once: `| head` may end before a second line
        return
    show_warnings_plainly()
    try:
        import_tensorflow()
    except KeyboardInterrupt:
        print("train: interrupted before it began.", file=sys.stderr)
        sys.exit(128 + signal.SIGINT)
    from training.runs.ending import describe
    from training.runs.training import train

    try:
        train(options)
    except BaseException as error:
        code, text = describe(error)
        if code == 1:
            sys.exit(f"train: {text}")
        print(f"train: {text}", file=sys.stderr)
        sys.exit(code)


def parse(arguments=None):
    """Returns the parsed command line."""
    parser = argparse.ArgumentParser(
        prog="python -m training.train",
        description="Trains a recipe: pictures, checkpoints and logs on the way, an export at the "
        "end. Started again with the same arguments after an interruption, it goes on exactly.",
    )
    add = parser.add_argument
    add("recipe", nargs="?", default="vae_fashion", help="its name (default: %(default)s)")
    add("--list", action="store_true", help="show the recipes and exit")
    add(
        "--data",
        metavar="NAME",
        help="embedded, demo, digits, ring, grid, marbles, sprites, plant, tfds:NAME, folder:PATH "
        "or npz:PATH; of two domains folder:PATH, folders:PATH_A,PATH_B or classes:NAME:A,B "
        "(default: the recipe's)",
    )
    add("--size", type=size, metavar="HxW", help="resize images to this height and width")
    add("--channels", type=int, choices=(1, 3), help="make images grey (1) or coloured (3)")
    add("--skip-unreadable", action="store_true", help="leave out broken image files, counted")
    add("--epochs", type=positive, help="passes over the data")
    add("--steps", type=positive, help="steps in an epoch (default: one pass over the data)")
    add("--batch-size", type=positive, help="examples per step, over all replicas")
    add("--seed", type=seed, default=0, help="decides weights, noise and order (default: 0)")
    add(
        "--strategy",
        choices=("none", "one", "mirrored", "multiworker", "auto"),
        default="auto",
        help="which devices train together, see `tfgen.strategy` (default: all GPUs, or the "
        "cluster that this process is started in)",
    )
    add("--replicas", type=positive, help="how many devices with --strategy mirrored")
    add(
        "--begin-with",
        metavar="RUN",
        help="begin with the weights that another run of the same networks ended with: a recipe's "
        "name, whose run is in runs/, or a run's folder",
    )
    add("--mixed-precision", choices=("bfloat16", "float16"), help="compute in half precision")
    add(
        "--xla",
        action=argparse.BooleanOptionalAction,
        help="compile with XLA, or do not (default: where the recipe says so, and on a GPU)",
    )
    add("--output", metavar="FOLDER", help="the run's folder (default: runs/RECIPE)")
    add(
        "--export",
        metavar="FOLDER",
        help="where to export (default: saved_models/NAME, of the run's folder)",
    )
    add("--no-export", action="store_true", help="do not export")
    add(
        "--checkpoint-minutes",
        type=float,
        default=10.0,
        metavar="MINUTES",
        help="save at least so often, within an epoch too (default: 10)",
    )
    add(
        "--track",
        choices=("mlflow",),
        help="log settings, losses, pictures and the model to MLflow, too: to the store that "
        "MLFLOW_TRACKING_URI names (default: sqlite:///runs/mlflow/mlflow.db)",
    )
    add("--fresh", action="store_true", help="start anew, even where a run could be resumed")
    add(
        "--change",
        action="store_true",
        help="go on with a run though other settings are given than it was begun with",
    )
    options = parser.parse_args(arguments)
    try:
        check_recipe(options.recipe)
    except ValueError as error:
        parser.exit(1, f"train: {error}\n")
    return options


if __name__ == "__main__":
    main()
