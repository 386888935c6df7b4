"""Each paper's name: the model put together as the paper says, compiled with its optimizers.

Networks and priors are the caller's. Every function takes `optimizers`, in the order in which the
model's `compile` has them, in the place of the paper's; and further options of the model, such as
`ema_momentum=0.999` or `seed=1`. It returns a compiled model. Where a paper has no optimizer, or
one from before Adam, DCGAN's is taken, as is usual; for autoencoders Adam with a rate of 1e-3.

Example:
    >>> gan = tfgen.zoo.wgan_gp(generator, critic, tfgen.distributions.Uniform(64))
    >>> gan.fit(images, epochs=20)
"""

import keras

from tfgen.distributions import (
    Bernoulli,
    DiagonalNormal,
    Gaussian,
    LogVarianceNormal,
    PrecisionWeighted,
    Proposed,
    VonMisesFisher,
)
from tfgen.distributions.codes import Categorical
from tfgen.models.autoencoders.hierarchical_vae import HierarchicalVAE
from tfgen.models.autoencoders.vae import VAE
from tfgen.models.gans.began import BEGAN
from tfgen.models.gans.conditional_gan import ConditionalGAN
from tfgen.models.gans.gan import GAN
from tfgen.models.gans.info_gan import InfoGAN
from tfgen.models.translation.cycle_gan import CycleGAN
from tfgen.objectives.bounds import ELBO
from tfgen.objectives.games import (
    Hinge,
    LeastSquares,
    MaximumLikelihood,
    Minimax,
    NonSaturating,
    Wasserstein,
)
from tfgen.objectives.penalties import Dragan, GradientPenalty, RealGradient, WeightClipping
from tfgen.objectives.schedules import ConstantThenLinear


def vae(
    encoder, decoder, prior, posterior=None, likelihood=None, beta=1.0, optimizers=None, **options
):
    """Kingma and Welling, 2014, equation 3: `log p(x) >= E_q[log p(x|z)] - KL(q(z|x) || p(z))`.

    Unless told otherwise, the posterior is `DiagonalNormal()` and the likelihood `Bernoulli()`.
    """
    if "bound" in options and beta != 1.0:
        raise ValueError(f"`beta` is a part of the bound. Received: beta={beta} and a bound.")
    options = {"bound": ELBO(beta), **options}
    values = posterior or DiagonalNormal(), likelihood or Bernoulli()
    model = VAE(encoder, decoder, prior, *values, **options)
    return _compiled(model, optimizers, [keras.optimizers.Adam(1e-3)])


def vae_lecture(encoder, decoder, prior, **options):
    """The lecture code: `mean(sum((x_hat - x)^2) + KL(q(z|x) || p(z)))`.

    The squared error is a normal likelihood of variance 1/2, up to a constant. Posterior:
    `DiagonalNormal()`, whose scale is a softplus.
    """
    return vae(encoder, decoder, prior, likelihood=Gaussian(scale=0.5**0.5), **options)


def beta_vae(encoder, decoder, prior, beta=4.0, **options):
    """Higgins et al., 2017, equation 4: `E_q[log p(x|z)] - beta KL(q(z|x) || p(z))`."""
    return vae(encoder, decoder, prior, beta=beta, **options)


def s_vae(encoder, decoder, prior, **options):
    """Davidson et al., 2018, "Hyperspherical variational auto-encoders": latents on a sphere.

    The posterior is `VonMisesFisher()`; the prior should be `UniformOnSphere`.
    """
    return vae(encoder, decoder, prior, posterior=VonMisesFisher(), **options)


def ladder_vae(parts, likelihood=None, warm_up=0, optimizers=None, **options):
    """Sonderby et al., 2016, equations 17 to 19: a posterior of two precisions in each layer.

    `parts` is a dict of networks, such as that of `tfgen.networks.ladder_networks`. `warm_up` is
    the number of steps in which the divergence gets its weight (section 2.3). Unless told
    otherwise, the likelihood is `Bernoulli()`.
    """
    options = {"bound": ELBO(warm_up=warm_up), **options}
    values = {"likelihood": likelihood or Bernoulli(), "inference": PrecisionWeighted()}
    model = HierarchicalVAE(**parts, **values, **options)
    return _compiled(model, optimizers, [keras.optimizers.Adam(1e-3)])


