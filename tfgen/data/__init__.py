"""Data: a name such as "embedded", "tfds:mnist" or "folder:PATH" becomes batches for `fit`."""

from tfgen.data.batches import batches, steps_per_epoch
from tfgen.data.demo import four_modes
from tfgen.data.domains import Domains, domains
from tfgen.data.gaussians import RoundGaussians, grid, ring
from tfgen.data.share import share
from tfgen.data.source import Source
from tfgen.data.sources import SPLITS, load, source

__all__ = [
    "SPLITS",
    "Domains",
    "RoundGaussians",
    "Source",
    "batches",
    "domains",
    "four_modes",
    "grid",
    "load",
    "ring",
    "share",
    "source",
    "steps_per_epoch",
]
