"""Papers on autoencoders."""

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
from tfgen.models.autoencoders.hierarchical_vae import HierarchicalVAE
from tfgen.models.autoencoders.vae import VAE
from tfgen.objectives.bounds import ELBO
from tfgen.zoo.compiled import compiled


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
    return compiled(model, optimizers, [keras.optimizers.Adam(1e-3)])


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
    return compiled(model, optimizers, [keras.optimizers.Adam(1e-3)])


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
    return compiled(model, optimizers, [keras.optimizers.Adam(1e-3, global_clipnorm=200.0)])
