"""Callbacks that draw what the latents of a model mean."""

import tensorflow as tf

from tfgen.callbacks.picture import Picture, SamplePicture
from tfgen.engine import noise
from tfgen.engine.abilities import abilities_of
from tfgen.latent_space import path_of, quantiles, truncate
from tfgen.pictures import grid


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
    needs = frozenset({"encode", "generate"})

    def __init__(self, directory, image, rows=10, span=2.5, every=1):
        super().__init__(directory, every)
        self.image = tf.convert_to_tensor(image)
        self.rows = rows
        self.span = span

    def render(self):
        image = self.image[tf.newaxis]
        posterior = self.model.encode(image)
        rest = posterior.mean()[0]
        # A latent that is not used keeps the prior's standard deviation: the largest.
        used = tf.argsort(posterior.stddev()[0])[: self.rows]
        values = tf.linspace(-self.span, self.span, 11)
        moved = tf.one_hot(used, len(rest))[:, tf.newaxis]
        paths = rest * (1 - moved) + values[:, tf.newaxis] * moved
        options = {}
        if "classify" in abilities_of(self.model):  # all rows are of the image's own label
            label = tf.argmax(self.model.label_probabilities(image), axis=1)
            options["labels"] = tf.repeat(label, len(used))
        return grid(self.model.generate_paths(paths, seed=0, **options), columns=len(values))


class LatentMap(Picture):
    """The whole latent plane, for models with two latents (Kingma and Welling, 2014, figure 4).

    Args:
        directory: the run's folder.
        side: images in a row and in a column; they stand at equal steps of the prior's probability.
            What else a generator takes, such as codes or a label, is the same for all.
        every: epochs from one picture to the next.

    Raises:
        ValueError: when training begins, if the model has not two latents, or they depend on each
            other.

    Example:
        >>> LatentMap("runs/vae", side=20)
    """

    name = "map"
    needs = frozenset({"generate"})

    def __init__(self, directory, side=16, every=1):
        super().__init__(directory, every)
        self.side = side

    def check(self):
        super().check()
        if self.model.prior.size != 2:
            raise ValueError(
                "A map needs a model with two latents. "
                f"Received: {self.model.prior.size}. `LatentTraversal` shows any number."
            )
        quantiles(self.model.prior, [0.5])

    def render(self):
        probabilities = (tf.range(self.side, dtype=tf.float32) + 0.5) / self.side
        across, down = tf.unstack(quantiles(self.model.prior, probabilities), axis=1)
        latents = tf.stack(tf.meshgrid(across, down[::-1]), axis=-1)
        path = tf.reshape(latents, [1, -1, 2])
        return grid(self.model.generate_paths(path, seed=0), columns=self.side)


class Interpolation(SamplePicture):
    """Paths through latent space: in each row from one latent of the prior to another.

    Samples that change smoothly and stay good on the path show that a model has not learnt single
    examples by heart (Radford et al., 2016, section 6.1).

    Args:
        directory: the run's folder.
        rows: the number of paths.
        steps: images in a row, both ends included, at least 2.
        path: how to go, such as `tfgen.latent_space.interpolate`. `None`: as suits the prior, see
            `tfgen.latent_space.path_of`.
        seed: an integer; the ends are the same in every picture, and what else the generator
            takes is the same in a row.
        every: epochs from one picture to the next.
        labels: a label for each row, for a conditional model; `None` draws classes.

    Example:
        >>> Interpolation("runs/dcgan")
    """

    name = "interpolation"
    needs = frozenset({"generate"})

    def __init__(
        self,
        directory,
        rows=8,
        steps=10,
        path=None,
        seed=0,
        every=1,
        labels=None,
    ):
        super().__init__(directory, every, seed, labels)
        self.rows = rows
        self.steps = steps
        self.path = path

    def render(self):
        seed = noise.seed_from(self.seed, "interpolation")
        prior = self.model.prior_distribution()
        start, end = tf.unstack(prior.sample([2, self.rows], seed=seed))
        path = self.path or path_of(self.model.prior)
        paths = path(start, end, self.steps)
        return grid(self.model.generate_paths(paths, self.seed, **self.options), self.steps)


class Truncation(SamplePicture):
    """What truncation trades (Brock et al., 2019, section 3.1): in each row one sample.

    From left to right its latents may be farther and farther from the prior's middle: samples that
    are all alike become various ones. Those of the middle are better in the paper's networks; a
    generator that has hardly ever seen latents so near to it, as of many uniform ones, may make
    anything there.

    Args:
        directory: the run's folder.
        rows: the number of samples.
        thresholds: see `tfgen.latent_space.truncate`, one for each column.
        seed: an integer.
        every: epochs from one picture to the next.
        labels: a label for each row, for a conditional model; `None` draws classes.

    Raises:
        ValueError: when training begins, if the prior cannot be truncated so.

    Example:
        >>> Truncation("runs/gan", thresholds=(0.1, 0.5, 1.0, 2.0))
    """

    name = "truncation"
    needs = frozenset({"generate"})

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

    def render(self):
        prior = self.model.prior
        # [rows, thresholds, size]: alike in a row, as their draws are.
        paths = tf.stack(
            [truncate(prior, self.rows, each, self.seed) for each in self.thresholds], axis=1
        )
        images = self.model.generate_paths(paths, self.seed, **self.options)
        return grid(images, columns=len(self.thresholds))


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
    needs = frozenset({"choose_codes"})

    def __init__(self, directory, rows=5, columns=10, span=2.0, seed=0, every=1):
        super().__init__(directory, every)
        if rows < 1:
            raise ValueError(f"`rows` must be at least 1. Received: rows={rows}.")
        self.rows = rows
        self.columns = columns
        self.span = span
        self.seed = seed

    def render(self):
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
        columns = []
        for value in values:
            codes = [None] * len(self.model.codes)
            codes[code] = tf.tile(value[tf.newaxis], [self.rows, 1])
            columns.append(self.model.sample(self.rows, self.seed, codes=codes))
        images = tf.stack(columns, axis=1)  # [rows, columns, ...]
        return grid(tf.reshape(images, [-1, *images.shape[2:]]), len(columns))
