"""Makes the pictures of the documentation, of the runs that they show.

    $ python -m training.pictures               # all, into docs/pictures/
    $ python -m training.pictures vae_fashion   # one
    $ python -m training.pictures --list        # what each is made of

Of a picture whose run is not there, or was made otherwise, it says how to train it. Beside the
pictures it notes which runs they show and what drew them: see `training.tools.picture_notes`.
"""

import argparse
import io
import json
import pathlib
import shlex
import sys

from tfgen.utils.tensorflow_setup import import_tensorflow
from training import train
from training.tools.arguments import chosen
from training.tools.picture_catalogue import COLOURS, PICTURES


def main(arguments=None):
    """Runs the command; it exits with 1 if a picture could not be made."""
    parser = argparse.ArgumentParser(
        prog="python -m training.pictures", description=__doc__.splitlines()[0]
    )
    add = parser.add_argument
    add("names", nargs="*", metavar="NAME", help=f"of {', '.join(PICTURES)} (default: all)")
    add("--list", action="store_true", help="show the command lines that make each, and exit")
    add("--output", metavar="FOLDER", default="docs/pictures", help="default: %(default)s")
    options = parser.parse_args(arguments)
    names = chosen(parser, options.names, PICTURES, "picture")
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
    from training.tools.picture_notes import note

    picture = PICTURES[name]
    missing = [each for each in picture.runs if not is_there(each)]
    if missing:
        print(f"{name} shows runs that are not there. Train them:\n{how_to_train(missing)}", end="")
        return False
    path = folder / f"{name}.png"
    folder.mkdir(parents=True, exist_ok=True)
    runs = [complete_run(each.split()[0]) for each in picture.runs]
    picture.draw(path, *runs)
    reduce_colours(path, picture.colours)
    note(folder, name, picture, runs)
    print(f"{name}: {path}")
    return True


def reduce_colours(path, colours):
    """Writes a picture's file again with few colours, which makes it small."""
    from tfgen.utils.files import atomic_write

    few = with_few_colours(path.read_bytes(), colours)
    with atomic_write(path) as temporary:
        temporary.write_bytes(few)


def with_few_colours(png, colours=COLOURS):
    """Returns the bytes of a PNG file with few colours, of those of one with many."""
    from PIL import Image

    few = io.BytesIO()
    with Image.open(io.BytesIO(png)) as image:
        reduced = image.convert("L" if image.mode == "L" else "RGB").quantize(colours)
    reduced.save(few, format="PNG", optimize=True)
    return few.getvalue()


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
    wanted = {"data": options.data or recipe.data, "seed": options.seed}
    if recipe.in_steps:
        wanted |= {
            "epochs": options.epochs or recipe.epochs,
            "batch_size": options.batch_size or recipe.batch_size,
            "mixed_precision": options.mixed_precision,
        }
    return wanted.items() <= settings.items()


if __name__ == "__main__":
    main()
