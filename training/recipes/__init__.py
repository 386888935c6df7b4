"""The recipes; importing this package registers them all."""

from training.recipes import (
    autoencoders,
    autoregressive,
    classical,
    contrastive,
    diffusion,
    gans,
    hierarchies,
    lectures,
    points,
    priors,
    spheres,
    told_gans,
    translation,
    vaes,
)

__all__ = [
    "autoencoders",
    "autoregressive",
    "classical",
    "contrastive",
    "diffusion",
    "gans",
    "hierarchies",
    "lectures",
    "points",
    "priors",
    "spheres",
    "told_gans",
    "translation",
    "vaes",
]
