"""An autoregressive model of an autoencoder's codes."""

import tensorflow as tf

from tfgen.engine.serialization import serializable
from tfgen.models.autoencoders.vq_vae import VQVAE
from tfgen.models.autoregressive.autoregressive_model import AutoregressiveModel
from tfgen.models.fits import check_kinds, freeze


@serializable
class LatentAutoregressive(AutoregressiveModel):
    """An autoregressive model of the codes of a trained VQ-VAE, which does not learn further.

        log p(k) = sum_i log p(k_i | k_<i),   k = codes(x)

    It is the second stage of van den Oord et al., 2017 (section 3.3). A sample is drawn as a map of
    codes, which the decoder makes an image of. The network sees code `k` of `K` as the value
    `k / (K - 1)`. Near codes need not mean the like: begin it with `one_hot_levels=K`.

    Args:
        network: as that of `tfgen.Autoregressive`, of maps of codes `[batch, height, width, 1]`.
        likelihood: a `tfgen.distributions.Categorical` of as many levels as there are codes.
        autoencoder: a trained `tfgen.VQVAE`.
        **kwargs: see `tfgen.Autoregressive`.

    Raises:
        ValueError: the network takes other maps, or the likelihood has other levels.
        TypeError: the autoencoder is no `tfgen.VQVAE`.

    Example:
        >>> vqvae = tfgen.load("runs/vq_vae_fashion/model.keras")
        >>> network = tfgen.networks.gated_pixel_cnn((7, 7, 1), outputs=64, one_hot_levels=64)
        >>> prior = tfgen.distributions.Categorical(64)
        >>> model = tfgen.LatentAutoregressive(network, prior, vqvae)
        >>> model.compile("adam")
        >>> model.fit(images, epochs=20)
        >>> model.sample(16, seed=0)
    """

    def __init__(self, network, likelihood, autoencoder, **kwargs):
        super().__init__(network, likelihood, **kwargs)
        self.autoencoder = autoencoder
        check_kinds(self, autoencoder=VQVAE)
        expected = (*autoencoder.places, 1)
        if self.map_shape != expected:
            raise ValueError(
                f"The network must take the autoencoder's codes, {[None, *expected]}. "
                f"Received: a network of {[None, *self.map_shape]}."
            )
        if likelihood.levels != autoencoder.codebook.size:
            raise ValueError(
                "The likelihood must have as many levels as there are codes, "
                f"{autoencoder.codebook.size}. Received: {likelihood!r}."
            )
        freeze(autoencoder)
        self.finalize()

    def begun_part(self):
        return self.autoencoder

    @property
    def example_shape(self):
        return tuple(self.autoencoder.example_shape)

    def rows_from(self, examples):
        codes = tf.cast(self.autoencoder.codes(examples), tf.float32)
        return self.order.to_rows(codes[..., tf.newaxis] / (self.likelihood.levels - 1))

    def examples_from(self, rows):
        values = self.order.from_rows(rows)[..., 0] * (self.likelihood.levels - 1)
        return self.autoencoder.decode_codes(tf.cast(tf.round(values), tf.int32))
