"""Keeps what a run measured, with its time and machine, among the results.

    $ python -m training.record infogan_mnist
    $ python -m training.record runs/vae_sprites_0 runs/vae_sprites_1

Writes `training/results/recipe_NAME.json` out of the folder of a complete run: what its recipe
measures, and its losses on held-out data; `python -m training.tabulate` makes it a part of the page
of results. Runs of several seeds stand in one file, `seeds_NAME.json`, with their likelihoods, if
`training.likelihood` wrote one into each folder.
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
    parser.add_argument(
        "runs", nargs="+", metavar="RUN", help="a recipe's name (its run in runs/), or a folder"
    )
    parser.add_argument(
        "--output",
        help="a JSON file (default: recipe_NAME.json, of several runs seeds_NAME.json, in "
        "training/results)",
    )
    options = parser.parse_args(arguments)
    import_tensorflow()
    try:
        record(options)
    except (OSError, ValueError) as error:
        sys.exit(f"record: {error}")


def record(options):
    """Writes the result of a run, or of several.

    Raises:
        FileNotFoundError: there is no such complete run.
        ValueError: several runs are not of one recipe, or not each of its own seed; or their
            likelihoods are not of one protocol.
    """
    from training.runs.run_folder import complete_run, write_json

    folders = [complete_run(each) for each in options.runs]
    runs = [_recorded(each) for each in folders]
    recipe = runs[0]["training"]["settings"]["recipe"]
    if len(runs) == 1:
        name, result = f"recipe_{recipe}.json", {**runs[0], "machine": machine()}
    else:
        _check_seeds(runs)
        _add_likelihoods(runs, folders)
        name, result = f"seeds_{recipe}.json", {"seeds": runs, "machine": machine()}
    output = options.output or FOLDER / name
    write_json(pathlib.Path(output), result)
    print(f"Wrote {output}.")


def _recorded(folder):
    """Returns what a run measured, and how it was trained."""
    results = json.loads(folder.results.read_text())
    config = json.loads(folder.config.read_text())
    return {
        "measured": results.get("measured", {}),
        "test": results["test"],
        "training": {**config, "seconds": folder.seconds()},
    }


def _add_likelihoods(runs, folders):
    """Adds to runs what `training.likelihood` estimated, if it did.

    Raises:
        ValueError: it did so of some runs only, or by several protocols.
    """
    files = [each.path / "likelihood.json" for each in folders]
    found = [json.loads(each.read_text()) if each.exists() else {} for each in files]
    if any(each.get("protocol") != found[0].get("protocol") for each in found):
        told = [f"{path}: {each.get('protocol')}" for path, each in zip(files, found, strict=True)]
        raise ValueError(
            "Likelihoods of several runs must be estimated of all, by one protocol. "
            f"Received: {'; '.join(told)}. `python -m training.likelihood RUN --samples N` does so."
        )
    kept = ("nats", "standard_error", "protocol", "evaluation_seconds")
    for run, each in zip(runs, found, strict=True):
        if each:
            run["likelihood"] = {key: each[key] for key in kept}


def _check_seeds(runs):
    """Raises a ValueError unless runs differ in their seeds, and in nothing else."""
    settings = [run["training"]["settings"] for run in runs]
    others = {json.dumps(each | {"seed": None}, sort_keys=True) for each in settings}
    seeds = [each["seed"] for each in settings]
    if len(others) > 1 or len(set(seeds)) < len(seeds):
        made = [f"{each['recipe']}, seed {each['seed']}" for each in settings]
        raise ValueError(
            "Several runs must differ in their seeds, and in no other setting. "
            f"Received: {'; '.join(made)}. Record the others on their own."
        )


if __name__ == "__main__":
    main()
