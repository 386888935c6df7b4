"""Autoencoders: plain, denoising, of two domains."""

import keras

import tfgen
from tfgen import augmentations, data, distributions, networks
from training.recipes.measures import fault_detection, quantization
from training.recipes.recipe import recipe


@recipe(data="embedded", batch_size=64, epochs=20)
def autoencoder_fashion(shape, steps):
    """A convolutional autoencoder of 16 codes, by the lecture's squared error, in two minutes."""
    return _compiled(tfgen.Autoencoder(*_networks(shape)), steps)


@recipe(data="embedded", batch_size=64, epochs=20)
def denoiser_fashion(shape, steps):
    """A denoising autoencoder (Vincent et al., 2008): it takes normal noise of 0.3 away."""
    corruption = augmentations.GaussianNoise(0.3)
    return _compiled(tfgen.Autoencoder(*_networks(shape), corruption=corruption), steps)


@recipe(
    data="plant",
    batch_size=100,
    epochs=30,
    measure=fault_detection,
    jit_compile=True,
    steps_per_execution=50,
)
def autoencoder_plant(shape, steps):
    """Novelty detection on a plant's sensors: readings that break the relations between them."""
    encoder = networks.mlp_encoder(shape, 3, (64, 32), heads=1)
    return _compiled(tfgen.Autoencoder(encoder, networks.mlp_decoder(shape, 3, (32, 64))), steps)


@recipe(data="classes:embedded:7,9", find_data=data.domains, batch_size=32, epochs=100)
def swap_fashion(shape, steps):
    """The lecture's face-swap construction, of sneakers and ankle boots, which are disturbed."""
    shape, _ = shape
    encoder, decoder = _networks(shape)
    model = tfgen.SwapAutoencoder(
        encoder,
        decoder,
        networks.conv_decoder(shape, latent_dim=16),
        likelihood=distributions.Bernoulli(),
        corruption=augmentations.RandomAffine(),
    )
    return _compiled(model, steps)


@recipe(data="embedded", batch_size=64, epochs=20)
def wae_fashion(shape, steps):
    """A Wasserstein autoencoder (Tolstikhin et al., 2018) of 8 latents: samples without a VAE."""
    model = tfgen.WassersteinAutoencoder(
        networks.conv_encoder(shape, latent_dim=8, heads=1),
        networks.conv_decoder(shape, latent_dim=8),
        distributions.StandardNormal(8),
        weight=100.0,
    )
    return _compiled(model, steps)


@recipe(data="embedded", batch_size=64, epochs=10, measure=quantization)
def vq_vae_fashion(shape, steps):
    """A small VQ-VAE (van den Oord et al., 2017): an image becomes 7x7 codes of 128."""
    return _vq_vae(shape, steps, codes=128, residual_blocks=1)


@recipe(data="tfds:fashion_mnist", batch_size=64, epochs=40, measure=quantization)
def vq_vae_fashion_mnist(shape, steps):
    """VQ-VAE (van den Oord et al., 2017) of all of Fashion-MNIST: 7x7 codes of 512."""
    return _vq_vae(shape, steps, codes=512, residual_blocks=2)


def _vq_vae(shape, steps, codes, residual_blocks):
    """Returns a VQ-VAE of the paper's networks, with fewer filters.

    Its error is a sum over 784 values, beside which the paper's commitment of 0.25 is little: of
    0.25 and 10, after three epochs of the embedded data, the latter reconstructed better.
    """
    options = {"latent_dim": 16, "residual_blocks": residual_blocks}
    model = tfgen.VQVAE(
        networks.vq_encoder(shape, **options),
        networks.vq_decoder(shape, **options),
        distributions.Codebook(codes),
        commitment=10.0,
    )
    return _compiled(model, steps)


def _networks(shape):
    encoder = networks.conv_encoder(shape, latent_dim=16, heads=1)
    return encoder, networks.conv_decoder(shape, latent_dim=16)


def _compiled(model, steps):
    rate = keras.optimizers.schedules.CosineDecay(2e-3, steps)
    model.compile(keras.optimizers.Adam(rate))
    return model
