"""What models of pixels have to tell how likely images are."""

import math

import tensorflow as tf

from tfgen.models.autoregressive.levels import check_levels, nearest

_AT_ONCE = 256  # images of which the likelihood is told in one pass


class ToldPixels:
    """Exact likelihoods of a model of pixels; a base beside its class.

    The model has a `likelihood`, `examples_of`, `bits_of`, and `_log_likelihood` of `rows_of` a
    batch, with or without the average of the weights.
    """

    @property
    def abilities(self):
        return super().abilities | {"log_likelihood", "exact_likelihood"}

    def limits_of(self, examples):
        return self.likelihood.limits

    def check_batch(self, data):
        super().check_batch(data)
        check_levels(self.examples_of(data), self.likelihood)

    def rows_of(self, data):
        """Returns what the model takes of a batch, a structure of tensors `[batch, ...]`."""
        return self.examples_of(data)

    def log_likelihood(self, images, *, use_ema=True):
        """Returns `log p(x)` of each image, exactly, `[batch]` in nats.

        Args:
            images: float `[batch, height, width, channels]`, of the likelihood's levels; or a batch
                that begins with them.
            use_ema: whether to use the average of the weights, if there is one.

        Raises:
            ValueError: a value is no level, such as a grey one of `Bernoulli()`.
        """
        rows = self.rows_of(images)
        if not tf.executing_eagerly():
            return self._log_likelihood(rows, use_ema)
        check_levels(self.examples_of(rows), self.likelihood)

        def tell(first):
            part = tf.nest.map_structure(lambda each: each[first : first + _AT_ONCE], rows)
            return self._log_likelihood(part, use_ema)

        count = len(self.examples_of(rows))
        return tf.concat([tell(first) for first in range(0, max(count, 1), _AT_ONCE)], axis=0)

    def bits_per_dimension(self, images, *, use_ema=True):
        """Returns `-log2 p(x)` of each image over the number of its values, `[batch]`."""
        return self.bits_of(-self.log_likelihood(images, use_ema=use_ema))

    def score(self, images):
        """Returns how likely images are, in nats and in bits for each value; of the nearest levels.

        Returns:
            A dict: `log_likelihood`, `[batch]`, and `bits_per_dimension`, `[batch]`.
        """
        found = self._log_likelihood(self.nearest_rows(images), True)
        return {"log_likelihood": found, "bits_per_dimension": self.bits_of(-found)}

    def nearest_rows(self, data):
        """Returns `rows_of` a batch whose values are the nearest levels."""
        rows = self.rows_of(data)
        images, *others = tf.nest.flatten(rows)
        return tf.nest.pack_sequence_as(rows, [nearest(images, self.likelihood), *others])


def bits_per_value(nats, shape):
    """Returns bits for each value of an example of this shape, of nats for all of it."""
    return nats / (math.prod(shape) * math.log(2.0))
