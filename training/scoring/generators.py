"""What the evaluation command takes for a generator, found by what the user typed."""

import dataclasses
import json
import pathlib

import tensorflow as tf

import tfgen
import training.recipes  # noqa: F401 (registers them)
from tfgen import evaluation
from tfgen.engine.abilities import abilities_of
from tfgen.serving.locate import find_release
from tfgen.utils.suggestions import suggest
from training.recipes.recipe import RECIPES, find
from training.runs.run_folder import RunFolder

_LAST = ":last"


@dataclasses.dataclass(frozen=True, eq=False)
class Found:
    """A generator, and what is known about it.

    Args:
        generator: a `Sampler` or a `Collection`.
        kind: what it is, in a word or two.
        model: the Keras model, if it is one.
        folder: the `RunFolder` that it was trained in, if it was.
        data: the name of the data that it was made from, if known.
    """

    generator: object
    kind: str
    model: object = None
    folder: RunFolder | None = None
    data: str | None = None

    @property
    def shape(self):
        """The shape of the examples that it was trained on, as its run noted it, or `None`."""
        return None if self.folder is None else _settings(self.folder.path)["shape"]

    @property
    def is_collection(self):
        """Whether the samples are there already."""
        return isinstance(self.generator, evaluation.Collection)

    @property
    def has_few_levels(self):
        """Whether the model was trained on pixels of few levels, such as black and white."""
        if self.folder is None:
            return False
        recipe = find(_settings(self.folder.path)["recipe"])
        return recipe.binarized is not None or recipe.levels is not None

    @property
    def details(self):
        """What it is and how it was trained, as a dict."""
        known = {"kind": self.kind}
        if self.is_collection:
            known["unreadable"] = self.generator.source.unreadable
        if self.folder is None:
            return known
        config = json.loads(self.folder.config.read_text())
        where = {"folder": str(self.folder.path), "seconds": self.folder.seconds()}
        return {**known, "training": {**config, **where}}


class Exported:
    """A SavedModel that can be sampled.

    Args:
        path: the folder of one version.

    Raises:
        ValueError: it has no signature `sample`.
    """

    abilities = frozenset({"sample"})

    def __init__(self, path):
        self._loaded = tf.saved_model.load(str(path))
        if "sample" not in self._loaded.signatures:
            raise ValueError(
                f"The export {path} must have a signature `sample(count, seed)`. It has: "
                f"{sorted(self._loaded.signatures)}."
            )

    def sample(self, count, seed):
        """Returns `count` samples."""
        try:
            return self._loaded.signatures["sample"](
                count=tf.constant(count), seed=tf.constant(seed, tf.int64)
            )["images"]
        except (TypeError, KeyError) as error:
            raise ValueError(
                "An export's signature `sample` must take an int32 `count` and an int64 `seed`, "
                f"and answer `images`: {error}."
            ) from error


def find_generator(text, load):
    """Finds what the user means.

    Args:
        text: a recipe's name (its run in `runs/`), a run's folder, a `.keras` file, a release file
            or its address (see `tfgen.load`), an export's folder or one version of it,
            `DATA@SPLIT` such as `tfds:mnist@train`, or a folder of images. With ":last" after a
            model that averages its weights, its last weights are meant.
        load: a function from a name of data and a split to a `tfgen.data.Source`.

    Returns:
        A `Found`.

    Raises:
        ValueError: it is none of these, or a folder of images with broken ones.
        FileNotFoundError: the recipe has no complete run.
    """
    if text.endswith(_LAST):
        return _with_last_weights(text, find_generator(text.removesuffix(_LAST), load))
    if release := find_release(text):
        return _from_release(release)
    path = pathlib.Path("runs", text) if text in RECIPES else pathlib.Path(text)
    if path.suffix == ".keras":
        return _from_keras(path)
    if (path / "model.keras").exists():
        return _from_keras(path / "model.keras")
    exports = _exports_in(path)
    if exports:
        return _from_export(exports[-1])
    if text in RECIPES or (path / "config.json").exists():
        raise FileNotFoundError(
            f"There is no complete run in {path}: train it first (python -m training.train "
            f"{text if text in RECIPES else 'RECIPE'})."
        )
    if path.is_dir():
        source = load(f"folder:{path}", "all")
        return Found(evaluation.Collection(text, source), "a folder of images")
    if "@" in text:
        name, _, split = text.rpartition("@")
        source = load(name, split)
        return Found(evaluation.Collection(text, source), "real examples", data=name)
    raise ValueError(
        f"There is no generator {text!r}: no run, `.keras` or release file, export or folder of "
        f"images, and no DATA@SPLIT. {suggest(text, RECIPES)}"
    )


class LastWeights:
    """A model that samples with its generator's last weights, not with their average.

    Args:
        model: a model that can "average".
    """

    abilities = frozenset({"sample"})

    def __init__(self, model):
        self._model = model

    def sample(self, count, seed):
        """Returns `count` samples."""
        return self._model.sample(count, seed, use_ema=False)


def _with_last_weights(text, found):
    if "average" not in abilities_of(found.model):
        raise ValueError(
            f"{text!r} must be a model that averages its weights, a GAN with `ema_momentum`. "
            f"Received: {found.kind}{' without' if found.model is not None else ''}. Leave out "
            f"{_LAST!r}."
        )
    sampler = evaluation.Sampler(f"{found.generator.name}{_LAST}", LastWeights(found.model))
    return dataclasses.replace(found, generator=sampler, model=None)


def _from_keras(path):
    model = tfgen.load(path)
    run = path.resolve().parent
    settings = _settings(run) if path.name == "model.keras" else None
    if settings is not None:
        sampler = evaluation.Sampler(run.name, model)
        folder = RunFolder(path.parent)
        return Found(sampler, "a trained recipe", model, folder, settings["data"])
    return Found(evaluation.Sampler(path.stem, model), "a model's file", model)


def _from_release(release):
    model = tfgen.load(release.model)
    data = release.manifest["training"].get("data")
    return Found(evaluation.Sampler(release.name, model), "a release file", model, data=data)


def _settings(run):
    """Returns the settings of the run in a folder; `None` if it is no run of ours."""
    config = run / "config.json"
    return json.loads(config.read_text()).get("settings") if config.exists() else None


def _from_export(path):
    extra = path / "assets.extra" / "tfgen.json"
    description = json.loads(extra.read_text()) if extra.exists() else {}
    name = f"{path.resolve().parent.name}/{path.name}"
    sampler = evaluation.Sampler(name, Exported(path))
    return Found(sampler, "an export", data=description.get("data"))


def _exports_in(path):
    """Returns the versions in a folder, the newest last; or the folder, if it is a version."""
    if (path / "saved_model.pb").exists():
        return [path]
    versions = [file.parent for file in path.glob("*/saved_model.pb") if file.parent.name.isdigit()]
    return sorted(versions, key=lambda version: int(version.name))
