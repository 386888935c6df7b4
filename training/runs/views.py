"""Panels of a summary that show latents on a plane, as each of `tfgen.latent_views` sees them."""

import functools

import numpy as np

from tfgen.evaluation import encodings
from tfgen.latent_views import FEWEST, view
from training.runs.plots import scatter

# What follows "latents" above each of `tfgen.latent_views.VIEWS`.
VIEW_TITLES = {"pca": ", two principal components", "tsne": ", t-SNE", "umap": ", UMAP"}
_LATENTS = 1000  # at most, in a view
_LEARNT = 1000  # steps, from which on neighbours are looked at: that takes longer than fewer do


def first_labels(source):
    """Returns the labels that colour a source's points: of vectors of attributes the first."""
    labels = source.labels
    return labels if labels is None or labels.ndim == 1 else labels[:, 0]


def views_of(count, size, steps=_LEARNT):
    """Returns which methods view vectors, a dict of titles: of few, or of a plane, one does.

    Args:
        count: how many vectors there are.
        size: theirs.
        steps: how many the encoder was trained for. After few, principal components will do.
    """
    if size <= 2:
        return {"pca": ""}
    seen = count >= FEWEST and steps >= _LEARNT
    return VIEW_TITLES if seen else {"pca": VIEW_TITLES["pca"]}


def latent_panels(run):
    """Returns functions of axes and a run, one for each view of the held-out latents."""
    size = run.model.encode(run.test.floats(1)).event_shape.num_elements()
    steps = run.settings["epochs"] * run.settings["steps_per_epoch"]
    views = views_of(len(run.test), size, steps)
    return [functools.partial(_latents, *each) for each in views.items()]


def _latents(method, title, axes, run):
    held_out = run.test.take(np.arange(min(_LATENTS, len(run.test))))
    latents = encodings(run.model, held_out)
    scatter(axes, view(latents, method), first_labels(held_out), f"held-out latents{title}")
