"""One evaluation: from options to results, a file and a report."""

import dataclasses
import pathlib
import sys
import time

import tfgen
from tfgen import data, evaluation
from tfgen.evaluation.scores import SAMPLE_SCORES, check_abilities
from tfgen.utils.files import check_writable
from tfgen.utils.suggestions import suggest
from training.runs.run_folder import commit, write_json
from training.scoring.generators import find_generator
from training.scoring.report import write_report
from training.tools.machine import machine

# What a score is called on Inception features, and in general.
CANONICAL = {"fid": "frechet", "kid": "kernel", "is": "classes"}


@dataclasses.dataclass(frozen=True)
class Loader:
    """How real images, and folders of samples, are read.

    Args:
        size: `(height, width)` to bring images to, or `None`.
        channels: 1 or 3, to make them grey or coloured, or `None`.
        skip_unreadable: whether to leave out a folder's broken images.
    """

    size: tuple | None
    channels: int | None
    skip_unreadable: bool

    def __call__(self, name, split):
        """Returns the `tfgen.data.Source`, see `tfgen.data.source`."""
        return data.source(name, split, self.size, self.channels, self.skip_unreadable)

    @property
    def preparation(self):
        """What is done to an image, in words."""
        size = f"brought to {self.size[0]}x{self.size[1]}" if self.size else "of its own size"
        colour = {1: ", made grey", 3: ", in colour", None: ""}[self.channels]
        return f"{size}{colour}, rounded to 8 bits"


def run(options):
    """Evaluates the generators; prints, and writes their results."""
    commit()  # now: it may be another one in the end
    names = [CANONICAL.get(name, name) for name in check_names(options.scores.split(","))]
    load = Loader(options.size, options.channels, options.skip_unreadable)
    found = [find_generator(text, load) for text in options.generators]
    for each in found:
        check_abilities(each.generator, names)
    if "novelty" in names and not options.novel:
        raise ValueError("The score novelty needs data of another kind: name them with --novel.")
    name = options.data or common_data(found)
    if (fitting := as_in_training(load, found, name, options.split)) != load:
        load, found = fitting, [find_generator(text, fitting) for text in options.generators]
    reference = find_reference(options, found, name, load)
    check_generators(found, names, reference)
    for path in filter(None, (options.output, options.report)):
        check_writable(pathlib.Path(path).parent)
    novel = load(options.novel, options.split) if options.novel else None
    features = find_features(options, reference, load)
    settings = evaluation.ScoreSettings(
        options.k, options.splits, options.importance_samples, options.bootstrap
    )
    results = []
    for each in found:
        print(f"{each.generator.name}, on {len(reference.source)} real examples")
        start = time.perf_counter()
        result = evaluation.evaluate(
            each.generator,
            reference,
            features,
            names,
            seeds=range(options.seeds),
            settings=settings,
            novel=novel,
            progress=sys.stdout.isatty(),
        )
        results.append(with_details(result, each, features, time.perf_counter() - start))
        print_scores(results[-1])
        write_results(options, results)  # an interruption leaves those that are done
    print(f"Results with their protocol: {results_file(options)}")
    if options.report:
        train = load(reference.data, "train")
        write_report(options.report, results, found, reference, train, features)
        print(f"The report: {options.report}")


def check_names(names):
    """Returns the scores' names; raises a ValueError if one is not known."""
    known = {**CANONICAL, **evaluation.SCORES}
    for name in names:
        if name not in known:
            raise ValueError(f"There is no score {name!r}. {suggest(name, known)}")
    return names


def as_in_training(load, found, name, split):
    """Returns a `Loader` that brings data to the shape that the generators' runs took them in.

    Where an option says otherwise, or the data have that shape already, it is the given one.
    """
    shapes = [each.shape for each in found if each.shape is not None]
    if load.size or load.channels or not shapes or shapes.count(shapes[0]) < len(shapes):
        return load
    *size, channels = shapes[0]
    if len(size) != 2:  # of vectors
        return load
    fitting = dataclasses.replace(load, size=size, channels=channels)
    try:
        return load if list(load(name, split).shape) == shapes[0] else fitting
    except ValueError:  # images of several sizes; another fault is found again
        return fitting


