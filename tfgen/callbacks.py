"""Keras callbacks: pictures of what a model has learnt, safe checkpoints, a stop at NaN.

They write on the chief only, never half a file, and draw with seeds of their own: training goes
on exactly as it would without them.
"""

import abc
import math
import pathlib

import keras
import tensorflow as tf
import tensorflow_probability as tfp

from tfgen.files import check_writable, whole_file
from tfgen.pictures import grid, write_png


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
        if is_chief(self.model):
            folder = self.directory / "tensorboard" / "pictures"
            self.writer = tf.summary.create_file_writer(str(folder))

    def on_epoch_end(self, epoch, logs=None):
        if (epoch + 1) % self.every or not is_chief(self.model):
            return
        pixels = self.draw()
        write_png(self.directory / "pictures" / f"{self.name}-{epoch + 1:04d}.png", pixels)
        with self.writer.as_default():
            tf.summary.image(self.name, pixels[tf.newaxis], step=epoch)

    def on_train_end(self, logs=None):
        if is_chief(self.model):
            self.writer.close()


class SampleGrid(Picture):
    """A grid of samples, the same latents in every picture.

    Args:
        directory: the run's folder.
        count: the number of samples.
        seed: an integer.
        every: epochs from one picture to the next.

    Example:
        >>> model.fit(images, epochs=10, callbacks=[tfgen.callbacks.SampleGrid("runs/vae")])
    """

    name = "samples"

    def __init__(self, directory, count=64, seed=0, every=1):
        super().__init__(directory, every)
        self.count = count
        self.seed = seed

    def draw(self):
        return grid(self.model.sample(self.count, seed=self.seed))


class ReconstructionGrid(Picture):
    """Pairs of an image and its reconstruction, one above the other.

    Args:
        directory: the run's folder.
        images: float32 `[count, height, width, channels]` in [0, 1].
        columns: pairs in a row.
        every: epochs from one picture to the next.

    Example:
        >>> ReconstructionGrid("runs/vae", next(iter(test_images))[:32])
    """

    name = "reconstructions"

    def __init__(self, directory, images, columns=16, every=1):
        super().__init__(directory, every)
        self.images = tf.convert_to_tensor(images)
        self.columns = columns

    def draw(self):
        return reconstruction_grid(self.model, self.images, self.columns)


class LatentTraversal(Picture):
    """What each latent does: in each row one latent moves through the prior, the others rest.

    Args:
        directory: the run's folder.
        image: float32 `[height, width, channels]`, at whose encoding the latents rest.
        rows: the number of latents: the most used ones, those of which the encoding is surest.
        span: the traversal goes from `-span` to `span`, in standard deviations of the prior.
        every: epochs from one picture to the next.

    Example:
        >>> LatentTraversal("runs/vae", test_images[0])
    """

    name = "traversal"

    def __init__(self, directory, image, rows=10, span=2.5, every=1):
        super().__init__(directory, every)
        self.image = tf.convert_to_tensor(image)
        self.rows = rows
        self.span = span

    def draw(self):
        posterior = self.model.encode(self.image[tf.newaxis])
        rest = posterior.mean()[0]
        # A latent that is not used keeps the prior's standard deviation: the largest.
        used = tf.argsort(posterior.stddev()[0])[: self.rows]
        values = tf.linspace(-self.span, self.span, 11)
        moved = tf.one_hot(used, len(rest))[:, tf.newaxis]
        latents = rest * (1 - moved) + values[:, tf.newaxis] * moved
        return grid(self.model.generate(tf.reshape(latents, [-1, len(rest)])), columns=len(values))


class LatentMap(Picture):
    """The whole latent plane, for models with two latents (Kingma and Welling, 2014, figure 4).

    Args:
        directory: the run's folder.
        side: images in a row and in a column; they stand at equal steps of the prior's probability.
        every: epochs from one picture to the next.

    Raises:
        ValueError: when training begins, if the model has not two latents.

    Example:
        >>> LatentMap("runs/vae", side=20)
    """

    name = "map"

    def __init__(self, directory, side=16, every=1):
        super().__init__(directory, every)
        self.side = side

    def on_train_begin(self, logs=None):
        if self.model.prior.size != 2:
            raise ValueError(
                "A map needs a model with two latents. "
                f"Received: {self.model.prior.size}. `LatentTraversal` shows any number."
            )
        super().on_train_begin(logs)

    def draw(self):
        probabilities = (tf.range(self.side, dtype=tf.float32) + 0.5) / self.side
        values = tfp.distributions.Normal(0.0, 1.0).quantile(probabilities)
        across, down = tf.meshgrid(values, values[::-1])
        latents = tf.stack([tf.reshape(across, [-1]), tf.reshape(down, [-1])], axis=1)
        return grid(self.model.generate(latents), columns=self.side)


