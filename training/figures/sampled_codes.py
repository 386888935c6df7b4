"""One cannot sample from an autoencoder: its codes follow no known distribution.

Both models have the same networks and ten latents. The autoencoder decodes draws of the normal
distribution that has the mean and the covariance of its codes, the best guess without knowing more;
the VAE draws from its prior. How many samples look like clothes is measured by the distance to the
nearest training image.
"""

import numpy as np
import tensorflow as tf

from tfgen import evaluation
from tfgen.pictures import grid
from training.figures.canvas import canvas, save
from training.figures.small_autoencoders import autoencoder, clothes, vae

LATENTS = 10
SHOWN = 64
MEASURED = 1000


def guess_codes(codes, count, seed=0):
    """Draws from the normal distribution that has the mean and the covariance of codes.

    Args:
        codes: `[size, latents]`.
        count: how many to draw.
        seed: an integer.

    Returns:
        A float32 array `[count, latents]`.
    """
    random = np.random.default_rng(seed)
    drawn = random.multivariate_normal(codes.mean(axis=0), np.cov(codes.T), count)
    return drawn.astype(np.float32)


def distances(samples, source):
    """Returns the Euclidean distance of each sample to the nearest image of a source, `[count]`."""
    vectors = [np.reshape(each, [len(each), -1]) for each in (samples, source.floats())]
    return evaluation.nearest(*vectors).distances


def draw(path):
    """Draws samples of both, and prints how far they are from the training images."""
    train = clothes("train")
    model, variational = autoencoder(train, LATENTS), vae(train, LATENTS)
    codes = evaluation.encodings(model, train)
    samples = {
        "autoencoder, guessed codes": model.decode(guess_codes(codes, MEASURED)).numpy(),
        "VAE, the prior": variational.sample(MEASURED, seed=0).numpy(),
        "held-out images": clothes("test").floats(MEASURED).numpy(),
    }
    for name, images in samples.items():
        middle, far = np.quantile(distances(images, train), [0.5, 0.9])
        print(
            f"{name:28}distance to the nearest training image: median {middle:.2f}, 90 % {far:.2f}"
        )
    figure = canvas(11, 4.2)
    for axes, (name, images) in zip(figure.subplots(1, 3), samples.items(), strict=True):
        axes.imshow(np.squeeze(grid(tf.constant(images[:SHOWN]))), cmap="gray", vmin=0, vmax=255)
        axes.set(title=name)
        axes.axis("off")
    save(figure, path)
