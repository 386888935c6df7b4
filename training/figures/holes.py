"""Prior and aggregate posterior: where a VAE's samples begin, and where its training ended.

The prior has no gaps, the latents of the data have. A hole is a latent of the prior at which the
density of all encodings together is small beside the prior's. Of ten thousand draws those are shown
where it is least: they decode to images of one flat white, or of two garments at once.
"""

import numpy as np
import tensorflow as tf

from tfgen import evaluation
from tfgen.pictures import grid
from training.figures.canvas import canvas, save
from training.figures.sampled_codes import distances
from training.figures.small_autoencoders import clothes, vae

SIZES = 2, 10  # of the latents
SHOWN = 25


def gaps(model, source):
    """Returns a VAE's `AggregatePosterior`, latents in its holes, and as many of the prior.

    Args:
        model: a `tfgen.VAE`.
        source: examples.
    """
    whole = evaluation.AggregatePosterior(model, source)
    prior = model.prior_distribution().sample(SHOWN, seed=(0, 1)).numpy()
    return whole, whole.holes(SHOWN), prior


def draw(path):
    """Draws latents and samples, and prints the gap and how far samples are from images."""
    train, held_out = clothes("train"), clothes("test")
    figure = canvas(12, 7.6)
    for row, size in zip(figure.subplots(len(SIZES), 3), SIZES, strict=True):
        model = vae(train, size)
        whole, holes, prior = gaps(model, held_out)
        gap = whole.prior_gap()
        print(
            f"{size} latents: KL(q(z) || p(z)) = {gap.divergence:.2f} nats, information "
            f"{gap.information:.2f} nats"
        )
        codes = evaluation.encodings(model, held_out)
        row[0].scatter(*codes[:, :2].T, s=4, color="0.75", label="data")
        row[0].plot(*prior[:, :2].T, "o", markersize=5, markerfacecolor="none", label="prior")
        row[0].plot(*holes[:, :2].T, "kx", markersize=6, label="holes")
        row[0].set(title=f"{size} latents, the first two", aspect="equal")
        row[0].legend(loc="upper right")
        for axes, latents, name in ((row[1], prior, "the prior"), (row[2], holes, "its holes")):
            images = model.generate(latents)
            axes.imshow(np.squeeze(grid(tf.constant(images))), cmap="gray", vmin=0, vmax=255)
            axes.set(title=f"samples from {name}")
            axes.axis("off")
            far = distances(images, train).mean()
            print(f"  from {name:10} mean distance to the nearest training image {far:.2f}")
    save(figure, path)
