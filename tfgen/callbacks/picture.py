"""What all callbacks that draw share."""

import abc
import pathlib

import keras
import tensorflow as tf

from tfgen.engine.replicas import is_chief
from tfgen.models.gans.conditional_gan import ConditionalGAN
from tfgen.pictures import write_png
from tfgen.utils.files import check_writable


class Picture(keras.callbacks.Callback, abc.ABC):
    """Draws one picture every few epochs, as PNG and for TensorBoard.

    The files are `DIRECTORY/pictures/NAME-EPOCH.png`; TensorBoard's are in
    `DIRECTORY/tensorboard`. A subclass gives the `name` and says in `draw` what is seen.

    Args:
        directory: the run's folder.
        every: epochs from one picture to the next.

    Raises:
        OSError: nothing can be written to `directory`.
        ValueError: `every` is less than 1.
    """

    name = None

    def __init__(self, directory, every=1):
        super().__init__()
        if every < 1:
            raise ValueError(f"`every` must be at least 1. Received: every={every}.")
        self.directory = pathlib.Path(directory)
        self.every = every
        check_writable(self.directory)

    @abc.abstractmethod
    def draw(self):
        """Returns a uint8 image `[height, width, 1 or 3]` of `self.model`."""

    def on_train_begin(self, logs=None):
        if is_chief(self.model.distribute_strategy):
            folder = self.directory / "tensorboard" / "pictures"
            self.writer = tf.summary.create_file_writer(str(folder))

    def on_epoch_end(self, epoch, logs=None):
        if (epoch + 1) % self.every or not is_chief(self.model.distribute_strategy):
            return
        pixels = self.draw()
        write_png(self.directory / "pictures" / f"{self.name}-{epoch + 1:04d}.png", pixels)
        with self.writer.as_default():
            tf.summary.image(self.name, pixels[tf.newaxis], step=epoch)

    def on_train_end(self, logs=None):
        if is_chief(self.model.distribute_strategy):
            self.writer.close()


class SamplePicture(Picture):
    """A picture of samples, the same latents in every one.

    Args:
        directory: the run's folder.
        every: epochs from one picture to the next.
        seed: an integer.
        labels: what a conditional model is to make: see `tfgen.ConditionalGAN.sample`. `None` for
            other models, and to have classes drawn.

    Raises:
        ValueError: when training begins, if the model's conditions cannot be drawn.
    """

    def __init__(self, directory, every, seed, labels):
        super().__init__(directory, every)
        self.seed = seed
        self.options = {} if labels is None else {"labels": labels}

    def on_train_begin(self, logs=None):
        conditional = isinstance(self.model, ConditionalGAN)
        if conditional and self.model.num_classes is None and not self.options:
            raise ValueError(
                "Which attributes samples are to have, only you know. Received: labels=None. Pass "
                f"{type(self).__name__}(..., labels=...), vectors of {self.model.condition_size} "
                "numbers."
            )
        super().on_train_begin(logs)
