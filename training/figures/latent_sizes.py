"""Reconstructions by codes of 2, 5, 15 and 50 numbers: what a narrow code must leave out."""

import numpy as np

from tfgen import evaluation
from tfgen.pictures import grid
from training.figures.canvas import canvas, save
from training.figures.small_autoencoders import autoencoder, clothes

SIZES = 2, 5, 15, 50
SHOWN = 12


def errors_by_size(source, held_out, sizes, epochs):
    """Returns a trained autoencoder for each size of the code, and its mean error held out.

    Args:
        source: images to train with.
        held_out: others.
        sizes: the sizes of codes.
        epochs: passes over the images.

    Returns:
        A dict from sizes to pairs of model and squared error, summed over an image's pixels.
    """
    found = {}
    for size in sizes:
        model = autoencoder(source, size, epochs)
        found[size] = model, evaluation.reconstruction_errors(model, held_out).mean()
    return found


def draw(path):
    """Draws held-out images above their reconstructions, and prints the errors."""
    held_out = clothes("test")
    images = held_out.floats(SHOWN)
    rows, names = [images], ["images"]
    for size, (model, error) in errors_by_size(clothes("train"), held_out, SIZES, 20).items():
        rows.append(model.reconstruct(images))
        names.append(f"{size} numbers")
        print(f"squared error of an image by {size:2} numbers: {error:.1f}")
    figure = canvas(10, 4.4)
    axes = figure.subplots()
    axes.imshow(np.squeeze(grid(np.concatenate(rows), SHOWN)), cmap="gray", vmin=0, vmax=255)
    side = images.shape[1] + 1
    axes.set(xticks=[], yticks=side * (np.arange(len(rows)) + 0.5), yticklabels=names)
    axes.tick_params(length=0)
    figure.suptitle("reconstructions of held-out images by codes of more and more numbers")
    save(figure, path)
