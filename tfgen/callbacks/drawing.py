"""Callbacks that draw what a model has learnt."""

import abc
import pathlib

import keras
import tensorflow as tf
import tensorflow_probability as tfp

from tfgen import noise
from tfgen.data import Source
from tfgen.files import check_writable
from tfgen.latents import interpolate_spherical, truncate
from tfgen.models.conditional_gan import ConditionalGAN
from tfgen.pictures import (
    grid,
    neighbour_grid,
    reconstruction_grid,
    translation_grid,
    write_png,
)
from tfgen.replicas import is_chief


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


class SampleGrid(SamplePicture):
    """A grid of samples, the same latents in every picture.

    Args:
        directory: the run's folder.
        count: the number of samples.
        seed: an integer.
        every: epochs from one picture to the next.
        labels: `count` labels for a conditional model; `None` draws classes.

    Example:
        >>> model.fit(images, epochs=10, callbacks=[tfgen.callbacks.SampleGrid("runs/vae")])
    """

    name = "samples"

    def __init__(self, directory, count=64, seed=0, every=1, labels=None):
        super().__init__(directory, every, seed, labels)
        self.count = count

    def draw(self):
        return grid(self.model.sample(self.count, seed=self.seed, **self.options))


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


class Interpolation(SamplePicture):
    """Ways through latent space: in each row from one latent of the prior to another.

    Samples that change smoothly and stay good on the way show that a model has not learnt single
    examples by heart (Radford et al., 2016, section 6.1).

    Args:
        directory: the run's folder.
        rows: the number of ways.
        steps: images in a row, both ends included, at least 2.
        path: how to go, `tfgen.latents.interpolate_spherical` or, for uniform priors,
            `tfgen.latents.interpolate`.
        seed: an integer; the ends are the same in every picture, and what else the generator
            takes is the same in a row.
        every: epochs from one picture to the next.
        labels: a label for each row, for a conditional model; `None` draws classes.

    Example:
        >>> Interpolation("runs/dcgan", path=tfgen.latents.interpolate)
    """

    name = "interpolation"

    def __init__(
        self,
        directory,
        rows=8,
        steps=10,
        path=interpolate_spherical,
        seed=0,
        every=1,
        labels=None,
    ):
        super().__init__(directory, every, seed, labels)
        self.rows = rows
        self.steps = steps
        self.path = path

    def draw(self):
        seed = noise.seed_from(self.seed, "interpolation")
        prior = self.model.prior.distribution()
        start, end = tf.unstack(prior.sample([2, self.rows], seed=seed))
        ways = self.path(start, end, self.steps)
        return grid(self.model.generate_ways(ways, self.seed, **self.options), self.steps)


class Truncation(SamplePicture):
    """What truncation trades (Brock et al., 2019, section 3.1): in each row one sample.

    From left to right its latents may be farther and farther from the prior's middle: samples that
    are all alike become various ones. Those of the middle are better in the paper's networks; a
    generator that has hardly ever seen codes so near to it, as of many uniform latents, may make
    anything there.

    Args:
        directory: the run's folder.
        rows: the number of samples.
        thresholds: see `tfgen.latents.truncate`, one for each column.
        seed: an integer.
        every: epochs from one picture to the next.
        labels: a label for each row, for a conditional model; `None` draws classes.

    Raises:
        ValueError: when training begins, if the prior cannot be truncated so.

    Example:
        >>> Truncation("runs/gan", thresholds=(0.1, 0.5, 1.0, 2.0))
    """

    name = "truncation"

    def __init__(
        self,
        directory,
        rows=8,
        thresholds=(0.125, 0.25, 0.5, 1.0, 2.0),
        seed=0,
        every=1,
        labels=None,
    ):
        super().__init__(directory, every, seed, labels)
        self.rows = rows
        self.thresholds = thresholds

    def on_train_begin(self, logs=None):
        self._ways()
        super().on_train_begin(logs)

    def draw(self):
        images = self.model.generate_ways(self._ways(), self.seed, **self.options)
        return grid(images, columns=len(self.thresholds))

    def _ways(self):
        """Returns latents `[rows, thresholds, size]`: alike in a row, as their draws are."""
        prior = self.model.prior
        return tf.stack(
            [truncate(prior, self.rows, each, self.seed) for each in self.thresholds], axis=1
        )


