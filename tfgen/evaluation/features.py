"""From images to the feature vectors that scores are computed on."""

import abc
import functools
import hashlib
import math

import keras
import numpy as np
import tensorflow as tf

from tfgen.data import Source, batches
from tfgen.data.source import to_floats


class Features(abc.ABC):
    """A map from images to feature vectors, which knows what it is called.

    A score depends on its features as much as on the images: `name`, `checksum` and `preparation`
    (what is done to an image first, in words) go into the protocol of every result. A subclass
    gives them, and `extract`; and in `titles` the names that scores have on these features alone,
    such as "fid" for the Frechet distance.
    """

    name = None
    checksum = ""
    preparation = "none"
    titles = {}
    details = {}  # what else is worth noting of them in a result

    @abc.abstractmethod
    def extract(self, images):
        """Maps a batch to its features; it can be traced, and run on a replica.

        Args:
            images: float32 `[batch, ...]`, images in [0, 1], NHWC.

        Returns:
            A float32 tensor `[batch, size]`.
        """

    def __call__(self, images, batch_size=50, progress=False):
        """Computes the features of any number of images, batch by batch.

        Args:
            images: an array or tensor of images or vectors, as `tfgen.data.Source` takes them; a
                `Source`; or a `tf.data.Dataset` of batches as for `fit`, whose labels are ignored.
            batch_size: images at a time, unless the data set decides that.
            progress: whether to show a progress bar.

        Returns:
            A float32 array `[count, size]`.

        Raises:
            ValueError: the images are not finite or not in [0, 1] (those of a data set are not
                looked at), or their features not finite.
        """
        dataset = batches_of(images, batch_size)
        steps = len(dataset) if dataset.cardinality() >= 0 else None
        bar = keras.utils.Progbar(steps, unit_name="batch", verbose=int(progress))
        found = []
        for batch in dataset:
            # Traced once for batches of any size, but for each size of images.
            extract = self._traced.get_concrete_function(
                tf.TensorSpec([None, *batch.shape[1:]], batch.dtype)
            )
            found.append(extract(batch).numpy())
            bar.add(1)
        features = np.concatenate(found)
        if not np.isfinite(features).all():
            raise ValueError(
                f"The features {self.name!r} of {np.sum(~np.isfinite(features).all(axis=1))} of "
                f"{len(features)} images are not finite. Look for NaN in the network's weights."
            )
        return features

    def probabilities(self, images, batch_size=50, progress=False):
        """Computes probabilities of classes, `[count, classes]`, of features that have some.

        Raises:
            ValueError: they have none.
        """
        raise ValueError(f"The features {self.name!r} have no classes, which a score is to be of.")

    def title(self, score):
        """Returns the name of a score that would be taken for another if it did not say on what."""
        return self.titles.get(score, f"{self.name}_{score}")

    @functools.cached_property
    def _traced(self):
        # Without AutoGraph, which wraps errors in many lines: there is nothing in it to convert.
        return tf.function(self.extract, autograph=False)


class PixelFeatures(Features):
    """The pixels themselves, as vectors: for toy data, and as the plainest of comparisons.

    Example:
        >>> evaluation.PixelFeatures()(np.zeros([10, 28, 28, 1], np.float32)).shape
        (10, 784)
    """

    name = "pixels"
    checksum = ""  # there is nothing that could change

    def extract(self, images):
        # An empty batch has no size that could be inferred.
        return tf.reshape(images, [tf.shape(images)[0], math.prod(images.shape[1:])])


class ModelFeatures(Features):
    """The output of any Keras model, such as a classifier without its last layer.

    Args:
        model: a built model from images in [0, 1] to one output; flattened if it is no vector.
        name: what the features are called in results. It has to tell networks apart that differ in
            anything but their weights.

    Example:
        >>> features = evaluation.ModelFeatures(encoder, name="my-encoder")
        >>> features(images).shape
        (10, 64)
    """

    def __init__(self, model, name):
        self.model = model
        self.name = name
        self.checksum = checksum_of(model.get_weights())

    def extract(self, images):
        features = self.model(images, training=False)
        return tf.cast(tf.reshape(features, [tf.shape(images)[0], -1]), tf.float32)


def batches_of(images, batch_size):
    """Returns a `tf.data.Dataset` of float32 batches, without labels, of what `Features` takes."""
    if isinstance(images, tf.data.Dataset):
        return images.map(_without_labels)
    source = images if isinstance(images, Source) else Source(np.asarray(images))
    return batches(source, batch_size, shuffle=False)


@tf.autograph.experimental.do_not_convert
def _without_labels(images, *_):
    return to_floats(images)


def checksum_of(arrays):
    """Returns a short hexadecimal digest of arrays: of their values, shapes and types."""
    digest = hashlib.blake2b(digest_size=16)
    for array in arrays:
        array = np.ascontiguousarray(array)
        digest.update(f"{array.dtype.str}{array.shape}".encode())
        digest.update(array.data)
    return digest.hexdigest()
