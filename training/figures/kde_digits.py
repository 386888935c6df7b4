"""The slide's example of a kernel density, which is scikit-learn's: 8x8 digits, real and sampled.

The digits' 64 pixels are projected to 15 principal components. Gaussian kernels of the bandwidth
3.79 stand there, in pixels of 0 to 16. The recipe `kde_digits` is that model, in pixels of 0 to 1.
"""

import numpy as np

from tfgen import data, pictures
from training.figures.canvas import canvas, save
from training.recipes.recipe import find

COLUMNS, ROWS = 11, 4  # as scikit-learn shows them
SEED = 0


def digits():
    """Returns all 1,797 digits of scikit-learn: float32 `[1797, 8, 8, 1]`, in [0, 1]."""
    return data.source("digits", "all").floats()


def estimated(images):
    """Returns the slide's model, a `tfgen.DensityModel`, estimated from images."""
    model = find("kde_digits").build(images.shape[1:], steps=1)
    model.fit(images, verbose=0)
    return model


def draw(path):
    """Draws real digits above and sampled ones below, and prints how likely both are."""
    real = digits()
    model = estimated(real)
    sampled = model.sample(len(real), seed=SEED)
    figure = canvas(9, 7.4)
    named = {"real digits": real, "samples of the kernel density": sampled}
    for axes, (title, images) in zip(figure.subplots(2, 1), named.items(), strict=True):
        likelihood = np.mean(model.log_likelihood(images))
        print(f"{title}: {likelihood:.2f} nats of log-density each, in pixels of 0 to 1")
        shown = pictures.grid(1 - images[: ROWS * COLUMNS], COLUMNS)  # black on white
        axes.imshow(np.squeeze(shown), cmap="gray", vmin=0, vmax=255)
        axes.set(title=title)
        axes.axis("off")
    save(figure, path)
