"""Data sets of TensorFlow Datasets, read into memory."""

import re
import socket
import urllib.request

import tensorflow as tf

from tfgen.data.source import Source
from tfgen.data.splits import one_in_ten
from tfgen.utils.suggestions import suggest

# What is held out, the first of these that there is.
_HELD_OUT = ("test", "validation")


def read_tfds(name, split, resize=None):
    """Reads a split of a data set, which is downloaded if need be.

    Where neither "test" nor "validation" is there, one example in ten is held out.

    Args:
        name: the data set's name, as for `tfds.load`.
        split: "train" or "test".
        resize: what each image is brought to one size with, or `None`.

    Returns:
        A `Source`, with the feature "label" as labels if there is one.

    Raises:
        ValueError: there is none of that name, it has no images or no split "train", or its images
            differ in size, or its labels in length.
        ConnectionError: it is not on this machine, and there is no network.
    """
    import tensorflow_datasets as tfds  # slow to import, and rarely needed

    try:
        builder = tfds.builder(name)
    except tfds.core.DatasetNotFoundError as error:
        raise ValueError(
            f"TensorFlow Datasets has none called {name!r}. {suggest(name, tfds.list_builders())}"
        ) from error
    if not builder.is_prepared():
        _prepare(builder)
    held_out = next((part for part in _HELD_OUT if part in builder.info.splits), None)
    if split == "test" and held_out:
        return _read(builder, name, held_out, resize)
    if "train" not in builder.info.splits:
        raise ValueError(
            f"{name!r} must have the split 'train'. Received: {list(builder.info.splits)}."
        )
    train = _read(builder, name, "train", resize)
    return train if held_out else train.take(one_in_ten(len(train), split, repr(name)))


def is_tfds(name):
    """Returns whether TensorFlow Datasets has a data set of that name."""
    import tensorflow_datasets as tfds  # slow to import, and rarely needed

    return re.split("[/:]", name)[0] in tfds.list_builders(with_community_datasets=False)


def _read(builder, name, part, resize):
    features = builder.info.features
    if "image" not in features:
        raise ValueError(f"{name!r} must have the feature 'image'. Received: {list(features)}.")
    if "label" in features and None in features["label"].shape:
        raise ValueError(
            f"{name!r} must have one label for each image. Received: labels that differ in length."
        )
    wanted = [key for key in ("image", "label") if key in features]

    @tf.autograph.experimental.do_not_convert
    def read(example):
        found = {key: example[key] for key in wanted}
        return found if resize is None else {**found, "image": resize(found["image"])}

    dataset = builder.as_dataset(split=part).map(read)
    try:
        columns = next(dataset.batch(builder.info.splits[part].num_examples).as_numpy_iterator())
    except tf.errors.InvalidArgumentError as error:
        raise ValueError(
            f"The images of {name!r} differ in size. Give one to bring them to: size=(64, 64) or "
            "--size 64x64."
        ) from error
    return Source(columns["image"], columns.get("label"))


def _prepare(builder):
    """Downloads a TFDS data set, once it is clear that there is a network."""
    if not urllib.request.getproxies():
        try:
            # TFDS itself would try for minutes.
            socket.create_connection(("storage.googleapis.com", 443), timeout=5).close()
        except OSError as error:
            raise ConnectionError(
                f"The data set {builder.name!r} is not in {builder.data_dir} and cannot be "
                f"downloaded ({error}). Where there is a network, run `tfds build {builder.name}`; "
                f"then copy ~/tensorflow_datasets/{builder.name} here and name the folder that it "
                "lies in: export TFDS_DATA_DIR=FOLDER. Without any network, take the data "
                "'embedded'."
            ) from error
    builder.download_and_prepare()
