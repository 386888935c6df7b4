"""What was measured of training, for the page of results and for the README."""

import math
import statistics

from training.benchmarks.speed.tasks import IN_STEPS
from training.tables.cells import machine_of, table

WAYS = {
    "keras": "Keras",
    "tfgen": "tfgen",
    "tfgen_shared": "tfgen, one generator pass",
    "torch": "PyTorch",
    "torch_shared": "PyTorch, one generator pass",
}
TASKS = {
    "predict": "sampling, `predict`",
    "call": "sampling, called",
    "sample": "sampling, `sample`",
    **{task: f"sampling, steps: {count}" for task, count in IN_STEPS.items()},
    "read": "reading batches",
}


def speed(name, result):
    """Returns the section of `training.benchmark`."""
    settings, rates = result["settings"], result["rates"]
    head = ["workload", "way", "precision", "steps/s", "times Keras", "range", "times float32's"]
    head += ["of products", "GFLOP", "MB", "first step"]
    rows = [
        _training_row(workload, row)
        for workload, measured in result["speed"].items()
        for row in measured["training"]
    ]
    besides = [
        [workload, TASKS[row["task"]], WAYS[row["way"]], row["dtype"], *_rate(row)]
        for workload, measured in result["speed"].items()
        for row in measured["besides"]
    ]
    starts = ", ".join(
        f"`{command}` {statistics.median(found):.2f}"
        for command, found in result["start_up"].items()
    )
    products, copied = (
        ", ".join(f"{when} {_machine(each)[part]}" for when, each in rates.items())
        for part in (0, 1)
    )
    versions = ", ".join(f"{each} {version}" for each, version in result["versions"].items())
    return f"""### Training against plain Keras, PyTorch and the machine

Medians of {settings["turns"]} turns in one run, in turn, of {settings["seconds"]} s each; every way
in a process of its own, with {settings["threads"] or "its library's choice of"} threads. "Times
Keras" compares within a turn with plain Keras in the same precision, "times float32's" with plain
Keras in float32. "Of products": the operations of a step by the rate of matrix products of that
precision; "GFLOP": these operations; "MB": the most memory that the process had; "first step":
seconds from its start to its first steps. {versions}. On {machine_of(result)}. (`{name}`)

{table(head, rows)}

The speed of `fit`, with its data, metrics and callbacks, as a share of the step's own. For that
the step is taken on one batch, in a loop within a graph. Both are of one model in one process.
Medians of pairs: {_fit(result)}.

{table(["workload", "what", "way", "precision", "examples/s", "times Keras", "range"], besides)}

Seconds to start: {starts}. {_exports(result)}Products of matrices, in GFLOP/s: {products}.
Copies, in GB/s read and written: {copied}.

```
{result["command"]}
```"""


def readme_rows(result):
    """Returns the rows of the README's table.

    Args:
        result: the content of the benchmark's JSON file.

    Returns:
        A list of rows: the workload; how many times as fast as plain Keras tfgen is in float32, and
        in bfloat16, against plain Keras in float32; and the same of the fastest PyTorch way.
    """
    return [
        [
            workload,
            *(
                _best(measured["training"], dtype, ways)
                for ways in (("tfgen", "tfgen_shared"), ("torch", "torch_shared"))
                for dtype in ("float32", "bfloat16")
            ),
        ]
        for workload, measured in result["speed"].items()
    ]


def _best(rows, dtype, ways):
    """Returns the largest of some ways' medians against plain Keras in float32, as text."""
    found = [
        statistics.median(row["times_keras_float32"])
        for row in rows
        if row["way"] in ways and row["dtype"] == dtype and "times_keras_float32" in row
    ]
    return f"{max(found):.2f}" if found else ""


def _training_row(workload, row):
    megabytes = row["peak_megabytes"]
    return [
        *(workload, WAYS[row["way"]], row["dtype"], *_rate(row)),
        _median(row.get("times_keras_float32")),
        f"{statistics.median(row['share_of_products']):.0%}",
        f"{row['operations_per_step'] / 1e9:.3g}",
        "" if megabytes is None else f"{megabytes:.0f}",
        f"{row['first_step_seconds']:.1f}",
    ]


def _rate(row):
    """Returns the rate, how many times Keras' it is, and the range of that."""
    times = row.get("times_keras")
    span = f"{min(times):.2f} to {max(times):.2f}" if times else ""
    return f"{statistics.median(row['per_second']):.4g}", _median(times), span


def _median(numbers):
    """Returns the median of numbers, or the one number, as text, empty if there is none."""
    if numbers is None:
        return ""
    return f"{statistics.median(numbers) if isinstance(numbers, list) else numbers:.2f}"


def _fit(result):
    """Says what `fit` reaches, and what is left of it with checkpoints."""
    found = [
        f"{workload} in {dtype} {statistics.median(shares):.3f} ({len(shares)} pairs; "
        f"of {_rate_of(measured, dtype, 'bare'):.4g} steps/s{_with_checkpoints(measured, dtype)})"
        for workload, measured in result["speed"].items()
        for dtype, shares in measured["fit_of_bare"].items()
    ]
    return "; ".join(found) or "not measured"


def _with_checkpoints(measured, dtype):
    found = with_checkpoints(measured, dtype)
    return f"; {found[0]:.3f} with a checkpoint every {found[1]} steps" if found else ""


def with_checkpoints(measured, dtype):
    """Returns `fit` as a share of the bare loop when it saves checkpoints as often as it does.

    Args:
        measured: what was measured of a workload.
        dtype: the precision.

    Returns:
        The share, and the steps from one checkpoint to the next: the fewest whole epochs of which a
        save takes no more than its share. `None` if no checkpoint was measured.
    """
    if dtype not in measured["checkpoint_seconds"]:
        return None
    from tfgen.engine.checkpoints import SHARE  # it imports TensorFlow

    epoch = measured["epoch_steps"] / _rate_of(measured, dtype, "train")
    saving = statistics.median(measured["checkpoint_seconds"][dtype]["checkpoint"])
    epochs = math.ceil((saving / SHARE - saving) / epoch)
    without = statistics.median(measured["fit_of_bare"][dtype])
    share = without * epochs * epoch / (epochs * epoch + saving)
    return share, epochs * measured["epoch_steps"]


def _rate_of(measured, dtype, task):
    """Returns how many steps a second `fit` takes, or the step alone."""
    return next(
        statistics.median(row["per_second"])
        for row in measured["fit_and_bare"]
        if (row["dtype"], row["task"]) == (dtype, task)
    )


def _exports(result):
    """Says what exports took, where they were measured."""
    return "".join(
        f"Of `{workload}` in {dtype}, in seconds: "
        + ", ".join(f"{what} {statistics.median(each):.2f}" for what, each in found.items())
        + ". "
        for workload, measured in result["speed"].items()
        for dtype, found in measured["exports"].items()
    )


def _machine(rates):
    products = " and ".join(
        f"{statistics.median(found):.0f} in {dtype}" for dtype, found in rates["gigaflops"].items()
    )
    return products, f"{statistics.median(rates['gigabytes_copied']):.1f}"
