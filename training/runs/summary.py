"""One picture that shows what a model has learnt."""

import numpy as np
from matplotlib.figure import Figure

from tfgen.engine.abilities import abilities_of
from tfgen.pictures import (
    grid,
    neighbour_grid,
    principal_plane,
    reconstruction_grid,
    translation_grid,
)
from tfgen.utils.files import atomic_write
from training.runs.plots import draw_curves, scatter, show
from training.runs.views import latent_panels

_WIDTH, _HEIGHT = 6.0, 4.75  # of a panel, in inches


def write_summary(run, path=None):
    """Draws what a run's model can do, as far as it can.

    A model that encodes shows its latents; one that reconstructs, reconstructions; one that
    translates, translations; one that can but be sampled, the data and the training images nearest
    to its samples. A model that takes no steps shows in place of learning curves how likely it
    finds the data.

    Args:
        run: a `Run`, trained.
        path: the PNG file; `None` for the run's own.
    """
    panels = panels_of(run)
    # One row of up to three panels, or two rows; a row's panels share its width.
    rows = np.array_split(np.arange(len(panels)), 1 if len(panels) < 4 else 2)
    figure = Figure(figsize=(_WIDTH * len(rows[0]), _HEIGHT * len(rows)), layout="constrained")
    parts = figure.subfigures(len(rows), squeeze=False)[:, 0]
    for part, indices in zip(parts, rows, strict=True):
        row = part.subplots(1, len(indices), squeeze=False)[0]
        for index, axes in zip(indices, row, strict=True):
            panels[index](axes, run)
    with atomic_write(path or run.folder.summary) as temporary:
        figure.savefig(temporary, dpi=90)


def panels_of(run):
    """Returns the functions of axes and a run that draw what its model can do."""
    able, images = abilities_of(run.model), run.is_of_images
    told = "log_likelihood" in able and not run.recipe.in_steps
    found = [_likelihoods if told else _losses]
    if "translate" in able and images:
        found += [_a_to_b, _b_to_a, _learnt_a_to_b]
    if "sample" in able:
        found.append(_samples if images else _points)
        if not able & {"encode", "reconstruct"}:
            found += [_data, _neighbours] if images else [_sample_points]
    if "reconstruct" in able:
        found.append(_reconstructions if images else _reconstructed_points)
    if "encode" in able:
        found += latent_panels(run)
    return found


def _losses(axes, run):
    draw_curves(axes, run.folder.log)


def _likelihoods(axes, run):
    for source, label in ((run.train, "training"), (run.test, "held out")):
        nats = run.model.log_likelihood(source.floats(2000))
        axes.ecdf(nats, label=label)
    # Single examples far out would leave no room for the others.
    axes.set_xlim(left=np.quantile(nats, 0.02))
    axes.set(title="share of examples with a lower log-likelihood", xlabel="nats")
    axes.legend(loc="upper left")  # where a share begins there is no curve


def _a_to_b(axes, run):
    _translate(axes, run, run.test.a, "held out: A, to B, and back")


def _b_to_a(axes, run):
    _translate(axes, run, run.test.b, "held out: B, to A, and back", backwards=True)


def _learnt_a_to_b(axes, run):
    _translate(axes, run, run.train.a, "training: A, to B, and back")


def _translate(axes, run, domain, title, backwards=False):
    there, back = run.model.translate_a_to_b, run.model.translate_b_to_a
    translations = (back, there) if backwards else (there, back)
    show(axes, translation_grid(domain.floats(12), *translations, columns=6), title)


def _samples(axes, run):
    show(axes, grid(run.model.sample(100, seed=0)), "samples")


def _data(axes, run):
    show(axes, grid(run.test.floats(100)), "held-out images")


def _neighbours(axes, run):
    pairs = neighbour_grid(run.model.sample(50, seed=0), run.train, columns=10)
    show(axes, pairs, "samples, and below each the nearest training image")


def _reconstructions(axes, run):
    pairs = reconstruction_grid(run.model, run.test.floats(50), columns=10)
    show(axes, pairs, "held-out images, and below each its reconstruction")


def _points(axes, run):
    examples = run.test.floats().numpy()
    project = principal_plane(examples)
    samples = project(run.model.sample(400, seed=0).numpy())
    axes.scatter(*samples.T, s=8, c="lightgray")
    scatter(axes, project(examples), run.test.labels, "held-out data on 400 samples (grey)")


def _sample_points(axes, run):
    examples = run.test.floats().numpy()
    project = principal_plane(examples)
    scatter(axes, project(run.model.sample(2500, seed=0).numpy()), None, "2,500 samples")
    # As wide as the data: samples far out would leave no room for the others.
    for side, values in zip("xy", project(examples).T, strict=True):
        margin = 0.1 * np.ptp(values)
        axes.set(**{f"{side}lim": (values.min() - margin, values.max() + margin)})


def _reconstructed_points(axes, run):
    examples = run.test.floats().numpy()
    project = principal_plane(examples)
    reconstructed = project(run.model.reconstruct(examples).numpy())
    scatter(axes, reconstructed, run.test.labels, "reconstructions of the held-out data")
