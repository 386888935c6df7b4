"""Variational autoencoders with layers of latents."""

import keras

from tfgen import networks, zoo
from training.recipes.recipe import recipe

DIGITS = {
    "data": "tfds:mnist",
    "batch_size": 100,
    "binarized": "stochastic",
    "jit_compile": True,
}


@recipe(data="embedded", batch_size=64, epochs=20, jit_compile=True)
def ladder_fashion(shape, steps):
    """A small ladder VAE (Sonderby et al., 2016) of three dense layers, on clothes."""
    parts = networks.ladder_networks(shape, (4, 8, 16), hidden_sizes=(64, 128, 256), depth=1)
    return zoo.ladder_vae(parts, warm_up=steps // 4, optimizers=[_adam(2e-3, steps)])


@recipe(**DIGITS, epochs=250, steps_per_execution=50)
def ladder_mnist(shape, steps):
    """A ladder VAE (Sonderby et al., 2016) of five dense layers on binarized MNIST.

    The paper's sizes: 4, 8, 16, 32 and 64 latents, hidden layers of 64 to 512 units, two of each,
    with batch normalization. The warm-up takes a tenth of the steps, as in the paper.
    """
    parts = networks.ladder_networks(shape)
    return zoo.ladder_vae(parts, warm_up=steps // 10, optimizers=[_adam(1e-3, steps)])


@recipe(**DIGITS, epochs=60, steps_per_execution=1)
def top_down_mnist(shape, steps):
    """A small top-down VAE (Child, 2021) on binarized MNIST: latents at 1x1, 4x4 and 7x7.

    Eight layers of latents learn more in a step than one layer at each size.
    """
    channels = (16, 16, 8, 8, 8, 4, 4, 4)
    parts = networks.top_down_networks(shape, (1, 1, 4, 4, 4, 7, 7, 7), channels)
    adam = _adam(3e-3, steps, global_clipnorm=200.0)
    return zoo.top_down_vae(parts, warm_up=steps // 20, optimizers=[adam])


def _adam(rate, steps, **options):
    return keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(rate, steps), **options)
