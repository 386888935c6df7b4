"""A model's scores with their protocols, for its card's text and for the hub."""

import dataclasses
import math

from tfgen.data.provenance import provenance, public_name


@dataclasses.dataclass(frozen=True)
class Figure:
    """One score.

    Args:
        kind: a short name, for the hub: "fid", "loss".
        name: what it is, in words.
        value: a number.
        text: the value as it is written, with its error if there is one.
        protocol: how it was measured, in words.
        data: the name of the data that it was measured on.
        split: the part of them.
    """

    kind: str
    name: str
    value: float
    text: str
    protocol: str
    data: str
    split: str


def figures(description, origin):
    """Returns all that was measured of a model, a list of `Figure`s.

    Args:
        description: what is known of it; `test` are losses on held-out data, `measured` what its
            recipe measured.
        origin: a `tfgen.serving.card.Origin`.
    """
    data = description.get("data", "unknown")
    shown = f"`{public_name(data)}`"

    def figure(kind, name, value, protocol):
        return Figure(kind, name, value, f"{value:.6g}", protocol, data, "test")

    found = [
        figure(name, f"{name} on held-out data", value, f"mean over the held-out part of {shown}")
        for name, value in description.get("test", {}).items()
    ]
    found += [
        figure(name, name, value, origin.measure or f"measured by the recipe, on {shown}")
        for name, value in description.get("measured", {}).items()
    ]
    for result in origin.results:
        found += [_scored(score, result.protocol) for score in result.scores]
    return [each for each in found if math.isfinite(each.value)]


def model_index(name, task, scores):
    """Returns scores as the hub's metadata has them, under `model-index`.

    Args:
        name: the model's name.
        task: the hub's name of what it does.
        scores: a list of `Figure`s.
    """
    metrics = {}
    for each in scores:
        entry = {"type": each.kind, "name": each.name, "value": float(f"{each.value:.6g}")}
        metrics.setdefault((each.data, each.split), []).append(entry)
    results = [
        {"task": {"type": task}, "dataset": _dataset(*where), "metrics": entries}
        for where, entries in metrics.items()
    ]
    return [{"name": name, "results": results}]


def _scored(score, protocol):
    text = f"{score.value:.6g}"
    if score.standard_error is not None:
        text += f" (standard error {score.standard_error:.2g})"
    seeds = len(score.values)
    how = (
        f"{protocol.fake_count:,} samples against {protocol.real_count:,} examples of "
        f"`{public_name(protocol.data)}` ({protocol.split}), on {protocol.features} features, "
        f"{seeds} {'seed' if seeds == 1 else 'seeds'}"
    )
    return Figure(score.name, score.name, score.value, text, how, protocol.data, protocol.split)


def _dataset(data, split):
    known = provenance(data)
    return {"type": known.hub or public_name(data), "name": known.title, "split": split}
