"""What all callbacks that draw share."""

import abc
import pathlib

import keras
import tensorflow as tf

from tfgen.callbacks.events import optional_events
from tfgen.engine.abilities import abilities_of, require
from tfgen.engine.replicas import is_chief
from tfgen.pictures import write_png
from tfgen.utils.deprecation import warn_renamed
from tfgen.utils.disk import optional
from tfgen.utils.files import check_writable


class Picture(keras.callbacks.Callback, abc.ABC):
    """Draws one picture every few epochs, as PNG and for TensorBoard.

    The files are `DIRECTORY/pictures/NAME-EPOCH.png`; TensorBoard's are in
    `DIRECTORY/tensorboard`. A subclass gives the `name`, says in `needs` what the model must be
    able to do, and in `render` what is seen.

    When training begins the picture is rendered once and thrown away: what cannot be drawn is
    refused then, and not after an epoch. A picture that cannot be written, as on a full disk, is
    left out with a warning: the training goes on.

    Args:
        directory: the run's folder.
        every: epochs from one picture to the next.

    Raises:
        OSError: nothing can be written to `directory`.
        ValueError: `every` is less than 1; or, when training begins, the model lacks an ability,
            or what it makes cannot be drawn.

    Example:
        >>> class Mean(tfgen.callbacks.Picture):
        ...     name = "mean"
        ...     needs = {"sample"}
        ...
        ...     def render(self):
        ...         samples = self.model.sample(100, seed=0)
        ...         return tfgen.pictures.grid(tf.reduce_mean(samples, axis=0, keepdims=True))
    """

    name = None
    needs = frozenset()  # of `tfgen.engine.abilities.ABILITIES`

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        if "draw" in vars(cls):
            warn_renamed(f"{cls.__name__}.draw", f"{cls.__name__}.render")
            cls.render = cls.draw

    def __init__(self, directory, every=1):
        super().__init__()
        if every < 1:
            raise ValueError(f"`every` must be at least 1. Received: every={every}.")
        self.directory = pathlib.Path(directory)
        self.every = every
        check_writable(self.directory)

    @abc.abstractmethod
    def render(self):
        """Returns a uint8 image `[height, width, 1 or 3]` of `self.model`."""

    def check(self):
        """Raises a ValueError unless the model can do what the picture needs."""
        for ability in sorted(self.needs):
            require(self.model, ability, f"`{type(self).__name__}`")

    def on_train_begin(self, logs=None):
        self.check()
        self._writer = None
        if is_chief(self.model.distribute_strategy):
            self.render()

    def on_epoch_end(self, epoch, logs=None):
        if (epoch + 1) % self.every or not is_chief(self.model.distribute_strategy):
            return
        pixels = self.render()
        folder = self.directory / "pictures"
        with optional(f"The pictures in {folder}"):
            write_png(folder / f"{self.name}-{epoch + 1:04d}.png", pixels)
        folder = self.directory / "tensorboard" / "pictures"
        with optional_events(folder):
            self._writer = self._writer or tf.summary.create_file_writer(str(folder))
            with self._writer.as_default():
                tf.summary.image(self.name, pixels[tf.newaxis], step=epoch)

    def on_train_end(self, logs=None):
        if self._writer:
            with optional_events(self.directory / "tensorboard" / "pictures"):
                self._writer.close()


class SamplePicture(Picture):
    """A picture of samples, the same latents in every one.

    Args:
        directory: the run's folder.
        every: epochs from one picture to the next.
        seed: an integer.
        labels: what a conditional model is to make: see `tfgen.ConditionalGAN.sample`. `None` for
            other models, and to have classes drawn.

    Raises:
        ValueError: when training begins: labels for a model that takes none, or none for one whose
            labels cannot be drawn.
    """

    needs = frozenset({"sample"})

    def __init__(self, directory, every, seed, labels):
        super().__init__(directory, every)
        self.seed = seed
        self.options = {}
        if labels is not None:
            self.options = {"labels": labels}
            self.needs = self.needs - {"sample"} | {"choose_labels"}

    def check(self):
        able = abilities_of(self.model)
        if not self.options and "choose_labels" in able and "sample" not in able:
            raise ValueError(
                f"A {type(self.model).__name__} without classes cannot draw its labels. Received: "
                f"labels=None. Pass {type(self).__name__}(..., labels=...), as in batches."
            )
        super().check()