def top_down_vae(parts, likelihood=None, warm_up=0, optimizers=None, **options):
    """Child, 2021, section 3: each posterior sees the state that its prior sees.

    `parts` is a dict of networks, such as that of `tfgen.networks.top_down_networks`. The
    gradient's norm is clipped at 200, as in the authors' settings for CIFAR-10. They also leave out
    updates of a norm above 400; here these are clipped. Unless told otherwise, the likelihood is
    `Bernoulli()`.
    """
    options = {"bound": ELBO(warm_up=warm_up), **options}
    values = {"likelihood": likelihood or Bernoulli(), "inference": Proposed()}
    model = HierarchicalVAE(**parts, **values, normal=LogVarianceNormal(), **options)
    return _compiled(model, optimizers, [keras.optimizers.Adam(1e-3, global_clipnorm=200.0)])


def minimax_gan(generator, discriminator, prior, optimizers=None, **options):
    """Goodfellow et al., 2014, equation 1: `min_G max_D E[log D(x)] + E[log(1 - D(G(z)))]`."""
    gan = GAN(generator, discriminator, prior, Minimax(), **options)
    return _compiled(gan, optimizers, _adams())


def ns_gan(generator, discriminator, prior, optimizers=None, **options):
    """Goodfellow et al., 2014, section 3: the generator maximizes `E[log D(G(z))]`."""
    gan = GAN(generator, discriminator, prior, NonSaturating(), **options)
    return _compiled(gan, optimizers, _adams())


def gan_lecture(generator, discriminator, prior, optimizers=None, **options):
    """The lecture code: `J_D = h(1, D(x)) + h(0, D(G(z)))`, `J_G = h(1, D(G(z)))`.

    `h` is the sigmoid cross-entropy with logits. Both players learn from the same `z` in a step,
    each by Adam; the slide names no rate, 1e-3 is Adam's own.
    """
    options = {"fresh_fakes": False, **options}
    gan = GAN(generator, discriminator, prior, NonSaturating(), **options)
    return _compiled(gan, optimizers, _lecture_adams())


def ml_gan(generator, discriminator, prior, optimizers=None, **options):
    """Goodfellow, 2014: the generator maximizes `E[exp(logit D(G(z)))]`, and so likelihood."""
    gan = GAN(generator, discriminator, prior, MaximumLikelihood(), **options)
    return _compiled(gan, optimizers, _adams())


def lsgan(generator, discriminator, prior, optimizers=None, **options):
    """Mao et al., 2017, equation 9: `1/2 E[(D(x) - 1)^2] + 1/2 E[D(G(z))^2]`, Adam 1e-3 (LSUN)."""
    gan = GAN(generator, discriminator, prior, LeastSquares(), **options)
    return _compiled(gan, optimizers, _adams(1e-3))


def hinge_gan(generator, discriminator, prior, optimizers=None, **options):
    """Lim and Ye, 2017, equation 8: `E[max(0, 1 - D(x))] + E[max(0, 1 + D(G(z)))]`."""
    gan = GAN(generator, discriminator, prior, Hinge(), **options)
    return _compiled(gan, optimizers, _adams())


def wgan(generator, critic, prior, critic_steps=5, limit=0.01, optimizers=None, **options):
    """Arjovsky et al., 2017, algorithm 1: `max E[f(x)] - E[f(G(z))]`, weights in a box, RMSprop."""
    paper = {"critic_steps": critic_steps, "constraint": WeightClipping(limit)}
    gan = GAN(generator, critic, prior, Wasserstein(), **paper, **options)
    return _compiled(gan, optimizers, [keras.optimizers.RMSprop(5e-5) for _ in range(2)])


def wgan_gp(generator, critic, prior, critic_steps=5, weight=10.0, optimizers=None, **options):
    """Gulrajani et al., 2017, equation 3: `E[f(G(z))] - E[f(x)] + 10 E[(||grad f|| - 1)^2]`.

    The critic should have no batch normalization (section 4). Optimizer: algorithm 1.
    """
    paper = {"critic_steps": critic_steps, "penalties": [GradientPenalty(weight)]}
    gan = GAN(generator, critic, prior, Wasserstein(), **paper, **options)
    return _compiled(gan, optimizers, _adams(1e-4, beta_1=0.0, beta_2=0.9))


