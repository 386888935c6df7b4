"""One run: from a recipe and options to a trained model in a folder."""

import json
import os
import pathlib
import sys

import keras
import tensorflow as tf

import tfgen
import training.recipes  # noqa: F401 (registers them)
from tfgen import callbacks, data
from tfgen.files import check_writable, whole_file
from training.recipe import RECIPES, find
from training.run_folder import RunFolder, commit, write_json
from training.summary import write_summary

_STRATEGIES = {
    "none": tf.distribute.get_strategy,
    "mirrored": tf.distribute.MirroredStrategy,
}


def list_recipes():
    """Prints every recipe with the data it takes and the first line of its description."""
    for name, recipe in sorted(RECIPES.items()):
        summary = recipe.description.splitlines()[0]
        print(f"{name:20}{recipe.data:22}{recipe.epochs:4} epochs  {summary}")


def run(options):
    """Trains a recipe, or goes on training it; then evaluates and exports.

    Args:
        options: the command line, see `training.train.parse`.
    """
    recipe = find(options.recipe)
    if tf.config.list_physical_devices("GPU"):
        # A processor's kernels give the same bits as they are, and faster.
        tf.config.experimental.enable_op_determinism()
    strategy = _STRATEGIES[options.strategy]()
    name = options.data or recipe.data
    size = options.size or recipe.size
    train, test = (recipe.load(name, split, size, options.channels) for split in data.SPLITS)
    settings = make_settings(recipe, options, name, train)
    if settings["batch_size"] % strategy.num_replicas_in_sync:
        raise ValueError(
            f"{strategy.num_replicas_in_sync} replicas cannot share a batch of "
            f"{settings['batch_size']} evenly. Choose another --batch-size."
        )
    with strategy.scope():
        model = build(recipe, settings, train.shape)
    # Nothing is written before all that can be wrong with the command has been found out.
    exports = None if options.no_export else options.export or f"saved_models/{recipe.name}"
    if exports:
        check_writable(exports)
    folder = RunFolder(options.output or f"runs/{recipe.name}")
    folder.begin(settings, options.fresh)
    if folder.results.exists():
        print(f"The run in {folder.path} is complete. Add --fresh to begin anew.")
    else:
        if recipe.in_steps:
            fit(model, recipe, settings, train, test, folder)
        else:
            estimate(model, recipe, train, test, folder)
        finish(model, recipe, settings, train, test, folder)
    results = json.loads(folder.results.read_text())
    report(results, folder, export_once(folder, exports, results) if exports else None)


def make_settings(recipe, options, name, train):
    """Returns all that decides the outcome of a run, as a dict for `config.json`.

    A model without steps counts as trained in one, on all examples.
    """
    if not recipe.in_steps:
        refuse_steps(recipe, options)
    batch_size = options.batch_size or recipe.batch_size or len(train)
    # XLA cannot compile a step that several devices take together.
    default_xla = recipe.jit_compile and options.strategy == "none"
    return {
        "recipe": recipe.name,
        "data": name,
        "shape": json.loads(json.dumps(train.shape)),  # as it is read back: lists, not tuples
        "examples": len(train),
        "epochs": options.epochs or recipe.epochs,
        "steps_per_epoch": options.steps or data.steps_per_epoch(train, batch_size),
        "batch_size": batch_size,
        "seed": options.seed,
        "strategy": options.strategy,
        "mixed_precision": options.mixed_precision,
        "xla": default_xla if options.xla is None else options.xla,
    }


def refuse_steps(recipe, options):
    """Raises a ValueError if there are options that only mean something to steps."""
    names = ("epochs", "steps", "batch_size", "strategy", "mixed_precision", "xla")
    given = [name for name in names if getattr(options, name) not in (None, "none")]
    if given:
        flags = ", ".join(f"--{name.replace('_', '-')}" for name in given)
        raise ValueError(
            f"The recipe {recipe.name!r} takes no steps: it is estimated from all examples at "
            f"once. Leave out {flags}."
        )


