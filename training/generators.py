"""What the evaluation command takes for a generator, found by what the user typed."""

import dataclasses
import json
import pathlib

import tensorflow as tf

import tfgen
import training.recipes  # noqa: F401 (registers them)
from tfgen import data, evaluation
from tfgen.data.folder import read_folder
from tfgen.names import near
from training.recipe import RECIPES
from training.run_folder import RunFolder


@dataclasses.dataclass(frozen=True, eq=False)
class Found:
    """A generator, and what is known about it.

    Args:
        generator: a `Sampler` or a `Collection`.
        model: the Keras model, if it is one.
        folder: the `RunFolder` that it was trained in, if it was.
        data: the name of the data that it was made from, if known.
    """

    generator: object
    model: object = None
    folder: RunFolder | None = None
    data: str | None = None

    @property
    def details(self):
        """How it was trained, as a dict."""
        if self.folder is None:
            return {}
        config = json.loads(self.folder.config.read_text())
        return {"training": {**config, "seconds": self.folder.seconds()}}


class Exported:
    """A SavedModel that can be sampled.

    Args:
        path: the folder of one version.

    Raises:
        ValueError: it has no signature `sample`.
    """

    def __init__(self, path):
        self._loaded = tf.saved_model.load(str(path))
        if "sample" not in self._loaded.signatures:
            raise ValueError(
                f"The export {path} must have a signature `sample(count, seed)`. It has: "
                f"{sorted(self._loaded.signatures)}."
            )

    def sample(self, count, seed):
        """Returns `count` samples."""
        answer = self._loaded.signatures["sample"](
            count=tf.constant(count), seed=tf.constant(seed, tf.int64)
        )
        return answer["images"]


def find_generator(text, size=None, skip_unreadable=False):
    """Finds what the user means.

    Args:
        text: a recipe's name (its run in `runs/`), a run's folder, a `.keras` file, an export's
            folder or one version of it, `DATA@SPLIT` such as `tfds:mnist@train`, or a folder of
            images.
        size: `(height, width)` to bring images of a folder or of data to.
        skip_unreadable: whether to leave out a folder's broken images.

    Returns:
        A `Found`.

    Raises:
        ValueError: it is none of these, or a folder of images with broken ones.
        FileNotFoundError: the recipe has no complete run.
    """
    path = pathlib.Path("runs", text) if text in RECIPES else pathlib.Path(text)
    if path.suffix == ".keras":
        return _from_keras(path)
    if (path / "model.keras").exists():
        return _from_keras(path / "model.keras")
    exports = _exports_in(path)
    if exports:
        return _from_export(exports[-1])
    if "@" in text:
        name, _, split = text.rpartition("@")
        source = data.source(name, split, size, skip_unreadable=skip_unreadable)
        return Found(evaluation.Collection(text, source), data=name)
    if path.is_dir():
        source = read_folder(path, "all", size, skip_unreadable)
        return Found(evaluation.Collection(text, source))
    if text in RECIPES:
        raise FileNotFoundError(
            f"There is no complete run of {text} in runs/{text}: train it first "
            f"(python -m training.train {text})."
        )
    raise ValueError(
        f"There is no generator {text!r}: no run, `.keras` file, export or folder of images, and "
        f"no DATA@SPLIT. {near(text, RECIPES)}"
    )


def _from_keras(path):
    model = tfgen.load(path)
    run = path.parent
    if path.name == "model.keras" and (run / "config.json").exists():
        folder = RunFolder(run)
        settings = json.loads(folder.config.read_text())["settings"]
        return Found(evaluation.Sampler(run.name, model), model, folder, settings["data"])
    return Found(evaluation.Sampler(path.stem, model), model)


def _from_export(path):
    extra = path / "assets.extra" / "tfgen.json"
    description = json.loads(extra.read_text()) if extra.exists() else {}
    name = f"{path.resolve().parent.name}/{path.name}"
    return Found(evaluation.Sampler(name, Exported(path)), data=description.get("data"))


def _exports_in(path):
    """Returns the versions in a folder, the newest last; or the folder, if it is a version."""
    if (path / "saved_model.pb").exists():
        return [path]
    versions = [file.parent for file in path.glob("*/saved_model.pb") if file.parent.name.isdigit()]
    return sorted(versions, key=lambda version: int(version.name))
