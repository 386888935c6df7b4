"""The slide's two parts of the FID, for normals: one sees the mean, the other the scale.

    FID = |m_r - m_g|^2  +  tr(S_r + S_g - 2 (S_r S_g)^(1/2))
           left part         right part

Samples of N(0, I), in `p` dimensions, are compared with samples of two other normals:

    N(alpha, I)        the left part comes to p alpha^2, the right part to 0
    N(0, beta^2 I)     the left part comes to 0, the right part to p (beta - 1)^2
"""

from typing import NamedTuple

import numpy as np

from tfgen.evaluation import frechet_distance
from training.figures.canvas import canvas, save

SIZE = 8  # p
COUNT = 20_000  # samples of each distribution
ALPHAS = np.linspace(-2, 2, 17)
BETAS = np.linspace(0, 3, 16)


class FrechetParts(NamedTuple):
    """The two parts of a Frechet distance, which add up to it."""

    left: float
    right: float


def frechet_parts(real, fake):
    """Returns the `FrechetParts` of two sets of features `[count, size]`."""
    difference = np.mean(real, axis=0) - np.mean(fake, axis=0)
    left = difference @ difference
    return FrechetParts(left, frechet_distance(real, fake) - left)


def parts_of_normals(mean=0.0, deviation=1.0):
    """Returns the `FrechetParts` of samples of N(0, I) and of N(mean, deviation^2 I)."""
    real, fake = np.random.default_rng(0).normal(size=[2, COUNT, SIZE])
    return frechet_parts(real, deviation * fake + mean)


def draw(path):
    """Draws both parts against the mean at the left, against the scale at the right."""
    figure = canvas(10, 4.4)
    left, right = figure.subplots(1, 2)
    means = [parts_of_normals(mean=alpha) for alpha in ALPHAS]
    _draw_parts(left, ALPHAS, means, SIZE * ALPHAS**2, r"$p\,\alpha^2$")
    left.set(title=r"N(0, I) against N($\alpha$, I)", xlabel=r"mean $\alpha$")
    scales = [parts_of_normals(deviation=beta) for beta in BETAS]
    _draw_parts(right, BETAS, scales, SIZE * (BETAS - 1) ** 2, r"$p\,(\beta - 1)^2$")
    right.set(title=r"N(0, I) against N(0, $\beta^2$ I)", xlabel=r"standard deviation $\beta$")
    for name, varied, parts in (("alpha", ALPHAS, means), ("beta", BETAS, scales)):
        print(
            f"{name} = {varied[-1]:g}: left part {parts[-1].left:.2f}, right {parts[-1].right:.2f}"
        )
    save(figure, path)


def _draw_parts(axes, varied, parts, expected, formula):
    axes.plot(varied, expected, color="gray", label=formula)
    left, right = np.transpose(parts)
    axes.plot(varied, left, "o", label="left part")
    axes.plot(varied, right, "s", markersize=4, label="right part")
    axes.set(ylabel=f"parts of the FID, p = {SIZE}")
    axes.legend(loc="upper center")