def build(recipe, settings, shape):
    """Builds a recipe's model; its weights and its noise are functions of the seed."""
    keras.utils.set_random_seed(settings["seed"])
    keras.config.set_dtype_policy(
        f"mixed_{settings['mixed_precision']}" if settings["mixed_precision"] else "float32"
    )
    steps = settings["steps_per_epoch"]
    model = recipe.build(shape, steps * settings["epochs"])
    model.seed = settings["seed"]
    model.jit_compile = settings["xla"]
    model.steps_per_execution = steps_per_execution(steps, recipe.steps_per_execution)
    return model


def steps_per_execution(steps, at_most):
    """Returns the largest number up to `at_most` that divides an epoch's steps.

    With another, `fit` would go on beyond the epoch's end.
    """
    return max(count for count in range(1, at_most + 1) if steps % count == 0)


def fit(model, recipe, settings, train, test, folder):
    """Trains a model from its folder's last checkpoint, or from the beginning, to the end."""
    checkpoint = callbacks.Checkpoint(folder.checkpoint)
    checkpoint.restore(model)
    steps = settings["steps_per_epoch"]
    done = int(model.step.numpy()) // steps
    if done:
        print(f"Going on after epoch {done} of {settings['epochs']}.")
    folder.trim_log(done)
    stream = data.batches(
        train,
        settings["batch_size"],
        repeat=True,
        first_step=int(model.step.numpy()),
        seed=settings["seed"],
        labels=recipe.labels,
        binarized=recipe.binarized,
    )
    model.fit(
        stream,
        steps_per_epoch=steps,
        epochs=settings["epochs"],
        initial_epoch=done,
        validation_data=held_out(test, recipe),
        validation_freq=max(1, settings["epochs"] // 50),
        verbose=1 if sys.stdout.isatty() else 2,
        callbacks=[
            callbacks.StopOnNonFinite(folder.checkpoint),
            *pictures(model, test, settings["epochs"], folder),
            Log(folder.log, append=True),
            keras.callbacks.TensorBoard(folder.path / "tensorboard", write_graph=False),
            checkpoint,
        ],
    )


def estimate(model, recipe, train, test, folder):
    """Estimates a model that takes no steps, from all examples at once."""
    model.fit(
        train.floats(),
        validation_data=held_out(test, recipe),
        verbose=1 if sys.stdout.isatty() else 2,
        callbacks=[
            *pictures(model, test, 1, folder),
            Log(folder.log),
            keras.callbacks.TensorBoard(folder.path / "tensorboard", write_graph=False),
        ],
    )


class Log(keras.callbacks.CSVLogger):
    """Keras' CSV log, on the disk before the checkpoint is."""

    def on_epoch_end(self, epoch, logs=None):
        super().on_epoch_end(epoch, logs)
        os.fsync(self.csv_file.fileno())


def held_out(test, recipe):
    """Returns the held-out data in fixed batches; binarized, with the same draws every time."""
    return data.batches(
        test,
        min(500, len(test)),
        shuffle=False,
        labels=recipe.labels,
        binarized=recipe.binarized,
    )


def pictures(model, test, epochs, folder):
    """Returns the callbacks that draw some fifty times in a run, if the examples are images."""
    if any(len(part.shape) != 3 for part in test.parts):
        return []
    every = max(1, epochs // 50)
    if isinstance(test, data.Domains):
        return [callbacks.TranslationGrid(folder.path, test.a.floats(8), every=every)]
    samples = callbacks.SampleGrid(folder.path, every=every)
    if isinstance(model, tfgen.InfoGAN):
        return [samples, callbacks.CodeTraversal(folder.path, every=every)]
    if "encode" not in model.signatures():
        return [samples]
    return [
        samples,
        callbacks.ReconstructionGrid(folder.path, test.floats(64), every=every),
        callbacks.LatentTraversal(folder.path, test.floats(1)[0], every=every),
    ]


def finish(model, recipe, settings, train, test, folder):
    """Evaluates a trained model on the held-out data, saves it and draws what it learnt."""
    losses = model.evaluate(held_out(test, recipe), return_dict=True, verbose=0)
    with whole_file(folder.model) as path:
        model.save(path)
    write_summary(model, train, test, folder)
    results = {
        **settings,
        "commit": commit(),
        "test": {name: float(loss) for name, loss in losses.items()},
    }
    # Of other data, it is not known whether they have what is measured.
    if recipe.measure is not None and settings["data"] == recipe.data:
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
