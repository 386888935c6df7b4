"""What was measured with many replicas, for the page of results."""

import statistics

from training.tables.cells import duration, machine_of, table


def faults(name, result):
    """Returns the section of `training.faults`."""
    rows = [
        [each["fault"], each["promise"], str(each["tried"]), str(each["kept"])]
        for each in result["faults"]
    ]
    tried, kept = (sum(each[key] for each in result["faults"]) for key in ("tried", "kept"))
    times = max(each["tried"] for each in result["faults"])
    return f"""### {kept} of {tried} promises kept

Each fault at a random moment of a training of `r1_gan_ring`, which was then started again; "the
same weights": to the last bit those of a run that nothing happened to, and its log to rounding.
{duration(result["seconds"])} on {machine_of(result)}. (`{name}`)

{table(["fault", "promise", "times tried", "times kept"], rows)}

```
python -m training.faults --times {times} --seed {result["seed"]} \\
    --output training/results/{name}
```"""


def layouts(name, result):
    """Returns the section of `training.layouts`."""
    head = None
    rows = []
    for recipe, row in result["layouts"].items():
        head = list(row)
        for steps in row["moved"]:
            rows.append([recipe, steps, *(f"{each[steps]:.0e}" for each in row.values())])
    return f"""### One replica and many

The largest difference of any weight from that of one replica, after one step and after ten, with
batches of {result["batch_size"]} random examples in all; beside it, how far a weight was moved at
most. By small steps of gradient descent: in large ones rounding errors grow. Where a unit lies at
the kink of its activation, a rounding error decides whether it learns from an example: differences
of 1e-7 and more are such (of `infogan_mnist`, one of 1,024 units).
{duration(result["seconds"])} on {machine_of(result)}. (`{name}`)

{table(["recipe", "steps", *head], rows)}

```
python -m training.layouts --output training/results/{name} \\
    --recipes {",".join(result["recipes"])}
```"""


def scaling(name, result):
    """Returns the section of `training.benchmark_scaling`."""
    rows, predictions = [], []
    for workload, row in result["scaling"].items():
        ratios = row["ratios"]
        rows.append(
            [
                workload,
                f"{statistics.median(ratios):.2f}",
                f"{min(ratios):.2f} to {max(ratios):.2f}",
                f"{statistics.median(row['ratios_apart']):.2f}",
                f"{row['gradient_share']:.0%}",
                f"{row['input_share']:.1%}",
            ]
        )
        predictions.append([workload, *(f"{each:.1f}" for each in row["predicted"].values())])
        cases = list(row["predicted"])
    head = ["workload", "times as fast", "range", "apart", "gradients' share", "input's share"]
    return f"""### Two workers on a core each, against one process on one core

The same global batches, in turn in one run, medians of {len(ratios)}; {machine_of(result)}.
"Apart" are two processes at once that take half of the batch each and send each other nothing: what
the two cores, with one memory, could reach. The gradients' share is that of sending them alone, of
a step of two workers; the input's that of reading a batch, of a step on one core.
(`{name}`)

{table(head, rows)}

Not measured but predicted from the step's time on one core and the gradients' bytes, without the
messages of batch normalization (the model and what it assumes of GPUs and networks: `predict` in
`training/benchmarks/scaling.py`), times as many examples per second as one device:

{table(["workload", *cases], predictions)}

```
python -m training.benchmark_scaling --turns {len(ratios)} --output training/results/{name}
```"""
