"""Diffusion of an autoencoder's latents."""

import tensorflow as tf

from tfgen.engine import replicas
from tfgen.engine.abilities import require
from tfgen.engine.named_weights import add_named_weights
from tfgen.engine.serialization import serializable
from tfgen.models.diffusion.denoising_model import DenoisingModel
from tfgen.models.fits import freeze

_LEAST = 1e-4  # the least variance of a latent, as of one that the autoencoder does not use


@serializable
class LatentDiffusion(DenoisingModel):
    """A diffusion of the latents of a trained autoencoder, which does not learn further.

        y = (encode(x) - m) / d,   x = generate(m + d y)

    (Rombach et al., 2022, "High-resolution image synthesis with latent diffusion models", section
    3.3.) A diffusion wants values of about variance 1. So the mean `m` and the deviation `d` of
    each latent are measured over all batches of training; they are saved and exported. Of the
    encoder's distribution the mean is taken.

    Args:
        network: as that of `tfgen.Diffusion`, of the autoencoder's latents; for vectors see
            `tfgen.networks.diffusion_mlp`.
        autoencoder: a trained model that can encode and generate, such as a `tfgen.VAE`.
        **kwargs: see `tfgen.Diffusion`.

    Raises:
        ValueError: the autoencoder cannot encode or generate, or needs labels; or the network takes
            something else than its latents.

    Example:
        >>> vae = tfgen.load("runs/vae_fashion/model.keras")
        >>> network = tfgen.networks.diffusion_mlp(16, (256, 256, 256))
        >>> model = tfgen.LatentDiffusion(network, vae, ema_momentum=0.999)
        >>> model.compile("adam")
        >>> model.fit(images, epochs=20)
        >>> model.sample(16, seed=0)
    """

    def __init__(self, network, autoencoder, **kwargs):
        for ability in ("encode", "generate"):
            require(autoencoder, ability, "A latent diffusion")
        if "choose_labels" in autoencoder.abilities:
            raise ValueError(
                "A latent diffusion knows no labels. "
                f"Received: a {type(autoencoder).__name__}. Take a model without."
            )
        super().__init__(network, **kwargs)
        latents = tuple(autoencoder.prior.shape)
        if self.state_shape != latents:
            raise ValueError(
                f"The network must take the autoencoder's latents, {[None, *latents]}. "
                f"Received: a network of {list(network.input_shape[0])}."
            )
        self.autoencoder = autoencoder
        freeze(autoencoder)
        zeros, ones = tf.zeros(latents), tf.ones(latents)
        moments = {"count": 0.0, "mean": zeros, "variance": ones}
        self._moments = add_named_weights(self, "latents", moments, trainable=False)
        self.finalize()

    def begun_part(self):
        return self.autoencoder

    @property
    def example_shape(self):
        return tuple(self.autoencoder.example_shape)

    def inward(self, examples):
        """Returns the latents of examples, of about mean 0 and variance 1."""
        mean, deviation = self._scales()
        return (self._codes(examples) - mean) / deviation

    def outward(self, examples):
        """Returns the examples of such latents."""
        mean, deviation = self._scales()
        latents = tf.reshape(mean + deviation * examples, [-1, *self.state_shape])
        leading = tf.shape(examples)[: -len(self.state_shape)]  # of trajectories two
        made = self.autoencoder.generate(latents)
        return tf.reshape(made, tf.concat([leading, self.example_shape], axis=0))

    def after_step(self, losses, data):
        """Measures all latents that were seen so far (Chan, Golub and LeVeque, 1983)."""
        codes, _ = replicas.from_all_replicas(self._codes(self.examples_of(data)))
        count, mean, variance = (
            self._moments[name].value for name in ("count", "mean", "variance")
        )
        new = tf.cast(tf.shape(codes)[0], tf.float32)
        new_mean, new_variance = tf.nn.moments(codes, axes=[0])
        share = new / tf.maximum(count + new, 1.0)
        moved = new_mean - mean
        kept = tf.where(count > 0, variance, 0.0)
        self._moments["variance"].assign(
            (1 - share) * kept + share * new_variance + share * (1 - share) * moved**2
        )
        self._moments["mean"].assign(mean + share * moved)
        self._moments["count"].assign(count + new)

    def _codes(self, examples):
        return tf.cast(self.autoencoder.encode(examples).mean(), tf.float32)

    def _scales(self):
        """Returns the mean and the deviation of each latent."""
        variance = self._moments["variance"].value
        return self._moments["mean"].value, tf.sqrt(tf.maximum(variance, _LEAST))
