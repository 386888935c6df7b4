"""Autoencoders: plain, denoising, of two domains."""

import keras

import tfgen
from tfgen import augmentations, data, distributions, networks
from training.recipes.measures import fault_detection
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


def _networks(shape):
    encoder = networks.conv_encoder(shape, latent_dim=16, heads=1)
    return encoder, networks.conv_decoder(shape, latent_dim=16)


def _compiled(model, steps):
    rate = keras.optimizers.schedules.CosineDecay(2e-3, steps)
    model.compile(keras.optimizers.Adam(rate))
    return model
