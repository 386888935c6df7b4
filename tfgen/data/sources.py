"""Data by name."""

import dataclasses
import importlib.resources
import numbers
import pathlib
import zipfile

import numpy as np
import tensorflow as tf

from tfgen.data.batches import batches
from tfgen.data.demo import four_modes
from tfgen.data.folder import read_folder
from tfgen.data.gaussians import gaussian_grid, gaussian_ring
from tfgen.data.painted import marbles
from tfgen.data.plant import FAULTS, plant
from tfgen.data.source import Source
from tfgen.data.splits import SPLITS, one_in_ten
from tfgen.data.sprites import sprites
from tfgen.data.tfds import is_tfds, read_tfds
from tfgen.utils.suggestions import suggest


def load_batches(name, split="train", batch_size=64, *, size=None, channels=None, **options):
    """Loads data by name and makes batches of them.

    Args:
        name: see `tfgen.data.source`.
        split: "train" or "test".
        batch_size: examples per (global) batch.
        size: `(height, width)` to resize images to, or one integer for a square.
        channels: 1 for grey, 3 for colour.
        **options: what `tfgen.data.batches` takes: `shuffle`, `repeat`, `first_step`, `seed`,
            `labels`, `binarized`, `levels`.

    Returns:
        A `tf.data.Dataset` of float32 batches, images in [0, 1].

    Example:
        >>> images = tfgen.data.load_batches("embedded", split="train", batch_size=64)
    """
    return batches(source(name, split, size, channels), batch_size, **options)


def source(name, split="train", size=None, channels=None, skip_unreadable=False):
    """Loads data by name into memory.

    Args:
        name: one of
            "embedded": 10,000 training and 2,000 test images of Fashion-MNIST, 28x28x1, in the
            package;
            "demo": the lecture's 100 points of 32 features, see `tfgen.data.four_modes`;
            "ring": 100,000 training and 10,000 test points of 8 Gaussians on a circle, see
            `tfgen.data.gaussian_ring`;
            "grid": as many of 25 Gaussians on a square, see `tfgen.data.gaussian_grid`;
            "marbles": 10,000 training and 5,000 test images that a function paints, 64x64x3, see
            `tfgen.data.marbles`;
            "sprites": 50,000 training and 10,000 test images of shapes, 32x32x1, whose labels are
            the factors that they are made of, see `tfgen.data.sprites`;
            "plant": 20,000 readings of a plant's sensors in normal operation to train with, and
            5,000 to test with, of which three in four are faulty, see `tfgen.data.plant`;
            "digits": scikit-learn's 1,797 written digits, 8x8x1, of which one in ten is kept for
            "test";
            "tfds:NAME": a data set of TensorFlow Datasets with images, downloaded if need be; where
            it has no "test", that is its "validation", or one example in ten;
            "folder:PATH": a folder of images, see `tfgen.data.folder`;
            "npz:PATH": a NumPy archive with `x_train` and `x_test` (and `y_train`, `y_test`), or
            with `x` (and `y`), of which one example in ten is kept for "test".
        split: "train", "test", or "all": both, one after the other.
        size: `(height, width)` to resize images to, or one integer for a square; `None` leaves
            them. Images of a folder are cut to that shape around their centre first; others are
            stretched.
        channels: 1 for grey, 3 for colour; `None` leaves them.
        skip_unreadable: whether to leave out (and count) a folder's broken images.

    Returns:
        A `Source`.

    Raises:
        ValueError: an unknown name or split, or data that are no examples (see `Source`).
        FileNotFoundError: no such file or folder, or an empty one.
        ConnectionError: the data set is not on this machine, and there is no network.
    """
    scheme, _, argument = name.partition(":")
    if scheme not in _READERS:
        raise ValueError(f"There are no data called {name!r}. {_guess(name)}")
    if bool(argument) != (scheme in _WITH_ARGUMENT):
        form = f"{scheme}:..." if scheme in _WITH_ARGUMENT else scheme
        raise ValueError(f"Expected data by the name {form!r}. Received: {name!r}.")
    if split not in (*SPLITS, "all"):
        raise ValueError(f"`split` must be one of {(*SPLITS, 'all')}. Received: split={split!r}.")
    size = _as_size(size)
    read = _READERS[scheme](argument, split, size, skip_unreadable)
    return _fit(read, size, channels)


def scheme_of_path(name):
    """Returns how to name a file or folder that was named by its path alone; `None` for others."""
    if pathlib.PurePath(name).suffix == ".npz":
        return "npz"
    is_path = name.startswith(("/", ".", "~")) or pathlib.Path(name).is_dir()
    return "folder" if is_path else None


def _guess(name):
    """Returns a sentence that says what data may have been meant by a name that is unknown."""
    scheme = scheme_of_path(name) or ("tfds" if is_tfds(name) else None)
    if scheme is not None:
        return f"Did you mean {f'{scheme}:{name}'!r}?"
    return suggest(name.partition(":")[0], _READERS)


