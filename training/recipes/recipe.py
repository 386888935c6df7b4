"""What it takes to train one model: a recipe."""

import dataclasses
import inspect
from collections.abc import Callable

from tfgen import data
from tfgen.utils.deprecation import renamed_arguments
from tfgen.utils.suggestions import suggest

RECIPES = {}


@dataclasses.dataclass(frozen=True)
class Recipe:
    """A builder of a compiled model, and the settings it is trained with unless told otherwise.

    Args:
        build: a function of an example's shape and the total number of training steps that returns
            a compiled model. Its docstring is the recipe's description.
        data: the data's name, see `find_data`.
        find_data: what finds data by name: `tfgen.data.source`, or `tfgen.data.domains` for models
            that translate between two.
        size: `(height, width)` that images are brought to; `None` leaves them.
        labels: whether batches are `(images, labels)`.
        captions: the `tfgen.data.Captions` of the data; batches are then `(images, tokens)`, of
            what its `source` finds.
        num_classes: how many classes the labels are of, numbered from 0.
        measure: a function from the trained model, the training and the held-out data to a dict of
            numbers that are printed and kept beside the losses, where the data are the recipe's
            own; `None` for nothing more.
        batch_size: examples per step. `None` for a model that is estimated from all examples at
            once, in closed form or by another's algorithm, and so takes no steps.
        epochs: passes over the data.
        binarized: how pixels become 0 or 1, see `tfgen.data.batches`.
        levels: to how many levels pixels are rounded, see `tfgen.data.batches`.
        begin_with: the recipe whose trained weights this one begins with; `None` for new ones.
        jit_compile: whether XLA compiles the steps: see `tfgen.GenerativeModel.compile`. True on
            several replicas is taken for "auto".
        steps_per_execution: about how many steps are made between two visits of Python.
    """

    build: Callable
    data: str
    find_data: Callable = data.source
    size: tuple[int, int] | None = None
    labels: bool = False
    captions: data.Captions | None = None
    num_classes: int | None = None
    measure: Callable | None = None
    batch_size: int | None = None
    epochs: int = 1
    binarized: str | None = None
    levels: int | None = None
    begin_with: str | None = None
    jit_compile: bool | str = "auto"
    steps_per_execution: int = 20

    def __post_init__(self):
        if self.captions is not None:
            object.__setattr__(self, "find_data", self.captions.source)
            object.__setattr__(self, "labels", True)

    @property
    def name(self):
        """The builder's name."""
        return self.build.__name__

    @property
    def in_steps(self):
        """Whether the model is trained in steps."""
        return self.batch_size is not None

    @property
    def description(self):
        """The builder's docstring."""
        return inspect.getdoc(self.build)

    def check_labels(self, name, *sources):
        """Raises a ValueError if the recipe learns from labels, and data have none or others.

        Args:
            name: the data's name.
            *sources: what `find_data` found.
        """
        if not self.labels:
            return
        for part in (part for source in sources for part in source.parts):
            if part.labels is None:
                raise ValueError(
                    f"The recipe {self.name!r} learns from labels, and {name!r} has none. "
                    "A folder of images is labelled by a subfolder for each class, an archive by "
                    "`y_train` and `y_test`, or `y`."
                )
            self._check_classes(name, part.labels)

    def _check_classes(self, name, labels):
        if self.num_classes is None:
            return
        last = self.num_classes - 1
        if labels.ndim != 1 or labels.min() < 0 or labels.max() > last:
            raise ValueError(
                f"The recipe {self.name!r} learns from classes, one of 0 to {last} for each image. "
                f"Received: labels of shape {labels.shape} from {labels.min()} to {labels.max()}, "
                f"of {name!r}."
            )


@renamed_arguments(load="find_data")
def recipe(**settings):
    """Registers the decorated builder as a recipe with these settings (see `Recipe`).

    Write it as `@recipe(...)`, with `data` and `epochs` as literals or in a constant of the file:
    `training.runs.catalogue` reads them from the source.
    """

    def register(build):
        RECIPES[build.__name__] = Recipe(build, **settings)
        return build

    return register


def find(name):
    """Returns the recipe called `name`; raises a ValueError that names the near ones."""
    if name not in RECIPES:
        raise ValueError(f"There is no recipe {name!r}. {suggest(name, RECIPES)}")
    return RECIPES[name]
