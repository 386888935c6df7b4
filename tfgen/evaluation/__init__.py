"""Scores that carry their protocol: features of images, and what is computed on them."""

from tfgen.evaluation.callback import KeepBest, Scoring
from tfgen.evaluation.classifier import ClassifierFeatures
from tfgen.evaluation.curves import precision_recall_curve
from tfgen.evaluation.evaluator import Reference, check_scores, check_shapes, evaluate
from tfgen.evaluation.features import Features, ModelFeatures, PixelFeatures
from tfgen.evaluation.frechet import frechet_distance
from tfgen.evaluation.inception import InceptionFeatures
from tfgen.evaluation.inception_score import inception_score
from tfgen.evaluation.kernel import kernel_distance
from tfgen.evaluation.likelihood import active_units, elbos, reconstruction_errors
from tfgen.evaluation.linear_probe import LinearProbe, discriminator_features, linear_probe
from tfgen.evaluation.manifold import density_coverage, precision_recall
from tfgen.evaluation.modes import class_coverage, mixture_coverage, stacked_classes
from tfgen.evaluation.moment_matching import moment_matching
from tfgen.evaluation.moments import Moments, streaming_moments
from tfgen.evaluation.neighbours import nearest, nearest_neighbour_score
from tfgen.evaluation.novelty import novelty_auroc
from tfgen.evaluation.protocol import Protocol, Result, Score, compare
from tfgen.evaluation.sampling import Collection, Sampler
from tfgen.evaluation.scores import SCORES, ScoreSettings
from tfgen.utils.deprecation import renamed_names

__all__ = [
    "SCORES",
    "ClassifierFeatures",
    "Collection",
    "Features",
    "InceptionFeatures",
    "KeepBest",
    "LinearProbe",
    "ModelFeatures",
    "Moments",
    "PixelFeatures",
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
    "density_coverage",
    "discriminator_features",
    "elbos",
    "evaluate",
    "frechet_distance",
    "inception_score",
    "kernel_distance",
    "linear_probe",
    "mixture_coverage",
    "moment_matching",
    "nearest",
    "nearest_neighbour_score",
    "novelty_auroc",
    "precision_recall",
    "precision_recall_curve",
    "reconstruction_errors",
    "stacked_classes",
    "streaming_moments",
]

__getattr__ = renamed_names({"Settings": "ScoreSettings"}, globals())
