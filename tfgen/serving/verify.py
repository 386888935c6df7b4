"""Loads an export as TensorFlow Serving does, asks all its signatures, and compares the answers."""

import dataclasses
import pathlib

import numpy as np
import tensorflow as tf

from tfgen.serving.definitions import text_of
from tfgen.serving.description import read_description
from tfgen.serving.errors import sentence_of
from tfgen.serving.load import load
from tfgen.serving.locate import find_release
from tfgen.serving.manifest import is_name
from tfgen.serving.warm_up import FILE, random_example, read_requests

TOLERANCE = 1e-5
_ROWS = (1, 3)


@dataclasses.dataclass(frozen=True)
class Answer:
    """What a signature answered.

    Args:
        signature: its name.
        inputs: a dict from an input's name to its type and shape, as text.
        outputs: the same of outputs.
        difference: the largest between an answer and the model's own; `None` without a model.
    """

    signature: str
    inputs: dict
    outputs: dict
    difference: float | None


def verify(path, model=None):
    """Makes sure that a version of an export can be served.

    Args:
        path: the version's folder, or its model's; or a release, see `tfgen.load`.
        model: the `.keras` file, or run's folder, that it was exported from, whose answers must be
            the same; `None` for a release's own, or that of the recipe's run, if there is one.

    Returns:
        A list of `Answer`s, one for each signature, and the path of the model, or `None`.

    Raises:
        OSError: there is no SavedModel, or no such model.
        ValueError: it cannot be loaded, does not answer, or answers otherwise than the model.

    Example:
        >>> answers, _ = verify("saved_models/vae_fashion/1")
        >>> [answer.signature for answer in answers]
    """
    release = find_release(path)
    path = newest_version(release.version if release else path)
    model = model or (release.model if release else model_of(path))
    own = load(model).signatures() if model else {}
    export = _Export(path)
    for request in _warm_up(path):
        inputs = {key: tf.make_ndarray(value) for key, value in request.inputs.items()}
        export.ask(request.model_spec.signature_name, inputs)
    return [
        _verify_signature(export, name, own.get(name)) for name in sorted(export.definitions)
    ], model


class _Export:
    """A SavedModel in a session, as TensorFlow Serving has it."""

    def __init__(self, path):
        with tf.Graph().as_default():
            self._session = tf.compat.v1.Session()
            try:
                loaded = tf.compat.v1.saved_model.loader.load(self._session, ["serve"], str(path))
            except (tf.errors.OpError, RuntimeError) as error:
                raise ValueError(f"{path} cannot be loaded: {error}") from error
        self.definitions = {
            name: each for name, each in loaded.signature_def.items() if not name.startswith("__")
        }

    def ask(self, name, inputs):
        """Returns a signature's outputs.

        Raises:
            ValueError: there are none, or they are not finite.
        """
        definition = self.definitions[name]
        feed = {info.name: inputs[key] for key, info in definition.inputs.items()}
        fetch = {key: info.name for key, info in definition.outputs.items()}
        try:
            outputs = self._session.run(fetch, feed)
        except tf.errors.OpError as error:
            raise ValueError(
                f"The signature {name} does not answer: {sentence_of(error)}"
            ) from error
        for key, value in outputs.items():
            if value.dtype.kind == "f" and not np.isfinite(value).all():
                raise ValueError(f"The signature {name} answers with {key} that are not finite.")
        return outputs


def newest_version(path):
    """Returns a version's folder; of a model's folder, its newest version's; of a release, its own.

    Raises:
        FileNotFoundError: there is no SavedModel.
    """
    release = find_release(path)
    path = pathlib.Path(path) if release is None else release.version
    if (path / "saved_model.pb").exists():
        return path
    versions = [file.parent for file in path.glob("*/saved_model.pb")]
    numbered = [version for version in versions if version.name.isdecimal()]
    if not numbered:
        raise FileNotFoundError(
            f"There is no SavedModel in {path}. Name a version, or a model's folder. Training a "
            "recipe writes one (`python -m training.train`), and so does `tfgen.export`."
        )
    return max(numbered, key=lambda version: int(version.name))


def model_of(path):
    """Returns the `.keras` file of the user's own run that made an export, if it is there."""
    recipe = read_description(path).get("recipe")
    if not is_name(recipe):  # an export of others may name any path
        return None
    model = pathlib.Path("runs", recipe, "model.keras")
    return model if model.exists() else None


def _warm_up(path):
    file = path / "assets.extra" / FILE
    return read_requests(file) if file.exists() else []


def _verify_signature(export, name, own):
    definition, differences = export.definitions[name], []
    for rows in _ROWS:
        inputs = {key: _random(key, info, rows) for key, info in definition.inputs.items()}
        outputs = export.ask(name, inputs)
        if own is not None:
            function, specs = own
            expected = function(*(tf.constant(inputs[spec.name]) for spec in specs))
            differences += [_difference(name, key, outputs, expected) for key in expected]
    return Answer(
        name,
        {key: text_of(info) for key, info in sorted(definition.inputs.items())},
        {key: text_of(info) for key, info in sorted(definition.outputs.items())},
        max(differences, default=None),
    )


def _difference(name, key, outputs, expected):
    value = expected[key].numpy()
    if outputs[key].shape != value.shape:
        raise ValueError(
            f"The signature {name} answers with {key} of shape {list(outputs[key].shape)}, and the "
            f"model with {list(value.shape)}."
        )
    difference = float(np.abs(np.asarray(outputs[key], np.float64) - value).max(initial=0.0))
    if difference > TOLERANCE * max(1.0, float(np.abs(value).max(initial=0.0))):
        raise ValueError(
            f"The signature {name} answers with {key} that differ by {difference:.1e} from the "
            "model's. Export the model again, or name the one that it was exported from (--model)."
        )
    return difference


def _random(key, info, rows):
    shape = [None if dim.size < 0 else dim.size for dim in info.tensor_shape.dim]
    return random_example(tf.TensorSpec(shape, info.dtype, key), rows)
