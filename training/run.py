"""One run: from a recipe and options to a trained model in a folder."""

import json
import os
import pathlib
import sys
from contextlib import nullcontext

import keras
import tensorflow as tf

import tfgen
import training.recipes  # noqa: F401 (registers them)
from tfgen import callbacks, data
from tfgen.files import check_writable, whole_file
from tfgen.replicas import is_chief, told_by_any
from training import ending
from training.recipe import RECIPES, find
from training.run_folder import RunFolder, commit, write_json
from training.summary import write_summary

_HELD_OUT_BATCH = 500


def list_recipes():
    """Prints every recipe with the data it takes and the first line of its description."""
    for name, recipe in sorted(RECIPES.items()):
        summary = recipe.description.splitlines()[0]
        print(f"{name:20}{recipe.data:22}{recipe.epochs:4} epochs  {summary}")


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
    train, test = (recipe.load(name, split, size, options.channels) for split in data.SPLITS)
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
            fit_or_estimate(model, recipe, settings, train, test, folder, options)
            losses = model.evaluate(
                held_out(test, recipe, strategy),
                steps=held_out_steps(test),
                return_dict=True,
                verbose=0,
            )
            if chief:
                finish(model, recipe, {**settings, **layout}, losses, train, test, folder)
        if chief:
            results = json.loads(folder.results.read_text())
            report(results, folder, export_once(folder, exports, results) if exports else None)


def fit_or_estimate(model, recipe, settings, train, test, folder, options):
    """Trains a model in steps, or without."""
    if recipe.in_steps:
        fit(model, recipe, settings, train, test, folder, options.checkpoint_minutes)
    else:
        estimate(model, recipe, train, test, folder)


def check_batch_size(recipe, batch_size, strategy):
    """Raises a ValueError if replicas cannot share a batch evenly, or have nothing to share."""
    if strategy.num_replicas_in_sync > 1 and not recipe.in_steps:
        raise ValueError(
            f"The recipe {recipe.name!r} takes no steps that {strategy.num_replicas_in_sync} "
            "replicas could share. Add --strategy none."
        )
    if batch_size % strategy.num_replicas_in_sync:
        raise ValueError(
            f"{strategy.num_replicas_in_sync} replicas cannot share a batch of {batch_size} "
            "evenly. Choose another --batch-size."
        )


def tell(strategy, text):
    """Prints a line, once for all workers."""
    if is_chief(strategy):
        print(text)


def make_settings(recipe, options, name, train):
    """Returns all that decides the outcome of a run, as a dict for `config.json`.

    A model without steps counts as trained in one, on all examples.
    """
    batch_size = options.batch_size or recipe.batch_size or len(train)
    return {
        "recipe": recipe.name,
        "data": name,
        "shape": json.loads(json.dumps(train.shape)),  # as it is read back: lists, not tuples
        "examples": len(train),
        "epochs": options.epochs or recipe.epochs,
        "steps_per_epoch": options.steps or data.steps_per_epoch(train, batch_size),
        "batch_size": batch_size,
        "seed": options.seed,
        "mixed_precision": options.mixed_precision,
    }


def make_layout(recipe, options, strategy):
    """Returns how a run is computed, as a dict: it may go on with another layout.

    The results agree to rounding, or, with XLA, which draws other numbers, as two seeds' do.
    """
    # XLA cannot compile a step that several devices take together.
    default_xla = recipe.jit_compile and strategy.num_replicas_in_sync == 1
    return {
        "replicas": strategy.num_replicas_in_sync,
        "xla": default_xla if options.xla is None else options.xla,
    }


def refuse_steps(recipe, options):
    """Raises a ValueError if there are options that only mean something to steps."""
    names = ("epochs", "steps", "batch_size", "replicas", "mixed_precision", "xla")
    given = [name for name in names if getattr(options, name) is not None]
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


def fit(model, recipe, settings, train, test, folder, minutes):
    """Trains a model from its folder's last checkpoint, or from the beginning, to the end."""
    strategy = model.distribute_strategy
    checkpoint = callbacks.Checkpoint(folder.checkpoints, minutes)
    checkpoint.restore(model)
    steps = settings["steps_per_epoch"]
    done, within = divmod(int(model.step.numpy()), steps)
    if done or within:
        part = f", at step {within} of {steps} of the next" if within else ""
        tell(strategy, f"Going on after epoch {done} of {settings['epochs']}{part}.")
    if is_chief(strategy):
        folder.trim_log(done)
    observers = observe(model, test, settings["epochs"], folder) if is_chief(strategy) else []
    if within:  # the rest of the epoch that was interrupted
        legs = [(done, done + 1, steps - within), (done + 1, settings["epochs"], steps)]
    else:
        legs = [(done, settings["epochs"], steps)]
    for first, last, count in legs:
        stream = data.batches(
            train,
            settings["batch_size"],
            repeat=True,
            first_step=int(model.step.numpy()),
            seed=settings["seed"],
            labels=recipe.labels,
            binarized=recipe.binarized,
            strategy=strategy,
        )
        model.fit(
            stream,
            steps_per_epoch=count,
            epochs=last,
            initial_epoch=first,
            validation_data=held_out(test, recipe, strategy),
            validation_steps=held_out_steps(test),
            validation_freq=max(1, settings["epochs"] // 50),
            verbose=verbosity(strategy),
            callbacks=[callbacks.StopOnNonFinite(checkpoint), *observers, checkpoint],
        )


def observe(model, test, epochs, folder):
    """Returns the callbacks that write of a run's course: pictures and logs."""
    return [
        *pictures(model, test, epochs, folder),
        Log(folder.log, append=True),
        keras.callbacks.TensorBoard(folder.path / "tensorboard", write_graph=False),
    ]


def verbosity(strategy):
    """Returns how much `fit` prints: a bar on a terminal, lines elsewhere, by the chief alone."""
    if not is_chief(strategy):
        return 0
    return 1 if sys.stdout.isatty() else 2


def estimate(model, recipe, train, test, folder):
    """Estimates a model that takes no steps, from all examples at once."""
    strategy = model.distribute_strategy
    folder.trim_log(0)
    model.fit(
        train.floats(),
        validation_data=held_out(test, recipe, strategy),
        verbose=verbosity(strategy),
        callbacks=observe(model, test, 1, folder),
    )


class Log(keras.callbacks.CSVLogger):
    """Keras' CSV log, on the disk before the checkpoint is."""

    def on_epoch_end(self, epoch, logs=None):
        super().on_epoch_end(epoch, logs)
        os.fsync(self.csv_file.fileno())


def held_out(test, recipe, strategy):
    """Returns the held-out data in fixed batches; binarized, with the same draws every time."""
    batches = data.batches(
        test,
        min(_HELD_OUT_BATCH, len(test)),
        shuffle=False,
        labels=recipe.labels,
        binarized=recipe.binarized,
    )
    return data.share(batches, strategy, even=False)


def held_out_steps(test):
    """Returns the number of batches of `held_out`."""
    return data.steps_per_epoch(test, min(_HELD_OUT_BATCH, len(test)), shuffle=False)


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


def finish(model, recipe, settings, losses, train, test, folder):
    """Saves a trained model, draws what it learnt, and notes its losses on the held-out data."""
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
