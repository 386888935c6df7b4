"""Priors of codes: what the whole numbers that stand for an image are drawn from."""

import numpy as np
import tensorflow as tf

from tfgen.distributions.codes import checked_classes
from tfgen.engine import noise


class IndependentCodes:
    """Draws the code of each place by how often it was there, whatever the other places have.

    This is the baseline of priors over the codes of a `tfgen.VQVAE`: it knows where a code is
    usual, and not which codes go together. So samples fall apart into patches.

    Any object with such a method `sample` can take its place.

    Args:
        codes: integers `[count, ...]` from 0 to `size - 1`, of at least one example.
        size: how many codes there are.

    Raises:
        ValueError: there is no example, or a code is out of range.

    Example:
        >>> prior = IndependentCodes(vqvae.codes(images), vqvae.codebook.size)
        >>> vqvae.sample_with(prior, 16, seed=0)
    """

    def __init__(self, codes, size):
        codes, _ = checked_classes(codes, size, "Codes")
        codes = np.asarray(codes)
        if not len(codes):
            raise ValueError("Frequencies need at least 1 example. Received: codes of none.")
        self.size = size
        places = codes.reshape(len(codes), -1)
        counts = [np.bincount(place, minlength=size) for place in places.T]
        self._logits = tf.math.log(tf.constant(counts, tf.float32) / len(codes))
        self._shape = codes.shape[1:]

    def sample(self, count, seed=None):
        """Draws codes.

        Args:
            count: how many examples, an integer.
            seed: a 64-bit integer: the same seed gives the same codes. `None`: new ones.

        Returns:
            An int32 tensor `[count, ...]`.
        """
        count, noise_seed = noise.whole_count(count), noise.seed_from(seed, "codes")
        drawn = tf.random.stateless_categorical(self._logits, count, noise_seed, tf.int32)
        return tf.reshape(tf.transpose(drawn), [count, *self._shape])
