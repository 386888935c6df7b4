"""Trains, scores and packs the small models that come with the project, to play with at once.

    $ python -m training.playable

Writes a release file for each to `saved_models/`, and its card beside it. A run that is complete is
taken as it is.
"""

import argparse
import pathlib
import shutil

from tfgen.utils.tensorflow_setup import import_tensorflow

# The recipes, and whether their samples are scored: a translation has none.
PLAYABLE = {"vae_fashion": True, "cgan_fashion": True, "cyclegan_fashion": False}


def main(arguments=None):
    """Runs the command."""
    parser = argparse.ArgumentParser(
        prog="python -m training.playable", description=__doc__.splitlines()[0]
    )
    add = parser.add_argument
    add("--runs", metavar="FOLDER", default="runs", help="of the runs (default: %(default)s)")
    add("--output", metavar="FOLDER", default="saved_models", help="default: %(default)s")
    options = parser.parse_args(arguments)
    import_tensorflow()
    for name, is_scored in PLAYABLE.items():
        make(name, is_scored, pathlib.Path(options.runs, name), pathlib.Path(options.output))


def make(name, is_scored, run, output):
    """Makes a recipe's release file and its card.

    Args:
        name: the recipe's.
        is_scored: whether its samples are scored.
        run: the folder of its run.
        output: the folder of the release file.
    """
    from tfgen.serving.release import open_release
    from training import evaluate, train
    from training.tools import release

    train.main([name, f"--output={run}", "--no-export"])
    if is_scored:
        evaluate.main([str(run), f"--output={run / 'evaluation.json'}"])
    release.main([str(run), f"--output={output}", "--half"])
    card = open_release(output / f"{name}.tfgen").card
    shutil.copy(card, output / f"{name}.md")


if __name__ == "__main__":
    main()
