"""What a run's folder knows of a model, for its card (`tfgen.serving.card`)."""

import inspect
import json
import pathlib
import shlex

import tensorflow as tf

from tfgen.data.provenance import provenance, public_name
from tfgen.evaluation import Result
from tfgen.serving.card import EXPORTED, Origin, Usage, model_card
from tfgen.serving.definitions import read_definitions
from tfgen.serving.description import describe
from tfgen.serving.manifest import CARD
from tfgen.utils.disk import optional
from tfgen.utils.files import atomic_write
from tfgen.utils.versions import versions
from training.recipes.recipe import find


def write_cards(run, exported=None):
    """Writes the card of a complete run to its folder, and to its export.

    Args:
        run: a `Run`.
        exported: the folder of the export's version; `None` without one.
    """
    known = {**known_results(run.folder), **describe(run.model), "versions": versions()}
    definitions = read_definitions(exported) if exported else {}
    origin = find_origin(run.folder)
    name = run.folder.path.resolve().name
    cards = [(run.folder.card, name, _usage(name))]
    if exported:
        cards.append((exported / CARD, exported.resolve().parent.name, EXPORTED))
    for path, name, usage in cards:
        with optional(f"The card {path}"), atomic_write(path) as temporary:
            temporary.write_text(model_card(name, known, definitions, usage, origin))


def known_results(folder):
    """Returns the settings and the results of a complete run, without the paths of its data."""
    results = json.loads(folder.results.read_text())
    named = [name for name in ("data", "begin_with") if name in results]
    return {**results, **{name: public_name(results[name]) for name in named}}


def find_origin(folder, scores=None):
    """Returns the `Origin` of a complete run's model.

    Args:
        folder: its `RunFolder`.
        scores: a JSON file of `python -m training.evaluate`; `None` for `evaluation.json` in the
            folder, if there is one.

    Raises:
        OSError: there is no such file.
        ValueError: there is no such recipe, or the file has no scores of this run.
    """
    config = json.loads(folder.config.read_text())
    recipe = find(config["settings"]["recipe"])
    return Origin(
        summary=recipe.description.splitlines()[0],
        command=repeat_command(recipe, config["settings"], config["layout"]),
        measure=(inspect.getdoc(recipe.measure) or "").partition("\n")[0] if recipe.measure else "",
        results=_find_results(folder, config["settings"], scores),
    )


def repeat_command(recipe, settings, layout):
    """Returns the command that trains a run again, with the options that are not the defaults.

    Args:
        recipe: its `Recipe`.
        settings: what was noted of the run, see `make_settings`.
        layout: how it was computed, see `make_layout`.
    """
    options = [("--data", public_name(settings["data"]), recipe.data), *_shape(recipe, settings)]
    if recipe.in_steps:
        steps = settings["examples"] // settings["batch_size"]
        first = settings.get("begin_with")
        replicas, xla = layout["replicas"], layout["xla"]
        options += [
            ("--epochs", settings["epochs"], recipe.epochs),
            ("--steps", settings["steps_per_epoch"], steps),
            ("--batch-size", settings["batch_size"], recipe.batch_size),
            ("--mixed-precision", settings["mixed_precision"], None),
            ("--begin-with", first and public_name(first), recipe.begin_with),
            ("--replicas", replicas, 1),
            ("--xla" if xla else "--no-xla", xla, _usual_xla(recipe, replicas)),
        ]
    options += [
        ("--seed", settings["seed"], 0),
        ("--skip-unreadable", settings.get("skip_unreadable", False), False),
    ]
    words = ["python", "-m", "training.train", recipe.name]
    for name, value, default in options:
        if value != default:
            words += [name] if isinstance(value, bool) else [name, str(value)]
    return shlex.join(words)


def _usual_xla(recipe, replicas):
    """Returns whether XLA compiles a recipe's steps unless told otherwise; `None`: it depends."""
    if recipe.jit_compile != "auto" and replicas == 1:
        return recipe.jit_compile
    return None if tf.config.get_visible_devices("GPU") else False


def _shape(recipe, settings):
    """Returns the options that bring images to the shape in which a run took them."""
    shape = settings["shape"]
    shapes = shape if isinstance(shape[0], list) else [shape]  # of two domains, or one
    if len(shapes[0]) != 3 or any(each != shapes[0] for each in shapes):
        return []
    height, width, channels = shapes[0]
    *size, own_channels = provenance(settings["data"]).shape or (None, None, None)
    own = "x".join(map(str, recipe.size or size))
    return [
        ("--size", f"{height}x{width}", own),
        *([("--channels", channels, own_channels)] if channels in (1, 3) else []),
    ]


def _find_results(folder, settings, scores):
    """Returns the results of evaluations of this very training, a tuple."""
    if scores is None and not folder.evaluation.exists():
        return ()
    path = pathlib.Path(scores or folder.evaluation)
    content = json.loads(path.read_text())
    found = [Result.from_json(each) for each in content.get("results", [])]
    own = tuple(
        each
        for each in found
        if each.details.get("training", {}).get("settings") == settings
        and not each.generator.endswith(":last")
    )
    if scores and not own:
        raise ValueError(
            f"{path} has no scores of the run in {folder.path}. This measures some: python -m "
            f"training.evaluate {folder.path} --output {path}"
        )
    return own


def _usage(name):
    return Usage(
        python=f'import tfgen\n\nmodel = tfgen.load("{name}")  # the folder of this file',
        shell=f"python -m tfgen export {name} saved_models/{name}\n"
        "python -m tfgen serve saved_models",
    )
