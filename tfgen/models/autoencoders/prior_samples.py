"""What all models have in common whose samples are made of draws from a prior."""

import tensorflow as tf

from tfgen.engine import noise
from tfgen.engine.graphs import as_graph


class PriorSamples:
    """Samples of a model with a `prior` and with `generate`; a base beside a model's class."""

    def sample(self, count, seed=None, use_ema=True):
        """Draws new examples.

        Args:
            count: how many, an integer or int32 scalar tensor.
            seed: a 64-bit integer: the same seed gives the same examples. `None`: new ones.
            use_ema: whether to use the average of the weights, if there is one.

        Returns:
            A float32 tensor `[count, ...]`.
        """
        return self._sample(noise.whole_count(count), noise.whole_seed(seed), use_ema)

    @as_graph
    def _sample(self, count, seed, use_ema):
        prior = self.prior_distribution(use_ema=use_ema)
        latents = prior.sample(count, seed=noise.seed_from(seed, "sample"))
        return self.generate(latents, use_ema=use_ema)

    def generate_paths(self, paths, seed=None):
        """Returns what `generate` makes on paths `[count, steps, size]`, `[count * steps, ...]`.

        Paths may leave where the prior is; what is nearest on it is then shown.
        """
        return self.generate(self.prior.nearest(tf.reshape(paths, [-1, *self.prior.shape])))
