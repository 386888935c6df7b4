"""Priors, posteriors and likelihoods: values that turn networks' outputs into TFP distributions.

A network outputs plain tensors; the value beside it says which distribution they parametrize.
"""

from tfgen.distributions.divergences import kl_divergence
from tfgen.distributions.likelihoods import Bernoulli, Gaussian, Likelihood
from tfgen.distributions.posteriors import DiagonalNormal, LogVarianceNormal, Posterior
from tfgen.distributions.priors import Prior, StandardNormal, Uniform

__all__ = [
    "Bernoulli",
    "DiagonalNormal",
    "Gaussian",
    "Likelihood",
    "LogVarianceNormal",
    "Posterior",
    "Prior",
    "StandardNormal",
    "Uniform",
    "kl_divergence",
]
