"""One picture that shows what a model has learnt."""

import csv

import numpy as np
from matplotlib import colormaps
from matplotlib.figure import Figure

from tfgen.data import Domains
from tfgen.pictures import grid, neighbour_grid, reconstruction_grid, translation_grid
from tfgen.utils.files import atomic_write


def write_summary(model, train, test, folder):
    """Draws what a model can show into `folder.summary`.

    A model that encodes shows learning curves, samples, reconstructions and latents; one that
    translates, translations; another one data, samples, the training images nearest to them, and
    its learning curves, or how likely it finds the data if it takes no steps.

    Args:
        model: a trained model of tfgen.
        train: the `tfgen.data.Source` that it learnt from.
        test: the held-out `tfgen.data.Source`.
        folder: the `RunFolder`.
    """
    figure = Figure(figsize=(12, 9.5), layout="constrained")
    axes = figure.subplots(2, 2)
    if isinstance(test, Domains):
        _draw_translator(axes, model, train, test, folder)
    elif "encode" in model.signatures():
        _draw_encoder(axes, model, test, folder)
    else:
        _draw_sampler(axes, model, train, test, folder)
    with atomic_write(folder.summary) as path:
        figure.savefig(path, dpi=90)


def _draw_encoder(axes, model, test, folder):
    draw_curves(axes[0, 0], folder.log)
    if len(test.shape) == 3:
        show(axes[0, 1], grid(model.sample(100, seed=0)), "samples")
        pairs = reconstruction_grid(model, test.floats(50), columns=10)
        show(axes[1, 0], pairs, "held-out images, and below each its reconstruction")
    else:
        _scatter_samples(axes[0, 1], model, test)
        _scatter_reconstructions(axes[1, 0], model, test)
    _scatter_latents(axes[1, 1], model, test)


def _draw_translator(axes, model, train, test, folder):
    draw_curves(axes[0, 0], folder.log)
    there, back = model.translate_a_to_b, model.translate_b_to_a
    for where, domain, translations, title in (
        (axes[0, 1], test.a, (there, back), "held out: A, to B, and back"),
        (axes[1, 0], test.b, (back, there), "held out: B, to A, and back"),
        (axes[1, 1], train.a, (there, back), "training: A, to B, and back"),
    ):
        show(where, translation_grid(domain.floats(12), *translations, columns=6), title)


def _draw_sampler(axes, model, train, test, folder):
    if len(test.shape) == 3:
        show(axes[0, 0], grid(test.floats(100)), "held-out images")
        show(axes[0, 1], grid(model.sample(100, seed=0)), "samples")
        pairs = neighbour_grid(model.sample(50, seed=0), train, columns=10)
        show(axes[1, 0], pairs, "samples, and below each the nearest training image")
    else:
        _scatter_samples(axes[0, 0], model, test)
        project = _principal_plane(test.floats().numpy())
        scatter(axes[0, 1], project(model.sample(2500, seed=0).numpy()), None, "2,500 samples")
        axes[0, 1].set(xlim=axes[0, 0].get_xlim(), ylim=axes[0, 0].get_ylim())
        axes[1, 0].axis("off")
    if not hasattr(model, "log_likelihood"):
        draw_curves(axes[1, 1], folder.log)
    else:
        _draw_likelihoods(axes[1, 1], model, train, test)


def _draw_likelihoods(axes, model, train, test):
    for source, label in ((train, "training"), (test, "held out")):
        nats = model.log_likelihood(source.floats(2000))
        axes.ecdf(nats, label=label)
    # Single examples far out would leave no room for the others.
    axes.set_xlim(left=np.quantile(nats, 0.02))
    axes.set(title="share of examples with a lower log-likelihood", xlabel="nats")
    axes.legend()


def draw_curves(axes, log):
    """Draws the losses of a run's CSV log: the one, or those of all players."""
    with log.open(newline="") as file:
        rows = list(csv.DictReader(file))
    names = (
        ["loss"] if "loss" in rows[0] else [name for name in rows[0] if f"val_{name}" in rows[0]]
    )
    for index, name in enumerate(names):
        for key, style, split in ((name, "-", "training"), (f"val_{name}", ":", "held out")):
            # Keras writes NA for epochs without a look at the held-out data.
            points = [(int(row["epoch"]) + 1, float(row[key])) for row in rows if row[key] != "NA"]
            label = f"{name.replace('_', ' ')}, {split}"
            axes.plot(*zip(*points, strict=True), style, color=f"C{index}", label=label)
    axes.set(title="losses per example", xlabel="epoch")
    axes.legend()


def show(axes, pixels, title):
    """Shows a uint8 image `[height, width, 1 or 3]` under a title."""
    axes.imshow(np.squeeze(pixels), cmap="gray", vmin=0, vmax=255)
    axes.set(title=title)
    axes.axis("off")


def _scatter_latents(axes, model, test):
    latents = model.encode(test.floats(2000)).mean().numpy()
    labels = None if test.labels is None else test.labels[:2000]
    plane = "" if latents.shape[1] == 2 else ", their two principal components"
    scatter(axes, _principal_plane(latents)(latents), labels, f"held-out latents{plane}")


def _scatter_samples(axes, model, test):
    examples = test.floats().numpy()
    project = _principal_plane(examples)
    samples = project(model.sample(400, seed=0).numpy())
    axes.scatter(*samples.T, s=8, c="lightgray", label="samples")
    scatter(axes, project(examples), test.labels, "held-out data on 400 samples (grey)")


def _scatter_reconstructions(axes, model, test):
    examples = test.floats().numpy()
    project = _principal_plane(examples)
    reconstructed = project(model.reconstruct(examples).numpy())
    scatter(axes, reconstructed, test.labels, "their reconstructions")


def scatter(axes, points, labels, title):
    """Shows points `[count, 2]` under a title, in a colour for each label unless that is `None`."""
    colours = None if labels is None else colormaps["tab10"](np.asarray(labels) % 10)
    axes.scatter(*points.T, s=8, c=colours)
    axes.set(title=title)


def _principal_plane(points):
    """Returns a function that projects onto the two first principal components of `points`."""
    if points.shape[1] == 2:
        return lambda others: others
    centre = points.mean(axis=0)
    _, _, directions = np.linalg.svd(points - centre, full_matrices=False)
    plane = np.zeros([2, points.shape[1]])  # with a single point there is but one direction
    plane[: len(directions[:2])] = directions[:2]
    return lambda others: (others - centre) @ plane.T
