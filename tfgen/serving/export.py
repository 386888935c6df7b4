"""Models for TensorFlow Serving."""

import json
import os
import pathlib

import tensorflow as tf

from tfgen.serving import description, warm_up
from tfgen.serving.card import model_card
from tfgen.serving.definitions import read_definitions
from tfgen.serving.guard import guarded
from tfgen.serving.manifest import CARD
from tfgen.serving.png import png_signatures
from tfgen.utils.disk import needed
from tfgen.utils.files import check_writable, flush, unfinished
from tfgen.utils.versions import versions


def export(model, directory, metadata=None, png=False):
    """Writes a model's next version as a SavedModel that needs neither tfgen nor Keras.

    The version is written beside, then renamed: a server that watches the folder never sees half
    of one. The signatures are the model's `signatures()`, with batches of any size. They refuse
    numbers that are not finite, and images far outside of the range that the model's `fit` takes.
    `assets.extra` holds requests for TensorFlow Serving to warm up, and `tfgen.json`, which says
    what the model can do and how its latents are distributed. `README.md` is the model's card, as
    far as the model itself tells; the training command adds data, settings and scores.

    Args:
        model: a `tfgen.GenerativeModel`.
        directory: the model's folder, which gets a subfolder `1`, `2`, ... per version.
        metadata: a dict for `tfgen.json`, beside the versions of the software.
        png: whether to add signatures that take and give PNG files, such as `sample_png`.

    Returns:
        The path of the new version.

    Raises:
        OSError: nothing can be written to the folder, or no more: the disk is full.
        ValueError: the model does not say what its exports answer.

    Example:
        >>> tfgen.export(model, "saved_models/vae")
        PosixPath('saved_models/vae/1')
    """
    if not callable(getattr(model, "signatures", None)):
        raise ValueError(
            "`export` needs a model that says what its exports answer, by `signatures()`, as those "
            f"of tfgen do. Received: a {type(model).__name__}. Keras' own models have a method "
            "`export`."
        )
    directory = pathlib.Path(directory)
    check_writable(directory)
    signatures = model.signatures()
    if png:
        signatures |= png_signatures(signatures)
    with needed(f"The next version in {directory}"), unfinished(directory) as folder:
        version = folder / "version"
        _write_saved_model(model, signatures, version)
        extra = version / "assets.extra"
        extra.mkdir()
        known = {**description.describe(model), "versions": versions()}
        said = {**(metadata or {}), **known}
        (extra / description.FILE).write_text(json.dumps(said, indent=2) + "\n")
        warm_up.write_requests(
            extra / warm_up.FILE, {name: specs for name, (_, specs) in signatures.items()}
        )
        card = model_card(directory.resolve().name, known, read_definitions(version))
        (version / CARD).write_text(card)
        for path in [version, *version.rglob("*")]:
            flush(path)
        return rename_to_next_version(version, directory)


def _write_saved_model(model, signatures, path):
    """Writes a SavedModel of the signatures, with the weights that they use, each once."""
    module, functions = tf.Module(), {}
    # Of classical models, and of those that are not of the library, images may be any.
    limits_of = getattr(model, "limits_of", lambda spec: (None, None))
    for name, (function, specs) in signatures.items():
        functions[name] = tf.function(
            guarded(function, specs, limits_of), input_signature=specs, autograph=False
        )
        setattr(module, name, functions[name])
    module.weights = _weights(model, functions.values())
    module.tables = _tables(model)
    tf.saved_model.save(module, str(path), signatures=functions)


def _weights(model, functions):
    """Returns the weights that functions use: those of the model in its own order, then others.

    TensorFlow gives them in another order in each process, and a file should not depend on that.
    """
    used = {id(each): each for function in functions for each in _traced(function).variables}
    own = [used.pop(id(each.value)) for each in model.variables if id(each.value) in used]
    return own + sorted(used.values(), key=lambda each: each.name)


def _traced(function):
    return function.get_concrete_function()


def _tables(model):
    """Returns the tables of Keras' lookup layers, which functions refer to without keeping them."""
    return [
        each
        for each in tf.train.TrackableView(model).descendants()
        if isinstance(each, tf.saved_model.experimental.TrackableResource)
    ]


def rename_to_next_version(version, directory):
    """Makes a finished folder the next version of a model's folder; returns its path."""
    taken = [int(path.name) for path in directory.iterdir() if path.name.isdigit()]
    number = max(taken, default=0) + 1
    while True:
        try:
            target = directory / str(number)
            os.rename(version, target)
            flush(directory)
            return target
        except OSError:
            if not target.exists():
                raise
            number += 1  # another export was faster
