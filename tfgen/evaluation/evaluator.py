"""From a generator to a result."""

import dataclasses

from tfgen.data import Source
from tfgen.evaluation.features import checksum_of
from tfgen.evaluation.protocol import Protocol, Result
from tfgen.evaluation.sampling import as_pixels
from tfgen.evaluation.scores import (
    MODEL_SCORES,
    SAMPLE_SCORES,
    SCORES,
    Comparison,
    ScoreSettings,
    check_abilities,
)
from tfgen.utils.suggestions import suggest
from tfgen.utils.versions import versions


@dataclasses.dataclass(frozen=True, eq=False)
class Reference:
    """The real examples that generated ones are compared with, and where they are from.

    Args:
        source: a `tfgen.data.Source`.
        data: the data's name.
        split: the part of them.
        seed: of the choice among them.
        preparation: how they came to their shape, in words.
    """

    source: Source
    data: str = "unnamed"
    split: str = "all"
    seed: int = 0
    preparation: str = "as given, rounded to 8 bits"


def evaluate(
    generator,
    reference,
    features,
    scores=("frechet", "kernel", "prdc", "one_nn"),
    count=None,
    seeds=(0,),
    settings=None,
    novel=None,
    keep=True,
    progress=False,
):
    """Scores a generator.

    Args:
        generator: with a `name` and a method `sample`: a `Sampler` or a `Collection`.
        reference: a `Reference`.
        features: a `Features`.
        scores: names of `tfgen.evaluation.SCORES`.
        count: the number of samples; the default is that of the real examples.
        seeds: integers; the scores are computed for samples of each. Those that are of the model
            itself, such as "elbo", are computed once.
        settings: the `ScoreSettings` of the scores.
        novel: a `tfgen.data.Source` of examples of another kind, for the score "novelty".
        keep: whether to keep the samples' features in the cache, as those of the real examples are.
        progress: whether to show progress bars.

    Returns:
        A `Result`.

    Raises:
        ValueError: an unknown score, one that the model lacks an ability for, no seed, samples of
            another shape than the real examples, or what the scores themselves refuse.

    Example:
        >>> evaluation.evaluate(
        ...     evaluation.Sampler("vae", vae),
        ...     evaluation.Reference(data.source("embedded", "test"), "embedded", "test"),
        ...     evaluation.PixelFeatures(),
        ... ).score("one_nn").value
        0.93
    """
    check_scores(scores)
    check_abilities(generator, scores)
    scores = list(dict.fromkeys(scores))  # each once
    seeds = tuple(seeds)
    if not seeds:
        raise ValueError("`seeds` must hold at least one integer. Received: none.")
    settings = settings or ScoreSettings()
    count = len(reference.source) if count is None else count
    reference = dataclasses.replace(reference, source=as_pixels(reference.source))
    novel = None if novel is None else as_pixels(novel)
    measured, cuts = {}, []
    for seed in seeds:
        fake, cut = None, 0.0
        if SAMPLE_SCORES.keys() & set(scores):
            fake, cut = generator.sample(count, seed)
            check_shapes(generator, reference, fake)
        comparison = Comparison(
            reference.source, fake, features, generator.model, novel, keep, progress
        )
        for name in scores:
            for score in SCORES[name](comparison, settings):
                measured.setdefault(score.name, []).append(score)
        scores = [name for name in scores if name not in MODEL_SCORES]
        settings = dataclasses.replace(settings, bootstrap=0)  # the error is the first seed's
        cuts.append(cut)
    return Result(
        generator.name,
        tuple(_over_seeds(each) for each in measured.values()),
        make_protocol(reference, features, count, seeds),
        {"cut_off": max(cuts)},
    )


def make_protocol(reference, features, count, seeds):
    """Returns the `Protocol` of an evaluation."""
    return Protocol(
        features=features.name,
        features_checksum=features.checksum,
        preparation=features.preparation,
        data=reference.data,
        split=reference.split,
        data_preparation=reference.preparation,
        shape=tuple(reference.source.shape),
        real_count=len(reference.source),
        real_seed=reference.seed,
        real_checksum=checksum_of([reference.source.images]),
        unreadable=reference.source.unreadable,
        fake_count=count,
        sample_seeds=tuple(seeds),
        versions=versions(),
    )


def check_scores(names):
    """Raises a ValueError if one of the names is no score's."""
    for name in names:
        if name not in SCORES:
            raise ValueError(f"There is no score {name!r}. {suggest(name, SCORES)}")


def check_shapes(generator, reference, fake):
    """Raises a ValueError if samples and real examples are of different shapes."""
    if fake.shape != reference.source.shape:
        raise ValueError(
            "Samples and real examples must have one shape. Received: "
            f"{list(fake.shape)} from {generator.name} and {list(reference.source.shape)} of "
            f"{reference.data}. Give the real data the samples' size and channels."
        )


def _over_seeds(scores):
    """Joins the scores of one name, one per seed."""
    values = tuple(value for score in scores for value in score.values)
    return dataclasses.replace(scores[0], values=values)
