"""The recipes; importing this package registers them all."""

from training.recipes import classical, vaes

__all__ = ["classical", "vaes"]
