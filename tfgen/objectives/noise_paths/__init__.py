"""Noise paths, as values: how an example becomes noise.

    x_t = a(t) x + s(t) e,   e ~ N(0, I)

Time runs from 0, the example, to 1, noise. Papers of flows count the other way, and take noise for
time 0; papers of diffusion count steps. One of your own is a dataclass that derives from
`NoisePath`.
"""

from tfgen.objectives.noise_paths.adding import EDM, FewSteps
from tfgen.objectives.noise_paths.mixing import Cosine, Linear, VariancePreserving
from tfgen.objectives.noise_paths.path import LogitNormal, NoisePath

__all__ = [
    "EDM",
    "Cosine",
    "FewSteps",
    "Linear",
    "LogitNormal",
    "NoisePath",
    "VariancePreserving",
]
