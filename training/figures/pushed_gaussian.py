"""The slide "GANs are distribution transformers": noise, a trained generator, the learnt data.

A generator moves every point of a Gaussian to a point among the data, here two half moons. Each
latent has the colour of its angle and keeps it. Neighbours stay neighbours, because the generator
is continuous. So some samples lie between the moons, where there are no data.
"""

from typing import NamedTuple

import keras
import numpy as np
from sklearn.datasets import make_moons

from tfgen import data, distributions, evaluation, networks, schedules, zoo
from training.figures.canvas import canvas, save

STEPS = 4000
COUNT = 3000  # of points in the picture
WIDTH = 0.12  # the deviation around the moons


class Pushed(NamedTuple):
    """Latents `[count, 2]`, their angles `[count]` in (-pi, pi], and their samples `[count, 2]`."""

    latents: np.ndarray
    angles: np.ndarray
    samples: np.ndarray


def push(gan, count, seed=0):
    """Draws latents in the plane, and takes them where the generator does; returns a `Pushed`."""
    latents = gan.sample_latents(count, seed=seed).numpy()
    angles = np.arctan2(latents[:, 1], latents[:, 0])
    return Pushed(latents, angles, gan.generate(latents).numpy())


def moons(count, seed):
    """Returns a `tfgen.data.Source` of points `[count, 2]` around two half circles of radius 1."""
    points, labels = make_moons(count, noise=WIDTH, random_state=seed)
    return data.Source(points, labels)


def trained_gan(source, steps):
    """Returns a GAN of perceptrons with R1, trained on points of the plane from seed 0."""
    keras.utils.set_random_seed(0)
    rates = [schedules.ConstantThenLinear(1e-3, steps) for _ in range(2)]
    gan = zoo.r1_gan(
        networks.mlp_generator((2,), latent_dim=2, hidden_sizes=(128,) * 3),
        networks.mlp_discriminator((2,), hidden_sizes=(128,) * 3),
        distributions.StandardNormal(2),
        weight=1.0,
        ema_momentum=0.999,
        optimizers=[keras.optimizers.Adam(rate, beta_1=0.0) for rate in rates],
    )
    gan.jit_compile, gan.steps_per_execution = True, 100
    gan.fit(data.batches(source, 256, repeat=True), steps_per_epoch=steps, verbose=0)
    return gan


def draw(path):
    """Draws noise at the left, samples among the data at the right; prints how alike they are."""
    gan, held_out = trained_gan(moons(20_000, seed=0), STEPS), moons(COUNT, seed=1).images
    pushed = push(gan, COUNT)
    figure = canvas(11, 4.6)
    left, middle, right = figure.subplots(1, 3, width_ratios=[1, 0.28, 1])
    colours = {"c": pushed.angles, "cmap": "hsv", "s": 5}
    left.scatter(*pushed.latents.T, **colours)
    left.set(title="Gaussian noise", xlabel="$z_1$", ylabel="$z_2$", aspect="equal")
    middle.axis("off")
    arrow = {"arrowstyle": "-|>", "lw": 2}
    middle.annotate("", (1, 0.5), (0, 0.5), arrowprops=arrow, xycoords="axes fraction")
    middle.text(0.5, 0.55, "trained\ngenerator", ha="center", transform=middle.transAxes)
    right.scatter(*held_out.T, s=14, color="0.85", label="data, held out")
    right.scatter(*pushed.samples.T, **colours)
    right.set(title="samples", xlabel="$x_1$", ylabel="$x_2$", aspect="equal")
    right.legend(loc="upper right")
    save(figure, path)
    for name, points in {"latents": pushed.latents, "samples": pushed.samples}.items():
        score = evaluation.nearest_neighbour_score(held_out, points).total
        print(
            f"1-NN score of data against {name}: {score:.2f} (0.5 where none can tell them apart)"
        )
