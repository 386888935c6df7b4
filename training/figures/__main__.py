"""Draws the lectures' figures, and prints what was measured for each.

$ python -m training.figures --list
$ python -m training.figures generator_losses --output runs/figures
"""

import argparse
import pathlib
import sys

from tfgen.utils.tensorflow_setup import import_tensorflow
from training.figures.catalogue import FIGURES
from training.tools.arguments import chosen


def main(arguments=None):
    """Runs the command."""
    parser = argparse.ArgumentParser(
        prog="python -m training.figures", description=__doc__.splitlines()[0]
    )
    add = parser.add_argument
    add("names", nargs="*", metavar="NAME", help=f"of {', '.join(FIGURES)} (default: all)")
    add("--list", action="store_true", help="show what each figure shows, and exit")
    add("--output", metavar="FOLDER", default="runs/figures", help="default: %(default)s")
    options = parser.parse_args(arguments)
    names = chosen(parser, options.names, FIGURES, "figure")
    if options.list:
        for name in names:
            print(f"{name}: {FIGURES[name].shows}")
        return
    import_tensorflow()
    try:
        for name in names:
            draw(name, pathlib.Path(options.output))
    except OSError as error:
        sys.exit(f"figures: {error}")


def draw(name, folder):
    """Draws a figure into a folder, as NAME.png."""
    from tfgen.utils.files import check_writable

    check_writable(folder)
    FIGURES[name].draw(folder / f"{name}.png")
    print(f"Drawn in {folder / f'{name}.png'}.")


if __name__ == "__main__":
    main()
