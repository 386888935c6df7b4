"""One run: from a recipe and options to a trained model in a folder."""

import json
import os
import pathlib
import sys
from contextlib import nullcontext

import tensorflow as tf

import tfgen
import training.recipes  # noqa: F401 (registers them)
from tfgen import data
from tfgen.engine.replicas import is_chief, told_by_any
from tfgen.utils.files import atomic_write, check_writable
from training.recipes.recipe import RECIPES, find
from training.runs import ending
from training.runs.fitting import estimate, fit, held_out, held_out_steps, tell
from training.runs.run_folder import RunFolder, commit, write_json
from training.runs.settings import build, check_batch_size, make_layout, make_settings, refuse_steps
from training.runs.summary import write_summary


def list_recipes():
    """Prints every recipe with the data it takes and the first line of its description."""
    lines = [
        f"{name:20}{recipe.data:22}{recipe.epochs:4} epochs  {recipe.description.splitlines()[0]}\n"
        for name, recipe in sorted(RECIPES.items())
    ]
    print("".join(lines), end="")  # at once: `| head` may end before a second line


def run(options):
    """Trains a recipe, or goes on training it; then evaluates and exports.

    In a cluster all workers do so together, and the chief alone writes.

    Args:
        options: the command line, see `training.train.parse`.
    """
    recipe = find(options.recipe)
    if tf.config.list_physical_devices("GPU"):
        # A processor's kernels give the same bits as they are, and faster.
        tf.config.experimental.enable_op_determinism()
    if not recipe.in_steps:
        refuse_steps(recipe, options)
    strategy = tfgen.strategy(options.strategy, options.replicas)
    with ending.together(strategy):
        train_recipe(recipe, options, strategy)


def train_recipe(recipe, options, strategy):
    """Does what `run` says, under a strategy."""
    name = options.data or recipe.data
    size = options.size or recipe.size
    train, test = (
        recipe.find_data(name, split, size, options.channels, options.skip_unreadable)
        for split in data.SPLITS
    )
    recipe.check_labels(name, train, test)
    if skipped := sum(part.unreadable for part in (*train.parts, *test.parts)):
        tell(strategy, f"Broken files that were left out: {skipped}.")
    settings = make_settings(recipe, options, name, train)
    layout = make_layout(recipe, options, strategy)
    check_batch_size(recipe, settings["batch_size"], strategy)
    with strategy.scope():
        model = build(recipe, {**settings, **layout}, train.shape)
    chief = is_chief(strategy)
    # Nothing is written before all that can be wrong with the command has been found out.
    exports = None if options.no_export else options.export or f"saved_models/{recipe.name}"
    if chief and exports:
        check_writable(exports)
    folder = RunFolder(options.output or f"runs/{recipe.name}")
    with folder.taken() if chief else nullcontext():
        if chief:
            folder.begin(settings, layout, options.fresh, options.change)
        complete = told_by_any(strategy, chief and folder.results.exists())
        if complete:
            tell(strategy, f"The run in {folder.path} is complete. Add --fresh to begin anew.")
        else:
            seconds = fit_or_estimate(model, recipe, settings, train, test, folder, options)
            losses = model.evaluate(
                held_out(test, recipe, strategy),
                steps=held_out_steps(test),
                return_dict=True,
                verbose=0,
            )
            if chief:
                noted = {**settings, **layout, "seconds": round(seconds)}
                finish(model, recipe, noted, losses, train, test, folder)
        if chief:
            results = json.loads(folder.results.read_text())
            report(results, folder, export_once(folder, exports, results) if exports else None)


def fit_or_estimate(model, recipe, settings, train, test, folder, options):
    """Trains a model in steps, or without; returns the seconds."""
    if recipe.in_steps:
        return fit(model, recipe, settings, train, test, folder, options.checkpoint_minutes)
    return estimate(model, recipe, train, test, folder)


def finish(model, recipe, noted, losses, train, test, folder):
    """Saves a trained model, draws what it learnt, and writes what is noted and measured of it."""
    with atomic_write(folder.model) as path:
        model.save(path)
    write_summary(model, train, test, folder)
    results = {
        **noted,
        "commit": commit(),
        "test": {name: float(loss) for name, loss in losses.items()},
    }
    # Of other data, it is not known whether they have what is measured.
    if recipe.measure is not None and noted["data"] == recipe.data:
        results["measured"] = recipe.measure(model, train, test)
    write_json(folder.results, results)


def export_once(folder, exports, results):
    """Exports the folder's model, unless that was done before an interruption; returns the path."""
    for description in sorted(pathlib.Path(exports).glob("*/assets.extra/tfgen.json")):
        if results.items() <= json.loads(description.read_text()).items():
            return description.parent.parent
    return tfgen.export(tfgen.load(folder.model), exports, results)


def report(results, folder, exported):
    """Prints where everything is and what to do next."""
    epochs = "1 epoch" if results["epochs"] == 1 else f"{results['epochs']} epochs"
    losses = ", ".join(f"{name} {value:.2f}" for name, value in results["test"].items())
    measured = [f"  {name:16}{value:g}\n" for name, value in results.get("measured", {}).items()]
    python = "python" if "VIRTUAL_ENV" in os.environ else os.path.relpath(sys.executable)
    print(
        f"\nTrained {results['recipe']} on {results['data']}, {epochs}: "
        f"{losses} on held-out data.\n"
        f"{''.join(measured)}"
        f"  what it learnt  {folder.summary}\n"
        f"  pictures        {folder.path / 'pictures'}\n"
        f"  the model       {folder.model}\n"
        f"  the export      {exported or 'none, as asked'}\n"
        "Next:\n"
        f"  {python} -m tensorboard.main --logdir {folder.path.parent}\n"
        f"  {python} -m training.train --list"
    )