class Checkpoint(keras.callbacks.Callback):
    """Keeps all that a run needs to go on exactly, as one file that is always whole.

    The networks' and the optimizer's variables and the step counter are saved after every epoch.
    A state that is not finite is never saved: the last good one stays. Put it last in the list of
    callbacks, so that what the others wrote of an epoch is there once the epoch is saved.

    Args:
        path: a file that ends in `.weights.h5`.

    Raises:
        FloatingPointError: a weight became NaN or infinite.

    Example:
        >>> checkpoint = Checkpoint("runs/vae/checkpoint.weights.h5")
        >>> checkpoint.restore(model)  # does nothing where there is no file
        >>> model.fit(stream, initial_epoch=int(model.step.numpy()) // 100, steps_per_epoch=100,
        ...           epochs=10, callbacks=[checkpoint])
    """

    def __init__(self, path):
        super().__init__()
        self.path = pathlib.Path(path)

    def restore(self, model):
        """Loads the saved state into a compiled model; returns whether there was one."""
        if self.path.exists():
            model.load_weights(self.path)
        return self.path.exists()

    def on_epoch_end(self, epoch, logs=None):
        if not is_chief(self.model):
            return
        optimizers = [variable for each in self.model.optimizers for variable in each.variables]
        for variable in [*self.model.variables, *optimizers]:
            value = tf.convert_to_tensor(variable.value)
            if value.dtype.is_floating and not tf.reduce_all(tf.math.is_finite(value)):
                raise FloatingPointError(
                    f"The variable {variable.path} became NaN or infinite in epoch {epoch + 1}. "
                    f"{_how_to_go_on(self.path)}"
                )
        with whole_file(self.path) as path:
            self.model.save_weights(path)


class StopOnNonFinite(keras.callbacks.Callback):
    """Ends a run whose loss became NaN or infinite, before anything else is written.

    Args:
        checkpoint: where the last good state is, for the message.

    Raises:
        FloatingPointError: a log is NaN or infinite.

    Example:
        >>> model.fit(images, callbacks=[StopOnNonFinite("checkpoint.weights.h5")])
    """

    def __init__(self, checkpoint):
        super().__init__()
        self.checkpoint = pathlib.Path(checkpoint)

    def on_train_batch_end(self, batch, logs=None):
        for name, value in logs.items():
            if not math.isfinite(value):
                raise FloatingPointError(
                    f"`{name}` became {float(value)} by step {int(self.model.step.numpy())}. "
                    f"{_how_to_go_on(self.checkpoint)}"
                )


def reconstruction_grid(model, images, columns=16):
    """Returns a grid of pairs: an image above its reconstruction, `columns` pairs in a row."""
    reconstructed = model.reconstruct(images)
    columns = min(columns, len(images))
    missing = [[0, -len(images) % columns], [0, 0], [0, 0], [0, 0]]  # in the last row
    sides = tf.stack(
        [tf.pad(side, missing, constant_values=1.0) for side in (images, reconstructed)]
    )
    rows = tf.reshape(sides, [2, -1, columns, *images.shape[1:]])
    return grid(
        tf.reshape(tf.transpose(rows, [1, 0, 2, 3, 4, 5]), [-1, *images.shape[1:]]), columns
    )


def is_chief(model):
    """Tells whether this process is the one that writes files, of those that train a model."""
    return model.distribute_strategy.extended.should_save_summary


def _how_to_go_on(checkpoint):
    kept = f"The last good state is {checkpoint}. " if checkpoint.exists() else ""
    return (
        f"{kept}Lower the learning rate, clip gradients (`global_clipnorm=1.0` of the optimizer), "
        "or look for bad values in the data."
    )
