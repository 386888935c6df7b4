"""The scores by their short names, from samples to named figures."""

import dataclasses
import functools

import numpy as np

from tfgen.data import Source
from tfgen.engine.abilities import abilities_of, require
from tfgen.evaluation.aggregate_posterior import AggregatePosterior
from tfgen.evaluation.cache import cached_features
from tfgen.evaluation.curves import precision_recall_curve
from tfgen.evaluation.features import Features, PixelFeatures, checksum_of
from tfgen.evaluation.frechet import frechet_distance
from tfgen.evaluation.inception_score import inception_score
from tfgen.evaluation.kernel import kernel_distance
from tfgen.evaluation.likelihood import (
    active_units,
    elbos,
    encodings,
    reconstruction_errors,
)
from tfgen.evaluation.manifold import density_coverage, precision_recall
from tfgen.evaluation.moment_matching import moment_matching
from tfgen.evaluation.neighbours import nearest_neighbour_score
from tfgen.evaluation.novelty import novelty_auroc
from tfgen.evaluation.protocol import Score
from tfgen.evaluation.retrieval import retrieval_precision


@dataclasses.dataclass(frozen=True, eq=False)
class Comparison:
    """Real and generated examples, seen through features; each is computed once, when needed.

    Args:
        real: a `tfgen.data.Source`.
        fake: a `tfgen.data.Source` of examples of the same shape; `None` where no score asks.
        features: a `Features`.
        model: the generator's model, for scores of what else it can do.
        novel: a `Source` of examples of another kind, for the novelty score.
        keep: whether to keep the samples' features in the cache, as those of the real examples are.
        progress: whether to show progress bars.
    """

    real: Source
    fake: Source | None
    features: Features
    model: object = None
    novel: Source | None = None
    keep: bool = True
    progress: bool = False

    @functools.cached_property
    def real_features(self):
        """`[count, size]`."""
        return cached_features(self.features, self.real, self.progress)

    @functools.cached_property
    def fake_features(self):
        """`[other count, size]`."""
        compute = cached_features if self.keep else Features.__call__
        return compute(self.features, self.fake, progress=self.progress)

    @property
    def both(self):
        """The real and the generated examples' features."""
        return self.real_features, self.fake_features


@dataclasses.dataclass(frozen=True)
class ScoreSettings:
    """The numbers that scores depend on.

    Args:
        k: the neighbour that a ball reaches to, for precision, recall, density and coverage.
        splits: the parts that the inception score is computed on.
        importance_samples: latents per example, for the likelihood of a VAE.
        bootstrap: how often a Frechet distance is computed anew for its standard error; 0 for none.
        seed: an integer, of the clusters and the bootstrap.

    Raises:
        ValueError: `bootstrap` is 1 or less than 0.
    """

    k: int = 5
    splits: int = 10
    importance_samples: int = 5000
    bootstrap: int = 0
    seed: int = 0

    def __post_init__(self):
        if self.bootstrap < 0 or self.bootstrap == 1:
            raise ValueError(
                f"`bootstrap` must be 0 or at least 2. Received: bootstrap={self.bootstrap}."
            )


def frechet(comparison, settings):
    """The Frechet distance; "fid" on Inception features."""
    return [
        Score(
            comparison.features.title("frechet_distance"),
            (frechet_distance(*comparison.both),),
            ideal=0.0,
            **_bootstrapped(frechet_distance, comparison, settings),
        )
    ]


def kernel(comparison, settings):
    """The kernel distance; "kid" on Inception features."""
    value, error = kernel_distance(*comparison.both)
    name = comparison.features.title("kernel_distance")
    return [Score(name, (value,), 0.0, {"subsets": "none"}, error, "the estimate's variance")]


def classes(comparison, settings):
    """The inception score, of the class probabilities that features may have."""
    probabilities = comparison.features.probabilities(comparison.fake)
    value, deviation = inception_score(probabilities, settings.splits)
    options = {"splits": settings.splits}
    ideal = float(probabilities.shape[1])
    name = comparison.features.title("score")
    return [Score(name, (value,), ideal, options, deviation, "the deviation between splits")]


def prdc(comparison, settings):
    """Precision and recall, density and coverage."""
    precision, recall = precision_recall(*comparison.both, settings.k)
    density, coverage = density_coverage(*comparison.both, settings.k)
    options = {"k": settings.k}
    return [
        _share("precision", precision, len(comparison.fake), 1.0, options),
        _share("recall", recall, len(comparison.real), 1.0, options),
        Score("density", (density,), 1.0, options),
        _share("coverage", coverage, len(comparison.real), 1.0, options),
    ]


def prd(comparison, settings):
    """The best F-scores on the curve of precision and recall."""
    options = {"clusters": 20, "runs": 10, "seed": settings.seed}
    curve = precision_recall_curve(*comparison.both, **options)
    return [
        Score("f_8", (curve.f_8,), 1.0, options),
        Score("f_1_8", (curve.f_1_8,), 1.0, options),
        Score("f_1", (curve.f_1,), 1.0, options),
    ]


def one_nn(comparison, settings):
    """The leave-one-out accuracy of the nearest neighbour's class: in all, and of each kind."""
    total, real, fake = nearest_neighbour_score(*comparison.both)
    reals, fakes = len(comparison.real), len(comparison.fake)
    return [
        _share("one_nn", total, reals + fakes, 0.5),
        _share("one_nn_real", real, reals, 0.5),
        _share("one_nn_fake", fake, fakes, 0.5),
    ]


