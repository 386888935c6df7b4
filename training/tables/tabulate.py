"""Makes the page of results out of its JSON files, and fills the documentation's marked parts.

    $ python -m training.tabulate

The files are those that `training.likelihood`, `training.evaluate`, `training.probe`,
`training.pretraining`, `training.faults`, `training.layouts` and the benchmarks wrote with
`--output`, and those of `training.record`.
"""

import argparse
import json
import pathlib
import statistics

from training.tables import fills, of_runs, pixels
from training.tables import replicas as tables_of_replicas
from training.tables import serving as tables_of_serving
from training.tables import speed as tables_of_speed
from training.tables.cells import duration, machine_of, table
from training.tables.published import PUBLISHED

FOLDER = pathlib.Path(__file__).parent.parent / "results"
PAGE = FOLDER.parents[1] / "docs/results.md"
HEAD = """# Results

Made by `python -m training.tabulate` from the JSON files in `training/results`, which hold more:
settings, versions, commit, every turn. Times include whatever else the machine was doing. Where two
results come from folders of one name, give the second's runs another (`--output`).
"""


def main(arguments=None):
    """Writes `docs/results.md`, and the marked parts of the other pages and of the README."""
    argparse.ArgumentParser(
        prog="python -m training.tabulate", description=__doc__.splitlines()[0]
    ).parse_args(arguments)
    results = {path.name: json.loads(path.read_text()) for path in sorted(FOLDER.glob("*.json"))}
    PAGE.write_text(page(results))
    print(f"Wrote {PAGE} from {len(results)} files.")
    for path in fills.pages():
        text = path.read_text()
        if (filled := fills.fill(text, path.parent)) != text:
            path.write_text(filled)
            print(f"Filled {path}.")


def page(results):
    """Returns the page, made of a dict from the files' names to what they hold."""
    sections = [HEAD]
    for title, key, write in (
        ("Samples", "results", _evaluation),
        ("Log-likelihood", "nats", _likelihood),
        ("Recipes", "measured", of_runs.recipe),
        ("Recipes, several seeds", "seeds", of_runs.seeds),
        ("Pre-training", "pretraining", of_runs.pretraining),
        ("Features of discriminators", "probe", of_runs.probe),
        ("Faults", "faults", tables_of_replicas.faults),
        ("Many replicas", "layouts", tables_of_replicas.layouts),
        ("Speed of many workers", "scaling", tables_of_replicas.scaling),
        ("Speed of training", "speed", tables_of_speed.speed),
        ("Speed of the server", "serving", tables_of_serving.serving),
        ("The server under attack", "siege", tables_of_serving.siege),
        ("Speed of the scores", "evaluation_benchmark", _evaluation_benchmark),
        ("Speed of drawing pixel by pixel", "pixels_benchmark", pixels.pixels),
    ):
        found = [write(name, result) for name, result in results.items() if key in result]
        sections += [f"## {title}", *found] if found else []
    return "\n\n".join(section.strip() for section in sections) + "\n"


def _evaluation(name, result):
    results = result["results"]
    protocol = results[0]["protocol"]
    heads = [each["generator"] for each in results]
    rows = [
        [f"`{score['name']}`", _ideal(score), *(_figure(each, score["name"]) for each in results)]
        for score in results[0]["scores"]
    ]
    seconds = sum(each["details"]["evaluation_seconds"] for each in results)
    accuracy = results[0]["details"].get("classifier_accuracy")
    classifier = f", a classifier of {accuracy:.1%} test accuracy" if accuracy else ""
    generators = "\n".join(f"* {_made(each)}" for each in results)
    return f"""### {protocol["data"]}: {", ".join(heads)}

{protocol["fake_count"]} samples against {protocol["real_count"]} examples of
{protocol["data"]} ({protocol["split"]}); features `{protocol["features"]}`{classifier}
({protocol["features_checksum"]}; {protocol["preparation"]}); sample seeds
{", ".join(map(str, protocol["sample_seeds"]))}. {duration(seconds)} on
{machine_of(results[0]["details"])}, not counting features that were in the cache.
After ± stands the deviation over seeds where there are several, else the standard error of the one
(of the bootstrap, of the estimate, or of the binomial law). (`{name}`)

{table(["score", "ideal", *heads], rows)}

{generators}

```
{result["command"]}
```"""


def _figure(result, name):
    score = next(score for score in result["scores"] if score["name"] == name)
    error = score["standard_error"]
    if len(score["values"]) > 1:
        error = statistics.stdev(score["values"])
    return f"{score['value']:.4g}" + (f" ± {error:.2g}" if error is not None else "")


def _ideal(score):
    return "lower" if score["ideal"] is None else f"{score['ideal']:g}"


def _made(result):
    """Says how a generator came about, and what the paper reached."""
    training = result["details"].get("training")
    if training is None:
        return f"{result['generator']}: {result['details']['kind']}."
    settings = training["settings"]
    made = (
        f"{result['generator']}: `{of_runs.command(settings)} --output {training['folder']}`, "
        f"{duration(training['seconds'])}."
    )
    published = [
        _published(settings["recipe"], score["name"])
        for score in result["scores"]
        if (settings["recipe"], score["name"]) in PUBLISHED
    ]
    return " ".join([made, *published])


def _published(recipe, score):
    published = PUBLISHED[recipe, score]
    return (
        f"Published: {published.figure} ({published.source}). Done otherwise here: "
        f"{published.difference}"
    )


def _likelihood(name, result):
    settings, protocol = result["training"]["settings"], result["protocol"]
    run, samples = settings["recipe"], protocol["importance_samples"]
    by = f"{samples} importance samples per image" if samples else "exact"
    options = [f"runs/{run}", *([f"--samples {samples}"] if samples else [])]
    return f"""### {run}: {result["nats"]:.2f} ± {result["standard_error"]:.2f} nats

Negative log-likelihood of {protocol["images"]} test images of {protocol["data"]} (binarization:
{protocol["binarization"]}), {by}; the
error is the standard error over images. Seed {settings["seed"]} in training, {protocol["seed"]} in
the test; {settings["epochs"]} epochs of {settings["steps_per_epoch"]} steps in
{duration(result["training"]["seconds"])}, {duration(result["evaluation_seconds"])} more for
the test, on {machine_of(result)}. (`{name}`)

{_published(run, result["score"]) if (run, result["score"]) in PUBLISHED else ""}

```
python -m training.train {run} --seed {settings["seed"]}
python -m training.likelihood {" ".join(options)} \\
    --output training/results/{name}
```"""


def _evaluation_benchmark(name, result):
    rows = [
        [
            comparison,
            each["theirs"],
            f"{statistics.median(each['ours_seconds']):.2f}",
            f"{statistics.median(each['theirs_seconds']):.2f}",
            f"{statistics.median(each['ratios']):.1f}",
            f"{min(each['ratios']):.1f} to {max(each['ratios']):.1f}",
        ]
        for comparison, each in result["evaluation_benchmark"].items()
    ]
    head = ["what", "the usual way", "seconds here", "seconds there", "times as fast", "range"]
    return f"""### {result["samples"]} samples of {result["features"]} features

Medians of turns in one run, in turn, on the same arrays. On {machine_of(result)}.
(`{name}`)

{table(head, rows)}

```
python -m training.benchmark_evaluation --samples {result["samples"]} \\
    --features {result["features"]} --output training/results/{name}
```"""


if __name__ == "__main__":
    main()
