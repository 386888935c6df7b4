"""Small autoencoders and VAEs of clothes, each trained in seconds, which several figures show."""

import functools

import keras

import tfgen
from tfgen import data, distributions, networks, zoo

EPOCHS = 20
_HIDDEN = 256, 128


@functools.cache
def clothes(split):
    """Returns the embedded images of clothes, a `tfgen.data.Source`."""
    return data.source("embedded", split)


def autoencoder(source, latents, epochs=EPOCHS):
    """Returns an autoencoder of perceptrons, trained from seed 0 by the cross-entropy of pixels.

    Args:
        source: the `tfgen.data.Source` of images to train with.
        latents: the size of a code.
        epochs: passes over the images.
    """
    keras.utils.set_random_seed(0)
    model = tfgen.Autoencoder(
        networks.mlp_encoder(source.shape, latents, _HIDDEN, activation="relu", heads=1),
        networks.mlp_decoder(source.shape, latents, _HIDDEN[::-1], activation="relu"),
        distributions.Bernoulli(),
        seed=0,
    )
    model.compile(keras.optimizers.Adam(1e-3), jit_compile=True, steps_per_execution=20)
    return _trained(model, source, epochs)


def vae(source, latents, epochs=EPOCHS):
    """Returns a VAE of the same networks, but for the encoder's second output, trained alike."""
    keras.utils.set_random_seed(0)
    model = zoo.vae(
        networks.mlp_encoder(source.shape, latents, _HIDDEN, activation="relu"),
        networks.mlp_decoder(source.shape, latents, _HIDDEN[::-1], activation="relu"),
        distributions.StandardNormal(latents),
        optimizers=[keras.optimizers.Adam(1e-3)],
    )
    model.jit_compile, model.steps_per_execution = True, 20
    return _trained(model, source, epochs)


def _trained(model, source, epochs):
    batches = data.batches(source, 100, repeat=True)
    steps = epochs * (len(source) // 100)
    model.fit(batches, steps_per_epoch=steps, verbose=0)
    return model
