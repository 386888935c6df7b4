"""Compares training with plain Keras, with PyTorch, and with what the machine can do.

    $ python -m training.benchmark
    $ python -m training.benchmark dcgan --ways keras,tfgen --turns 3 --output speed.json

Every way runs in a process of its own, and they are asked in turn; what counts is the ratio to
plain Keras within a turn. What the first calls take (compiling, finding memory) does not count.
"""

import argparse
import dataclasses
import pathlib
import shlex
import statistics
import sys

from training.benchmarks.speed.worker import DTYPES, ON_TORCH, TOLD, WAYS
from training.benchmarks.speed.workloads import WORKLOADS
from training.tools.arguments import positive, positives


def main(arguments=None):
    """Runs the command."""
    options = parse(arguments)
    from tfgen.utils.files import check_writable
    from training.benchmarks.speed import besides
    from training.benchmarks.speed.workers import WorkerError
    from training.runs.run_folder import commit, write_json
    from training.tools.machine import machine

    about = {"machine": machine(), "versions": besides.versions(), "commit": commit()}
    if about["versions"]["torch"] is None and ON_TORCH & set(options.ways):
        tell("PyTorch is left out: it is not installed (pip install 'tfgen[torch]').")
        options.ways = [way for way in options.ways if way not in ON_TORCH]
    given = sys.argv[1:] if arguments is None else arguments
    about["command"] = shlex.join(["python", "-m", "training.benchmark", *given])
    try:
        if options.output:
            check_writable(pathlib.Path(options.output).parent)
        result = measure_all(options)
    except (OSError, WorkerError) as error:
        sys.exit(f"benchmark: {error}")
    if options.output:
        write_json(options.output, {**result, **about})


def parse(arguments=None):
    """Returns the parsed command line."""
    parser = argparse.ArgumentParser(
        prog="python -m training.benchmark",
        description=__doc__.splitlines()[0],
        epilog=f"Workloads: {', '.join(WORKLOADS)}.",
    )
    add = parser.add_argument
    add(
        "workloads",
        nargs="*",
        type=one_of(WORKLOADS),
        metavar="WORKLOAD",
        help="what is trained (default: all)",
    )
    add("--dtypes", type=some_of(DTYPES), default=list(DTYPES), metavar="NAMES", help=_list(DTYPES))
    usual = [way for way in WAYS if way not in TOLD]
    add(
        "--ways",
        type=some_of(WAYS),
        default=usual,
        metavar="NAMES",
        help=f"some of {','.join(WAYS)} (default: those that nobody tells whether to use XLA)",
    )
    add(
        "--batch-sizes",
        type=positives,
        metavar="SIZES",
        help="such as 64,1024 (default: each workload's own)",
    )
    add("--turns", type=positive, default=5, help="repetitions (default: %(default)s)")
    add("--seconds", type=positive, default=3, help="of a way in a turn (default: %(default)s)")
    add("--threads", type=positive, help="of each way (default: as each library chooses)")
    add("--output", metavar="FILE", help="a JSON file for the result")
    options = parser.parse_args(arguments)
    options.workloads = options.workloads or list(WORKLOADS)
    return options


def one_of(names):
    """Returns the type of an argument that is one of these names."""

    def name(text):
        if text not in names:
            raise argparse.ArgumentTypeError(f"expected one of {', '.join(names)}, not {text!r}")
        return text

    return name


def some_of(names):
    """Returns the type of an argument that is some of these names, separated by commas."""
    return lambda text: [one_of(names)(part) for part in dict.fromkeys(text.split(","))]


def _list(names):
    return f"some of {','.join(names)} (default: all)"


def measure_all(options):
    """Measures the workloads, and the machine before and after; prints tables meanwhile."""
    from training.benchmarks.speed import besides
    from training.benchmarks.speed.measure import Measurement, add_shares

    before = besides.machine_rates(options.threads)
    products = besides.product_rates(before)
    for dtype, rate in products.items():
        tell(f"products of matrices in {dtype}: {rate / 1e9:.0f} GFLOP/s")
    operations = besides.answer_of("training.benchmark.operations", *options.workloads)
    speed = {}
    for name in options.workloads:
        usual = WORKLOADS[name]
        for size in options.batch_sizes or [usual.batch_size]:
            # Of a step, as many times as there are examples.
            counts = {way: each * size / usual.batch_size for way, each in operations[name].items()}
            workload = dataclasses.replace(usual, batch_size=size)
            key = f"{name} at {size}" if options.batch_sizes else name
            speed[key] = Measurement(name, workload, options, counts, tell).run()
            add_shares(speed[key], products)
            describe(key, speed[key])
    start_up = besides.start_up(options.turns)
    for name, seconds in start_up.items():
        tell(f"{name}: {statistics.median(seconds):.2f} s")
    after = besides.machine_rates(options.threads)
    for result in speed.values():
        add_shares(result, besides.product_rates(before, after))
    settings = {name: getattr(options, name) for name in ("turns", "seconds", "threads")}
    rates = {"before": before, "after": after}
    return {"speed": speed, "start_up": start_up, "rates": rates, "settings": settings}


def describe(name, result):
    """Prints what was measured of a workload."""
    from training.benchmarks.speed.turns import spread

    for row in [*result["training"], *result["besides"]]:
        unit = "steps" if row["task"] == "train" else "examples"
        line = f"{name:18}{row['task']:8}{row['way']:13}{row['dtype']:9}"
        line += f"{spread(row['per_second']):>34} {unit}/s"
        if "times_keras" in row:
            line += f", {spread(row['times_keras'])} times Keras"
        if "share_of_products" in row:
            line += f", {statistics.median(row['share_of_products']):.0%} of products"
            line += f", {row['peak_megabytes']:.0f} MB"
            if row["peak_megabytes_of_gpu"]:
                line += f", {row['peak_megabytes_of_gpu']:.0f} MB of the GPU"
            line += f", first step {row['first_step_seconds']:.1f} s"
        tell(line)
    for dtype, shares in result["fit_of_bare"].items():
        tell(f"{name:18}fit of the bare loop, {dtype}: {spread(shares)}")


def tell(line):
    """Prints a line at once."""
    print(line, flush=True)


if __name__ == "__main__":
    main()
