"""Likelihoods: how a decoder's outputs parametrize `p(x|z)`.

They compute in float32, whatever precision the decoder computes in.
"""

import abc
import dataclasses

import tensorflow as tf
import tensorflow_probability as tfp

from tfgen.engine.serialization import Configured, serializable

tfd = tfp.distributions


class Likelihood(Configured, abc.ABC):
    """How a decoder's outputs parametrize `p(x|z)`.

    `limits` are the least and the largest value of examples that it can explain; `None` for any.
    `takes_logits` tells that the decoder must not end in a sigmoid.
    """

    limits = None
    takes_logits = False

    def parameters(self, example_shape):
        """Returns the outputs that the decoder must have: a dict from what each is to its shape.

        `None`, as for a likelihood that does not say, checks nothing; so does a shape of `None`.

        Args:
            example_shape: the shape of one example, a tuple.
        """
        return None

    @abc.abstractmethod
    def distribution(self, *outputs):
        """Returns a TFP distribution with batch shape `[batch]` over examples."""


class PixelLikelihood(Likelihood):
    """A likelihood of images whose values are the levels `k / (levels - 1)`, from 0 to 1.

    A network has one output, `[batch, height, width, outputs]`: what the likelihood needs of each
    pixel. So it works for images of any size, of a single pixel too. `levels` is how many values
    there are. `joint` is True where the likelihood itself ties a pixel's channels; else only the
    network can.
    """

    limits = (0.0, 1.0)
    takes_logits = True
    levels = None
    joint = False

    def tempered(self, outputs, temperature):
        """Returns the outputs of a sharper or a flatter distribution.

        Args:
            outputs: a network's, `[batch, height, width, outputs]`.
            temperature: a positive number, below 1 for a sharper distribution.
        """
        return tf.cast(outputs, tf.float32) / temperature


@serializable
@dataclasses.dataclass(frozen=True)
class Bernoulli(PixelLikelihood):
    """Independent black-or-white pixels; the decoder outputs their logits.

    For pixels between 0 and 1 this is the usual cross-entropy, which is a sensible loss but no
    log-likelihood: compare nats only on binarized images.

    Example:
        >>> Bernoulli().distribution(tf.zeros([1, 2])).log_prob([[0.0, 1.0]])  # 2 log 1/2
    """

    levels = 2

    def parameters(self, example_shape):
        return {"logits": example_shape}

    def distribution(self, logits):
        pixels = _Bernoulli(logits=tf.cast(logits, tf.float32), dtype=tf.float32)
        return over_examples(pixels)


@serializable
@dataclasses.dataclass(frozen=True)
class Gaussian(Likelihood):
    """Independent normal values around the decoder's output.

    With `scale = sqrt(1/2)`, `-log p(x|z)` is the lecture's squared error
    `sum_j (x_j - xhat_j)^2` plus the constant `p/2 log pi`, for examples of `p` values.

    Args:
        scale: the standard deviation, positive. `None` learns it: the decoder then has a second
            output, the scale before softplus, of a shape that broadcasts against the first.
        floor: the least scale that can be learnt. Without one, a value that never varies (a
            picture's black border) drives the likelihood to infinity.

    Example:
        >>> Gaussian(scale=0.5**0.5).distribution(tf.zeros([1, 2])).log_prob([[1.0, 2.0]])
    """

    scale: float | None = None
    floor: float = 1e-2

    def __post_init__(self):
        if self.scale is not None and self.scale <= 0:
            raise ValueError(f"`scale` must be positive, or None. Received: scale={self.scale}.")
        if self.floor < 0:
            raise ValueError(f"`floor` must be at least 0. Received: floor={self.floor}.")

    def parameters(self, example_shape):
        if self.scale is not None:
            return {"location": example_shape}
        return {"location": example_shape, "scale before softplus": None}

    def distribution(self, location, scale=None):
        if (scale is None) == (self.scale is None):
            raise ValueError(
                "A fixed `scale` goes with a decoder of one output, `scale=None` with a decoder of "
                f"two: build it with heads=2. Received: scale={self.scale} and a decoder of "
                f"{1 if scale is None else 2} outputs."
            )
        if scale is None:
            scale = self.scale
        else:
            scale = self.floor + tf.nn.softplus(tf.cast(scale, tf.float32))
        return over_examples(tfd.Normal(tf.cast(location, tf.float32), scale))


class _Bernoulli(tfd.Bernoulli):
    """TFP's, with one softplus for its two: they are a third of a small network's step."""

    def _log_prob(self, event):
        logits = self._logits_parameter_no_checks()
        event = tf.cast(event, logits.dtype)
        shape = tf.broadcast_dynamic_shape(tf.shape(event), tf.shape(logits))
        return -tf.nn.sigmoid_cross_entropy_with_logits(
            labels=tf.broadcast_to(event, shape), logits=tf.broadcast_to(logits, shape)
        )


def over_examples(distribution):
    """Makes a distribution over single values one over whole examples, batch axis first."""
    return tfd.Independent(
        distribution, reinterpreted_batch_ndims=len(distribution.batch_shape) - 1
    )
