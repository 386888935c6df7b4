"""VAEs whose latents lie on a sphere, beside the same networks with normal latents."""

import keras

from tfgen import bounds, distributions, networks, zoo
from training.recipes.recipe import recipe

DIGITS = {
    "data": "tfds:mnist",
    "batch_size": 100,
    "epochs": 200,
    "binarized": "stochastic",
    "jit_compile": True,
    "steps_per_execution": 100,
}


@recipe(data="embedded", batch_size=64, epochs=40, jit_compile=True, steps_per_execution=50)
def s_vae_fashion(shape, steps):
    """Clothes on a globe: the hyperspherical VAE of Davidson et al., 2018, in two dimensions."""
    return _on_sphere(shape, steps, dimensions=2)


@recipe(**DIGITS)
def s_vae_5_mnist(shape, steps):
    """The hyperspherical VAE (Davidson et al., 2018) of digits on a sphere of 5 dimensions."""
    return _on_sphere(shape, steps, dimensions=5)


@recipe(**DIGITS)
def s_vae_10_mnist(shape, steps):
    """The hyperspherical VAE (Davidson et al., 2018) of digits on a sphere of 10 dimensions."""
    return _on_sphere(shape, steps, dimensions=10)


@recipe(**DIGITS)
def n_vae_5_mnist(shape, steps):
    """The networks of `s_vae_5_mnist` with 5 normal latents."""
    return _normal(shape, steps, dimensions=5)


@recipe(**DIGITS)
def n_vae_10_mnist(shape, steps):
    """The networks of `s_vae_10_mnist` with 10 normal latents."""
    return _normal(shape, steps, dimensions=10)


def _on_sphere(shape, steps, dimensions):
    """Returns a VAE on a sphere, whose vectors have one coordinate more than dimensions."""
    size = dimensions + 1
    return zoo.s_vae(
        *_networks(shape, size, heads=(size, 1)), distributions.UniformOnSphere(size), **_how(steps)
    )


def _normal(shape, steps, dimensions):
    prior = distributions.StandardNormal(dimensions)
    return zoo.vae(*_networks(shape, dimensions, heads=2), prior, **_how(steps))


def _networks(shape, size, heads):
    """Returns the perceptrons of Davidson et al., 2018, section 5.2."""
    return (
        networks.mlp_encoder(shape, size, hidden_sizes=(256, 128), heads=heads),
        networks.mlp_decoder(shape, size, hidden_sizes=(128, 256)),
    )


def _how(steps):
    rate = keras.optimizers.schedules.CosineDecay(3e-3, steps)
    return {"bound": bounds.ELBO(warm_up=steps // 5), "optimizers": [keras.optimizers.Adam(rate)]}
