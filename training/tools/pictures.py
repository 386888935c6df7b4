"""Makes the pictures of the documentation, of the runs that they show.

    $ python -m training.pictures               # all, into docs/
    $ python -m training.pictures vae_fashion   # one
    $ python -m training.pictures --list        # what each is made of

Of a picture whose run is not there, or was made otherwise, it says how to train it.
"""

import argparse
import dataclasses
import json
import pathlib
import shlex
import sys
from collections.abc import Callable

from tfgen.utils.tensorflow_setup import import_tensorflow
from training import train


@dataclasses.dataclass(frozen=True)
class Picture:
    """A picture of the documentation.

    Args:
        draw: a function of the file to be and of the folders of the runs.
        runs: what `python -m training.train` takes to make each run.
    """

    draw: Callable
    runs: tuple


def summary(path, folder):
    """Draws what a run's model has learnt."""
    from training.runs.run import read_run
    from training.runs.summary import write_summary

    write_summary(read_run(folder), path)


def codes(path, folder):
    """Draws what the codes of a run's InfoGAN do."""
    import tfgen
    from tfgen.pictures import write_png

    traversal = tfgen.callbacks.CodeTraversal(folder.path)
    traversal.set_model(tfgen.load(folder.model))
    write_png(path, traversal.render())


def beside_the_grid(path, *folders):
    """Draws samples of runs beside the 25 Gaussians that they learn."""
    from training.tools import gallery

    gallery.main(["grid@test", *(str(each.path) for each in folders), f"--output={path}"])


PICTURES = {
    "vae_fashion": Picture(summary, ("vae_fashion",)),
    "r1_gan_fashion": Picture(
        summary, ("r1_gan_fashion --data tfds:fashion_mnist --mixed-precision bfloat16",)
    ),
    "grid": Picture(beside_the_grid, ("ns_gan_grid", "r1_gan_grid")),
    "infogan_mnist": Picture(codes, ("infogan_mnist",)),
    "cyclegan_fashion": Picture(summary, ("cyclegan_fashion",)),
}


def main(arguments=None):
    """Runs the command; it exits with 1 if a picture could not be made."""
    parser = argparse.ArgumentParser(
        prog="python -m training.pictures", description=__doc__.splitlines()[0]
    )
    add = parser.add_argument
    add("names", nargs="*", metavar="NAME", help=f"of {', '.join(PICTURES)} (default: all)")
    add("--list", action="store_true", help="show the command lines that make each, and exit")
    add("--output", metavar="FOLDER", default="docs", help="default: %(default)s")
    options = parser.parse_args(arguments)
    if unknown := set(options.names) - set(PICTURES):
        parser.error(f"there is no picture {min(unknown)!r}: choose of {', '.join(PICTURES)}")
    names = options.names or list(PICTURES)
    if options.list:
        for name in names:
            print(f"{name}\n{how_to_train(PICTURES[name].runs)}", end="")
        return
    import_tensorflow()
    missing = [name for name in names if not make(name, pathlib.Path(options.output))]
    if missing:
        sys.exit(f"pictures: not made: {', '.join(missing)}.")


def make(name, folder):
    """Makes a picture, or says what it needs; returns whether it was made."""
    from training.runs.run_folder import complete_run

    picture = PICTURES[name]
    missing = [each for each in picture.runs if not is_there(each)]
    if missing:
        print(f"{name} shows runs that are not there. Train them:\n{how_to_train(missing)}", end="")
        return False
    path = folder / f"{name}.png"
    picture.draw(path, *(complete_run(each.split()[0]) for each in picture.runs))
    print(f"{name}: {path}")
    return True


def how_to_train(runs):
    """Returns the command lines that make runs, one a line."""
    return "".join(f"  python -m training.train {each}\n" for each in runs)


def is_there(arguments):
    """Tells whether there is a complete run as a command line would make it."""
    from training.recipes.recipe import find
    from training.runs.run_folder import complete_run

    options = train.parse(shlex.split(arguments))
    try:
        folder = complete_run(options.recipe)
    except FileNotFoundError:
        return False
    settings, recipe = json.loads(folder.config.read_text())["settings"], find(options.recipe)
    wanted = {
        "data": options.data or recipe.data,
        "epochs": options.epochs or recipe.epochs,
        "batch_size": options.batch_size or recipe.batch_size,
        "seed": options.seed,
        "mixed_precision": options.mixed_precision,
    }
    return wanted.items() <= settings.items()


if __name__ == "__main__":
    main()
