"""One run: what is trained, on what, and where it is written."""

import dataclasses
import json

import tfgen
import training.recipes  # noqa: F401 (registers them)
from tfgen import data
from tfgen.engine.replicas import is_chief
from training.recipes.recipe import Recipe, find
from training.runs.run_folder import RunFolder
from training.runs.settings import (
    build,
    check_batch_size,
    make_layout,
    make_settings,
    take_weights,
)


@dataclasses.dataclass(frozen=True, eq=False)
class Run:
    """A recipe's model, the data that it learns from, and the folder that it is written to.

    Args:
        model: the compiled model.
        recipe: its `Recipe`.
        settings: all that decides the outcome, see `make_settings`.
        layout: how it is computed, see `make_layout`.
        train: the data that it learns from, a `tfgen.data.Source` or `Domains`.
        test: those that are held out.
        folder: the `RunFolder`.
        checkpoint_minutes: the time from one checkpoint to the next, at most.
        trackers: callbacks that log its course elsewhere, too: see `training.runs.tracking`.
    """

    model: object
    recipe: Recipe
    settings: dict
    layout: dict
    train: object
    test: object
    folder: RunFolder
    checkpoint_minutes: float = 10.0
    trackers: tuple = ()

    @property
    def strategy(self):
        """The `tf.distribute.Strategy` that the model was built under."""
        return self.model.distribute_strategy

    @property
    def is_chief(self):
        """Whether this process is the one that writes."""
        return is_chief(self.strategy)

    @property
    def is_measured(self):
        """Whether the recipe measures something; of other data, it is not known to be there."""
        return self.recipe.measure is not None and self.settings["data"] == self.recipe.data

    @property
    def is_of_images(self):
        """Whether all examples are images, and not vectors."""
        return all(len(part.shape) == 3 for part in self.test.parts)

    def tell(self, text):
        """Prints a line, once for all workers."""
        if self.is_chief:
            print(text)


def make_run(recipe, options, strategy):
    """Loads the data and builds the model that a command line asks for.

    Args:
        recipe: a `Recipe`.
        options: the command line, see `training.train.parse`.
        strategy: a `tf.distribute.Strategy`.

    Returns:
        A `Run`, of whose folder no file was read or written yet.

    Raises:
        ValueError: there are no such data, replicas cannot share a batch, or the run to begin with
            is of another model.
        FileNotFoundError: the run to begin with is not there.
    """
    name, size = options.data or recipe.data, options.size or recipe.size
    train, test = (
        recipe.find_data(name, split, size, options.channels, options.skip_unreadable)
        for split in data.SPLITS
    )
    recipe.check_labels(name, train, test)
    settings = make_settings(recipe, options, name, train)
    layout = make_layout(recipe, options, strategy)
    check_batch_size(recipe, settings["batch_size"], strategy)
    with strategy.scope():
        model = build(recipe, {**settings, **layout}, train.shape)
    folder = RunFolder(options.output or f"runs/{recipe.name}")
    if "begin_with" in settings and (options.fresh or not folder.has_weights):
        take_weights(model, settings["begin_with"])
    minutes = options.checkpoint_minutes
    run = Run(model, recipe, settings, layout, train, test, folder, minutes)
    if not options.batch_size and settings["batch_size"] < (recipe.batch_size or 0):
        run.tell(
            f"Batches of {settings['batch_size']}, not of {recipe.batch_size}: there are no more "
            "examples."
        )
    if skipped := sum(part.unreadable for part in (*train.parts, *test.parts)):
        run.tell(f"Broken files that were left out: {skipped}.")
    return run


def read_run(folder):
    """Reads a complete run: its trained model, and its data as they were in training.

    Args:
        folder: its `RunFolder`.
    """
    config = json.loads(folder.config.read_text())
    settings = config["settings"]
    recipe = find(settings["recipe"])
    train, test = (recorded_data(settings, split, recipe.find_data) for split in data.SPLITS)
    model = tfgen.load(folder.model)
    return Run(model, recipe, settings, config["layout"], train, test, folder)


def recorded_data(settings, split, find_data=data.source):
    """Loads a run's data and brings images to the size and the channels that it took them in.

    Args:
        settings: those that were noted of the run.
        split: "train" or "test".
        find_data: what finds data by name, see `Recipe`.
    """
    shape = settings["shape"]
    shapes = shape if isinstance(shape[0], list) else [shape]  # of two domains, or one
    size, channels = None, None
    if all(len(each) == 3 for each in shapes):
        sizes, depths = {tuple(each[:2]) for each in shapes}, {each[2] for each in shapes}
        size = sizes.pop() if len(sizes) == 1 else None
        channels = depths.pop() if len(depths) == 1 else None
    skip_unreadable = settings.get("skip_unreadable", False)
    return find_data(settings["data"], split, size, channels, skip_unreadable)
