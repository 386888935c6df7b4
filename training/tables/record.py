"""Keeps what a run measured, with its time and machine, among the results.

    $ python -m training.record infogan_mnist

Writes `training/results/recipe_NAME.json` out of the folder of a complete run: what its recipe
measures, and its losses on held-out data; `python -m training.tabulate` makes it a part of the page
of results.
"""

import argparse
import json
import pathlib
import sys

from tfgen.utils.tensorflow_setup import import_tensorflow
from training.tools.machine import machine

FOLDER = pathlib.Path(__file__).parent.parent / "results"


def main(arguments=None):
    """Runs the command."""
    parser = argparse.ArgumentParser(
        prog="python -m training.record", description=__doc__.splitlines()[0]
    )
    parser.add_argument("run", help="a recipe's name (its run in runs/), or a run's folder")
    parser.add_argument("--output", help="a JSON file (default: training/results/recipe_NAME.json)")
    options = parser.parse_args(arguments)
    import_tensorflow()
    try:
        record(options)
    except OSError as error:
        sys.exit(f"record: {error}")


def record(options):
    """Writes the result of a run.

    Raises:
        FileNotFoundError: there is no such complete run.
    """
    from training.runs.run_folder import complete_run, write_json

    folder = complete_run(options.run)
    results = json.loads(folder.results.read_text())
    config = json.loads(folder.config.read_text())
    result = {
        "measured": results.get("measured", {}),
        "test": results["test"],
        "training": {**config, "seconds": folder.seconds()},
        "machine": machine(),
    }
    output = options.output or FOLDER / f"recipe_{results['recipe']}.json"
    write_json(pathlib.Path(output), result)
    print(f"Wrote {output}.")


if __name__ == "__main__":
    main()
