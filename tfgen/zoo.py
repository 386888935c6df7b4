"""Each paper's name: the model put together as the paper says, compiled with its optimizers.

Networks and priors are the caller's. Every function takes further options of the model, such as
`ema_momentum=0.999` or `seed=1`, and returns a compiled model; compile it again for other
optimizers. Where a paper has no optimizer, or one from before Adam, DCGAN's is taken, as is usual.

Example:
    >>> gan = tfgen.zoo.wgan_gp(generator, critic, tfgen.distributions.Uniform(64))
    >>> gan.fit(images, epochs=20)
"""

import keras

from tfgen.models.gans.began import BEGAN
from tfgen.models.gans.conditional_gan import ConditionalGAN
from tfgen.models.gans.gan import GAN
from tfgen.models.gans.info_gan import InfoGAN
from tfgen.models.translation.cycle_gan import CycleGAN
from tfgen.objectives.games import (
    LeastSquares,
    MaximumLikelihood,
    Minimax,
    NonSaturating,
    Wasserstein,
)
from tfgen.objectives.penalties import Dragan, GradientPenalty, WeightClipping
from tfgen.objectives.schedules import ConstantThenLinear


def minimax_gan(generator, discriminator, prior, **options):
    """Goodfellow et al., 2014, equation 1: `min_G max_D E[log D(x)] + E[log(1 - D(G(z)))]`."""
    return _adam(GAN(generator, discriminator, prior, Minimax(), **options))


def ns_gan(generator, discriminator, prior, **options):
    """Goodfellow et al., 2014, section 3: the generator maximizes `E[log D(G(z))]`."""
    return _adam(GAN(generator, discriminator, prior, NonSaturating(), **options))


def ml_gan(generator, discriminator, prior, **options):
    """Goodfellow, 2014: the generator maximizes `E[exp(logit D(G(z)))]`, and so likelihood."""
    return _adam(GAN(generator, discriminator, prior, MaximumLikelihood(), **options))


def lsgan(generator, discriminator, prior, **options):
    """Mao et al., 2017, equation 9: `1/2 E[(D(x) - 1)^2] + 1/2 E[D(G(z))^2]`, Adam 1e-3 (LSUN)."""
    gan = GAN(generator, discriminator, prior, LeastSquares(), **options)
    return _adam(gan, learning_rate=1e-3)


def wgan(generator, critic, prior, critic_steps=5, limit=0.01, **options):
    """Arjovsky et al., 2017, algorithm 1: `max E[f(x)] - E[f(G(z))]`, weights in a box, RMSprop."""
    gan = GAN(
        generator,
        critic,
        prior,
        Wasserstein(),
        critic_steps=critic_steps,
        constraint=WeightClipping(limit),
        **options,
    )
    gan.compile(keras.optimizers.RMSprop(5e-5), keras.optimizers.RMSprop(5e-5))
    return gan


def wgan_gp(generator, critic, prior, critic_steps=5, weight=10.0, **options):
    """Gulrajani et al., 2017, equation 3: `E[f(G(z))] - E[f(x)] + 10 E[(||grad f|| - 1)^2]`.

    The critic should have no batch normalization (section 4). Optimizer: algorithm 1.
    """
    gan = GAN(
        generator,
        critic,
        prior,
        Wasserstein(),
        penalties=[GradientPenalty(weight)],
        critic_steps=critic_steps,
        **options,
    )
    return _adam(gan, learning_rate=1e-4, beta_1=0.0, beta_2=0.9)


def dragan(generator, discriminator, prior, weight=10.0, **options):
    """Kodali et al., 2017, algorithm 1: cross-entropy, and `10 E[(||grad D(x + d)|| - 1)^2]`.

    Optimizer: the authors' code.
    """
    gan = GAN(generator, discriminator, prior, NonSaturating(), [Dragan(weight)], **options)
    return _adam(gan, learning_rate=1e-4, beta_2=0.9)


def began(generator, autoencoder, prior, **options):
    """Berthelot et al., 2017, section 3.4: `L_D = L(x) - k L(G(z))`, `L_G = L(G(z))`, Adam 1e-4."""
    return _adam(BEGAN(generator, autoencoder, prior, **options), 1e-4, beta_1=0.9)


def cgan(generator, discriminator, prior, num_classes=None, **options):
    """Mirza and Osindero, 2014, equation 2: both players see the condition; non-saturating."""
    return _adam(ConditionalGAN(generator, discriminator, prior, num_classes, **options))


def infogan(generator, discriminator, recognition, prior, codes, **options):
    """Chen et al., 2016, equation 6: `min_{G,Q} max_D V(D, G) - lambda E[log Q(c|G(z, c))]`.

    The generator plays the non-saturating game. Appendix C: Adam 2e-4 for the discriminator, 1e-3
    for the generator and Q (MNIST).
    """
    gan = InfoGAN(generator, discriminator, recognition, prior, codes, **options)
    gan.compile(*(keras.optimizers.Adam(rate, beta_1=0.5) for rate in (1e-3, 2e-4)))
    return gan


def dcgan(generator, discriminator, prior, **options):
    """Radford et al., 2016: the non-saturating game, convolutions, Adam 2e-4 with beta_1 0.5.

    See `tfgen.networks.dcgan_generator` and `dcgan_discriminator`; the prior is `Uniform(100)`.
    """
    return ns_gan(generator, discriminator, prior, **options)


def cyclegan(generator_ab, generator_ba, discriminator_a, discriminator_b, steps=None, **options):
    """Zhu et al., 2017, equation 3: least squares and `10 |G_BA(G_AB(a)) - a|`, a pool of 50.

    Batches are of one image; where colours are to stay, `identity_weight=0.5` (section 5.2). With
    `steps`, those of the whole training, the rate falls to 0 in the second half.
    """
    model = CycleGAN(generator_ab, generator_ba, discriminator_a, discriminator_b, **options)
    rate = 2e-4 if steps is None else ConstantThenLinear(2e-4, steps)
    return _adam(model, rate)


def _adam(gan, learning_rate=2e-4, beta_1=0.5, beta_2=0.999):
    """Compiles a model with Radford et al.'s Adam, or another, for both players."""
    gan.compile(
        *(keras.optimizers.Adam(learning_rate, beta_1=beta_1, beta_2=beta_2) for _ in range(2))
    )
    return gan
