"""The recipes; importing this package registers them all."""

from training.recipes import classical, gans, translation, vaes

__all__ = ["classical", "gans", "translation", "vaes"]
