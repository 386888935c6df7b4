"""The Inception network that the Frechet Inception Distance is defined by."""

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from tfgen.evaluation.features import Features
from tfgen.evaluation.inception_weights import CHECKSUM, CLASS_WEIGHTS, read_weights

SIZE = 299
# What the graph keeps of a convolution and its batch normalization, which has no gamma.
_PARTS = (
    "conv2d_params",
    "batchnorm/beta",
    "batchnorm/moving_mean",
    "batchnorm/moving_variance",
)
_EPSILON = 1e-3


class InceptionFeatures(Features):
    """The 2,048 features `pool_3` of the Inception network of 2015-12-05 (Szegedy et al., 2016).

    The canonical features of the Frechet Inception Distance (Heusel et al., 2017) and of most
    other scores. What the original graph does to an image is done here too: pixels are rounded to
    0..255, grey is repeated to three channels, and images are resized to 299x299 bilinearly with
    pixel centres at whole numbers and without smoothing, as TensorFlow 1 did.

    Computes in float32, whatever precision Keras is set to.

    Args:
        weights: where the weights are: a path of the official archive (`.tgz`), of the frozen
            graph in it (`.pb`), or of a NumPy archive (`.npz`) of its constants. `None` downloads
            the official archive once and keeps it in the cache's folder (`TFGEN_CACHE`, or
            `~/.cache/tfgen`).

    Raises:
        ValueError: the file holds other weights, or is damaged.
        FileNotFoundError: there is no such file.
        ConnectionError: the archive has to be downloaded, and cannot be.

    Example:
        >>> features = evaluation.InceptionFeatures()
        >>> features(np.zeros([10, 28, 28, 1], np.float32), progress=True).shape
        (10, 2048)
    """

    name = "inception-2015-12-05"
    checksum = CHECKSUM
    preparation = (
        f"rounded to 0..255, grey repeated to 3 channels, resized to {SIZE}x{SIZE} bilinearly as "
        "TensorFlow 1 does (no half-pixel centres, no antialiasing), float32"
    )
    titles = {
        "frechet_distance": "fid",
        "kernel_distance": "kid",
        "score": "inception_score",
    }

    def __init__(self, weights=None):
        self._network = inception_network()
        arrays = read_weights(weights, names=array_names(self._network))
        load_weights(self._network, arrays)
        self._class_weights = arrays.get(CLASS_WEIGHTS)

    def extract(self, images):
        return self._network(prepare(images), training=False)

    def probabilities(self, images, batch_size=50, progress=False):
        """Computes the probabilities of the network's 1,008 classes, for the Inception score.

        As in the code of Salimans et al., 2016, the last layer's biases are left out: published
        scores are all computed so.

        Args:
            images: as for a call.
            batch_size: images at a time.
            progress: whether to show a progress bar.

        Returns:
            A float32 array `[count, 1008]`.

        Raises:
            ValueError: the weights came from a file without the last layer.
        """
        if self._class_weights is None:
            raise ValueError(
                "These weights end at `pool_3`, and have no classes: pass the official archive or "
                "the frozen graph as `weights`."
            )
        features = self(images, batch_size, progress)
        return tf.nn.softmax(tf.matmul(features, self._class_weights)).numpy()


def prepare(images):
    """Makes the network's input of images.

    Args:
        images: float32 `[batch, height, width, 1 or 3]` in [0, 1].

    Returns:
        A float32 tensor `[batch, 299, 299, 3]` in [-1, 1).

    Raises:
        ValueError: these are no images of 1 or 3 channels.
    """
    if len(images.shape) != 4 or images.shape[-1] not in (1, 3):
        raise ValueError(
            "Inception takes images [batch, height, width, channels] of 1 or 3 channels. "
            f"Received: a batch of shape {list(images.shape)}."
        )
    pixels = tf.round(tf.cast(images, tf.float32) * 255.0)
    resized = tf.raw_ops.ResizeBilinear(
        images=pixels, size=[SIZE, SIZE], align_corners=False, half_pixel_centers=False
    )
    colours = resized if images.shape[-1] == 3 else tf.repeat(resized, 3, axis=-1)
    return (colours - 128.0) / 128.0


def inception_network():
    """Builds the network from prepared images to `pool_3`, with random weights.

    Batch normalization has its place in the convolutions' kernels and biases: see `load_weights`.

    Returns:
        A model from `[batch, 299, 299, 3]` to `[batch, 2048]`. Its convolutions are named as the
        original graph's nodes are, with dots for slashes.
    """
    inputs = keras.Input([SIZE, SIZE, 3], dtype="float32", name="images")
    hidden = _convolution(inputs, "conv", 32, 3, strides=2, padding="valid")
    hidden = _convolution(hidden, "conv_1", 32, 3, padding="valid")
    hidden = _convolution(hidden, "conv_2", 64, 3)
    hidden = _halve(hidden)
    hidden = _convolution(hidden, "conv_3", 80, 1, padding="valid")
    hidden = _convolution(hidden, "conv_4", 192, 3, padding="valid")
    hidden = _halve(hidden)
    for name, pooled in (("mixed", 32), ("mixed_1", 64), ("mixed_2", 64)):
        hidden = _block_of_fives(hidden, name, pooled)
    hidden = _reduction_to_17(hidden, "mixed_3")
    for name, filters in (("mixed_4", 128), ("mixed_5", 160), ("mixed_6", 160), ("mixed_7", 192)):
        hidden = _block_of_sevens(hidden, name, filters)
    hidden = _reduction_to_8(hidden, "mixed_8")
    hidden = _block_of_forks(hidden, "mixed_9", layers.AveragePooling2D)
    # No mistake of ours: the graph's last block takes the maximum where the others average.
    hidden = _block_of_forks(hidden, "mixed_10", layers.MaxPooling2D)
    return keras.Model(inputs, layers.GlobalAveragePooling2D(dtype="float32")(hidden))


