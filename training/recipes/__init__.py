"""The recipes; importing this package registers them all."""

from training.recipes import classical, gans, vaes

__all__ = ["classical", "gans", "vaes"]
