"""The recipes; importing this package registers them all."""

from training.recipes import classical, gans, lectures, points, translation, vaes

__all__ = ["classical", "gans", "lectures", "points", "translation", "vaes"]
