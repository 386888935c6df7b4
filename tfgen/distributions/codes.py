"""Codes: latents that mean something, and how well they are recognized (InfoGAN)."""

import abc
import dataclasses
import math

import tensorflow as tf
import tensorflow_probability as tfp

from tfgen.distributions import philox
from tfgen.engine.graphs import requirement
from tfgen.engine.serialization import Configured, serializable

tfd = tfp.distributions


class Code(Configured, abc.ABC):
    """A part of a generator's latents that a network Q is to read off the sample.

    `size` is how many of the generator's inputs it takes, `outputs` how many numbers Q gives, and
    `uniforms` how many uniform numbers a draw takes.
    """

    size: int
    outputs: int
    uniforms: int

    @property
    def description(self):
        """How a code is distributed, a dict for `tfgen.json`, as `Prior.description`.

        `kind` is "categorical" (one-hot), "uniform" (with `low` and `high`) or "other".
        """
        return {"size": self.size, "kind": "other", "path": "straight"}

    @abc.abstractmethod
    def from_uniform(self, values):
        """Makes codes `[batch, size]` of numbers `[batch, uniforms]` from U(0, 1)."""

    @abc.abstractmethod
    def negative_log_likelihood(self, code, outputs):
        """Returns `-log Q(c|x)`, `[batch]` in nats, for Q's outputs `[batch, outputs]`."""

    @abc.abstractmethod
    def recognize(self, outputs):
        """Returns what Q's outputs say about a code: its expectation, `[batch, size]`."""

    @abc.abstractmethod
    def spec(self, name):
        """Returns the `tf.TensorSpec` of values that a client names this code by."""

    @abc.abstractmethod
    def from_values(self, values):
        """Makes codes `[batch, size]` of values as `spec` describes them."""

    @abc.abstractmethod
    def traversal(self, columns, span):
        """Returns what is worth showing of a code.

        Args:
            columns: the number of values to take of a continuous code.
            span: they go from `-span` to `span`.

        Returns:
            A list of tensors `[values, size]`, one for each picture.
        """


@serializable
@dataclasses.dataclass(frozen=True)
class Categorical(Code):
    """One of `size` equally likely classes, one-hot; Q outputs logits (Chen et al., 2016).

    Args:
        size: the number of classes, at least 2.

    Example:
        >>> Categorical(4).from_uniform(tf.constant([[0.3]]))  # [[0, 1, 0, 0]]
    """

    size: int

    uniforms = 1

    def __post_init__(self):
        if self.size < 2:
            raise ValueError(f"`size` must be at least 2. Received: size={self.size}.")

    @property
    def outputs(self):
        return self.size

    @property
    def description(self):
        return {"size": self.size, "kind": "categorical", "path": "straight"}

    def from_uniform(self, values):
        # 1 itself belongs to the last class.
        classes = tf.minimum(tf.cast(values[:, 0] * self.size, tf.int32), self.size - 1)
        return tf.one_hot(classes, self.size)

    def negative_log_likelihood(self, code, outputs):
        return tf.nn.softmax_cross_entropy_with_logits(code, tf.cast(outputs, tf.float32))

    def recognize(self, outputs):
        return tf.nn.softmax(tf.cast(outputs, tf.float32))

    def spec(self, name):
        return tf.TensorSpec([None], tf.int32, name)

    def from_values(self, values):
        return one_hot(values, self.size, "Categories")

    def traversal(self, columns, span):
        return [tf.eye(self.size)]


