"""Callbacks that draw what a model makes: samples, reconstructions, translations."""

import tensorflow as tf

from tfgen.callbacks.picture import Picture, SamplePicture
from tfgen.data import Source
from tfgen.pictures import grid, neighbour_grid, reconstruction_grid, scatter, translation_grid


class SampleGrid(SamplePicture):
    """A grid of samples, the same latents in every picture; of vectors, a scatter plot.

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

    def render(self):
        samples = self.model.sample(self.count, seed=self.seed, **self.options)
        return scatter(samples) if len(samples.shape) == 2 else grid(samples)


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
    needs = frozenset({"reconstruct"})

    def __init__(self, directory, images, columns=16, every=1):
        super().__init__(directory, every)
        self.images = tf.convert_to_tensor(images)
        self.columns = columns

    def render(self):
        return reconstruction_grid(self.model, self.images, self.columns)


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
    needs = frozenset({"translate"})

    def __init__(self, directory, images, every=1):
        super().__init__(directory, every)
        self.images = tf.convert_to_tensor(images)

    def render(self):
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

    def render(self):
        samples = self.model.sample(self.count, seed=self.seed, **self.options)
        return neighbour_grid(samples, self.source, self.columns)


class PriorExamples(Picture):
    """What a prior is made of, and below each example what the decoder makes of its encoding.

    Pseudo-inputs are what the encoder takes for data (Tomczak and Welling, 2018, figure 4). To eyes
    they may look otherwise: what a network does not see, nothing corrects.

    Args:
        directory: the run's folder.
        count: the number of examples.
        columns: pairs in a row.
        every: epochs from one picture to the next.

    Raises:
        ValueError: when training begins, if the model's prior has no examples.

    Example:
        >>> PriorExamples("runs/vamp", count=25)
    """

    name = "prior"
    needs = frozenset({"reconstruct"})

    def __init__(self, directory, count=64, columns=16, every=1):
        super().__init__(directory, every)
        self.count = count
        self.columns = columns

    def check(self):
        super().check()
        if not self.model.prior.example_weights:
            raise ValueError(
                "`PriorExamples` needs a model whose prior is made of examples, such as "
                f"`VampPrior`. Received: {self.model.prior}."
            )

    def render(self):
        (name,) = self.model.prior.example_weights
        examples = self.model.prior_weights[name][: self.count]
        return reconstruction_grid(self.model, examples, self.columns)
