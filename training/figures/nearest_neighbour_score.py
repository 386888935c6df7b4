"""The slide's 1-NN score at 0, 0.5 and 1: leave-one-out accuracy of real against generated.

Each point is given the class of its nearest neighbour among all others. For a copy that class is
always wrong. For two sets of one distribution it is right half of the time. For distant sets it is
always right.
"""

import numpy as np

from tfgen.evaluation import nearest_neighbour_score
from training.figures.canvas import canvas, save

COUNT = 100  # points of each set
NOISE = 1e-3  # of the copy: less than the distance of any two real points
SHIFT = 8.0  # between the means of the distant sets, in standard deviations


def cases():
    """Returns real and generated points `[COUNT, 2]` by what the generated ones are."""
    real, others, noise = np.random.default_rng(0).normal(size=[3, COUNT, 2])
    return {
        "a copy": (real, real + NOISE * noise),
        "the same distribution": (real, others),
        "another distribution": (real, others + [SHIFT, 0]),
    }


def draw(path):
    """Draws a panel for each case, with its score in the title, and prints the scores."""
    figure = canvas(12, 4.4)
    panels = figure.subplots(1, 3)
    for axes, (name, (real, fake)) in zip(panels, cases().items(), strict=True):
        score = nearest_neighbour_score(real, fake).total
        print(f"{name}: {score:.3f}")
        axes.scatter(*real.T, s=44, facecolors="none", edgecolors="C0", label="real")
        axes.scatter(*fake.T, s=9, color="C1", label="generated")
        axes.set(title=f"{name}: {score:.2f}", xlabel="$x_1$", ylabel="$x_2$")
        axes.set_aspect("equal", adjustable="datalim")
    panels[-1].legend(loc="upper right")
    save(figure, path)
