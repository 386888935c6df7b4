"""Keras callbacks: pictures of what a model has learnt, safe checkpoints, a stop at NaN.

They write on the chief only, never half a file, and draw with seeds of their own: training goes
on exactly as it would without them.
"""

from tfgen.callbacks.checkpoint import Checkpoint, Terminated
from tfgen.callbacks.drawing import (
    CodeTraversal,
    Interpolation,
    LatentMap,
    LatentTraversal,
    NearestNeighbours,
    Picture,
    ReconstructionGrid,
    SampleGrid,
    TranslationGrid,
    Truncation,
)
from tfgen.callbacks.non_finite import StopOnNonFinite

__all__ = [
    "Checkpoint",
    "CodeTraversal",
    "Interpolation",
    "LatentMap",
    "LatentTraversal",
    "NearestNeighbours",
    "Picture",
    "ReconstructionGrid",
    "SampleGrid",
    "StopOnNonFinite",
    "Terminated",
    "TranslationGrid",
    "Truncation",
]
