"""What a score was measured with, and the refusal to compare what was measured otherwise."""

import dataclasses
import itertools
import json
import math
import pathlib

import jsonschema

_SCHEMA = json.loads((pathlib.Path(__file__).parent / "result.schema.json").read_text())


@dataclasses.dataclass(frozen=True)
class Protocol:
    """All that a score depends on beside the generator.

    Args:
        features: the name of the features.
        features_checksum: of their network's weights.
        preparation: what the features do to an image: size, colour, precision.
        data: the name of the real data.
        split: the part of them.
        data_preparation: how they came to their shape: resized, cut, made grey, rounded.
        shape: of one example, as real and generated ones are compared.
        real_count: the number of real examples.
        real_seed: of their choice among the split's.
        real_checksum: of the real examples themselves.
        unreadable: the number of files of real data that were left out because they are broken.
        fake_count: the number of samples.
        sample_seeds: of the samples, one for each value of a score. Results with other ones can be
            compared.
        versions: of the software; noted, and no obstacle to a comparison.
    """

    features: str
    features_checksum: str
    preparation: str
    data: str
    split: str
    data_preparation: str
    shape: tuple
    real_count: int
    real_seed: int
    real_checksum: str
    unreadable: int
    fake_count: int
    sample_seeds: tuple = dataclasses.field(compare=False)
    versions: dict = dataclasses.field(compare=False)


@dataclasses.dataclass(frozen=True)
class Score:
    """One figure, for each seed that samples were drawn with.

    Args:
        name: what it is called. "fid" and its kin are on Inception features; the others' names say
            nothing of the features, which are in the protocol.
        values: one per seed.
        ideal: the best possible value; `None` where lower is better without a bound. Even real data
            in a generator's place do not reach it with finite samples: that is the floor.
        options: what it was computed with, such as `k`.
        standard_error: of the first value, if it can be had.
        error_from: what that error comes from.
    """

    name: str
    values: tuple
    ideal: float | None
    options: dict = dataclasses.field(default_factory=dict)
    standard_error: float | None = None
    error_from: str | None = None

    def __post_init__(self):
        if not all(map(math.isfinite, self.values)):
            raise ValueError(f"The score {self.name!r} must be finite. Received: {self.values}.")
        if self.standard_error is not None and not math.isfinite(self.standard_error):
            raise ValueError(f"The score {self.name!r} needs more examples for its error.")

    @property
    def value(self):
        """The mean over the seeds."""
        return sum(self.values) / len(self.values)

    @property
    def deviation(self):
        """The standard deviation over the seeds; `None` of a single one."""
        if len(self.values) < 2:
            return None
        squares = sum((value - self.value) ** 2 for value in self.values)
        return (squares / (len(self.values) - 1)) ** 0.5

    @property
    def distance(self):
        """How far from ideal it is: what results are ranked by."""
        return self.value if self.ideal is None else abs(self.value - self.ideal)


@dataclasses.dataclass(frozen=True)
class Result:
    """A generator's scores with their protocol.

    Args:
        generator: its name.
        scores: a tuple of `Score`s.
        protocol: a `Protocol`.
        details: what else is worth noting: how it was trained, the machine, the time.
    """

    generator: str
    scores: tuple
    protocol: Protocol
    details: dict = dataclasses.field(default_factory=dict, compare=False)

    def score(self, name):
        """Returns the score called `name`.

        Raises:
            ValueError: there is none.
        """
        for score in self.scores:
            if score.name == name:
                return score
        raise ValueError(
            f"{self.generator} has no score {name!r}. It has: "
            f"{[score.name for score in self.scores]}."
        )

    def to_json(self):
        """Returns a dict as `result.schema.json` describes it."""
        content = json.loads(json.dumps({"schema": 1, **dataclasses.asdict(self)}))
        for score, written in zip(self.scores, content["scores"], strict=True):
            written["value"] = score.value
        jsonschema.validate(content, _SCHEMA)
        return content

    @classmethod
    def from_json(cls, content):
        """Reads what `to_json` wrote.

        Raises:
            ValueError: it does not follow the schema.
        """
        try:
            jsonschema.validate(content, _SCHEMA)
        except jsonschema.ValidationError as error:
            raise ValueError(f"This is no result of an evaluation: {error.message}.") from error
        protocol = Protocol(**_with_tuples(content["protocol"], "shape", "sample_seeds"))
        scores = []
        for score in content["scores"]:
            stored = {name: value for name, value in score.items() if name != "value"}
            scores.append(Score(**_with_tuples(stored, "values")))
        return cls(content["generator"], tuple(scores), protocol, content["details"])


def compare(results, score):
    """Ranks results by one score, if they were measured alike.

    Args:
        results: several `Result`s.
        score: the score's name.

    Returns:
        The results in a list, the best first: the nearest to the score's ideal value.

    Raises:
        ValueError: protocols or the score's options differ (the message says in what), or one of
            the results lacks the score.

    Example:
        >>> [result.generator for result in evaluation.compare(results, "fid")]
        ['vae_fashion', 'kde_fashion']
    """
    results = list(results)
    conditions = [_conditions(result, score) for result in results]
    names = dict.fromkeys(itertools.chain.from_iterable(conditions))  # each once, in order
    differences = [
        f"{name} ({', '.join(_seen(name, results, conditions))})"
        for name in names
        if any(other.get(name) != conditions[0].get(name) for other in conditions)
    ]
    if differences:
        raise ValueError(
            f"These results cannot be ranked by {score!r}, they were measured otherwise: "
            f"{'; '.join(differences)}. Evaluate all of them with the same settings."
        )
    return sorted(results, key=lambda result: result.score(score).distance)


def _conditions(result, score):
    """Returns all that has to agree, as a dict."""
    compared = [field.name for field in dataclasses.fields(Protocol) if field.compare]
    protocol = {name: getattr(result.protocol, name) for name in compared}
    return {**protocol, **result.score(score).options}


def _seen(name, results, conditions):
    for result, seen in zip(results, conditions, strict=True):
        yield f"{result.generator}: {seen.get(name)}"


def _with_tuples(content, *names):
    """Returns a dict with the lists that JSON made of tuples as tuples again."""
    return {**content, **{name: tuple(content[name]) for name in names}}
