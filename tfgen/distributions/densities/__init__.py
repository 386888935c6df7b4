"""Densities: values that estimate a distribution over vectors from examples.

Each is estimated at once: `estimate` turns examples into parameters, and `distribution` turns
parameters into a TFP distribution. `tfgen.DensityModel` makes a model of one.
"""

from tfgen.distributions.densities.classical import (
    FactorAnalysis,
    Gaussian,
    GaussianMixture,
    KernelDensity,
)
from tfgen.distributions.densities.density import Density
from tfgen.distributions.densities.flow import Flow

__all__ = ["Density", "FactorAnalysis", "Flow", "Gaussian", "GaussianMixture", "KernelDensity"]
