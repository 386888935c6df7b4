"""What `python -m training.train` does: trains a run, exports it, measures it."""

import dataclasses
import json
import os
import pathlib
import sys
from contextlib import nullcontext

import tfgen
from tfgen.engine.abilities import abilities_of
from tfgen.engine.replicas import told_by_any
from tfgen.utils.disk import optional
from tfgen.utils.files import atomic_write, check_writable
from training.recipes.recipe import find
from training.runs import ending
from training.runs.card import write_cards
from training.runs.fitting import estimate, evaluate_losses, fit
from training.runs.run import make_run
from training.runs.run_folder import commit, write_json
from training.runs.settings import refuse_steps
from training.runs.summary import write_summary
from training.runs.tracking import end_is_tracked, track_results, tracked
from training.tools.machine import machine

_FEW_STEPS = 300  # after which samples are still noise


def train(options):
    """Trains a recipe, or goes on training it; then evaluates, exports and measures.

    In a cluster all workers do so together, and the chief alone writes.

    Args:
        options: the command line, see `training.train.parse`.
    """
    recipe = find(options.recipe)
    tfgen.deterministic()
    if not recipe.in_steps:
        refuse_steps(recipe, options)
    strategy = tfgen.strategy(options.strategy, options.replicas)
    with ending.together(strategy):
        run = make_run(recipe, options, strategy)
        # Nothing is written before all that can be wrong with the command has been found out.
        usual = pathlib.Path("saved_models", run.folder.path.resolve().name)
        exports = None if options.no_export else options.export or usual
        if run.is_chief and exports:
            check_writable(exports)
        with run.folder.taken() if run.is_chief else nullcontext():
            if run.is_chief:
                run = tracked(run, resume=not options.fresh) if options.track else run
                run.folder.begin(run.settings, run.layout, options.fresh, options.change)
            with end_is_tracked(run):
                complete(run, exports)


def complete(run, exports):
    """Does what is missing of a run: training, export, measurement; then tells where all is."""
    if told_by_any(run.strategy, run.is_chief and run.folder.results.exists()):
        longer = "--epochs N --change to train it further, or " if run.recipe.in_steps else ""
        run.tell(f"The run in {run.folder.path} is complete. Add {longer}--fresh to begin anew.")
    else:
        seconds = fit(run) if run.recipe.in_steps else estimate(run)
        losses = evaluate_losses(run)
        if run.is_chief:
            finish(run, seconds, losses)
    if run.is_chief:
        draw_once(run)
        try:
            exported = export_once(run, exports) if exports else None
        except OSError:  # a full disk, of which the run's own may be another
            measure_once(run)
            raise
        measure_once(run)
        write_cards(run, exported)
        track_results(run, read_results(run))
        report(run, exported)


def finish(run, seconds, losses):
    """Saves a trained model, and writes what is noted of it."""
    with atomic_write(run.folder.model) as path:
        run.model.save(path)
    run.folder.summary.unlink(missing_ok=True)  # of a shorter training, that went on
    results = {
        **run.settings,
        **run.layout,
        "seconds": round(seconds),
        "commit": commit(),
        "machine": machine(),
        "test": {name: float(loss) for name, loss in losses.items()},
    }
    write_json(run.folder.results, results)


def draw_once(run):
    """Draws what a run's model learnt, unless that was done; on a full disk, it goes without."""
    if not run.folder.summary.exists():
        with optional(f"The picture {run.folder.summary}"):
            write_summary(dataclasses.replace(run, model=tfgen.load(run.folder.model)))


def export_once(run, exports):
    """Exports a run's model, unless that was done before an interruption; returns the path."""
    results = read_results(run)
    results.pop("measured", None)  # after the export
    for description in sorted(pathlib.Path(exports).glob("*/assets.extra/tfgen.json")):
        if results.items() <= json.loads(description.read_text()).items():
            return description.parent.parent
    return tfgen.export(tfgen.load(run.folder.model), exports, results)


def measure_once(run):
    """Adds what the recipe measures to the results, unless it is there."""
    results = read_results(run)
    if not run.is_measured or "measured" in results:
        return
    print("Measuring what the recipe asks for. The model and its results are saved.", flush=True)
    measured = run.recipe.measure(tfgen.load(run.folder.model), run.train, run.test)
    write_json(run.folder.results, {**results, "measured": measured})


def read_results(run):
    """Returns what is noted of a complete run."""
    return json.loads(run.folder.results.read_text())


def report(run, exported):
    """Prints where everything is and what to do next."""
    results, folder = read_results(run), run.folder
    epochs = "1 epoch" if results["epochs"] == 1 else f"{results['epochs']} epochs"
    losses = ", ".join(f"{name} {value:.2f}" for name, value in results["test"].items())
    found = results.get("measured", {})
    width = max([20, *(len(name) + 2 for name in found)])
    measured = [f"  {name:{width}}{value:g}\n" for name, value in found.items()]
    python = "python" if "VIRTUAL_ENV" in os.environ else os.path.relpath(sys.executable)
    usual = folder.path == pathlib.Path("runs", results["recipe"])
    name = results["recipe"] if usual else folder.path
    serve = f"  {python} -m tfgen serve {exported.parent.parent}\n" if exported else ""
    evaluate = ""
    if "sample" in abilities_of(run.model):
        evaluate = f"  {python} -m training.evaluate {name}\n"
    steps = results["epochs"] * results["steps_per_epoch"]
    few = f"  That is few steps: {steps}. Samples need some thousand: --epochs N --change.\n"
    print(
        f"\nTrained {results['recipe']} on {results['data']}, {epochs}: "
        f"{losses} on held-out data.\n"
        f"{''.join(measured)}"
        f"{few if run.recipe.in_steps and steps < _FEW_STEPS else ''}"
        f"  what it learnt  {folder.summary}\n"
        f"  pictures        {folder.path / 'pictures'}\n"
        f"  the model       {folder.model}\n"
        f"  its card        {folder.card}\n"
        f"  the export      {exported or 'none, as asked'}\n"
        "Next:\n"
        f"{serve}{evaluate}"
        f"  {python} -m tensorboard.main --logdir {folder.path.parent}\n"
        f"  {python} -m training.train --list"
    )
