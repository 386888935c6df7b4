"""Draws samples of several generators side by side, as a picture.

    $ python -m training.gallery grid@test ns_gan_grid r1_gan_grid --output docs/grid.png

A generator is what `python -m training.evaluate` takes for one.
"""

import argparse
import pathlib
import sys

from tfgen.utils.tensorflow_setup import import_tensorflow
from training.tools.arguments import positive

_IMAGES, _POINTS = 64, 2500
_SIDE = 4.0  # of a generator's part, in inches


def main(arguments=None):
    """Runs the command; errors that a user can mend are one line, not a traceback."""
    parser = argparse.ArgumentParser(
        prog="python -m training.gallery", description=__doc__.splitlines()[0]
    )
    add = parser.add_argument
    add("generators", nargs="+", metavar="GENERATOR", help="see python -m training.evaluate --help")
    add(
        "--samples",
        type=positive,
        metavar="N",
        help=f"how many of each (default: {_IMAGES} images or {_POINTS:,} points)",
    )
    add("--seed", type=int, default=0, help="of the samples (default: 0)")
    add("--skip-unreadable", action="store_true", help="leave out broken image files")
    add("--output", metavar="FILE", default="runs/gallery.png", help="default: %(default)s")
    options = parser.parse_args(arguments)
    import_tensorflow()
    try:
        draw(options)
    except (OSError, ValueError) as error:
        sys.exit(f"gallery: {error}")
    print(f"Samples side by side: {options.output}")


def draw(options):
    """Draws the generators that the options name.

    Raises:
        ValueError: there is no such generator, or its samples are neither images nor points of the
            plane.
    """
    from matplotlib.figure import Figure

    from tfgen.utils.files import atomic_write, check_writable
    from training.scoring.generators import find_generator
    from training.scoring.scoring import Loader

    load = Loader(size=None, channels=None, skip_unreadable=options.skip_unreadable)
    found = [find_generator(text, load).generator for text in options.generators]
    path = pathlib.Path(options.output)
    check_writable(path.parent)
    figure = Figure(figsize=(_SIDE * len(found), _SIDE * 1.08), layout="constrained")
    parts = figure.subplots(1, len(found), squeeze=False)[0]
    for axes, generator in zip(parts, found, strict=True):
        draw_samples(axes, generator, options.samples, options.seed)
    with atomic_write(path) as temporary:
        figure.savefig(temporary, dpi=90)


def draw_samples(axes, generator, count, seed):
    """Draws samples, as a grid of images or as points; `count` may be `None`, for the usual."""
    from tfgen.pictures import grid
    from training.runs.plots import scatter, show

    shape = generator.sample(1, seed)[0].shape
    if len(shape) == 3:
        samples, _ = generator.sample(count or _IMAGES, seed)
        show(axes, grid(samples.floats()), generator.name)
    elif tuple(shape) == (2,):
        samples, _ = generator.sample(count or _POINTS, seed)
        scatter(axes, samples.floats().numpy(), None, generator.name)
        axes.set_aspect("equal")
    else:
        raise ValueError(
            "A gallery shows images, or points of the plane. "
            f"Received: {generator.name}, whose samples are of shape {list(shape)}."
        )


if __name__ == "__main__":
    main()
