"""The recipes; importing this package registers them all."""

from training.recipes import (
    autoencoders,
    classical,
    contrastive,
    diffusion,
    gans,
    hierarchies,
    lectures,
    points,
    priors,
    spheres,
    translation,
    vaes,
)

__all__ = [
    "autoencoders",
    "classical",
    "contrastive",
    "diffusion",
    "gans",
    "hierarchies",
    "lectures",
    "points",
    "priors",
    "spheres",
    "translation",
    "vaes",
]
