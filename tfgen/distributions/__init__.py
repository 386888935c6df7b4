"""Priors, posteriors and likelihoods: values that turn networks' outputs into TFP distributions.

A network outputs plain tensors; the value beside it says which distribution they parametrize.
"""

from tfgen.distributions.code_priors import IndependentCodes
from tfgen.distributions.codebook import Codebook
from tfgen.distributions.divergences import kl_divergence
from tfgen.distributions.flows import FlowPrior, InverseAutoregressive
from tfgen.distributions.layer_posteriors import (
    LayerPosterior,
    PrecisionWeighted,
    Proposed,
    Relative,
)
from tfgen.distributions.learnt_priors import ExemplarPrior, NormalMixture, VampPrior
from tfgen.distributions.likelihoods import (
    Bernoulli,
    Gaussian,
    Likelihood,
    PixelLikelihood,
)
from tfgen.distributions.pixel_likelihoods import Categorical, DiscretizedLogistics
from tfgen.distributions.pixel_orders import (
    Backwards,
    ColumnByColumn,
    PixelOrder,
    RowByRow,
    Shuffled,
)
from tfgen.distributions.posteriors import (
    DiagonalNormal,
    LogVarianceNormal,
    Posterior,
    VonMisesFisher,
)
from tfgen.distributions.priors import Prior, StandardNormal, Uniform, UniformOnSphere

__all__ = [
    "Backwards",
    "Bernoulli",
    "Categorical",
    "Codebook",
    "ColumnByColumn",
    "DiagonalNormal",
    "DiscretizedLogistics",
    "ExemplarPrior",
    "FlowPrior",
    "Gaussian",
    "IndependentCodes",
    "InverseAutoregressive",
    "LayerPosterior",
    "Likelihood",
    "LogVarianceNormal",
    "NormalMixture",
    "PixelLikelihood",
    "PixelOrder",
    "Posterior",
    "PrecisionWeighted",
    "Prior",
    "Proposed",
    "Relative",
    "RowByRow",
    "Shuffled",
    "StandardNormal",
    "Uniform",
    "UniformOnSphere",
    "VampPrior",
    "VonMisesFisher",
    "kl_divergence",
]
