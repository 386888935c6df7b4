"""BEGAN: an autoencoder as the discriminator."""

import tensorflow as tf

from tfgen.engine.batches import unpack
from tfgen.engine.one_pass import on_both
from tfgen.engine.serialization import serializable
from tfgen.models.fits import check_built, check_latents, check_players
from tfgen.models.gans.latent_generator import LatentGenerator


@serializable
class BEGAN(LatentGenerator):
    """A boundary equilibrium GAN (Berthelot et al., 2017, section 3.4).

    The discriminator is an autoencoder, and the players' losses are made of its errors
    `L(v) = mean |v - D(v)|`:

        L_D = L(x) - k L(G(z_D)),    L_G = L(G(z_G)),
        k <- clip(k + lambda (gamma L(x) - L(G(z_G))), 0, 1),

    where k, a state that is saved, holds the equilibrium `E L(G(z)) = gamma E L(x)`. Logged are k
    (`control`) and the measure of convergence `L(x) + |gamma L(x) - L(G(z_G))|`.

    Args:
        generator: a built Keras model from latents `[batch, prior.size]` to images in [0, 1].
        discriminator: a built Keras model from images to images.
        prior: a `tfgen.distributions.Prior` of the latents.
        diversity: the paper's gamma, in [0, 1]: less of it gives better and less diverse images.
        control_rate: the paper's lambda, the learning rate of k, positive.
        **kwargs: `ema_momentum`, `fresh_fakes`, `seed`, `name`, `dtype`: see `tfgen.GAN`.

    Raises:
        ValueError: the networks and the prior do not fit each other, or a number is out of range.

    Example:
        >>> began = tfgen.BEGAN(
        ...     generator=networks.info_gan_generator((28, 28, 1), latent_dim=64),
        ...     discriminator=networks.info_gan_autoencoder((28, 28, 1)),
        ...     prior=tfgen.distributions.Uniform(64),
        ... )
    """

    log_names = ("generator_loss", "discriminator_loss", "convergence", "control")

    def __init__(self, generator, discriminator, prior, diversity=0.5, control_rate=1e-3, **kwargs):
        super().__init__(generator, discriminator, prior, **kwargs)
        if not 0 <= diversity <= 1:
            raise ValueError(f"`diversity` must be in [0, 1]. Received: diversity={diversity}.")
        if not control_rate > 0:
            raise ValueError(
                f"`control_rate` must be positive. Received: control_rate={control_rate}."
            )
        if self.critic_steps != 1:
            raise ValueError(
                "BEGAN's players take turns: k is found from both players' losses. "
                f"Received: critic_steps={self.critic_steps}. Leave it out."
            )
        self.diversity = diversity
        self.control_rate = control_rate
        self.control = self.add_weight(
            name="control",
            shape=(),
            initializer="zeros",
            trainable=False,
            aggregation="only_first_replica",
        )
        self.finalize()

    def check_shapes(self):
        generator, discriminator = self.generator, self.discriminator
        check_built("generator", generator)
        check_built("discriminator", discriminator)
        check_latents("generator", generator.input_shape, (self.latent_dim,))
        check_players(generator.output_shape, discriminator.input_shape)
        if discriminator.output_shape != discriminator.input_shape:
            raise ValueError(
                "BEGAN's discriminator is an autoencoder: it must output images like those that it "
                f"takes. Received: a discriminator from {list(discriminator.input_shape)} to "
                f"{list(discriminator.output_shape)}."
            )

    def discriminator_losses(self, data, fakes, training):
        images = self.examples_of(data)
        rebuilt = on_both(self.discriminator, images, fakes.images, training)
        real, fake = (
            tf.reduce_mean(_errors(*each))
            for each in zip((images, fakes.images), rebuilt, strict=True)
        )
        loss = real - self.control.value * fake
        return {
            "discriminator_loss": tf.add_n([loss, *self.discriminator.losses]),
            "real_error": real,
            "control": tf.identity(self.control.value),
        }

    def generator_losses(self, data, fakes, training):
        rebuilt = self.discriminator(fakes.images, training=training)
        fake = tf.reduce_mean(_errors(fakes.images, rebuilt))
        return {
            "generator_loss": tf.add_n([fake, *self.generator.losses]),
            "fake_error": fake,
        }

    def compute_losses(self, data, training):
        return self._add_convergence(super().compute_losses(data, training))

    def after_step(self, losses, data):
        balance = self.diversity * losses["real_error"] - losses["fake_error"]
        context = tf.distribute.get_replica_context()
        if context.num_replicas_in_sync > 1:
            balance = context.all_reduce(tf.distribute.ReduceOp.MEAN, balance)
        control = self.control.value + self.control_rate * balance
        self.control.assign(tf.clip_by_value(control, 0.0, 1.0))

    def track(self, losses, data):
        return super().track(self._add_convergence(losses), data)

    def score(self, images):
        """Returns the error `L` of each image, `[batch]`."""
        images, _ = unpack(images)
        return {"errors": _errors(images, self.discriminator(images))}

    def _add_convergence(self, losses):
        real, fake = losses["real_error"], losses["fake_error"]
        return {**losses, "convergence": real + tf.abs(self.diversity * real - fake)}


def _errors(images, rebuilt):
    """Returns each image's error, `[batch]`."""
    errors = tf.abs(tf.cast(images, tf.float32) - tf.cast(rebuilt, tf.float32))
    return tf.reduce_mean(errors, axis=range(1, len(errors.shape)))
