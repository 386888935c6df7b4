"""Makes the page of results out of the JSON files beside it.

    $ python -m training.tabulate

The files are those that `training.likelihood` and `training.benchmark` wrote with `--output`.
"""

import json
import pathlib
import statistics

FOLDER = pathlib.Path(__file__).parent / "results"
HEAD = """# Results

Made by `python -m training.tabulate` from the JSON files in this folder, which hold more: settings,
versions, commit, every turn. Times include whatever else the machine was doing.
"""


def main():
    """Writes `training/results/README.md`."""
    results = {path.name: json.loads(path.read_text()) for path in sorted(FOLDER.glob("*.json"))}
    likelihoods = [
        _likelihood(name, result) for name, result in results.items() if "nats" in result
    ]
    benchmarks = [
        _benchmark(name, result) for name, result in results.items() if "ratios" in result
    ]
    sections = [HEAD, "## Log-likelihood", *likelihoods, "## Speed", *benchmarks]
    (FOLDER / "README.md").write_text("\n\n".join(section.strip() for section in sections) + "\n")
    print(f"Wrote {FOLDER / 'README.md'}: {len(likelihoods) + len(benchmarks)} results.")


def _likelihood(name, result):
    settings, protocol = result["training"]["settings"], result["protocol"]
    run = settings["recipe"]
    return f"""### {run}: {result["nats"]:.2f} +- {result["standard_error"]:.2f} nats

Negative log-likelihood of {protocol["images"]} test images of {protocol["data"]} (binarization:
{protocol["binarization"]}), {protocol["importance_samples"]} importance samples per image; the
error is the standard error over images. Seed {settings["seed"]} in training, {protocol["seed"]} in
the test; {settings["epochs"]} epochs of {settings["steps_per_epoch"]} steps in
{result["training"]["seconds"] / 60:.0f} minutes, {result["evaluation_seconds"] / 60:.0f} more for
the test, on {_machine(result)}. How the
recipe was chosen stands in its docstring. ([{name}]({name}))

```
python -m training.train {run} --seed {settings["seed"]}
python -m training.likelihood runs/{run} --samples {protocol["importance_samples"]} \\
    --output training/results/{name}
```"""


def _benchmark(name, result):
    rates = {way: statistics.median(values) for way, values in result["steps_per_second"].items()}
    ratios = result["ratios"]
    return f"""### {result["recipe"]}: {statistics.median(ratios):.2f} times plain Keras

Steps per second of `fit`, medians of {len(ratios)} epochs each, in turn: {rates["tfgen"]:.0f}
against {rates["keras"]:.0f} of the same networks, optimizer and arrays in a model written with
Keras alone (`training/plain.py`, Keras' default settings). The ratio within a turn went from
{min(ratios):.2f} to {max(ratios):.2f}. On {_machine(result)}. ([{name}]({name}))

```
python -m training.benchmark --output training/results/{name}
```"""


def _machine(result):
    machine = result["machine"]
    return f"{machine['cores']} cores of {machine['processor']}"


if __name__ == "__main__":
    main()