def dragan(generator, discriminator, prior, weight=10.0, optimizers=None, **options):
    """Kodali et al., 2017, algorithm 1: cross-entropy, and `10 E[(||grad D(x + d)|| - 1)^2]`.

    Optimizer: the authors' code.
    """
    gan = GAN(generator, discriminator, prior, NonSaturating(), [Dragan(weight)], **options)
    return _compiled(gan, optimizers, _adams(1e-4, beta_2=0.9))


def r1_gan(generator, discriminator, prior, weight=10.0, optimizers=None, **options):
    """Mescheder et al., 2018, equation 9: cross-entropy, and `10/2 E_x[||grad D(x)||^2]`.

    The discriminator should have no batch normalization, as in the paper.
    """
    gan = GAN(generator, discriminator, prior, NonSaturating(), [RealGradient(weight)], **options)
    return _compiled(gan, optimizers, _adams())


def began(generator, autoencoder, prior, optimizers=None, **options):
    """Berthelot et al., 2017, section 3.4: `L_D = L(x) - k L(G(z))`, `L_G = L(G(z))`, Adam 1e-4."""
    gan = BEGAN(generator, autoencoder, prior, **options)
    return _compiled(gan, optimizers, _adams(1e-4, beta_1=0.9))


def cgan(generator, discriminator, prior, num_classes=None, optimizers=None, **options):
    """Mirza and Osindero, 2014, figure 1: both players see the condition; non-saturating."""
    gan = ConditionalGAN(generator, discriminator, prior, num_classes, **options)
    return _compiled(gan, optimizers, _adams())


def cgan_lecture(generator, discriminator, prior, num_classes=None, optimizers=None, **options):
    """The lecture code: `gan_lecture` whose players see `[z, c]` and `[x, c]`.

    See `tfgen.networks.condition_generator` and `condition_discriminator`.
    """
    options = {"fresh_fakes": False, **options}
    gan = ConditionalGAN(generator, discriminator, prior, num_classes, **options)
    return _compiled(gan, optimizers, _lecture_adams())


def infogan(generator, discriminator, recognition, prior, codes, optimizers=None, **options):
    """Chen et al., 2016, equation 6: `min_{G,Q} max_D V(D, G) - lambda E[log Q(c|G(z, c))]`.

    The generator plays the non-saturating game. Appendix C: Adam 2e-4 for the discriminator, 1e-3
    for the generator and Q (MNIST).
    """
    gan = InfoGAN(generator, discriminator, recognition, prior, codes, **options)
    return _compiled(gan, optimizers, _adams(1e-3, 2e-4))


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
    return _compiled(gan, optimizers, [*_lecture_adams(), keras.optimizers.Adam(1e-4)])


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
    return _compiled(model, optimizers, _adams(rate))


def cyclegan_lecture(generator_ab, generator_ba, discriminator_a, discriminator_b, **options):
    """The lecture code: `J_G_A = h(1, D_A(G_BA(b))) + lambda mean|a - G_BA(G_AB(a))|`, no pool.

    `h` is the sigmoid cross-entropy with logits; B has the same. The factor lambda is
    `cycle_weight`, unless told otherwise the paper's 10. Another lecture squares the cycle:
    `cycle_loss="mean_squared_error"`, a mean over pixels where the slide has a sum. The slides
    name no optimizer.
    """
    players = generator_ab, generator_ba, discriminator_a, discriminator_b
    return cyclegan(*players, **{"game": NonSaturating(), "pool_size": 0, **options})


def _compiled(model, optimizers, of_the_paper):
    """Compiles a model with the given optimizers, or with those of its paper."""
    model.compile(*(of_the_paper if optimizers is None else optimizers))
    return model


def _lecture_adams():
    """Returns the lecture code's Adam for both players."""
    return _adams(1e-3, beta_1=0.9)


def _adams(rate=2e-4, critic_rate=None, beta_1=0.5, beta_2=0.999):
    """Returns Radford et al.'s Adam, or another, for both players."""
    rates = rate, rate if critic_rate is None else critic_rate
    return [keras.optimizers.Adam(each, beta_1=beta_1, beta_2=beta_2) for each in rates]
