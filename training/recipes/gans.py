"""Generative adversarial networks."""

import keras

from tfgen import (
    distributions,
    networks,
    schedules,
    zoo,
)
from training.recipes.recipe import recipe

# The protocol of Lucic et al., 2018: their networks' sizes and budget. The data are embedded by
# default; `--data tfds:fashion_mnist` for their table. In all of these the generator's weights are
# averaged.
FASHION = {"data": "embedded", "batch_size": 64, "epochs": 20}


@recipe(**FASHION)
def minimax_gan_fashion(shape, steps):
    """The zero-sum GAN of Goodfellow et al., 2014, in the networks of InfoGAN.

    The discriminator learns at half the generator's rate: sure of itself, it gives no gradient.
    """
    return zoo.minimax_gan(*players(shape), ema_momentum=0.999, optimizers=adams(2e-4, 1e-4))


@recipe(**FASHION)
def ns_gan_fashion(shape, steps):
    """The non-saturating GAN of Goodfellow et al., 2014, in the networks of InfoGAN.

    The rates are constant, the weights averaged over 2,000 steps.
    """
    return zoo.ns_gan(*players(shape), ema_momentum=0.9995, optimizers=adams(2e-4, 2e-4))


@recipe(**FASHION)
def r1_gan_fashion(shape, steps):
    """The non-saturating GAN, flat at the data (Mescheder et al., 2018), in InfoGAN's networks.

    The discriminator has no batch normalization, and with its gradient held at the data it cannot
    learn them by heart. So both players learn at five times the usual rate, which falls linearly to
    0 in the second half; the weights are averaged over 2,000 steps.
    """
    return zoo.r1_gan(
        *players(shape, batch_norm=False),
        weight=1.0,
        ema_momentum=0.9995,
        optimizers=adams(*linear(steps, 1e-3, 1e-3), beta_1=0.0, beta_2=0.9),
    )


@recipe(**FASHION)
def lsgan_fashion(shape, steps):
    """The least squares GAN of Mao et al., 2017, in the networks of InfoGAN, at constant rates."""
    return zoo.lsgan(*players(shape), ema_momentum=0.999, optimizers=adams(2e-4, 2e-4))


@recipe(**FASHION)
def f_gan_fashion(shape, steps):
    """f-GAN (Nowozin et al., 2016) of Pearson's divergence, in the networks of InfoGAN."""
    return zoo.f_gan(
        *players(shape),
        divergence="pearson",
        ema_momentum=0.999,
        optimizers=adams(2e-4, 2e-4),
    )


@recipe(**FASHION)
def relativistic_gan_fashion(shape, steps):
    """The relativistic average GAN (Jolicoeur-Martineau, 2019), in the networks of InfoGAN."""
    return zoo.relativistic_gan(*players(shape), ema_momentum=0.999, optimizers=adams(2e-4, 2e-4))


@recipe(**FASHION)
def fisher_gan_fashion(shape, steps):
    """Fisher GAN (Mroueh and Sercu, 2017), in the networks of InfoGAN.

    `rho` is larger than the paper's 1e-6, whose trainings are longer.
    """
    return zoo.fisher_gan(
        *players(shape), rho=1e-4, ema_momentum=0.999, optimizers=adams(2e-4, 2e-4)
    )


@recipe(**FASHION)
def wgan_fashion(shape, steps):
    """The Wasserstein GAN of Arjovsky et al., 2017, in the networks of InfoGAN.

    In 20 epochs a generator that waits for five steps of the critic would take 3,750 steps. So
    each takes one in turn here, the critic's of twice the size. With the paper's box of 0.01, which
    holds the scales of batch normalization too, the critic stayed at 0 for a whole epoch.
    """
    return zoo.wgan(
        *players(shape),
        critic_steps=1,
        limit=0.05,
        ema_momentum=0.999,
        optimizers=[keras.optimizers.RMSprop(rate) for rate in cosine(steps, 2e-4, 4e-4)],
    )


