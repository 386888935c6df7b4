"""The recipes; importing this package registers them all."""

from training.recipes import classical, gans, points, translation, vaes

__all__ = ["classical", "gans", "points", "translation", "vaes"]
