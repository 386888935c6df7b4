"""What decides the outcome of a run, from a recipe and the command line."""

import json

import keras

import tfgen
from tfgen import data
from tfgen.engine.devices import compiles
from training.runs.run_folder import complete_run


def make_settings(recipe, options, name, train):
    """Returns all that decides the outcome of a run, as a dict for `config.json`.

    A model without steps counts as trained in one, on all examples. The recipe's batches are no
    larger than the data.
    """
    batch_size = options.batch_size or min(recipe.batch_size or len(train), len(train))
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
        # Noted where it is so: runs that began before there was a choice go on.
        **({"skip_unreadable": True} if options.skip_unreadable else {}),
        **({"begin_with": first} if (first := options.begin_with or recipe.begin_with) else {}),
    }


def make_layout(recipe, options, strategy):
    """Returns how a run is computed, as a dict: it may go on with another layout.

    The results agree to rounding, or, with XLA, which draws other numbers, as two seeds' do.
    """
    replicas = strategy.num_replicas_in_sync
    # On several, XLA draws other noise, and compiles no losses in which they meet: if asked for.
    usual = recipe.jit_compile if replicas == 1 else "auto"
    asked = usual if options.xla is None else options.xla
    return {"replicas": replicas, "xla": compiles(asked, strategy)}


def refuse_steps(recipe, options):
    """Raises a ValueError if there are options that only mean something to steps."""
    names = ("epochs", "steps", "batch_size", "replicas", "mixed_precision", "xla", "begin_with")
    given = [name for name in names if getattr(options, name) is not None]
    if given:
        flags = ", ".join(f"--{name.replace('_', '-')}" for name in given)
        raise ValueError(
            f"The recipe {recipe.name!r} takes no steps: it is estimated from all examples at "
            f"once. Leave out {flags}."
        )


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


def take_weights(model, run):
    """Gives a model the weights that another run ended with: not its steps, nor its optimizers.

    Args:
        model: a compiled model.
        run: a recipe's name, whose run is in `runs/`, or a run's folder.

    Raises:
        FileNotFoundError: the run is not there, or not complete.
        ValueError: it is of a model with other weights.
    """
    other = tfgen.load(complete_run(run).model)
    ours, theirs = (
        [each for each in one.weights if each is not one.step]
        for one in (model.begun_part(), other)
    )
    shapes, given = ([tuple(each.shape) for each in weights] for weights in (ours, theirs))
    if shapes != given:
        raise ValueError(
            f"The weights of {run} do not fit: {len(shapes)} were expected. Received: "
            f"{len(given)}, or some of other shapes. --begin-with takes a run of the same kind of "
            "model, with the same networks, of examples of the same shape."
        )
    for weight, value in zip(ours, theirs, strict=True):
        weight.assign(value.numpy())


def steps_per_execution(steps, at_most):
    """Returns the largest number up to `at_most` that divides an epoch's steps.

    With another, `fit` would go on beyond the epoch's end.
    """
    return max(count for count in range(1, at_most + 1) if steps % count == 0)
