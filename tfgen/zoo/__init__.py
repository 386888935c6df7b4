"""Each paper's name: the model put together as the paper says, compiled with its optimizers.

Networks and priors are the caller's. Every function takes `optimizers`, in the order in which the
model's `compile` has them, in the place of the paper's; and further options of the model, such as
`ema_momentum=0.999` or `seed=1`. It returns a compiled model. Where a paper has no optimizer, or
one from before Adam, DCGAN's is taken, as is usual; for autoencoders Adam with a rate of 1e-3.

Example:
    >>> gan = tfgen.zoo.wgan_gp(generator, critic, tfgen.distributions.Uniform(64))
    >>> gan.fit(images, epochs=20)
"""

from tfgen.zoo.autoencoders import (
    beta_vae,
    ladder_vae,
    s_vae,
    top_down_vae,
    vae,
    vae_lecture,
)
from tfgen.zoo.diffusion import (
    cosine_v,
    ddpm,
    edm,
    flow_matching,
)
from tfgen.zoo.gans import (
    acgan,
    began,
    cgan,
    cgan_lecture,
    cyclegan,
    cyclegan_lecture,
    dcgan,
    dragan,
    f_gan,
    fisher_gan,
    gan_lecture,
    hinge_gan,
    infogan,
    infogan_lecture,
    lsgan,
    minimax_gan,
    ml_gan,
    ns_gan,
    r1_gan,
    relativistic_gan,
    wgan,
    wgan_gp,
)

__all__ = [
    "acgan",
    "began",
    "beta_vae",
    "cgan",
    "cgan_lecture",
    "cosine_v",
    "cyclegan",
    "cyclegan_lecture",
    "dcgan",
    "ddpm",
    "dragan",
    "edm",
    "f_gan",
    "fisher_gan",
    "flow_matching",
    "gan_lecture",
    "hinge_gan",
    "infogan",
    "infogan_lecture",
    "ladder_vae",
    "lsgan",
    "minimax_gan",
    "ml_gan",
    "ns_gan",
    "r1_gan",
    "relativistic_gan",
    "s_vae",
    "top_down_vae",
    "vae",
    "vae_lecture",
    "wgan",
    "wgan_gp",
]
