"""VAEs whose prior or posterior is learnt beyond normals."""

import keras

from tfgen import bounds, distributions, networks, zoo
from training.recipes.recipe import recipe

CLOTHES = {"data": "embedded", "batch_size": 64, "epochs": 20}
STATIC_DIGITS = {
    "data": "tfds:mnist",
    "batch_size": 100,
    "epochs": 100,
    "binarized": "static",
    "jit_compile": True,
    "steps_per_execution": 20,
}
_LATENTS = 16


@recipe(**CLOTHES)
def vamp_fashion(shape, steps):
    """A VampPrior (Tomczak and Welling, 2018): the posteriors of 100 learnt pseudo-inputs."""
    return _clothes(shape, steps, distributions.VampPrior(_LATENTS, pseudo_inputs=100))


@recipe(**CLOTHES)
def exemplar_fashion(shape, steps):
    """An exemplar VAE (Norouzi et al., 2020): normals around the encodings of other clothes."""
    return _clothes(shape, steps, distributions.ExemplarPrior(_LATENTS, exemplars=1000))


@recipe(**CLOTHES)
def flow_prior_fashion(shape, steps):
    """A masked autoregressive flow as the prior (Chen et al., 2017, "Variational lossy ...")."""
    return _clothes(shape, steps, distributions.FlowPrior(_LATENTS, steps=3))


@recipe(**CLOTHES)
def iaf_fashion(shape, steps):
    """Inverse autoregressive flows as the posterior (Kingma et al., 2016)."""
    posterior = distributions.InverseAutoregressive(steps=2, context_size=64)
    prior, heads = distributions.StandardNormal(_LATENTS), (_LATENTS, _LATENTS, 64)
    return _clothes(shape, steps, prior, posterior=posterior, heads=heads)


@recipe(**STATIC_DIGITS)
def vamp_mnist(shape, steps):
    """A VampPrior of 500 pseudo-inputs on digits that are binarized once (Tomczak and Welling)."""
    prior = distributions.VampPrior(40, pseudo_inputs=500)
    return _digits(shape, steps, prior)


@recipe(**STATIC_DIGITS)
def standard_prior_mnist(shape, steps):
    """The networks of `vamp_mnist` with the standard normal prior."""
    return _digits(shape, steps, distributions.StandardNormal(40))


def _clothes(shape, steps, prior, posterior=None, heads=2):
    """Returns the VAE of `vae_fashion` with another prior or posterior."""
    return zoo.vae(
        networks.conv_encoder(shape, latent_dim=_LATENTS, heads=heads),
        networks.conv_decoder(shape, latent_dim=_LATENTS),
        prior,
        posterior=posterior,
        optimizers=[keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(2e-3, steps))],
    )


def _digits(shape, steps, prior):
    """Returns a VAE of 40 latents with two hidden layers of 300 units, as in the paper."""
    return zoo.vae(
        networks.mlp_encoder(shape, prior.size, hidden_sizes=(300, 300), activation="silu"),
        networks.mlp_decoder(shape, prior.size, hidden_sizes=(300, 300), activation="silu"),
        prior,
        bound=bounds.ELBO(warm_up=steps // 5),
        optimizers=[keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(1e-3, steps))],
    )
