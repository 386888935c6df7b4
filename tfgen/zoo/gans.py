"""Papers on GANs, and on translation by them."""

import keras

from tfgen.distributions.codes import Categorical
from tfgen.models.gans.auxiliary_classifier_gan import AuxiliaryClassifierGAN
from tfgen.models.gans.began import BEGAN
from tfgen.models.gans.conditional_gan import ConditionalGAN
from tfgen.models.gans.gan import GAN
from tfgen.models.gans.info_gan import InfoGAN
from tfgen.models.translation.cycle_gan import CycleGAN
from tfgen.objectives.games import (
    FDivergence,
    Hinge,
    LeastSquares,
    MaximumLikelihood,
    Minimax,
    NonSaturating,
    RelativisticAverage,
    Wasserstein,
)
from tfgen.objectives.penalties import (
    Dragan,
    FisherConstraint,
    GradientPenalty,
    RealGradient,
    WeightClipping,
)
from tfgen.objectives.schedules import ConstantThenLinear
from tfgen.zoo.compiled import adams, compiled, lecture_adams


def minimax_gan(generator, discriminator, prior, optimizers=None, **options):
    """Goodfellow et al., 2014, equation 1: `min_G max_D E[log D(x)] + E[log(1 - D(G(z)))]`."""
    gan = GAN(generator, discriminator, prior, Minimax(), **options)
    return compiled(gan, optimizers, adams())


def ns_gan(generator, discriminator, prior, optimizers=None, **options):
    """Goodfellow et al., 2014, section 3: the generator maximizes `E[log D(G(z))]`."""
    gan = GAN(generator, discriminator, prior, NonSaturating(), **options)
    return compiled(gan, optimizers, adams())


def gan_lecture(generator, discriminator, prior, optimizers=None, **options):
    """The lecture code: `J_D = h(1, D(x)) + h(0, D(G(z)))`, `J_G = h(1, D(G(z)))`.

    `h` is the sigmoid cross-entropy with logits. Both players learn from the same `z` in a step,
    each by Adam; the slide names no rate, 1e-3 is Adam's own.
    """
    options = {"fresh_fakes": False, **options}
    gan = GAN(generator, discriminator, prior, NonSaturating(), **options)
    return compiled(gan, optimizers, lecture_adams())


def ml_gan(generator, discriminator, prior, optimizers=None, **options):
    """Goodfellow, 2014: the generator maximizes `E[exp(logit D(G(z)))]`, and so likelihood."""
    gan = GAN(generator, discriminator, prior, MaximumLikelihood(), **options)
    return compiled(gan, optimizers, adams())


def lsgan(generator, discriminator, prior, optimizers=None, **options):
    """Mao et al., 2017, equation 9: `1/2 E[(D(x) - 1)^2] + 1/2 E[D(G(z))^2]`, Adam 1e-3 (LSUN)."""
    gan = GAN(generator, discriminator, prior, LeastSquares(), **options)
    return compiled(gan, optimizers, adams(1e-3))


def hinge_gan(generator, discriminator, prior, optimizers=None, **options):
    """Lim and Ye, 2017, equation 8: `E[max(0, 1 - D(x))] + E[max(0, 1 + D(G(z)))]`."""
    gan = GAN(generator, discriminator, prior, Hinge(), **options)
    return compiled(gan, optimizers, adams())


def f_gan(
    generator,
    discriminator,
    prior,
    divergence="jensen_shannon",
    saturating=False,
    optimizers=None,
    **options,
):
    """Nowozin et al., 2016, equation 6: `min_G max_v E[g(v(x))] - E[f*(g(v(G(z))))]`."""
    game = FDivergence(divergence, saturating)
    gan = GAN(generator, discriminator, prior, game, **options)
    return compiled(gan, optimizers, adams())


def relativistic_gan(generator, discriminator, prior, loss="logistic", optimizers=None, **options):
    """Jolicoeur-Martineau, 2019, section 4: are data more real than the mean of the samples?"""
    gan = GAN(generator, discriminator, prior, RelativisticAverage(loss), **options)
    return compiled(gan, optimizers, adams())


def fisher_gan(generator, critic, prior, rho=1e-6, optimizers=None, **options):
    """Mroueh and Sercu, 2017, algorithm 1: `max E[f(x)] - E[f(G(z))]`, second moments near 1."""
    gan = GAN(generator, critic, prior, Wasserstein(), constraint=FisherConstraint(rho), **options)
    return compiled(gan, optimizers, adams())


def wgan(generator, critic, prior, critic_steps=5, limit=0.01, optimizers=None, **options):
    """Arjovsky et al., 2017, algorithm 1: `max E[f(x)] - E[f(G(z))]`, weights in a box, RMSprop."""
    paper = {"critic_steps": critic_steps, "constraint": WeightClipping(limit)}
    gan = GAN(generator, critic, prior, Wasserstein(), **paper, **options)
    return compiled(gan, optimizers, [keras.optimizers.RMSprop(5e-5) for _ in range(2)])


def wgan_gp(generator, critic, prior, critic_steps=5, weight=10.0, optimizers=None, **options):
    """Gulrajani et al., 2017, equation 3: `E[f(G(z))] - E[f(x)] + 10 E[(||grad f|| - 1)^2]`.

    The critic should have no batch normalization (section 4). Optimizer: algorithm 1.
    """
    paper = {"critic_steps": critic_steps, "penalties": [GradientPenalty(weight)]}
    gan = GAN(generator, critic, prior, Wasserstein(), **paper, **options)
    return compiled(gan, optimizers, adams(1e-4, beta_1=0.0, beta_2=0.9))


