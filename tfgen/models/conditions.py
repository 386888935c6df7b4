"""Labels as the vectors that networks take: classes one-hot, or attributes as they are."""

import numpy as np
import tensorflow as tf

from tfgen.distributions.codes import one_hot
from tfgen.engine import noise
from tfgen.engine.batches import unpack
from tfgen.utils.arguments import check_count


class Conditions:
    """What a conditional model knows of its labels.

    Classes out of range are refused in every step; with `jit_compile=True`, which drops such
    checks, the losses become NaN.

    Args:
        who: what the model is called in errors, such as "conditional GAN".
        num_classes: the number of classes; `None` where labels are vectors of attributes.
        size: the length of a condition's vector.

    Raises:
        ValueError: `num_classes` is no integer, or less than 1.
    """

    def __init__(self, who, num_classes, size):
        if num_classes is not None:
            check_count("num_classes", num_classes)
        self.who = who
        self.num_classes = num_classes
        self.size = size

    @property
    def spec(self):
        """The `tf.TensorSpec` of labels in an export's signatures."""
        if self.num_classes is None:
            return tf.TensorSpec([None, self.size], tf.float32, "labels")
        return tf.TensorSpec([None], tf.int32, "labels")

    def labels_of(self, data):
        """Returns a batch's labels, a tensor.

        Raises:
            ValueError: there are none, or not as many as images.
        """
        images, labels = unpack(data)
        if labels is None:
            raise ValueError(
                f"A {self.who} learns from batches of (images, labels), and its methods take "
                "`labels=`. Received: images without labels. `tfgen.data.load_batches(..., "
                "labels=True)` makes such batches."
            )
        labels = tf.convert_to_tensor(labels)
        check_labels(labels, images.shape[0], "images")
        return labels

    def vectors(self, labels):
        """Returns the vectors that the networks take, float32 `[batch, size]`.

        Args:
            labels: classes, integers `[batch]` or `[batch, 1]`; or attributes, `[batch, size]`.

        Raises:
            TypeError: classes are no integers, or attributes no numbers.
            ValueError: labels have another shape, or are no classes.
        """
        labels = tf.convert_to_tensor(labels)
        if self.num_classes is None:
            return self._attributes(labels)
        if not labels.dtype.is_integer:
            raise TypeError(
                f"Classes must be integers from 0 to {self.num_classes - 1}. Received: labels of "
                f"{labels.dtype.name}."
            )
        if labels.shape[1:].num_elements() not in (1, None):
            raise ValueError(
                "Classes must be one number each, [batch] or [batch, 1]. Received: labels of "
                f"{list(labels.shape)}. For one-hot labels, pass their `argmax(axis=-1)`."
            )
        return one_hot(tf.reshape(labels, [-1]), self.num_classes, "Labels")

    def for_samples(self, count, seed, labels):
        """Returns `count` labels: the given ones, checked, or, if there are none, drawn ones.

        Raises:
            ValueError: a label is no class, there are not `count`, or none for attributes.
        """
        if labels is None:
            return self._draw(count, seed)
        labels = tf.convert_to_tensor(labels)
        check_labels(labels, count, "samples")
        if tf.executing_eagerly():  # a graph's step checks them
            self.check_range(labels)
        return labels

    def check_range(self, labels):
        """Raises an error if labels are no classes of the model, or no finite attributes."""
        finite = np.isfinite(self.vectors(labels))
        if not finite.all():
            raise ValueError(
                f"Attributes must be finite. Received: {np.sum(~finite)} of {finite.size} values "
                "that are NaN or infinite."
            )

    def _attributes(self, labels):
        if labels.dtype == tf.string:
            raise TypeError("Attributes must be numbers. Received: labels of string.")
        if not labels.shape.is_compatible_with([None, self.size]):
            raise ValueError(
                f"Attributes must be vectors of {self.size} numbers, [batch, {self.size}]. "
                f"Received: labels of {list(labels.shape)}."
            )
        return tf.cast(labels, tf.float32)

    def _draw(self, count, seed):
        if self.num_classes is None:
            raise ValueError(
                "Attributes are not drawn, since their distribution is unknown. Pass `labels`, "
                f"vectors of {self.size} numbers."
            )
        return tf.random.stateless_uniform(
            [count], noise.seed_from(seed, "labels"), 0, self.num_classes, tf.int32
        )


def check_labels(labels, count, of):
    """Raises a ValueError unless there are as many labels as images, as far as is known.

    Args:
        labels: an array or tensor.
        count: how many there must be; `None` where a graph does not know it.
        of: what there are so many of, such as "images".
    """
    shape = tf.convert_to_tensor(labels).shape
    if not shape[:1].is_compatible_with([count]):
        raise ValueError(
            f"There must be as many labels as {of}. Received: labels of {list(shape)} for {count} "
            f"{of}."
        )


def with_labels(images, labels):
    """Returns a batch of images and labels; of images alone, or of a batch, without labels."""
    return images if labels is None else (images, labels)


def check_inputs(player, network, first, build):
    """Raises a ValueError unless a network takes something and a condition.

    Args:
        player: what the network is, such as "generator".
        network: a built Keras model.
        first: what it takes first, such as "latents".
        build: the function of `tfgen.networks` that makes such networks.
    """
    shapes = network.input_shape
    if not isinstance(shapes, list) or len(shapes) != 2:
        raise ValueError(
            f"A conditional {player} must take [{first}, conditions]. Received: a {player} of "
            f"{list(shapes)}. See `tfgen.networks.{build}`."
        )
