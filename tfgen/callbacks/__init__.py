"""Keras callbacks: pictures of what a model has learnt, safe checkpoints, a stop at NaN, a tracker.

They write on the chief only, never half a file, and draw with seeds of their own: training goes
on exactly as it would without them.
"""

from tfgen.callbacks.checkpoint import Checkpoint, Terminated
from tfgen.callbacks.completions import Completions
from tfgen.callbacks.denoising import Denoising
from tfgen.callbacks.drawings import Drawings
from tfgen.callbacks.examples import (
    NearestNeighbours,
    PriorExamples,
    ReconstructionGrid,
    SampleGrid,
    TranslationGrid,
)
from tfgen.callbacks.globe import Globe
from tfgen.callbacks.latent_space import (
    CodeTraversal,
    Interpolation,
    LatentMap,
    LatentTraversal,
    Truncation,
)
from tfgen.callbacks.layers import LayersRedrawn
from tfgen.callbacks.mlflow import MLflow
from tfgen.callbacks.non_finite import StopOnNonFinite
from tfgen.callbacks.picture import Picture

__all__ = [
    "Checkpoint",
    "CodeTraversal",
    "Completions",
    "Denoising",
    "Drawings",
    "Globe",
    "Interpolation",
    "LatentMap",
    "LatentTraversal",
    "LayersRedrawn",
    "MLflow",
    "NearestNeighbours",
    "Picture",
    "PriorExamples",
    "ReconstructionGrid",
    "SampleGrid",
    "StopOnNonFinite",
    "Terminated",
    "TranslationGrid",
    "Truncation",
]
