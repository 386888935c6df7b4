"""Scores that carry their protocol: features of images, and what is computed on them."""

from tfgen.evaluation.aggregate_posterior import AggregatePosterior, PriorGap
from tfgen.evaluation.callback import KeepBest, Scoring
from tfgen.evaluation.classifier import ClassifierFeatures
from tfgen.evaluation.curves import precision_recall_curve
from tfgen.evaluation.disentanglement import (
    dci_scores,
    factor_vae_score,
    higgins_score,
    mutual_information_gap,
    separated_attribute_predictability,
)
from tfgen.evaluation.evaluator import Reference, check_scores, check_shapes, evaluate
from tfgen.evaluation.features import Features, ModelFeatures, PixelFeatures
from tfgen.evaluation.frechet import frechet_distance
from tfgen.evaluation.inception import InceptionFeatures
from tfgen.evaluation.inception_score import inception_score
from tfgen.evaluation.kernel import kernel_distance
from tfgen.evaluation.likelihood import active_units, elbos, encodings, reconstruction_errors
from tfgen.evaluation.linear_probe import LinearProbe, discriminator_features, linear_probe
from tfgen.evaluation.manifold import density_coverage, precision_recall
from tfgen.evaluation.modes import class_coverage, mixture_coverage, stacked_classes
from tfgen.evaluation.moment_matching import moment_matching
from tfgen.evaluation.moments import Moments, streaming_moments
from tfgen.evaluation.neighbours import nearest, nearest_neighbour_score
from tfgen.evaluation.novelty import novelty_auroc, novelty_threshold
from tfgen.evaluation.protocol import Protocol, Result, Score, compare
from tfgen.evaluation.rarity import rarity
from tfgen.evaluation.retrieval import retrieval_precision
from tfgen.evaluation.sampling import Collection, Sampler
from tfgen.evaluation.scores import SCORES, ScoreSettings
from tfgen.utils.deprecation import renamed_names

__all__ = [
    "SCORES",
    "AggregatePosterior",
    "ClassifierFeatures",
    "Collection",
    "Features",
    "InceptionFeatures",
    "KeepBest",
    "LinearProbe",
    "ModelFeatures",
    "Moments",
    "PixelFeatures",
    "PriorGap",
    "Protocol",
    "Reference",
    "Result",
    "Sampler",
    "Score",
    "ScoreSettings",
    "Scoring",
    "active_units",
    "check_scores",
    "check_shapes",
    "class_coverage",
    "compare",
    "dci_scores",
    "density_coverage",
    "discriminator_features",
    "elbos",
    "encodings",
    "evaluate",
    "factor_vae_score",
    "frechet_distance",
    "higgins_score",
    "inception_score",
    "kernel_distance",
    "linear_probe",
    "mixture_coverage",
    "moment_matching",
    "mutual_information_gap",
    "nearest",
    "nearest_neighbour_score",
    "novelty_auroc",
    "novelty_threshold",
    "precision_recall",
    "precision_recall_curve",
    "rarity",
    "reconstruction_errors",
    "retrieval_precision",
    "separated_attribute_predictability",
    "stacked_classes",
    "streaming_moments",
]

__getattr__ = renamed_names({"Settings": "ScoreSettings"}, globals())
