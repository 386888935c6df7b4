"""From a trained model to files that others load, and to answers over the wire."""

from tfgen.serving.export import export
from tfgen.serving.load import load

__all__ = ["export", "load"]