def _as_size(size):
    """Returns a height and a width; one number is a square's."""
    if size is None:
        return None
    sides = (size, size) if isinstance(size, numbers.Integral) else tuple(size)
    if len(sides) != 2 or not all(isinstance(each, numbers.Integral) for each in sides):
        raise ValueError(f"`size` must be (height, width), or one integer. Received: size={size}.")
    if min(sides) < 1:
        raise ValueError(f"`size` must be at least 1 pixel. Received: size={size}.")
    return sides


def _by_split(reader):
    """Gives a reader that knows one split at a time the form of `read_folder`."""

    def read(argument, split, size, skip_unreadable):
        parts = SPLITS if split == "all" else (split,)
        sources = [reader(argument, part, size) for part in parts]
        labelled = all(each.labels is not None for each in sources)
        labels = np.concatenate([each.labels for each in sources]) if labelled else None
        return Source(np.concatenate([each.images for each in sources]), labels)

    return read


def _embedded(_, split, size):
    path = importlib.resources.files("tfgen.data.embedded") / "fashion_mnist.npz"
    with path.open("rb") as file, np.load(file) as archive:
        return Source(archive[f"x_{split}"], archive[f"y_{split}"])


def _demo(_, split, size):
    return four_modes(seed=SPLITS.index(split))


def _draws_of(gaussians):
    counts = {"train": 100_000, "test": 10_000}
    return lambda _, split, size: gaussians.sample(counts[split], seed=SPLITS.index(split))


def _marbles(_, split, size):
    counts = {"train": 10_000, "test": 5000}
    return marbles(counts[split], seed=SPLITS.index(split))


def _sprites(_, split, size):
    counts = {"train": 50_000, "test": 10_000}
    return sprites(counts[split], size=32, seed=SPLITS.index(split))


def _plant(_, split, size):
    if split == "train":
        return plant(20_000, seed=SPLITS.index(split))
    return plant(5000, FAULTS, seed=SPLITS.index(split))


def _digits(_, split, size):
    import sklearn.datasets  # slow to import, and rarely needed

    images, labels = sklearn.datasets.load_digits(return_X_y=True)
    # They come in the order 0, 1, 2, ..., so that every tenth would be of few classes.
    order = np.random.default_rng(0).permutation(len(labels))
    whole = Source(images[order].reshape(-1, 8, 8) / 16, labels[order])
    return whole.take(one_in_ten(len(whole), split, "the data set"))


def _npz(path, split, size):
    file = pathlib.Path(path).expanduser()
    if not file.is_file():
        raise FileNotFoundError(f"There is no file {file}.")
    try:
        # `np.load` would leave a broken file open, and takes bare arrays.
        with file.open("rb") as opened, np.lib.npyio.NpzFile(opened) as archive:
            return _from_archive(file, archive, split)
    except zipfile.BadZipFile as error:
        raise ValueError(f"{file} is not a NumPy archive, or broken: {error}.") from error


def _from_archive(file, archive, split):
    if f"x_{split}" in archive:
        return Source(archive[f"x_{split}"], archive.get(f"y_{split}"))
    if "x" not in archive:
        raise ValueError(
            f"{file} must hold `x_train` and `x_test`, or `x`. Received: {sorted(archive)}."
        )
    whole = Source(archive["x"], archive.get("y"))
    return whole.take(one_in_ten(len(whole), split, f"the archive {file}"))


def _tfds(name, split, size):
    return read_tfds(name, split, None if size is None else lambda image: _resize(image, size))


def _fit(source, size, channels):
    """Resizes images and changes their channels, where asked for and needed."""
    images = source.images
    if images.ndim != 4:
        if size or channels:
            raise ValueError("Only images have a size and channels; these data are vectors.")
        return source
    if size is not None and tuple(size) != images.shape[1:3]:
        images = _resize(images, size)
    if channels is not None and channels != images.shape[-1]:
        if channels not in (1, 3):
            raise ValueError(f"`channels` must be 1 or 3. Received: channels={channels}.")
        if images.shape[-1] not in (1, 3):
            raise ValueError(
                f"Only images of 1 or 3 channels can be made grey or coloured. Received: images of "
                f"{images.shape[-1]} channels, and channels={channels}. Convert them before: of "
                "RGBA, `images[..., :3]` are the colours."
            )
        convert = tf.image.rgb_to_grayscale if channels == 1 else tf.image.grayscale_to_rgb
        images = convert(tf.convert_to_tensor(images))
    return dataclasses.replace(source, images=np.asarray(images))


def _resize(images, size):
    """Resizes one image or many, keeping their type."""
    resized = tf.image.resize(images, size, antialias=True)
    if images.dtype == tf.uint8:
        return tf.cast(tf.round(resized), tf.uint8)
    return tf.clip_by_value(resized, 0.0, 1.0)  # rounding errors lead out of it


_READERS = {
    "embedded": _by_split(_embedded),
    "demo": _by_split(_demo),
    "ring": _by_split(_draws_of(gaussian_ring())),
    "grid": _by_split(_draws_of(gaussian_grid())),
    "marbles": _by_split(_marbles),
    "sprites": _by_split(_sprites),
    "plant": _by_split(_plant),
    "digits": _by_split(_digits),
    "tfds": _by_split(_tfds),
    "folder": read_folder,
    "npz": _by_split(_npz),
}
_WITH_ARGUMENT = {"tfds", "folder", "npz"}
