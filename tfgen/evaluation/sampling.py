"""Where samples come from: a model that draws them, or a collection that is there."""

import dataclasses
import math

import numpy as np

from tfgen.data import Source
from tfgen.engine.abilities import require
from tfgen.utils.deprecation import warn_renamed

_CHUNK = 500  # samples at a time, so that memory is bounded


@dataclasses.dataclass(frozen=True)
class Sampler:
    """Samples of a model, rounded to pixels.

    Args:
        name: what the generator is called in results.
        model: a model that can "sample". An object of your own has a method `sample(count, seed)`
            that returns `[count, ...]`, and declares it: `abilities = frozenset({"sample"})`.

    Example:
        >>> evaluation.Sampler("vae", vae).sample(10000, seed=0)
    """

    name: str
    model: object

    def sample(self, count, seed):
        """Draws samples as a function of the seed, chunk by chunk.

        Images are rounded to 8 bits, as their files would be: samples scored in memory and from a
        folder of PNGs then agree. What leaves [0, 1], such as a Gaussian's mean, is cut off there.

        Args:
            count: how many.
            seed: an integer.

        Returns:
            A `tfgen.data.Source`, and the share of values that were cut off.

        Raises:
            ValueError: the model cannot be sampled, a sample holds NaN or infinity, or `count` is
                less than 1.
        """
        require(self.model, "sample", f"Sampling {self.name!r}")
        if count < 1:
            raise ValueError(f"`count` must be at least 1. Received: count={count}.")
        chunks = math.ceil(count / _CHUNK)
        seeds = np.random.SeedSequence(seed).generate_state(chunks, np.uint64) >> 1  # fit in int64
        images, cut = [], 0.0
        for index, seed in enumerate(seeds):
            drawn = np.asarray(self.model.sample(min(_CHUNK, count - index * _CHUNK), int(seed)))
            pixels, share = to_pixels(drawn)
            images.append(pixels)
            cut += share * len(drawn) / count
        return Source(np.concatenate(images)), cut

    def draw(self, count, seed):
        """The old name of `sample`."""
        warn_renamed("draw", "sample")
        return self.sample(count, seed)


@dataclasses.dataclass(frozen=True, eq=False)
class Collection:
    """Examples that are there, such as a folder of samples or the training images.

    Args:
        name: what it is called in results.
        source: a `tfgen.data.Source`.
    """

    name: str
    source: Source
    model = None
    abilities = frozenset({"sample"})  # its examples are its samples

    def sample(self, count, seed):
        """Takes `count` of the examples without replacement; returns them as `Sampler.sample`.

        Raises:
            ValueError: there are not so many.
        """
        return as_pixels(self.source).subset(count, seed), 0.0

    def draw(self, count, seed):
        """The old name of `sample`."""
        warn_renamed("draw", "sample")
        return self.sample(count, seed)


def as_pixels(source):
    """Rounds a source's float images to 8 bits; leaves bytes and vectors as they are."""
    return dataclasses.replace(source, images=to_pixels(source.images)[0])


def to_pixels(examples):
    """Rounds float images to 8 bits; leaves alone what is none, or not finite.

    Args:
        examples: an array `[count, height, width, channels]`, meant to be in [0, 1].

    Returns:
        An array, and the share of values that had to be cut off at 0 or 1.
    """
    floats = np.issubdtype(examples.dtype, np.floating)
    if not floats or examples.ndim != 4 or not np.isfinite(examples).all():
        return examples, 0.0
    inside = np.clip(examples, 0, 1)
    return np.rint(inside * 255).astype(np.uint8), float(np.mean(inside != examples))