@serializable
@dataclasses.dataclass(frozen=True)
class UniformCode(Code):
    """Independent values from -1 to 1; Q is `N(mean, 1)` and outputs the mean.

    Chen et al., 2016, treat continuous codes as a factored Gaussian, here of fixed variance.

    Args:
        size: the number of values, at least 1.

    Example:
        >>> UniformCode(2).from_uniform(tf.constant([[0.5, 1.0]]))  # [[0, 1]]
    """

    size: int

    def __post_init__(self):
        if self.size < 1:
            raise ValueError(f"`size` must be at least 1. Received: size={self.size}.")

    @property
    def outputs(self):
        return self.size

    @property
    def uniforms(self):
        return self.size

    @property
    def description(self):
        bounds = {"low": -1.0, "high": 1.0}
        return {"size": self.size, "kind": "uniform", **bounds, "path": "straight"}

    def from_uniform(self, values):
        return 2 * values - 1

    def negative_log_likelihood(self, code, outputs):
        squares = tf.square(code - tf.cast(outputs, tf.float32)) + math.log(2 * math.pi)
        return 0.5 * tf.reduce_sum(squares, axis=1)

    def recognize(self, outputs):
        return tf.cast(outputs, tf.float32)

    def spec(self, name):
        return tf.TensorSpec([None, self.size], tf.float32, name)

    def from_values(self, values):
        return values

    def traversal(self, columns, span):
        # One value moves, the others rest in the middle.
        values = span * tf.linspace(-1.0, 1.0, columns)[:, tf.newaxis]
        return [values * direction for direction in tf.eye(self.size)]


def draw_codes(codes, draw, noise_seed):
    """Draws all codes, side by side, `[count, sum of their sizes]`.

    Args:
        codes: a list of `Code`s.
        draw: a function of a TFP distribution and a noise seed to samples `[count, ...]`.
        noise_seed: int32 `[2]`.
    """
    drawn = [
        code.from_uniform(
            draw(tfd.Sample(philox.Uniform(), code.uniforms), tf.random.fold_in(noise_seed, index))
        )
        for index, code in enumerate(codes)
    ]
    return tf.concat(drawn, axis=1)


def chosen_codes(codes, given, drawn):
    """Returns for each code what was given for it, checked, or else what was drawn.

    Args:
        codes: a list of `Code`s.
        given: for each a tensor `[count, code.size]`, or `None`.
        drawn: for each a tensor `[count, code.size]`.

    Raises:
        ValueError: there is not an entry for each code, or a tensor has another shape.
    """
    if len(given) != len(codes):
        raise ValueError(
            f"There must be an entry for each of the {len(codes)} codes, a tensor or None. "
            f"Received: {len(given)}."
        )
    chosen = []
    for code, value, draw in zip(codes, given, drawn, strict=True):
        value = draw if value is None else tf.cast(value, tf.float32)
        if value.shape != draw.shape:
            raise ValueError(
                f"A value of {code} must be of shape {list(draw.shape)}. "
                f"Received: {list(value.shape)}."
            )
        chosen.append(value)
    return chosen


def one_hot(classes, size, what):
    """Makes vectors `[batch, size]` with a one in the place of each class.

    A graph checks values in each step. XLA drops that check: there, a class out of range becomes
    NaN, and so does the loss.

    Args:
        classes: integers `[batch]` from 0 to `size - 1`.
        size: how many classes there are.
        what: what the classes are called in an error, such as "Labels".

    Raises:
        ValueError: another class, of which `tf.one_hot` would make zeros. In a graph it is a
            `tf.errors.InvalidArgumentError`.
    """
    classes, inside = checked_classes(classes, size, what)
    return tf.where(inside[:, tf.newaxis], tf.one_hot(classes, size), math.nan)


def checked_classes(classes, size, what):
    """Checks classes, see `one_hot`.

    Args:
        classes: integers `[...]`.
        size: how many classes there are.
        what: what the classes are called in an error.

    Returns:
        The classes as int64, and booleans of which are in range: all, but for XLA.

    Raises:
        ValueError: a class is out of range.
    """
    classes = tf.cast(classes, tf.int64)  # `tf.one_hot` takes no short integers
    inside = tf.logical_and(classes >= 0, classes < size)
    message = f"{what} must be from 0 to {size - 1}."
    with tf.control_dependencies(requirement(tf.reduce_all(inside), message, classes)):
        return tf.identity(classes), tf.identity(inside)