def array_names(network):
    """Returns the names of the arrays that `load_weights` needs."""
    return [f"{node}/{part}" for node in _convolutions(network) for part in _PARTS]


def load_weights(network, arrays):
    """Gives an `inception_network` the graph's weights, with batch normalization folded in.

        (kernel * x - mean) / sqrt(variance + epsilon) + beta

    is a convolution with a kernel and a bias of its own; they are computed in float64.

    Args:
        network: what `inception_network` returns.
        arrays: a dict of arrays by the graph's names.
    """
    for node, layer in _convolutions(network).items():
        kernel, beta, mean, variance = (
            np.asarray(arrays[f"{node}/{part}"], np.float64) for part in _PARTS
        )
        scale = 1 / np.sqrt(variance + _EPSILON)
        layer.set_weights([kernel * scale, beta - mean * scale])


def _convolutions(network):
    """Returns the convolutions by the graph's names."""
    return {
        layer.name.replace(".", "/"): layer
        for layer in network.layers
        if isinstance(layer, layers.Conv2D)
    }


def _block_of_fives(inputs, name, pooled):
    return _join(
        _tower(inputs, name, (64, 1)),
        _tower(inputs, f"{name}.tower", (48, 1), (64, 5)),
        _tower(inputs, f"{name}.tower_1", (64, 1), (96, 3), (96, 3)),
        _tower(_pool(inputs, layers.AveragePooling2D), f"{name}.tower_2", (pooled, 1)),
    )


def _reduction_to_17(inputs, name):
    once = _convolution(inputs, f"{name}.conv", 384, 3, strides=2, padding="valid")
    tower = _tower(inputs, f"{name}.tower", (64, 1), (96, 3))
    twice = _convolution(tower, f"{name}.tower.conv_2", 96, 3, strides=2, padding="valid")
    return _join(once, twice, _halve(inputs))


def _block_of_sevens(inputs, name, few):
    row, column = (1, 7), (7, 1)
    return _join(
        _tower(inputs, name, (192, 1)),
        _tower(inputs, f"{name}.tower", (few, 1), (few, row), (192, column)),
        _tower(
            inputs,
            f"{name}.tower_1",
            *((few, 1), (few, column), (few, row), (few, column), (192, row)),
        ),
        _tower(_pool(inputs, layers.AveragePooling2D), f"{name}.tower_2", (192, 1)),
    )


def _reduction_to_8(inputs, name):
    first = _tower(inputs, f"{name}.tower", (192, 1))
    first = _convolution(first, f"{name}.tower.conv_1", 320, 3, strides=2, padding="valid")
    second = _tower(inputs, f"{name}.tower_1", (192, 1), (192, (1, 7)), (192, (7, 1)))
    second = _convolution(second, f"{name}.tower_1.conv_3", 192, 3, strides=2, padding="valid")
    return _join(first, second, _halve(inputs))


def _block_of_forks(inputs, name, pooling):
    once = _tower(inputs, f"{name}.tower", (384, 1))
    twice = _tower(inputs, f"{name}.tower_1", (448, 1), (384, 3))
    return _join(
        _tower(inputs, name, (320, 1)),
        _fork(once, f"{name}.tower.mixed"),
        _fork(twice, f"{name}.tower_1.mixed"),
        _tower(_pool(inputs, pooling), f"{name}.tower_2", (192, 1)),
    )


def _fork(inputs, name):
    return _join(
        _convolution(inputs, f"{name}.conv", 384, (1, 3)),
        _convolution(inputs, f"{name}.conv_1", 384, (3, 1)),
    )


def _tower(inputs, name, *convolutions):
    """Stacks convolutions (filters, kernel size), named as TensorFlow 1 numbered them."""
    hidden = inputs
    for index, (filters, kernel_size) in enumerate(convolutions):
        number = f"_{index}" if index else ""
        hidden = _convolution(hidden, f"{name}.conv{number}", filters, kernel_size)
    return hidden


def _convolution(inputs, name, filters, kernel_size, strides=1, padding="same"):
    return layers.Conv2D(
        filters,
        kernel_size,
        strides=strides,
        padding=padding,
        activation="relu",
        dtype="float32",
        name=name,
    )(inputs)


def _halve(inputs):
    return layers.MaxPooling2D(3, strides=2, dtype="float32")(inputs)


def _pool(inputs, pooling):
    return pooling(3, strides=1, padding="same", dtype="float32")(inputs)


def _join(*branches):
    return layers.Concatenate(dtype="float32")(branches)
