"""One evaluation: from options to results, a file and a report."""

import dataclasses
import json
import pathlib
import sys
import time

import keras

from tfgen import data, evaluation
from training.generators import find_generator
from training.machine import machine
from training.report import write_report
from training.run_folder import commit, write_json

# What a score is called on Inception features, and in general.
CANONICAL = {"fid": "frechet", "kid": "kernel", "is": "classes"}


def run(options):
    """Evaluates the generators; prints, and writes their results."""
    names = [CANONICAL.get(name, name) for name in options.scores.split(",")]
    evaluation.check_scores(names)
    size = parse_size(options.size)
    found = [find_generator(text, size, options.skip_unreadable) for text in options.generators]
    reference = find_reference(options, found, size)
    features = find_features(options, reference)
    settings = evaluation.Settings(options.k, options.splits, options.bootstrap)
    count = options.samples or len(reference.source)
    results = []
    for each in found:
        print(f"{each.generator.name}: {count} samples, {len(reference.source)} real examples")
        start = time.perf_counter()
        result = evaluation.evaluate(
            each.generator,
            reference,
            features,
            names,
            count,
            tuple(range(options.seeds)),
            settings,
            novel=find_novel(options, size),
            progress=sys.stdout.isatty(),
        )
        results.append(with_details(result, each, features, time.perf_counter() - start))
        print_scores(results[-1])
    write_results(options, results)
    if options.report:
        write_report(options.report, results, found, reference, features)
        print(f"The report: {options.report}")


def parse_size(text):
    """Returns (height, width), or `None` for none."""
    if text is None:
        return None
    sides = text.split("x")
    if len(sides) != 2 or not all(side.isdigit() and int(side) for side in sides):
        raise ValueError(f"--size must be HEIGHTxWIDTH such as 64x64. Received: {text!r}.")
    return tuple(map(int, sides))


def find_reference(options, found, size):
    """Returns the real examples as a `Reference`."""
    name = options.data or common_data(found)
    source = data.source(name, options.split, size, options.channels, options.skip_unreadable)
    count = min(options.samples or 10_000, len(source))
    return evaluation.Reference(source.subset(count, seed=0), name, options.split, seed=0)


def common_data(found):
    """Returns the data that all generators were made from; raises a ValueError if they differ."""
    names = {each.generator.name: each.data for each in found}
    if None in names.values() or len(set(names.values())) > 1:
        made = ", ".join(f"{name}: {data or 'unknown'}" for name, data in names.items())
        raise ValueError(f"Name the real data with --data. The generators' own are: {made}.")
    return next(iter(names.values()))


def find_features(options, reference):
    """Returns the `Features` that the options ask for."""
    canonical = [name for name in options.scores.split(",") if name in CANONICAL]
    name = options.features or ("inception" if canonical else "classifier")
    if canonical and name != "inception":
        raise ValueError(
            f"{canonical[0]!r} is a score on Inception features only. On {name!r} ask for "
            f"{CANONICAL[canonical[0]]!r}."
        )
    if name.endswith(".keras"):
        return evaluation.ModelFeatures(keras.saving.load_model(name), pathlib.Path(name).stem)
    makers = {
        "inception": lambda: evaluation.InceptionFeatures(options.inception),
        "classifier": lambda: train_classifier(options, reference),
        "pixels": evaluation.PixelFeatures,
    }
    if name not in makers:
        raise ValueError(
            f"--features must be one of {sorted(makers)} or a .keras file. Received: {name!r}."
        )
    return makers[name]()


def train_classifier(options, reference):
    """Returns the classifier of the real data, trained on the whole training split if need be."""
    train, test = (
        data.source(reference.data, split, parse_size(options.size), options.channels)
        for split in data.SPLITS
    )
    return evaluation.ClassifierFeatures(train, test, progress=sys.stdout.isatty())


def find_novel(options, size):
    """Returns the examples of another kind, as many as are wanted of the real ones."""
    if options.novel is None:
        return None
    source = data.source(options.novel, options.split, size, options.channels)
    return source.subset(min(options.samples or 10_000, len(source)))


def with_details(result, found, features, seconds):
    """Adds what is worth noting beside the protocol."""
    accuracy = getattr(features, "accuracy", None)
    details = {
        **result.details,
        **found.details,
        **({} if accuracy is None else {"classifier_accuracy": accuracy}),
        "evaluation_seconds": round(seconds),
        "commit": commit(),
        "machine": machine(),
    }
    return dataclasses.replace(result, details=details)


def print_scores(result):
    """Prints a line for each score."""
    for score in result.scores:
        print(f"  {score.name:32}{describe(score)}")
    if result.details["cut_off"]:
        print(f"  {result.details['cut_off']:.2%} of the values left [0, 1] and were cut off.")


def describe(score):
    """Returns a score's value, its deviation over seeds and its standard error in words."""
    parts = [f"{score.value:10.4f}"]
    if score.deviation is not None:
        parts.append(f"deviation {score.deviation:.4f} over {len(score.values)} seeds")
    if score.standard_error is not None:
        parts.append(f"standard error {score.standard_error:.4f} ({score.error_from})")
    return "  ".join(parts)


def write_results(options, results):
    """Writes all results to one JSON file."""
    output = pathlib.Path(options.output or "evaluation.json")
    content = {"command": options.command, "results": [each.to_json() for each in results]}
    write_json(output, content)
    print(f"Results with their protocol: {output}")


def read_results(path):
    """Reads the results that `write_results` wrote.

    Raises:
        ValueError: the file holds something else.
    """
    content = json.loads(pathlib.Path(path).read_text())
    return [evaluation.Result.from_json(each) for each in content["results"]]
