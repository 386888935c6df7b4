"""From a trained model to files that others load."""

from tfgen.serving.export import export
from tfgen.serving.load import load

__all__ = ["export", "load"]