def dragan(generator, discriminator, prior, weight=10.0, optimizers=None, **options):
    """Kodali et al., 2017, algorithm 1: cross-entropy, and `10 E[(||grad D(x + d)|| - 1)^2]`.

    Optimizer: the authors' code.
    """
    gan = GAN(generator, discriminator, prior, NonSaturating(), [Dragan(weight)], **options)
    return compiled(gan, optimizers, adams(1e-4, beta_2=0.9))


def r1_gan(generator, discriminator, prior, weight=10.0, optimizers=None, **options):
    """Mescheder et al., 2018, equation 9: cross-entropy, and `10/2 E_x[||grad D(x)||^2]`.

    The discriminator should have no batch normalization, as in the paper.
    """
    gan = GAN(generator, discriminator, prior, NonSaturating(), [RealGradient(weight)], **options)
    return compiled(gan, optimizers, adams())


def began(generator, autoencoder, prior, optimizers=None, **options):
    """Berthelot et al., 2017, section 3.4: `L_D = L(x) - k L(G(z))`, `L_G = L(G(z))`, Adam 1e-4."""
    gan = BEGAN(generator, autoencoder, prior, **options)
    return compiled(gan, optimizers, adams(1e-4, beta_1=0.9))


def cgan(generator, discriminator, prior, num_classes=None, optimizers=None, **options):
    """Mirza and Osindero, 2014, figure 1: both players see the condition; non-saturating."""
    gan = ConditionalGAN(generator, discriminator, prior, num_classes, **options)
    return compiled(gan, optimizers, adams())


def acgan(generator, discriminator, prior, num_classes, optimizers=None, **options):
    """Odena et al., 2017, equations 2 and 3: the discriminator tells the class; non-saturating."""
    gan = AuxiliaryClassifierGAN(generator, discriminator, prior, num_classes, **options)
    return compiled(gan, optimizers, adams())


def cgan_lecture(generator, discriminator, prior, num_classes=None, optimizers=None, **options):
    """The lecture code: `gan_lecture` whose players see `[z, c]` and `[x, c]`.

    See `tfgen.networks.condition_generator` and `condition_discriminator`.
    """
    options = {"fresh_fakes": False, **options}
    gan = ConditionalGAN(generator, discriminator, prior, num_classes, **options)
    return compiled(gan, optimizers, lecture_adams())


def infogan(generator, discriminator, recognition, prior, codes, optimizers=None, **options):
    """Chen et al., 2016, equation 6: `min_{G,Q} max_D V(D, G) - lambda E[log Q(c|G(z, c))]`.

    The generator plays the non-saturating game. Appendix C: Adam 2e-4 for the discriminator, 1e-3
    for the generator and Q (MNIST).
    """
    gan = InfoGAN(generator, discriminator, recognition, prior, codes, **options)
    return compiled(gan, optimizers, adams(1e-3, 2e-4))


def infogan_lecture(
    generator, discriminator, recognition, prior, codes=None, optimizers=None, **options
):
    """The lecture code: `gan_lecture`, and `Q_loss = cross_entropy(c, Q(G(z, c)))` after it.

    Q is a network of its own, which has an optimizer of its own, Adam(1e-4), over the variables of
    G and Q. Unless told otherwise the code is one of four clusters, each of probability 0.25.
    `optimizers` are three: with two, the codes' loss would count in the generator's.
    """
    options = {"fresh_fakes": False, **options}
    codes = [Categorical(4)] if codes is None else codes
    gan = InfoGAN(generator, discriminator, recognition, prior, codes, **options)
    return compiled(gan, optimizers, [*lecture_adams(), keras.optimizers.Adam(1e-4)])


def dcgan(generator, discriminator, prior, **options):
    """Radford et al., 2016: the non-saturating game, convolutions, Adam 2e-4 with beta_1 0.5.

    See `tfgen.networks.dcgan_generator` and `dcgan_discriminator`; the prior is `Uniform(100)`.
    """
    return ns_gan(generator, discriminator, prior, **options)


def cyclegan(
    generator_ab,
    generator_ba,
    discriminator_a,
    discriminator_b,
    steps=None,
    optimizers=None,
    **options,
):
    """Zhu et al., 2017, equation 3: least squares and `10 |G_BA(G_AB(a)) - a|`, a pool of 50.

    Batches are of one image; where colours are to stay, `identity_weight=0.5` (section 5.2). With
    `steps`, those of the whole training, the rate falls to 0 in the second half.
    """
    model = CycleGAN(generator_ab, generator_ba, discriminator_a, discriminator_b, **options)
    rate = 2e-4 if steps is None else ConstantThenLinear(2e-4, steps)
    return compiled(model, optimizers, adams(rate))


def cyclegan_lecture(generator_ab, generator_ba, discriminator_a, discriminator_b, **options):
    """The lecture code: `J_G_A = h(1, D_A(G_BA(b))) + lambda mean|a - G_BA(G_AB(a))|`, no pool.

    `h` is the sigmoid cross-entropy with logits; B has the same. The factor lambda is
    `cycle_weight`, unless told otherwise the paper's 10. Another lecture squares the cycle:
    `cycle_loss="mean_squared_error"`, a mean over pixels where the slide has a sum. The slides
    name no optimizer.
    """
    players = generator_ab, generator_ba, discriminator_a, discriminator_b
    return cyclegan(*players, **{"game": NonSaturating(), "pool_size": 0, **options})
