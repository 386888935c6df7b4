"""Data: a name such as "embedded", "tfds:mnist" or "folder:PATH" becomes batches for `fit`."""

from tfgen.data.batches import batches, steps_per_epoch
from tfgen.data.captions import DIGITS, GARMENTS, Captions
from tfgen.data.demo import four_modes, four_modes_in_plane
from tfgen.data.domains import Domains, domains
from tfgen.data.gaussians import RoundGaussians, gaussian_grid, gaussian_ring
from tfgen.data.painted import marbles
from tfgen.data.plant import FAULTS, plant
from tfgen.data.share import share
from tfgen.data.source import Source
from tfgen.data.sources import load_batches, source
from tfgen.data.splits import SPLITS
from tfgen.data.sprites import SPRITE_FACTORS, draw_sprites, sprites
from tfgen.data.vocabulary import Vocabulary
from tfgen.utils.deprecation import renamed_names

__all__ = [
    "DIGITS",
    "FAULTS",
    "GARMENTS",
    "SPLITS",
    "SPRITE_FACTORS",
    "Captions",
    "Domains",
    "RoundGaussians",
    "Source",
    "Vocabulary",
    "batches",
    "domains",
    "draw_sprites",
    "four_modes",
    "four_modes_in_plane",
    "gaussian_grid",
    "gaussian_ring",
    "load_batches",
    "marbles",
    "plant",
    "share",
    "source",
    "sprites",
    "steps_per_epoch",
]

__getattr__ = renamed_names(
    {"grid": "gaussian_grid", "load": "load_batches", "ring": "gaussian_ring"}, globals()
)
