"""Packs a trained run as one file, with its export, its card and checksums.

    $ python -m training.release vae_fashion --half

`tfgen.load` and the commands of `python -m tfgen` take the file, `NAME.tfgen`, by its path or by an
address with a checksum.
"""

import argparse
import pathlib
import sys

from tfgen.utils.tensorflow_setup import import_tensorflow


def main(arguments=None):
    """Runs the command; errors that a user can mend are one line, not a traceback."""
    parser = argparse.ArgumentParser(
        prog="python -m training.release", description=__doc__.splitlines()[0]
    )
    add = parser.add_argument
    add("run", help="a recipe's name (its run in runs/), or a run's folder")
    add("--output", metavar="FOLDER", help="the folder of the file (default: the run's own)")
    add(
        "--half",
        action="store_true",
        help="round the weights to half precision: the file is about half as large",
    )
    add(
        "--scores",
        metavar="FILE",
        help="what training.evaluate found, for the card (default: evaluation.json in the run's "
        "folder, if it is there)",
    )
    options = parser.parse_args(arguments)
    import_tensorflow()
    try:
        report(release(options))
    except (OSError, ValueError) as error:
        sys.exit(f"release: {error}")


def release(options):
    """Packs a complete run; returns the file's path.

    Args:
        options: the command line.

    Raises:
        OSError: there is no complete run, or the file cannot be written.
        ValueError: the run's folder has a name that no release may have, a weight is beyond half
            precision, or the scores are of another run.
    """
    from tfgen.serving.manifest import SUFFIX
    from tfgen.serving.pack import pack
    from tfgen.utils.files import check_writable
    from training.runs.card import find_origin, known_results
    from training.runs.run_folder import complete_run

    folder = complete_run(options.run)
    origin = find_origin(folder, options.scores)
    output = pathlib.Path(options.output or folder.path)
    check_writable(output)
    path = output / f"{folder.path.resolve().name}{SUFFIX}"
    pack(folder.model, path, known_results(folder), origin, options.half)
    return path


def report(path):
    """Prints where a release is, its size and checksum, and how to use it."""
    from tfgen.serving.release import digest_of

    digest = digest_of(path)
    print(
        f"{path}\n"
        f"  size    {path.stat().st_size / 1e6:.2f} MB\n"
        f"  sha256  {digest}\n"
        "Load it in Python:\n"
        f'  tfgen.load("{path}")\n'
        "Explore it in a browser:\n"
        f"  python -m tfgen serve {path}\n"
        "Put it on a server, and name its address with the checksum:\n"
        f'  tfgen.load("https://HOST/{path.name}#sha256={digest}")'
    )


if __name__ == "__main__":
    main()