def find_reference(options, found, name, load):
    """Returns the real examples, as many as there are samples, as a `Reference`."""
    source = load(name, options.split)
    there = [len(source), *(len(each.generator.source) for each in found if each.is_collection)]
    count = options.samples or min(10_000, *there)
    if count > min(there):
        raise ValueError(
            f"Only {min(there)} examples are there to compare. Received: --samples {count}. The "
            f"sets hold {', '.join(map(str, there))}, the first of them {name} ({options.split}; "
            "see --split)."
        )
    return evaluation.Reference(
        source.subset(count, seed=0), name, options.split, preparation=load.preparation
    )


def common_data(found):
    """Returns the data that all generators were made from; raises a ValueError if they differ."""
    names = [each.data for each in found]
    if None in names or len(set(names)) > 1:
        made = [f"{each.generator.name}: {each.data or 'unknown'}" for each in found]
        raise ValueError(
            f"Name the real data with --data. The generators' own are: {', '.join(made)}."
        )
    return names[0]


# What a model says of the real examples themselves.
_OF_PIXELS = {"elbo", "likelihood", "reconstruction", "prior_gap", "novelty", "retrieval"}


def check_generators(found, names, reference):
    """Raises a ValueError, before anything is computed, where a generator cannot be scored."""
    for each in found:
        if each.generator.name == f"{reference.data}@{reference.split}":
            raise ValueError(
                f"{each.generator.name} would be compared with itself. Choose another --split."
            )
        of_pixels = _OF_PIXELS & set(names)
        if each.has_few_levels and of_pixels:
            raise ValueError(
                f"{each.generator.name} knows pixels of few levels, and {min(of_pixels)!r} would "
                "show it others. python -m training.likelihood rounds or binarizes them."
            )
        if SAMPLE_SCORES.keys() & set(names):
            evaluation.check_shapes(each.generator, reference, each.generator.sample(1, seed=0)[0])


def find_features(options, reference, load):
    """Returns the `Features` that the options ask for."""
    canonical = [name for name in options.scores.split(",") if name in CANONICAL]
    own = "classifier" if len(reference.source.shape) == 3 else "pixels"
    name = options.features or ("inception" if canonical else own)
    if canonical and name != "inception":
        raise ValueError(
            f"{canonical[0]!r} is a score on Inception features only. On {name!r} ask for "
            f"{CANONICAL[canonical[0]]!r}."
        )
    if name.endswith(".keras"):
        return evaluation.ModelFeatures(tfgen.load(name), pathlib.Path(name).stem)
    makers = {
        "inception": lambda: evaluation.InceptionFeatures(options.inception),
        "classifier": lambda: train_classifier(reference, load),
        "pixels": evaluation.PixelFeatures,
    }
    if name not in makers:
        raise ValueError(
            f"--features must be one of {sorted(makers)} or a .keras file. Received: {name!r}."
        )
    return makers[name]()


def train_classifier(reference, load):
    """Returns the classifier of the real data, trained on the whole training split if need be."""
    train, test = (load(reference.data, split) for split in data.SPLITS)
    try:
        return evaluation.ClassifierFeatures(train, test, progress=sys.stdout.isatty())
    except ValueError as error:
        raise ValueError(f"{error} Or choose others: --features pixels, or inception.") from error


def with_details(result, found, features, seconds):
    """Adds what is worth noting beside the protocol."""
    details = {
        **result.details,
        **found.details,
        **features.details,
        "evaluation_seconds": round(seconds),
        "commit": commit(),
        "machine": machine(),
    }
    return dataclasses.replace(result, details=details)


def print_scores(result):
    """Prints a line for each score."""
    for score in result.scores:
        print(f"  {score.name:32}{describe(score)}")
    skipped = result.protocol.unreadable + result.details.get("unreadable", 0)
    if skipped:
        print(f"  {skipped} broken files were left out.")
    if result.details["cut_off"]:
        print(f"  {result.details['cut_off']:.2%} of the values left [0, 1] and were cut off.")


def describe(score):
    """Returns a score's value, its deviation over seeds and its standard error in words."""
    parts = [f"{score.value:10.5g}"]
    if score.deviation is not None:
        parts.append(f"deviation {score.deviation:.2g} over {len(score.values)} seeds")
    if score.standard_error is not None:
        parts.append(f"standard error {score.standard_error:.2g} ({score.error_from})")
    return "  ".join(parts)


def write_results(options, results):
    """Writes all results to one JSON file."""
    content = {"command": options.command, "results": [each.to_json() for each in results]}
    write_json(results_file(options), content)


def results_file(options):
    """Returns the path of the JSON file."""
    return pathlib.Path(options.output or "runs/evaluation.json")
