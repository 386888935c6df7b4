"""Plots of matplotlib that several pictures share: learning curves, points, images."""

import csv

import numpy as np
from matplotlib import colormaps
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

_FEW = 40  # points of a curve, which are marked
_CLASSES = 20  # at most, in a legend
_SMALL = 0.2  # of the largest loss: smaller ones have an axis of their own


def draw_curves(axes, log):
    """Draws all losses of a run's CSV log, in training and held out, against epochs.

    Losses that are small beside the largest would be flat lines: they have an axis of their own, at
    the right.

    Args:
        axes: matplotlib's.
        log: the file's path.
    """
    with log.open(newline="") as file:
        rows = list(csv.DictReader(file))
    names = sorted((name for name in rows[0] if f"val_{name}" in rows[0]), key=_rank)
    curves = {name: (_points(rows, name), _points(rows, f"val_{name}")) for name in names}
    sizes = {
        name: max(abs(value) for curve in both for _, value in curve)
        for name, both in curves.items()
    }
    small = {name for name in sizes if sizes[name] < _SMALL * max(sizes.values())}
    right = axes.twinx() if small else None
    marker = {"marker": "o", "markersize": 4} if len(rows) < _FEW else {}
    held_out = {"linestyle": ":", "markerfacecolor": "white", **marker}
    handles = []
    for index, (name, both) in enumerate(curves.items()):
        colour, where = f"C{index}", right if name in small else axes
        for curve, style in zip(both, (marker, held_out), strict=True):
            where.plot(*zip(*curve, strict=True), color=colour, **style)
        label = f"{name.replace('_', ' ')}{' (right axis)' if name in small else ''}"
        handles.append(Line2D([], [], color=colour, label=label, **marker))
    handles.append(Line2D([], [], color="gray", label="held out", **held_out))
    last = int(rows[-1]["epoch"]) + 1
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set(title="losses per example", xlabel="epoch", xlim=(0, last + max(0.5, last / 30)))
    # Below the axes, where it covers no curve.
    below = {"loc": "upper center", "bbox_to_anchor": (0.5, -0.13)}
    axes.legend(handles=handles, ncols=3, fontsize=9, **below)


def show(axes, pixels, title):
    """Shows a uint8 image `[height, width, 1 or 3]` under a title."""
    axes.imshow(np.squeeze(pixels), cmap="gray", vmin=0, vmax=255)
    axes.set(title=title)
    axes.axis("off")


def scatter(axes, points, labels, title):
    """Shows points `[count, 2]` under a title, in a colour for each label unless that is `None`.

    Of few labels a legend tells the colours, of many a bar.
    """
    axes.set(title=title)
    if labels is None:
        axes.scatter(*points.T, s=8)
        return
    labels = np.asarray(labels)
    classes = np.unique(labels)
    if len(classes) > _CLASSES:
        drawn = axes.scatter(*points.T, s=8, c=labels, cmap="viridis")
        axes.figure.colorbar(drawn, ax=axes, label="label")
        return
    colours = colormaps["tab10" if len(classes) <= 10 else "tab20"].colors
    for colour, label in zip(colours, classes, strict=False):
        axes.scatter(*points[labels == label].T, s=8, color=colour, label=str(label))
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5), title="label", markerscale=2)


def _points(rows, name):
    """Returns `(epoch, value)` of a column; Keras writes NA for epochs without held-out data."""
    return [(int(row["epoch"]) + 1, float(row[name])) for row in rows if row[name] != "NA"]


def _rank(name):
    """Puts the loss before its parts."""
    return name != "loss", name
