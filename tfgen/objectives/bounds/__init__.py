"""Bounds on the log-likelihood: what a variational autoencoder maximizes."""

from tfgen.objectives.bounds.divergence import ELBO, Capacity, FreeBits
from tfgen.objectives.bounds.hierarchy import HierarchicalTerms
from tfgen.objectives.bounds.importance import ImportanceWeighted, Renyi
from tfgen.objectives.bounds.terms import Bound, ScaledGradient, Terms
from tfgen.objectives.bounds.total_correlation import TotalCorrelation

__all__ = [
    "ELBO",
    "Bound",
    "Capacity",
    "FreeBits",
    "HierarchicalTerms",
    "ImportanceWeighted",
    "Renyi",
    "ScaledGradient",
    "Terms",
    "TotalCorrelation",
]
