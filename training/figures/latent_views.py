"""The slides "AE + PCA" and "AE + UMAP": the codes of clothes on a plane, in three ways.

How well a view keeps the classes apart is measured: the share of a point's ten neighbours that have
its label, on the plane, beside that share among the codes themselves.
"""

from tfgen import evaluation
from tfgen.latent_views import view
from training.figures.canvas import canvas, save
from training.figures.small_autoencoders import autoencoder, clothes
from training.runs.plots import scatter
from training.runs.views import VIEW_TITLES

LATENTS = 10


def neighbours_by_view(codes, labels):
    """Returns each view of codes, and the share of ten neighbours that have a point's label.

    Args:
        codes: `[count, latents]`.
        labels: `[count]`.

    Returns:
        A dict from a method's name to pairs of points `[count, 2]` and a share.
    """
    points = {method: view(codes, method) for method in VIEW_TITLES}
    return {
        method: (each, evaluation.retrieval_precision(each, labels).mean())
        for method, each in points.items()
    }


def draw(path):
    """Draws the codes of held-out clothes, and prints how well the views keep classes apart."""
    held_out = clothes("test")
    codes = evaluation.encodings(autoencoder(clothes("train"), LATENTS), held_out)
    share = evaluation.retrieval_precision(codes, held_out.labels).mean()
    print(f"neighbours of the same class, of ten: among codes {share:.2f}")
    figure = canvas(14, 4.4)
    row = figure.subplots(1, len(VIEW_TITLES))
    found = neighbours_by_view(codes, held_out.labels)
    for axes, (method, (points, share)) in zip(row, found.items(), strict=True):
        scatter(axes, points, held_out.labels, f"codes{VIEW_TITLES[method]}")
        axes.set(xticks=[], yticks=[])
        print(f"{method:5}{share:.2f}")
    save(figure, path)
