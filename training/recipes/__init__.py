"""The recipes; importing this package registers them all."""

from training.recipes import autoencoders, classical, gans, lectures, points, translation, vaes

__all__ = ["autoencoders", "classical", "gans", "lectures", "points", "translation", "vaes"]