@recipe(**FASHION)
def wgan_gp_fashion(shape, steps):
    """The Wasserstein GAN with gradient penalty of Gulrajani et al., 2017, in InfoGAN's networks.

    The critic has no batch normalization, and takes one step in turn with the generator, of twice
    the size (Heusel et al., 2017): see `wgan_fashion`. The rates are high and, in the second half,
    fall linearly to 0; the weights are averaged over 2,000 steps.
    """
    return zoo.wgan_gp(
        *players(shape, batch_norm=False),
        critic_steps=1,
        ema_momentum=0.9995,
        optimizers=adams(*linear(steps, 5e-4, 1e-3), beta_1=0.0, beta_2=0.9),
    )


@recipe(**FASHION)
def dragan_fashion(shape, steps):
    """The GAN of Kodali et al., 2017, gradients around the data, in the networks of InfoGAN.

    The discriminator has no batch normalization; rates and average are those of `wgan_gp_fashion`.
    """
    return zoo.dragan(
        *players(shape, batch_norm=False),
        ema_momentum=0.9995,
        optimizers=adams(*linear(steps, 5e-4, 1e-3), beta_1=0.0, beta_2=0.9),
    )


@recipe(**FASHION)
def began_fashion(shape, steps):
    """The boundary equilibrium GAN of Berthelot et al., 2017; generator: the networks of InfoGAN.

    The autoencoder is small, about half of InfoGAN's discriminator there and back. Samples are to
    be as hard for it as the data (a diversity of 1), and `k` moves at a hundred times the paper's
    rate, at which it would not find its balance in 20 epochs. The players chase a balance that
    moves, so Adam has no momentum; its rates are high and, in the second half, fall linearly to 0.
    """
    return zoo.began(
        networks.info_gan_generator(shape, latent_dim=64, momentum=0.99),
        networks.info_gan_autoencoder(shape),
        distributions.Uniform(64),
        diversity=1.0,
        control_rate=0.1,
        ema_momentum=0.9995,
        optimizers=adams(*linear(steps, 2e-3, 2e-3), beta_1=0.0, beta_2=0.99),
    )


@recipe(data="embedded", batch_size=64, epochs=50)
def dcgan_fashion(shape, steps):
    """DCGAN (Radford et al., 2016): convolutions, 100 uniform latents, Adam 2e-4."""
    return half_dcgan(shape, steps)


@recipe(data="embedded", size=(64, 64), batch_size=64, epochs=20)
def dcgan_64(shape, steps):
    """DCGAN (Radford et al., 2016) at 64x64 pixels, for any folder: `--data folder:PATH`."""
    return half_dcgan(shape, steps)


def half_dcgan(shape, steps):
    """Returns the paper's networks, half as wide, and its optimizers with falling rates."""
    return zoo.dcgan(
        networks.dcgan_generator(shape, latent_dim=100, filters=64),
        networks.dcgan_discriminator(shape, filters=32),
        distributions.Uniform(100),
        ema_momentum=0.999,
        optimizers=adams(*cosine(steps, 2e-4, 2e-4)),
    )


def players(shape, batch_norm=True):
    """Returns InfoGAN's generator and discriminator, and the prior of Lucic et al.

    What the generator normalizes by when it is asked for samples, it learns from 100 batches.
    """
    return (
        networks.info_gan_generator(shape, latent_dim=64, momentum=0.99),
        networks.info_gan_discriminator(shape, batch_norm=batch_norm),
        distributions.Uniform(64),
    )


def adams(rate, critic_rate, beta_1=0.5, beta_2=0.999):
    """Returns Adam for both players, of DCGAN's betas unless told otherwise."""
    betas = {"beta_1": beta_1, "beta_2": beta_2}
    return [keras.optimizers.Adam(each, **betas) for each in (rate, critic_rate)]


def linear(steps, *rates):
    """Returns rates that are constant, and fall linearly to 0 in the second half of `steps`."""
    return [schedules.ConstantThenLinear(rate, steps) for rate in rates]


def cosine(steps, *rates):
    """Returns rates that fall to 0 in `steps` along a cosine."""
    return [keras.optimizers.schedules.CosineDecay(rate, steps) for rate in rates]
