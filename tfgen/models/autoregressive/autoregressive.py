"""Autoregressive models of images: exact likelihoods, samples, and completions."""

import tensorflow as tf

from tfgen.engine import noise, signatures
from tfgen.engine.graphs import as_graph
from tfgen.engine.serialization import serializable
from tfgen.models.autoencoders.imputation import seen_of
from tfgen.models.autoregressive.autoregressive_model import AutoregressiveModel
from tfgen.models.autoregressive.completion import complete, is_exact
from tfgen.models.autoregressive.levels import nearest
from tfgen.models.autoregressive.passes import passes_of
from tfgen.models.autoregressive.told_pixels import ToldPixels
from tfgen.utils.arguments import check_count

_ABILITIES = frozenset({"impute", "impute_in_order"})


@serializable
class Autoregressive(ToldPixels, AutoregressiveModel):
    """A network that tells how each pixel is distributed, given the pixels before it.

        log p(x) = sum_i log p(x_i | x_<i)

    (van den Oord et al., 2016, "Pixel recurrent neural networks", equation 1.) The likelihood of an
    image is exact, and of one pass. A sample takes a pass for each pixel: see `sample`.

    Args:
        network: a built Keras model from images to one output `[batch, height, width, outputs]`,
            the likelihood's parameters of each pixel, which depend on earlier pixels only. See
            `tfgen.networks.pixel_cnn`.
        likelihood: a `tfgen.distributions.PixelLikelihood`, such as `Bernoulli()`.
        order: a `tfgen.distributions.PixelOrder`, which pixel comes first; the default is
            `RowByRow()`.
        **kwargs: `ema_momentum`, `seed`, `name`, `dtype`: see `tfgen.GenerativeModel`.

    Raises:
        ValueError: the network outputs something else, or sees the pixel itself or later ones.
        TypeError: a value is of another kind.

    Example:
        >>> model = tfgen.Autoregressive(
        ...     tfgen.networks.pixel_cnn((28, 28, 1)), tfgen.distributions.Bernoulli()
        ... )
        >>> model.compile("adam")
        >>> model.fit(binarized_images, epochs=10)
        >>> model.sample(16, seed=0).shape
        TensorShape([16, 28, 28, 1])
    """

    @property
    def abilities(self):
        return super().abilities | _ABILITIES

    def impute(self, images, mask, seed=None, steps=5, *, use_ema=True):
        """Draws what is missing in images from `p(x_m | x_o)`; what is seen stays, to the bit.

        Where all that is missing comes after all that is seen, pixels are drawn one after the
        other, which is exact: see `imputes_exactly`. Elsewhere pixels that are seen later have a
        say. Then Metropolis and Hastings decide about each draw, and the draws are exact in the
        limit of many steps: see `tfgen.models.autoregressive.completion.complete`.

        Args:
            images: float `[batch, ...]`; missing values may be anything. The network sees the
                nearest levels.
            mask: shaped as `images`, or `[..., 1]` for all channels alike: 1 or true where a value
                is seen, else 0 or false. One without the batch's axis is that of all images.
            seed: a 64-bit integer: the same seed gives the same draws. `None`: new ones.
            steps: how many times missing values are drawn anew that have seen ones after them, at
                least 1. Each takes a pass of the network for each of these values.
            use_ema: whether to use the average of the weights, if there is one.

        Returns:
            A float32 tensor, shaped as `images`.

        Raises:
            ValueError: the mask has another shape or other values, a value that is seen is not
                finite, or `steps` is less than 1.
        """
        if not tf.is_tensor(steps):
            check_count("steps", steps)
        rows = self.rows_of(images)
        seen = self._seen(mask, rows)
        noise_seed = noise.seed_from(seed, "impute")
        return self._impute(rows, seen, tf.cast(steps, tf.int32), noise_seed, use_ema)

    def imputes_exactly(self, images, mask):
        """Returns whether `impute` draws exactly, in any number of steps, booleans `[batch]`."""
        seen = self._whole_pixels(self._seen(mask, images))
        return is_exact(self.rows_from(seen), self.likelihood.joint)

    def _seen(self, mask, rows):
        seen = seen_of(mask, self.examples_of(rows))
        if not self.likelihood.joint:
            return seen
        whole = self._whole_pixels(seen)
        if tf.executing_eagerly() and tf.reduce_any(seen != whole):
            raise ValueError(
                f"{self.likelihood!r} draws all channels of a pixel at once: `mask` must be the "
                "same for all of them. Received: pixels of which some channels are seen."
            )
        return seen

    def _whole_pixels(self, seen):
        """Returns where all channels of a pixel are seen, if the likelihood draws them at once."""
        if not self.likelihood.joint:
            return seen
        return tf.repeat(tf.reduce_all(seen, -1, keepdims=True), seen.shape[-1], axis=-1)

    @as_graph
    def _impute(self, rows, seen, steps, noise_seed, use_ema):
        images, conditions = self.examples_of(rows), self.conditions_of(rows)
        known = nearest(tf.where(seen, images, 0.0), self.likelihood)
        with self.averages.scope(self.network, use_ema):
            made = complete(
                passes_of(self.network, conditions),
                self.likelihood,
                self.rows_from(known),
                self.rows_from(self._whole_pixels(seen)),
                steps,
                noise_seed,
            )
        return tf.where(seen, images, self.examples_from(made))

    @as_graph
    def _log_likelihood(self, rows, use_ema):
        maps = self.rows_from(self.examples_of(rows))
        outputs = self.averages.run(self.network, self.inputs_of(maps, rows), use_ema)
        return self.likelihood.distribution(outputs).log_prob(maps)

    def signatures(self):
        images, mask = signatures.images(self.example_shape), signatures.mask(self.example_shape)

        def impute(images, mask, seed):
            return {
                "images": self.impute(images, mask, seed),
                "exact": self.imputes_exactly(images, mask),
            }

        return super().signatures() | {
            "score": (self.score, [images]),
            "impute": (impute, [images, mask, signatures.SEED]),
        }