class CodeTraversal(Picture):
    """What each code of an InfoGAN does (Chen et al., 2016, figure 2): one picture above another.

    In a column all samples have one value of the code, in a row all the rest is the same.

    Args:
        directory: the run's folder.
        rows: rows of samples for each code, at least 1.
        columns: values of a continuous code, from -`span` to `span`; a categorical one shows all
            its classes.
        span: the paper shows values from -2 to 2, where training has them from -1 to 1.
        seed: an integer, of all the rest.
        every: epochs from one picture to the next.

    Raises:
        ValueError: `rows` is less than 1; or, when training begins, the model has no codes.

    Example:
        >>> CodeTraversal("runs/infogan")
    """

    name = "codes"

    def __init__(self, directory, rows=5, columns=10, span=2.0, seed=0, every=1):
        super().__init__(directory, every)
        if rows < 1:
            raise ValueError(f"`rows` must be at least 1. Received: rows={rows}.")
        self.rows = rows
        self.columns = columns
        self.span = span
        self.seed = seed

    def on_train_begin(self, logs=None):
        if not hasattr(self.model, "codes"):
            raise ValueError(
                "Codes can be shown of a model that has some, such as a `tfgen.InfoGAN`. "
                f"Received: a {type(self.model).__name__}."
            )
        super().on_train_begin(logs)

    def draw(self):
        pictures = [
            self._traverse(code, values)
            for code, each in enumerate(self.model.codes)
            for values in each.traversal(self.columns, self.span)
        ]
        width = max(picture.shape[1] for picture in pictures)
        # A white line under each, and white where one is less wide.
        padded = [
            tf.pad(picture, [[0, 4], [0, width - picture.shape[1]], [0, 0]], constant_values=255)
            for picture in pictures
        ]
        return tf.concat(padded, axis=0)

    def _traverse(self, code, values):
        """Draws `rows` samples, each with every one of a code's values `[columns, size]`."""
        columns = len(values)
        latents = tf.repeat(self.model.draw_latents(self.rows, self.seed), columns, axis=0)
        codes = [None] * len(self.model.codes)
        codes[code] = tf.tile(values, [self.rows, 1])
        return grid(self.model.generate(self.model.with_codes(latents, codes)), columns)


class TranslationGrid(Picture):
    """Images of one domain, their translations, and these translated back: three rows.

    Args:
        directory: the run's folder.
        images: float32 `[count, height, width, channels]` of domain A, in [0, 1].
        every: epochs from one picture to the next.

    Example:
        >>> TranslationGrid("runs/cyclegan", lemons[:8])
    """

    name = "translations"

    def __init__(self, directory, images, every=1):
        super().__init__(directory, every)
        self.images = tf.convert_to_tensor(images)

    def draw(self):
        model = self.model
        return translation_grid(self.images, model.translate_a_to_b, model.translate_b_to_a)


class NearestNeighbours(SamplePicture):
    """Samples, and below each the nearest training image: a model that only copies is seen.

    Args:
        directory: the run's folder.
        images: the training images, a `tfgen.data.Source` or what it takes.
        count: the number of samples, the same latents in every picture.
        columns: pairs in a row.
        seed: an integer.
        every: epochs from one picture to the next.
        labels: `count` labels for a conditional model; `None` draws classes.

    Example:
        >>> NearestNeighbours("runs/dcgan", tfgen.data.source("embedded"))
    """

    name = "neighbours"

    def __init__(self, directory, images, count=32, columns=16, seed=0, every=1, labels=None):
        super().__init__(directory, every, seed, labels)
        self.source = images if isinstance(images, Source) else Source(images)
        self.count = count
        self.columns = columns

    def draw(self):
        samples = self.model.sample(self.count, seed=self.seed, **self.options)
        return neighbour_grid(samples, self.source, self.columns)
