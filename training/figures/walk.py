"""A denoiser's walk back and forth: from noise to clothes, and from clothes to others.

Each step adds noise and takes it away, as in a generative stochastic network. What the denoiser
gives is the mean of all images that the noisy one may come from, so steps are blurred.
"""

import keras
import numpy as np
import tensorflow as tf

import tfgen
from tfgen import augmentations, distributions, networks
from tfgen.pictures import grid
from training.figures.canvas import canvas, save
from training.figures.sampled_codes import distances
from training.figures.small_autoencoders import clothes

CODES = 32
NOISE = 0.6
EPOCHS = 6
STEPS = 60  # of a walk
SHOWN = 14  # of them


def denoiser(source, epochs):
    """Returns a denoising autoencoder of convolutions, trained from seed 0."""
    keras.utils.set_random_seed(0)
    model = tfgen.Autoencoder(
        networks.conv_encoder(source.shape, CODES, heads=1),
        networks.conv_decoder(source.shape, CODES),
        distributions.Bernoulli(),
        augmentations.GaussianNoise(NOISE),
        seed=0,
    )
    model.compile(keras.optimizers.Adam(2e-3))
    model.fit(source.floats(), batch_size=64, epochs=epochs, verbose=0)
    return model


def walk(model, images, steps, seed=0):
    """Returns walks from noise, and as many from images.

    Args:
        model: a `tfgen.Autoencoder` with a corruption.
        images: float32 `[count, height, width, channels]`.
        steps: how many steps.
        seed: an integer.

    Returns:
        A float32 array `[steps + 1, 2 * count, height, width, channels]`.
    """
    noise = tf.random.stateless_uniform(tf.shape(images), (seed, 7))
    return model.walk(tf.concat([noise, images], axis=0), steps, seed).numpy()


def draw(path):
    """Draws every few steps of eight walks, and prints how far they are from the data."""
    train = clothes("train")
    found = walk(denoiser(train, EPOCHS), clothes("test").floats(4), STEPS)
    for step in (0, 1, 10, STEPS):
        far = distances(found[step, :4], train).mean()
        print(
            f"from noise, after {step:2} steps, distance to the nearest training image: {far:.2f}"
        )
    places = np.unique(np.round(np.geomspace(1, STEPS + 1, SHOWN)).astype(int)) - 1
    figure = canvas(9, 5.8)
    axes = figure.subplots()
    rows = found[places].swapaxes(0, 1).reshape(-1, *found.shape[2:])
    axes.imshow(np.squeeze(grid(rows, len(places))), cmap="gray", vmin=0, vmax=255)
    side = found.shape[3] + 1
    axes.set(xticks=side * (np.arange(len(places)) + 0.5), xticklabels=places, yticks=[])
    axes.set(xlabel="step", title="a denoiser's walk: from noise above, from images below")
    axes.tick_params(length=0)
    save(figure, path)
