"""Parts of the page of results that tell what runs measured."""

import statistics

from training.tables.cells import duration, machine_of, table


def command(settings):
    """Returns the command line that trains a run of these settings."""
    line = f"python -m training.train {settings['recipe']} --data {settings['data']}"
    # What takes no steps is noted as one on all examples, and takes no number of epochs.
    if settings["batch_size"] < settings["examples"]:
        line += f" --epochs {settings['epochs']}"
    line += f" --seed {settings['seed']}"
    precision = settings["mixed_precision"]
    return f"{line} --mixed-precision {precision}" if precision else line


def recipe(name, result):
    """Returns the part of one run's measures and losses."""
    settings = result["training"]["settings"]
    rows = [[f"`{key}`", f"{value:.4g}"] for key, value in _figures(result).items()]
    return f"""### {settings["recipe"]}

Measured at the end of the training: {settings["epochs"]} epochs of {settings["steps_per_epoch"]}
steps on {settings["data"]}, {duration(result["training"]["seconds"])} on
{machine_of(result)}. Losses are those on held-out data, as the model's class defines them; what the
rest means: `training/recipes/measures.py`. (`{name}`)

{table(["what", "figure"], rows)}

```
{command(settings)}
python -m training.record {settings["recipe"]}
```"""


def seeds(name, result):
    """Returns the part of runs that differ in their seeds: means and deviations."""
    runs = result["seeds"]
    settings = [run["training"]["settings"] for run in runs]
    rows = [[f"`{key}`", spread(runs, key)] for key in _figures(runs[0])]
    seconds = statistics.mean(run["training"]["seconds"] for run in runs)
    folders = [f"runs/{each['recipe']}_{each['seed']}" for each in settings]
    made = [
        f"{command(each)} --output {folder}" for each, folder in zip(settings, folders, strict=True)
    ]
    if "likelihood" in runs[0]:
        samples = runs[0]["likelihood"]["protocol"]["importance_samples"]
        by, options = "exact", ""
        if samples:
            by, options = f"{samples} importance samples", f" --samples {samples}"
        title = f"negative log-likelihood, nats, {by}"
        rows.insert(0, [title, likelihoods(runs)])
        made += [f"python -m training.likelihood {each}{options}" for each in folders]
    lines = "\n".join([*made, f"python -m training.record {' '.join(folders)}"])
    return f"""### {settings[0]["recipe"]}, {len(runs)} seeds

Measured at the end of each training: {settings[0]["epochs"]} epochs of
{settings[0]["steps_per_epoch"]} steps on {settings[0]["data"]}, {duration(seconds)} in the mean, on
{machine_of(result)}. After ± stands the deviation over seeds. (`{name}`)

{table(["what", "figure"], rows)}

```
{lines}
```"""


def likelihoods(runs):
    """Returns the mean of runs' likelihoods, and its deviation over seeds."""
    nats = [run["likelihood"]["nats"] for run in runs]
    return f"{statistics.mean(nats):.2f} ± {statistics.stdev(nats):.2f}"


def spread(runs, key):
    """Returns the mean and the deviation of what runs measured, as text."""
    values = [_figures(run)[key] for run in runs]
    return f"{statistics.mean(values):.3g} ± {statistics.stdev(values):.1g}"


def probe(name, result):
    """Returns the part of a linear classifier on the features of a discriminator."""
    settings = result["training"]["settings"]
    counts = list(next(iter(result["probe"].values())))
    rows = [
        [features, *(f"{probes[count]['accuracy']:.2%}" for count in counts)]
        for features, probes in result["probe"].items()
    ]
    return f"""### {settings["recipe"]}, {settings["data"]}

Accuracy on {result["test_images"]} test images of logistic regression on the features of the
discriminator, learnt from so many labelled training images (seed {result["seed"]});
{duration(result["evaluation_seconds"])} on {machine_of(result)}. (`{name}`)

{table(["features", *(f"{count} labels" for count in counts)], rows)}

```
{command(settings)}
python -m training.probe {settings["recipe"]} --labels {",".join(counts)} \\
    --output training/results/{name}
```"""


def pretraining(name, result):
    """Returns the part of what pre-training is worth to a classifier with few labels."""
    settings = result["settings"]
    return f"""### {settings["data"]}

Accuracy on the test images of a classifier that has learnt from so many labels, by what its layers
began with. Denoising autoencoders of {settings["epochs"]} epochs on all training images.
After ± stands the deviation over {settings["seeds"]} seeds. {duration(result["seconds"])} on
{machine_of(result)}. (`{name}`)

{accuracies(result)}

```
python -m training.pretraining --data {settings["data"]} --labels {settings["labels"]} \\
    --seeds {settings["seeds"]} --epochs {settings["epochs"]} \\
    --output training/results/{name}
```"""


def accuracies(result):
    """Returns the table of accuracies of `training.pretraining`."""
    counts = list(next(iter(result["pretraining"].values())))
    rows = [
        [how, *(_percent(found[count]) for count in counts)]
        for how, found in result["pretraining"].items()
    ]
    return table(["layers begin with", *(f"{int(count):,} labels" for count in counts)], rows)


def _percent(values):
    mean = f"{statistics.mean(values):.1%}"
    return mean if len(values) == 1 else f"{mean} ± {statistics.stdev(values):.1%}"


def _figures(run):
    """Returns what a run measured, and its losses, which are means over batches.

    Of what bears one name in both, such as a perplexity, that of all examples at once is told.
    """
    return run["measured"] | run["test"] | run["measured"]