def moments(comparison, settings):
    """Relative errors of mean, covariance and deviation, pixel by pixel."""
    pixels = PixelFeatures()
    matching = moment_matching(pixels(comparison.real), pixels(comparison.fake))
    return [
        Score(f"pixel_{name}_error", (value,), 0.0) for name, value in matching._asdict().items()
    ]


def elbo(comparison, settings):
    """The negative evidence lower bound of the real examples, in nats per example."""
    options = {"latents": 1, "seed": 0}
    values = elbos(comparison.model, comparison.real, seed=options["seed"])
    return [_mean("negative_elbo", -values, options)]


def likelihood(comparison, settings):
    """The real examples' negative log-likelihood in nats; a VAE's by importance sampling."""
    sampled = "importance_sampling" in abilities_of(comparison.model)
    options = {"samples": settings.importance_samples} if sampled else {}
    values = comparison.model.log_likelihood(comparison.real.floats(), **options)
    return [_mean("negative_log_likelihood", -np.asarray(values), options)]


def reconstruction(comparison, settings):
    """The squared error of the real examples' reconstructions."""
    errors = reconstruction_errors(comparison.model, comparison.real)
    return [_mean("reconstruction_error", errors)]


def latents(comparison, settings):
    """The number of latents that the real examples' encodings use."""
    options = {"threshold": 0.01}
    active = active_units(comparison.model, comparison.real, **options)
    return [Score("active_units", (float(active.sum()),), float(len(active)), options)]


def prior_gap(comparison, settings):
    """How far the latents of all real examples together are from the prior, in nats."""
    count, seed = len(comparison.real), 0
    gap = AggregatePosterior(comparison.model, comparison.real).prior_gap(seed)
    options = {"examples": count, "seed": seed, "information": gap.information}
    return [Score("prior_gap", (gap.divergence,), None, options)]


def novelty(comparison, settings):
    """How well the reconstruction error, and the ELBO, tell real examples from another kind's."""
    if comparison.novel is None:
        raise ValueError("Novelty needs examples of another kind. Pass them as `novel`.")
    model, kinds = comparison.model, (comparison.real, comparison.novel)
    options = {"novel": checksum_of([comparison.novel.images])}
    found = {"reconstruction": [reconstruction_errors(model, kind) for kind in kinds]}
    if "bound" in abilities_of(model):
        found["elbo"] = [-elbos(model, kind) for kind in kinds]
    return [
        Score(f"novelty_auroc_by_{name}", (novelty_auroc(*each),), 1.0, options)
        for name, each in found.items()
    ]


def retrieval(comparison, settings):
    """Which share of the ten real examples nearest to one, in latent space, has its label."""
    if comparison.real.labels is None:
        raise ValueError("Retrieval is scored by labels. The real examples have none.")
    options = {"count": 10}
    codes = encodings(comparison.model, comparison.real)
    shares = retrieval_precision(codes, comparison.real.labels, **options)
    return [_mean("retrieval_precision", shares, options, ideal=1.0)]


SAMPLE_SCORES = {
    score.__name__: score for score in (frechet, kernel, classes, prdc, prd, one_nn, moments)
}
# Scores of the model on real examples, whatever its samples.
MODEL_SCORES = {
    score.__name__: score
    for score in (elbo, likelihood, reconstruction, latents, prior_gap, novelty, retrieval)
}
SCORES = {**SAMPLE_SCORES, **MODEL_SCORES}
# What the model must be able to do for each of these.
_ABILITIES = {
    "elbo": ("bound",),
    "likelihood": ("log_likelihood",),
    "reconstruction": ("reconstruct",),
    "latents": ("encode",),
    "prior_gap": ("bound", "latent_density"),
    "novelty": ("reconstruct",),
    "retrieval": ("encode",),
}


def check_abilities(generator, names):
    """Raises a ValueError unless a generator can do what scores ask for.

    Args:
        generator: a `Sampler`, whose model is asked, or a `Collection`.
        names: names of `SCORES`.
    """
    able = generator if generator.model is None else generator.model
    for name in names:
        for ability in _ABILITIES.get(name, ("sample",)):
            require(able, ability, f"The score {name!r}")


def _mean(name, values, options=None, ideal=None):
    """Makes the score of a mean over examples; lower is better, unless there is an ideal."""
    if len(values) < 2:
        raise ValueError(f"A score needs at least 2 real examples. Received: {len(values)}.")
    values = np.asarray(values, np.float64)
    error = float(values.std(ddof=1) / np.sqrt(len(values)))
    source = "the variance over examples"
    return Score(name, (float(values.mean()),), ideal, options or {}, error, source)


def _share(name, value, count, ideal, options=None):
    """Makes the score of a share of examples, with the error of independent ones."""
    error = float(np.sqrt(value * (1 - value) / count))
    return Score(name, (value,), ideal, options or {}, error, "the binomial law")


def _bootstrapped(score, comparison, settings):
    """Returns the standard error of a score over sets drawn with replacement from those at hand.

    That is right for scores of moments. Scores of neighbours would take the repeated samples for
    copies.
    """
    if not settings.bootstrap:
        return {}
    random = np.random.default_rng(settings.seed)
    values = [
        score(*(each[random.integers(len(each), size=len(each))] for each in comparison.both))
        for _ in range(settings.bootstrap)
    ]
    return {
        "standard_error": float(np.std(values, ddof=1)),
        "error_from": f"{settings.bootstrap} bootstrap samples",
    }
