"""The slide's straight line between two images: in latent space, and in pixel space.

In pixel space the line leaves the manifold of valid images: on it lie averages, which show both
images at once. In latent space the decoder makes one image of every point of the line.

What is valid is measured at the middle of lines between images of different classes. Both lines
have the same ends there, the images' reconstructions, so that both are as blurred.

* The distance to the nearest training image: the model has no part in it.
* The evidence lower bound of the VAE: it favours what its own decoder made, so it says less.

Between very unlike images the latent line is faint at its middle: the prior has no gaps, the data
have.
"""

import pathlib

import numpy as np
import tensorflow as tf
from sklearn.metrics import pairwise_distances_argmin_min

import tfgen
from tfgen import data, latent_space, pictures
from training.figures.canvas import canvas, save

MODEL = pathlib.Path(__file__).parents[2] / "saved_models/vae_fashion.tfgen"
STEPS = 9  # images in a row, both ends included
SHOWN = 3  # pairs in the picture
MEASURED = 50  # pairs


def latent_line(vae, first, last, steps):
    """Decodes a straight line between the encodings of two images.

    Args:
        vae: a model that can "encode" and "generate".
        first: an image `[height, width, channels]`, in [0, 1].
        last: another.
        steps: the number of images, at least 2.

    Returns:
        An array `[steps, height, width, channels]`; its ends are the two reconstructions.
    """
    means = vae.encode(tf.stack([first, last])).mean()
    return vae.generate(latent_space.interpolate(*means, steps)).numpy()


def pixel_line(first, last, steps):
    """Averages the pixels of two images, `(1 - t) first + t last`; as `latent_line` otherwise."""
    shares = np.linspace(0, 1, steps, dtype="float32").reshape(-1, 1, 1, 1)
    return (1 - shares) * first + shares * last


def pairs_of_classes(source, count):
    """Draws pairs of images of different classes, always the same.

    Args:
        source: a labelled `tfgen.data.Source` of images.
        count: the number of pairs.

    Returns:
        An array `[count, 2, height, width, channels]`, in [0, 1].
    """
    order = np.random.default_rng(0).permutation(len(source.labels))
    pairs = order[: len(order) // 2 * 2].reshape(-1, 2)
    unlike = source.labels[pairs[:, 0]] != source.labels[pairs[:, 1]]
    return source.floats().numpy()[pairs[unlike][:count]]


def validity(vae, images, training_images):
    """Measures how near images are to the training images, and to the model's manifold.

    Args:
        vae: a `tfgen.VAE`.
        images: `[count, height, width, channels]`.
        training_images: `[size, height, width, channels]`.

    Returns:
        Two means: the Euclidean distance to the nearest training image, over all pixels; and the
        evidence lower bound, in nats.
    """
    vectors = [each.reshape(len(each), -1) for each in (images, training_images)]
    _, distances = pairwise_distances_argmin_min(*vectors)
    return distances.mean(), vae.elbo(images).numpy().mean()


def measured_images(vae, pairs):
    """Returns what is compared: a dict of images `[count, height, width, channels]` by their name.

    Args:
        vae: a `tfgen.VAE`.
        pairs: `[count, 2, height, width, channels]`.
    """
    ends = np.stack([vae.reconstruct(pair).numpy() for pair in pairs])
    return {
        "ends, reconstructed": ends[:, 0],
        "middle in latent space": np.stack([latent_line(vae, *pair, 3)[1] for pair in pairs]),
        "middle in pixel space": np.stack([pixel_line(*pair, 3)[1] for pair in ends]),
    }


def draw(path):
    """Draws pairs of lines, and prints how valid the images at the middle are."""
    vae, train = tfgen.load(MODEL), data.source("embedded", "train").floats().numpy()
    pairs = pairs_of_classes(data.source("embedded", "test"), MEASURED)
    print(f"{f'means over {MEASURED} pairs':22}  nearest training image  bound in nats")
    for name, images in measured_images(vae, pairs).items():
        distance, bound = validity(vae, images, train)
        print(f"{name:22}{distance:24.2f}{bound:15.1f}")
    figure = canvas(9, 6.6)
    for axes, pair in zip(figure.subplots(SHOWN), pairs, strict=False):
        lines = np.concatenate([latent_line(vae, *pair, STEPS), pixel_line(*pair, STEPS)])
        axes.imshow(pictures.grid(lines, STEPS), cmap="gray")
        axes.set(xticks=[], yticks=[14, 43], yticklabels=["latent space", "pixel space"])
        axes.tick_params(length=0)
    figure.suptitle("a straight line between two images")
    save(figure, path)
