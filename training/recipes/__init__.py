"""The recipes; importing this package registers them all."""

from training.recipes import vaes

__all__ = ["vaes"]
