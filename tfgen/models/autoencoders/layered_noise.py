"""The noise of all layers of a hierarchy, as one vector: the latents that others see."""

import dataclasses

import tensorflow as tf

from tfgen.distributions import StandardNormal
from tfgen.distributions.normal import diagonal_normal
from tfgen.engine import noise
from tfgen.utils.arguments import check_count, check_number


@dataclasses.dataclass(frozen=True)
class LayeredNoise:
    """Standard normal numbers of several layers, the top one's first.

    Args:
        sizes: how many numbers each layer has, a tuple.

    Example:
        >>> LayeredNoise((1, 2)).split(tf.constant([[1.0, 2.0, 3.0]]))  # [[1]] and [[2, 3]]
    """

    sizes: tuple

    @property
    def prior(self):
        """The distribution of the numbers of all layers, a `StandardNormal`."""
        return StandardNormal(sum(self.sizes))

    def split(self, latents):
        """Returns the part of each layer, `[rows, size]`, of all layers' `[..., total]`."""
        rows = tf.reshape(tf.cast(latents, tf.float32), [-1, self.prior.size])
        return tf.split(rows, self.sizes, axis=-1)

    def draw(self, count, samples, noise_seed):
        """Draws for a replica's share of a batch: `[samples, count, total]`, which it splits."""
        unit = [count, self.prior.size]
        normal = diagonal_normal(tf.zeros(unit), tf.ones(unit))
        return self.split(noise.sample(normal, samples, noise_seed))

    def redraw(self, latents, kept, count, noise_seed):
        """Draws the lower layers of latents anew, `[batch, count, total]`.

        Args:
            latents: `[batch, total]`.
            kept: how many layers stay, counted from the top, from 0 to their number.
            count: how often to draw.
            noise_seed: int32 `[2]`.

        Raises:
            ValueError: there are not so many layers.
        """
        check_count("kept", kept, least=0)
        if kept > len(self.sizes):
            raise ValueError(
                f"`kept` must be at most the number of layers, {len(self.sizes)}. "
                f"Received: kept={kept}."
            )
        latents, stays = tf.cast(latents, tf.float32), sum(self.sizes[:kept])
        shape = [tf.shape(latents)[0], noise.whole_count(count)]
        drawn = self.prior.distribution().sample(shape, seed=noise_seed)
        upper = tf.repeat(latents[:, tf.newaxis, :stays], shape[1], axis=1)
        return tf.concat([upper, drawn[..., stays:]], axis=-1)

    def scales(self, temperatures):
        """Returns what multiplies each number, float32 `[total]`.

        Args:
            temperatures: a number, one for each layer, or `None` for 1.

        Raises:
            ValueError: a temperature is negative, or there is another number of them.
        """
        if not hasattr(temperatures, "__len__"):
            temperatures = [1.0 if temperatures is None else temperatures] * len(self.sizes)
        if len(temperatures) != len(self.sizes):
            raise ValueError(
                "`temperatures` must be one number, or one for each of the "
                f"{len(self.sizes)} layers. Received: {len(temperatures)}, {list(temperatures)}."
            )
        for temperature in temperatures:
            check_number("temperatures", temperature, least=0)
        return tf.repeat(tf.constant(list(temperatures), tf.float32), self.sizes)
