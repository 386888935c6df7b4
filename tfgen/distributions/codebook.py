"""Codebooks: vectors that stand for all others near them (VQ-VAE)."""

import dataclasses

import numpy as np
import tensorflow as tf

from tfgen.distributions.codes import checked_classes
from tfgen.engine.serialization import Configured, serializable
from tfgen.utils.arguments import check_count, check_number

_LEAST = 1e-20  # a usage: 0 is left to vectors that were never placed


@serializable
@dataclasses.dataclass(frozen=True)
class Codebook(Configured):
    """Vectors `e_1 ... e_K`, of which each is the average of the encoder's outputs nearest to it.

    It is moved without a gradient, by the averages of van den Oord et al., 2017, appendix A.1:

        N_i <- decay N_i + (1 - decay) n_i
        m_i <- decay m_i + (1 - decay) sum_j z_ij,   e_i = m_i / N_i

    where the batch has `n_i` outputs `z_ij` nearest to `e_i`. Here `N_i` is a share of the batch,
    and `m_i` is not kept: with it replaced by `N_i e_i`, the same formula reads

        e_i <- e_i + (1 - decay) sum_j (z_ij - e_i) / N_i.

    So a vector that nothing was near to stays where it is, to the bit.

    Vectors begin at outputs of the first batch. One that is *dead*, hardly used for long, is put
    anew at an output of the batch, and counts from then on as if it had an equal share.

    Args:
        size: `K`, the number of vectors, at least 2.
        decay: the share of the averages that stays in a step, from 0 to below 1.
        revive_below: a vector is dead whose averaged share of the batch is below this part of an
            equal one, `1 / size`; from 0, for never, to below 1. With the defaults that is after
            230 steps in which nothing was near to it.

    Raises:
        ValueError: a number is out of its range.

    Example:
        >>> codebook = Codebook(3)
        >>> vectors = tf.constant([[0.0], [1.0], [2.0]])
        >>> codebook.nearest(vectors, tf.constant([[0.9], [-5.0]]))  # [1, 0]
    """

    size: int
    decay: float = 0.99
    revive_below: float = 0.1

    def __post_init__(self):
        check_count("size", self.size, least=2)
        for name in ("decay", "revive_below"):
            value = getattr(self, name)
            check_number(name, value, least=0)
            if value >= 1:
                raise ValueError(f"`{name}` must be below 1. Received: {name}={value}.")

    def initial_state(self, dimension, seed):
        """Returns what a model keeps, a dict of float32 arrays.

        Args:
            dimension: the size of a vector.
            seed: an integer, of the `vectors` that stand until the first step.

        Returns:
            `vectors` `[size, dimension]`, and `usage` `[size]`, the averaged share of each: 0 where
            a vector was never placed.
        """
        random = np.random.default_rng(seed % 2**63)
        vectors = random.uniform(-1, 1, [self.size, dimension]).astype(np.float32)
        return {"vectors": vectors, "usage": np.zeros([self.size], np.float32)}

    def nearest(self, vectors, outputs):
        """Returns the number of the vector nearest to each output (equation 1).

        Args:
            vectors: float32 `[size, dimension]`.
            outputs: float32 `[..., dimension]`, an encoder's.

        Returns:
            An int32 tensor `[...]`; of several that are as near, the first.
        """
        # A common offset would leave few digits to products and squares.
        centre = tf.reduce_mean(vectors, axis=0)
        vectors, outputs = vectors - centre, outputs - centre
        flat = tf.reshape(outputs, [-1, vectors.shape[-1]])
        squares = tf.reduce_sum(tf.square(vectors), axis=1)
        # |z - e|^2 without |z|^2, which is the same for all.
        distances = squares - 2 * tf.matmul(flat, vectors, transpose_b=True)
        numbers = tf.argmin(distances, axis=1, output_type=tf.int32)
        return tf.reshape(numbers, tf.shape(outputs)[:-1])

    def look_up(self, vectors, numbers):
        """Returns the vectors of numbers.

        Args:
            vectors: float32 `[size, dimension]`.
            numbers: integers `[...]` from 0 to `size - 1`.

        Returns:
            A float32 tensor `[..., dimension]`.

        Raises:
            ValueError: a number is out of range. In a graph it is a
                `tf.errors.InvalidArgumentError`; XLA drops the check, and the vector is NaN.
        """
        numbers, inside = checked_classes(numbers, self.size, "Codes")
        found = tf.gather(vectors, tf.where(inside, numbers, 0))
        return tf.where(inside[..., tf.newaxis], found, np.nan)

    def moved(self, vectors, usage, outputs, numbers, noise_seed):
        """Returns the vectors and their usage after a step.

        Args:
            vectors: float32 `[size, dimension]`.
            usage: float32 `[size]`.
            outputs: float32 `[count, dimension]`, all of the global batch.
            numbers: int32 `[count]`, of the vector nearest to each.
            noise_seed: int32 `[2]`, of the choice of outputs for dead vectors.
        """
        count = tf.shape(outputs)[0]
        equal = 1 / self.size
        averaged, nearer = self._average(vectors, usage, outputs, numbers)
        dead = tf.logical_or(usage == 0, averaged < self.revive_below * equal)

        # Each dead vector takes another output, unless there are too few.
        draws = tf.random.stateless_uniform([count], noise_seed, alg="philox")
        chosen = tf.gather(tf.argsort(draws), tf.range(self.size) % count)
        vectors = tf.where(dead[:, tf.newaxis], tf.gather(outputs, chosen), nearer)
        return vectors, tf.where(dead, equal, averaged)

    def _average(self, vectors, usage, outputs, numbers):
        """Returns the averaged usage and vectors (appendix A.1)."""
        share = (1 - self.decay) / tf.cast(tf.shape(outputs)[0], tf.float32)
        near = tf.math.unsorted_segment_sum(tf.ones_like(outputs[:, 0]), numbers, self.size)
        away = outputs - tf.gather(vectors, numbers)
        away = tf.math.unsorted_segment_sum(away, numbers, self.size)
        usage = tf.maximum(self.decay * usage + share * near, _LEAST)
        return usage, vectors + share * away / usage[:, tf.newaxis]


def straight_through(outputs, quantized):
    """Returns `quantized`, to the bit, with its gradient given to `outputs` (section 3.1).

    Args:
        outputs: float32 `[...]`, an encoder's.
        quantized: float32 `[...]`, the vectors that take their place.
    """
    return tf.stop_gradient(quantized) + (outputs - tf.stop_gradient(outputs))


def perplexity(shares):
    """Returns how many of several things are used, as if those were used alike: `exp(entropy)`.

    Args:
        shares: float32 `[count]`, not negative, whose sum is 1.

    Returns:
        A float32 scalar from 1 to `count`.
    """
    return tf.exp(-tf.reduce_sum(tf.math.xlogy(shares, shares)))
