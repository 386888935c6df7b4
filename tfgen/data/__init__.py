"""Data: a name such as "embedded", "tfds:mnist" or "folder:PATH" becomes batches for `fit`."""

from tfgen.data.batches import batches, steps_per_epoch
from tfgen.data.demo import four_modes
from tfgen.data.share import share
from tfgen.data.source import Source
from tfgen.data.sources import SPLITS, load, source

__all__ = [
    "SPLITS",
    "Source",
    "batches",
    "four_modes",
    "load",
    "share",
    "source",
    "steps_per_epoch",
]
