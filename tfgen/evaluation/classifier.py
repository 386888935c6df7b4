"""Features of a small classifier, trained once on the data at hand: they need no download."""

import pathlib

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from tfgen.data import Source, batches, steps_per_epoch
from tfgen.evaluation.cache import cached_arrays
from tfgen.evaluation.features import Features, checksum_of

_BATCH_SIZE = 64
_EPOCHS = 8
_SMALLEST = 8  # pixels: what two poolings leave something of


class ClassifierFeatures(Features):
    """The last hidden layer, 128 values, of a classifier trained on the data's own labels.

    The offline default: small, quick, and at home in the data, where Inception knows photographs
    only. A score on them is no Frechet Inception Distance, and compares only with scores on the
    same classifier: see `checksum`.

    The classifier is trained when this is first built, and then kept in the cache's folder
    (`TFGEN_CACHE`, or `~/.cache/tfgen`) under a digest of the data and of this file. Trained again
    on the same machine it has the same weights; no global seed is read or set. Computes in
    float32, whatever precision Keras is set to.

    Args:
        train: a `tfgen.data.Source` of labelled images of at least 8x8, of two classes at least.
        test: a `Source` of labelled images of the same shape and classes, for `accuracy`.
        progress: whether to show a progress bar of the training.

    Attributes:
        accuracy: the share of the test images that are classified rightly.
        classes: the labels, in the order of the columns of `probabilities`.
        checksum: a digest of the classifier's weights.

    Raises:
        ValueError: there are vectors in place of images; labels are missing, no integers, or all
            of one class; or the test images differ from the training images in shape or classes.

    Example:
        >>> train, test = data.source("embedded", "train"), data.source("embedded", "test")
        >>> features = evaluation.ClassifierFeatures(train, test)
        >>> features(test).shape, features.probabilities(test).shape
        ((2000, 128), (2000, 10))
    """

    name = "classifier"

    def __init__(self, train, test, progress=False):
        _check(train, test)
        self.classes = np.unique(train.labels)
        self._features, self._head = _networks(train.shape, len(self.classes))
        kept = cached_arrays(
            f"classifier-{_digest(train, test)}", lambda: self._train(train, test, progress)
        )
        self.accuracy = float(kept.pop("accuracy"))
        weights = [kept[str(index)] for index in range(len(kept))]
        _classifier(self._features, self._head).set_weights(weights)
        self.checksum = checksum_of(weights)

    @property
    def details(self):
        return {"classifier_accuracy": self.accuracy}

    def extract(self, images):
        shape = self._features.input_shape[1:]
        if tuple(images.shape[1:]) != shape:
            raise ValueError(
                f"This classifier was trained on images of {shape}. "
                f"Received: images of {tuple(images.shape[1:])}. Resize them, or train one on them."
            )
        return self._features(images, training=False)

    def probabilities(self, images, batch_size=50, progress=False):
        """Computes the probabilities of the classes.

        Args:
            images: as for a call.
            batch_size: images at a time.
            progress: whether to show a progress bar.

        Returns:
            A float32 array `[count, len(classes)]`.
        """
        return tf.nn.softmax(self._head(self(images, batch_size, progress))).numpy()

    def _train(self, train, test, progress):
        """Returns the trained weights by their index, and the accuracy, as arrays."""
        network = _classifier(self._features, self._head)
        labels = np.searchsorted(self.classes, train.labels)
        _fit(network, Source(train.images, labels), progress)
        found = self.classes[np.argmax(self.probabilities(test), axis=1)]
        weights = {str(index): weight for index, weight in enumerate(network.get_weights())}
        return {"accuracy": np.mean(found == test.labels), **weights}


def _networks(shape, classes):
    """Returns the model from images to features, and the layer from features to logits."""
    # A seed of each layer's own: Keras would otherwise draw one from the caller's generator.
    seeds = iter(range(100))

    def layer(kind, *arguments, **options):
        initializer = keras.initializers.HeUniform(seed=next(seeds))
        return kind(*arguments, kernel_initializer=initializer, dtype="float32", **options)

    inputs = keras.Input(shape, dtype="float32", name="images")
    hidden = inputs
    for filters in (16, 32):
        hidden = layer(layers.Conv2D, filters, 3, padding="same", activation="relu")(hidden)
        hidden = layers.MaxPooling2D(2, dtype="float32")(hidden)
    hidden = layers.Flatten(dtype="float32")(hidden)
    hidden = layers.Dropout(0.3, seed=next(seeds), dtype="float32")(hidden)
    features = layer(layers.Dense, 128, activation="relu")(hidden)
    head = layer(layers.Dense, classes)
    head.build(features.shape)
    return keras.Model(inputs, features), head


def _classifier(features, head):
    return keras.Model(features.inputs, head(features.output))


def _fit(network, source, progress):
    batch_size = min(_BATCH_SIZE, len(source))
    steps = _EPOCHS * steps_per_epoch(source, batch_size)
    network.compile(
        keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(1e-3, steps)),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True, dtype="float32"),
        jit_compile=False,
        auto_scale_loss=False,
    )
    stream = batches(source, batch_size, labels=True)
    network.fit(stream, epochs=_EPOCHS, shuffle=False, verbose=int(progress))


def _digest(train, test):
    """Returns a digest of all that the trained classifier depends on, this code included."""
    code = np.frombuffer(pathlib.Path(__file__).read_bytes(), np.uint8)
    return checksum_of([train.images, train.labels, test.images, test.labels, code])


def _check(train, test):
    for name, source in (("train", train), ("test", test)):
        if len(source.shape) != 3 or min(source.shape[:2]) < _SMALLEST:
            raise ValueError(
                f"The classifier takes images of {_SMALLEST}x{_SMALLEST} and larger. "
                f"Received: `{name}` with examples of shape {source.shape}."
            )
        if source.labels is None:
            raise ValueError(f"The classifier is trained on labels; `{name}` has none.")
        if source.labels.ndim != 1 or not np.issubdtype(source.labels.dtype, np.integer):
            raise ValueError(
                f"Labels must be integers, one for each image. Received: `{name}` with labels of "
                f"shape {source.labels.shape} and type {source.labels.dtype}."
            )
    if train.shape != test.shape:
        raise ValueError(
            "Training and test images must have one shape. "
            f"Received: {train.shape} and {test.shape}."
        )
    classes, unknown = np.unique(train.labels), np.setdiff1d(test.labels, train.labels)
    if len(classes) < 2:
        raise ValueError(f"`train` needs at least two classes. Received: only {classes.tolist()}.")
    if len(unknown):
        raise ValueError(
            f"`test` has classes that `train` lacks: {unknown.tolist()}. "
            f"Received: {classes.tolist()} in `train`."
        )
