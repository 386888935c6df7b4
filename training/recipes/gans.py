"""Generative adversarial networks."""

import keras

from tfgen import distributions, networks, zoo
from training.recipe import recipe


def fashion_recipe(build):
    """Registers a game in the protocol of Lucic et al., 2018: their networks' sizes and budget."""
    return recipe(data="embedded", batch_size=64, epochs=20)(build)


@fashion_recipe
def ns_gan_fashion(shape, steps):
    """The non-saturating GAN of Goodfellow et al., 2014, in the networks of InfoGAN.

    Budget and networks are those of Lucic et al., 2018 (`--data tfds:fashion_mnist` for their
    table).
    """
    gan = zoo.ns_gan(*players(shape), generator_ema=0.999)
    return with_adam(gan, 2e-4, steps)


def players(shape, batch_norm=True):
    """Returns InfoGAN's generator and discriminator, and the prior of Lucic et al."""
    return (
        networks.info_gan_generator(shape, latent_dim=64),
        networks.info_gan_discriminator(shape, batch_norm=batch_norm),
        distributions.Uniform(64),
    )


def with_adam(gan, learning_rate, steps, critic_factor=1.0):
    """Compiles a GAN with Adam, beta_1 0.5, whose rates fall to nothing along a cosine."""
    generator_steps = steps // gan.critic_steps
    gan.compile(
        cosine_adam(learning_rate, generator_steps),
        cosine_adam(critic_factor * learning_rate, steps),
        jit_update=gan.distribute_strategy.num_replicas_in_sync == 1,
    )
    return gan


def cosine_adam(learning_rate, steps):
    """Returns Adam with beta_1 0.5 and a rate that falls to 0 in `steps`."""
    schedule = keras.optimizers.schedules.CosineDecay(learning_rate, steps)
    return keras.optimizers.Adam(schedule, beta_1=0.5)
