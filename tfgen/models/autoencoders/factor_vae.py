"""FactorVAE: a VAE whose latents a discriminator tells from independent ones."""

import tensorflow as tf

from tfgen.engine.adversarial_model import AdversarialModel
from tfgen.engine.replicas import from_all_replicas
from tfgen.engine.serialization import serializable
from tfgen.models.autoencoders.vae import VAE
from tfgen.models.fits import check_latents, check_logits, warn_of_sigmoid
from tfgen.utils.arguments import check_number


@serializable
class FactorVAE(VAE, AdversarialModel):
    """A VAE with a penalty on the total correlation of its latents (Kim and Mnih, 2018, eq. 2).

        E_q[log p(x|z)] - KL(q(z|x) || p(z)) - gamma KL(q(z) || prod_j q(z_j))

    A discriminator tells latents `z ~ q(z)` from latents whose every dimension comes from another
    example. The logarithm of its odds is the density ratio of the last divergence (equation 3). The
    two take turns (algorithm 2): the VAE, then the discriminator, which moves no encoder.

    Args:
        encoder: see `tfgen.VAE`.
        decoder: see `tfgen.VAE`.
        discriminator: a built Keras model from latents to logits `[batch, 1]`.
        prior: see `tfgen.VAE`.
        posterior: see `tfgen.VAE`.
        likelihood: see `tfgen.VAE`.
        gamma: the weight of the total correlation, at least 0; the paper's for sprites is 35.
        **kwargs: `bound`, `ema_momentum`, `seed`, `name`, `dtype`: see `tfgen.VAE`.

    Raises:
        ValueError: the networks and the values do not fit each other.
        TypeError: a value is of another kind.

    Example:
        >>> discriminator = networks.mlp_discriminator((10,), hidden_sizes=(1000,) * 6)
        >>> vae = tfgen.FactorVAE(
        ...     encoder, decoder, discriminator, prior, posterior, likelihood, gamma=35.0
        ... )
        >>> vae.compile(vae_optimizer="adam", discriminator_optimizer="adam")
    """

    log_names = (
        "vae_loss",
        "discriminator_loss",
        "reconstruction",
        "divergence",
        "total_correlation",
    )

    def __init__(
        self, encoder, decoder, discriminator, prior, posterior, likelihood, gamma=10.0, **kwargs
    ):
        check_number("gamma", gamma, least=0)
        self.discriminator = discriminator
        self.gamma = gamma
        super().__init__(encoder, decoder, prior, posterior, likelihood, **kwargs)

    def check_shapes(self):
        super().check_shapes()
        check_latents("discriminator", self.discriminator.input_shape, self.prior.shape)
        check_logits("discriminator", self.discriminator)
        warn_of_sigmoid("discriminator", self.discriminator)

    @property
    def players(self):
        judge = self.discriminator.trainable_variables
        known = set(map(id, judge))
        return {
            "vae": [each for each in self.trainable_variables if id(each) not in known],
            "discriminator": judge,
        }

    def take_turns(self, data):
        """The VAE's turn, then the discriminator's (Kim and Mnih, 2018, algorithm 2)."""
        latents = None

        def vae_losses():
            nonlocal latents
            losses, latents = self.per_replica(self.vae_losses)(data, training=True)
            return losses

        losses = self.descend("vae", vae_losses)
        latents = tf.stop_gradient(latents)
        return losses | self.descend(
            "discriminator",
            lambda: self.per_replica(self.discriminator_losses)(latents, training=True),
        )

    def compute_losses(self, data, training):
        losses, latents = self.vae_losses(data, training)
        return losses | self.discriminator_losses(latents, training)

    def vae_losses(self, data, training):
        """Returns the losses of the VAE's turn, and the latents that they are of."""
        terms = self.step_terms(data, training)
        # Not `terms.latents`: a bound may scale the gradient that goes through those.
        losses, latents = self.losses_of(terms, training), terms.gradient.unscaled[0]
        # log q(z) / prod_j q(z_j), as the discriminator sees it.
        ratio = tf.reduce_mean(self._logits(latents, training))
        loss = losses.pop("loss") + self.gamma * ratio
        return {"vae_loss": loss, "total_correlation": ratio, **losses}, latents

    def discriminator_losses(self, latents, training):
        """Returns the loss of telling latents, `[batch, size]`, from permuted ones."""
        permuted = self.permuted(latents, self.noise.seed_of("permutation"))
        together = tf.nn.softplus(-self._logits(latents, training))
        apart = tf.nn.softplus(self._logits(permuted, training))
        return {"discriminator_loss": tf.reduce_mean(together + apart) / 2}

    def permuted(self, latents, noise_seed):
        """Shuffles each dimension of latents over the batch (Kim and Mnih, 2018, algorithm 1).

        Args:
            latents: float32 `[batch, size]`, this replica's share of a batch.
            noise_seed: int32 `[2]`.

        Returns:
            A tensor `[batch, size]`: each column has the values of the whole batch's column.
        """
        everyone, first = from_all_replicas(latents)
        draws = tf.random.stateless_uniform(tf.shape(everyone), noise_seed)
        # Each column by an order of its own.
        order = tf.argsort(tf.transpose(draws))
        shuffled = tf.transpose(tf.gather(tf.transpose(everyone), order, batch_dims=1))
        return shuffled[first : first + tf.shape(latents)[0]]

    def _logits(self, latents, training):
        return tf.cast(self.discriminator(latents, training=training), tf.float32)
