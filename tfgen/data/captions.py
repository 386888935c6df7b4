"""Captions that functions make of what data know: their classes and their pixels."""

import dataclasses
import functools
import itertools
from collections.abc import Callable

import numpy as np

from tfgen.data.sources import source
from tfgen.data.vocabulary import Vocabulary

_DARK = 0.6  # the mean grey of a garment's own pixels below which it is dark: about the median
_LEANING = (-0.05, 0.2)  # pixels to the side for each pixel of height: upright ones lie between
_THICK = 0.09  # the width of a pen, as a share of the image's height


@dataclasses.dataclass(frozen=True, eq=False)
class Captions:
    """Captions of labelled images, such as "a dark ankle boot", made of a choice of each kind.

    Some combinations are kept out of training. Whether a model then understands them tells whether
    it has learnt what captions are composed of.

    Args:
        choices: a dict from a kind, such as "tone", to its words, in the order of a caption.
        kinds_of: a function of a labelled `Source` to the number of each kind's choice, integers
            `[count, kinds]`.
        kept_out: a tuple of combinations that no training example has, each a tuple of words.

    Example:
        >>> test = tfgen.data.source("embedded", "test")
        >>> tfgen.data.GARMENTS.of(test)[:2]
        array(['a light ankle boot', 'a dark pullover'], dtype='<U18')
    """

    choices: dict
    kinds_of: Callable
    kept_out: tuple = ()

    @functools.cached_property
    def all(self):
        """Every caption there is, an array of strings."""
        return np.array([_caption(words) for words in itertools.product(*self.choices.values())])

    @functools.cached_property
    def vocabulary(self):
        """The `Vocabulary` of all captions."""
        return Vocabulary.of(self.all)

    def of(self, source):
        """Returns the captions of a labelled source, strings `[count]`.

        Raises:
            ValueError: its images or labels are not what the captions are made of.
        """
        kinds = self.kinds_of(source)
        return self.all[np.ravel_multi_index(kinds.T, self._sizes)]

    def kinds_in(self, captions):
        """Returns the number of each kind's choice in captions, integers `[count, kinds]`.

        Args:
            captions: strings `[count]`, each one of `all`.
        """
        order = np.argsort(self.all)
        places = order[np.searchsorted(self.all, captions, sorter=order)]
        return np.stack(np.unravel_index(places, self._sizes), axis=1)

    def are_kept_out(self, captions):
        """Tells which captions are kept out of training, booleans `[count]`."""
        return np.isin(captions, [_caption(words) for words in self.kept_out])

    def read(self, tokens):
        """Returns the captions that tokens `[count, length]` of the vocabulary stand for."""
        words = np.array(["", "", *self.vocabulary.words])
        return np.array([" ".join(filter(None, row)) for row in words[tokens]])

    def source(self, name, split="train", size=None, channels=None, skip_unreadable=False):
        """Loads data by name, with the tokens of captions in the place of their labels.

        Of "train" what is kept out is left out. Other splits are whole.

        Args:
            name: see `tfgen.data.source`, as all that follow.
            split: "train", "test" or "all".
            size: to resize images to.
            channels: 1 for grey.
            skip_unreadable: whether to leave out broken images.

        Returns:
            A `Source`, whose batches `(images, tokens)` a `tfgen.CLIP` of this vocabulary takes.

        Raises:
            ValueError: its images or labels are not what the captions are made of.
        """
        found = source(name, split, size, channels, skip_unreadable)
        captions = self.of(found)
        tokens = self.vocabulary.tokens(captions).numpy()
        captioned = dataclasses.replace(found, labels=tokens)
        if split != "train":
            return captioned
        return captioned.take(np.flatnonzero(~self.are_kept_out(captions)))

    @property
    def _sizes(self):
        return tuple(map(len, self.choices.values()))


def _caption(words):
    return " ".join(["a", *words])


def _check(source, what):
    """Raises a ValueError unless a source has grey images of ten classes."""
    labels = source.labels
    images, classes = source.shape[-1] == 1 and len(source.shape) == 3, labels is not None
    if not images or not classes or labels.ndim != 1 or not 0 <= labels.min() <= labels.max() <= 9:
        raise ValueError(
            f"These captions are of {what}: grey images, labelled by one of 0 to 9. "
            f"Received: {source!r}."
        )


def _garments(source):
    _check(source, "Fashion-MNIST's garments")
    images = source.floats().numpy()
    own = np.maximum(np.sum(images > 0, axis=(1, 2, 3)), 1)
    is_light = images.sum(axis=(1, 2, 3)) / own >= _DARK
    return np.stack([is_light.astype(np.int64), source.labels], axis=1)


def _digits(source):
    _check(source, "written digits")
    images = source.floats().numpy()[..., 0].astype(np.float64)
    is_thick = _pen_width(images) >= _THICK * images.shape[1]
    leaning = np.searchsorted(_LEANING, _slant(images))
    return np.stack([is_thick.astype(np.int64), leaning, source.labels], axis=1)


def _slant(images):
    """Returns how far each digit's top leans to the right, in pixels for each pixel of height."""
    down, right = np.meshgrid(*map(np.arange, images.shape[1:]), indexing="ij")
    mass = np.maximum(images.sum(axis=(1, 2)), 1e-9)

    def mean(values):
        return (images * values).sum(axis=(1, 2)) / mass

    covariance = mean(down * right) - mean(down) * mean(right)
    variance = mean(down * down) - mean(down) ** 2
    return -covariance / np.maximum(variance, 1e-9)


def _pen_width(images):
    """Returns the width of each digit's lines, in pixels: twice its area by its outline.

    The outline is what brightness changes by, down and to the right. That is too long by the mean
    of `|cos| + |sin|` over all directions, which is 4 / pi.
    """
    padded = np.pad(images, [(0, 0), (1, 1), (1, 1)])
    changes = sum(np.abs(np.diff(padded, axis=axis)).sum(axis=(1, 2)) for axis in (1, 2))
    return 2 * images.sum(axis=(1, 2)) / np.maximum(changes * np.pi / 4, 1e-9)


GARMENTS = Captions(
    {
        "tone": ("dark", "light"),
        "garment": (
            *("t-shirt", "pair of trousers", "pullover", "dress", "coat"),
            *("sandal", "shirt", "sneaker", "bag", "ankle boot"),
        ),
    },
    _garments,
    kept_out=(
        *(("dark", "bag"), ("dark", "pair of trousers")),
        *(("light", "ankle boot"), ("light", "sneaker")),
    ),
)

DIGITS = Captions(
    {
        "pen": ("thin", "thick"),
        "slant": ("left-leaning", "upright", "right-leaning"),
        "digit": tuple("zero one two three four five six seven eight nine".split()),
    },
    _digits,
    kept_out=(
        *(("thin", "right-leaning", "two"), ("thick", "left-leaning", "four")),
        *(("thin", "upright", "six"), ("thick", "upright", "nine")),
    ),
)
