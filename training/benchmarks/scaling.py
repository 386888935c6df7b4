"""Compares one process on one core with two workers on a core each, on the same global batches.

    $ python -m training.benchmark_scaling --output training/results/benchmark_scaling.json

Each turn measures both, in processes of their own, and what counts is the ratio within a turn. Two
processes at once that take half of the batch each and know nothing of each other tell what two
cores of this machine could reach: they share its memory. The gradients' way between the workers and
the data's way into the step are measured by themselves. From these follows what more and faster
devices would do, by the model in `predict`.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time

from tfgen.utils.tensorflow_setup import import_tensorflow
from training.tools.arguments import positive

# A perceptron and convolutions, at batches worth dividing and at those of their recipes.
WORKLOADS = {
    "vae_mnist, batch 8000": ("vae_mnist", 8000),
    "vae_mnist, batch 100": ("vae_mnist", 100),
    "dcgan_fashion, batch 2048": ("dcgan_fashion", 2048),
    "dcgan_fashion, batch 512": ("dcgan_fashion", 512),
    "dcgan_fashion, batch 64": ("dcgan_fashion", 64),
}
# Of what is predicted: devices that take a step so much faster than a core here, and how many bytes
# a second they send each other, within a machine and between machines.
DEVICE = {"speed": 200.0, "bytes_per_second": 200e9, "seconds_per_message": 10e-6}
NODES = {"speed": 200.0, "bytes_per_second": 12e9, "seconds_per_message": 30e-6}


def main(arguments=None):
    """Runs the command."""
    options = parse(arguments)
    if options.measure:
        recipe, batch_size = WORKLOADS[options.measure]
        print(json.dumps(measure(recipe, batch_size // options.parts, options.core)), flush=True)
        return
    if len(os.sched_getaffinity(0)) < 2:
        sys.exit("benchmark: two workers on a core each need two cores.")
    import_tensorflow()
    from training.runs.run_folder import commit, write_json
    from training.tools.machine import machine

    table = {name: compare(name, options.turns) for name in WORKLOADS}
    for name, row in table.items():
        ratios = row["ratios"]
        print(
            f"{name}: {statistics.median(ratios):.2f} times (from {min(ratios):.2f} to "
            f"{max(ratios):.2f}); gradients {row['gradient_share']:.0%} of a step, input "
            f"{row['input_share']:.1%}"
        )
        for case, speedup in row["predicted"].items():
            print(f"    {case}: {speedup:.1f} times")
    if options.output:
        write_json(options.output, {"scaling": table, "machine": machine(), "commit": commit()})


def parse(arguments=None):
    """Returns the parsed command line."""
    parser = argparse.ArgumentParser(
        prog="python -m training.benchmark_scaling", description=__doc__.splitlines()[0]
    )
    add = parser.add_argument
    add("--turns", type=positive, default=3, help="repetitions (default: %(default)s)")
    add("--output", metavar="FILE", help="a JSON file for the result")
    add("--measure", choices=WORKLOADS, help=argparse.SUPPRESS)  # in a process of its own
    add("--parts", type=positive, default=1, help=argparse.SUPPRESS)
    add("--core", type=int, default=0, help=argparse.SUPPRESS)
    return parser.parse_args(arguments)


def compare(name, turns):
    """Measures a workload in turn on one core and on two; returns all figures."""
    turns = [(on_one_core(name), with_two_workers(name), apart(name)) for _ in range(turns)]
    one, two, two_apart = (
        {key: [each[way][key] for each in turns] for key in turns[0][way]} for way in range(3)
    )
    steps_of_one, steps_of_two = (
        statistics.median(each["seconds_per_step"]) for each in (one, two)
    )
    gradients = statistics.median(two["seconds_per_exchange"])
    return {
        "one_core": one,
        "two_workers": two,
        "ratios": ratios(one, two),
        "ratios_apart": ratios(one, two_apart),
        "gradient_share": gradients / steps_of_two,
        "input_share": statistics.median(one["seconds_per_batch"]) / steps_of_one,
        "predicted": predict(steps_of_one, two["bytes"][0]),
    }


def predict(seconds, size):
    """Predicts speed-ups over one device from the time of a step on one core here.

    Strong scaling divides the step's batch, so that n devices take 1/n of its time; weak scaling
    gives each a whole one. To both comes a ring all-reduce of the gradients, nothing of which
    is hidden behind computing:

        2 (n - 1) (size / (n bytes_per_second) + seconds_per_message).

    Args:
        seconds: the time of a step on one core.
        size: the gradients' bytes in a step.

    Returns:
        A dict from a case to the number of times as many examples per second as on one device.
    """
    speedups = {}
    for count, what, devices in ((8, "8 GPUs", DEVICE), (16, "16 nodes of a GPU", NODES)):
        exchange = 2 * (count - 1)
        exchange *= size / (count * devices["bytes_per_second"]) + devices["seconds_per_message"]
        alone = seconds / devices["speed"]
        speedups[f"{what}, strong"] = alone / (alone / count + exchange)
        speedups[f"{what}, weak"] = count * alone / (alone + exchange)
    return speedups


def ratios(one, two):
    """Returns how many times as fast the second way was, turn by turn."""
    pairs = zip(one["seconds_per_step"], two["seconds_per_step"], strict=True)
    return [first / second for first, second in pairs]


def on_one_core(name):
    """Measures a workload in one process on one core."""
    return figures(started(name))


def with_two_workers(name):
    """Measures a workload in two worker processes, each on a core of its own."""
    launcher = ["training.launch", "--workers=2", "--module=training.benchmark_scaling"]
    return figures(started(name, launcher))


def apart(name):
    """Measures two processes at once, on a core each, that take half of the batch each.

    Returns:
        The figures of the slower one.
    """
    processes = [started(name, rest=["--parts=2", f"--core={core}"]) for core in (0, 1)]
    return max(map(figures, processes), key=lambda found: found["seconds_per_step"])


def started(name, module=("training.benchmark_scaling",), rest=()):
    """Starts a process that measures a workload."""
    return subprocess.Popen(
        [sys.executable, "-m", *module, "--measure", name, *rest],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def figures(process):
    """Waits for a process that measures, and returns what it found."""
    output, _ = process.communicate()
    found = [line for line in output.splitlines() if '"seconds_per_step"' in line]
    if not found:
        sys.exit(f"benchmark: nothing was measured.\n{output}")
    return json.loads(found[0][found[0].index("{") :])


def measure(recipe_name, batch_size, core):
    """Measures steps of a recipe's model in this process, on one core, as a dict of figures.

    Args:
        recipe_name: a recipe's name.
        batch_size: examples per step, of all workers together.
        core: the number of the core; a worker takes that of its own number.
    """
    if "TF_CONFIG" in os.environ:
        core = json.loads(os.environ["TF_CONFIG"])["task"]["index"]
    os.sched_setaffinity(0, {sorted(os.sched_getaffinity(0))[core]})
    import_tensorflow()
    import tensorflow as tf

    import tfgen
    import training.recipes  # noqa: F401 (registers them)
    from tfgen import data
    from training.recipes.recipe import find
    from training.tools.layouts import random_examples

    tf.config.threading.set_intra_op_parallelism_threads(1)
    strategy = tfgen.strategy("auto")
    recipe = find(recipe_name)
    shape, (images, *_) = random_examples(recipe, 4 * batch_size)
    with strategy.scope():
        model = recipe.build(shape, steps=1000)
    model.jit_compile, model.steps_per_execution = False, 2
    shared = data.batches(
        data.Source(images),
        batch_size,
        repeat=True,
        binarized=recipe.binarized,
        strategy=strategy,
    )

    iterator = iter(shared)
    exchange = exchange_of(strategy, model)
    return {
        "seconds_per_step": seconds_per_step(model, shared),
        "seconds_per_batch": per_call(lambda: next(iterator)),
        "seconds_per_exchange": per_call(exchange),
        "bytes": sum(4 * variable.numpy().size for variable in model.trainable_variables),
    }


def seconds_per_step(model, batches):
    """Returns the median time of a step in the second half of one `fit`."""
    import keras

    class Clock(keras.callbacks.Callback):
        def __init__(self):
            super().__init__()
            self.times = []

        def on_train_batch_end(self, batch, logs=None):
            self.times.append(time.perf_counter())

    clock = Clock()
    executions = 14
    steps = executions * model.steps_per_execution
    model.fit(batches, steps_per_epoch=steps, verbose=0, callbacks=[clock])
    late = clock.times[executions // 2 :]
    times = [after - before for before, after in zip(late, late[1:], strict=False)]
    return statistics.median(times) / model.steps_per_execution


def exchange_of(strategy, model):
    """Returns a function that sends tensors of the gradients' sizes between the replicas."""
    import tensorflow as tf

    def send():
        context = tf.distribute.get_replica_context()
        sizes = [tf.zeros(variable.shape) for variable in model.trainable_variables]
        return context.all_reduce(tf.distribute.ReduceOp.SUM, sizes)[0]

    function = tf.function(lambda: strategy.run(send), autograph=False)
    return lambda: strategy.experimental_local_results(function())[0].numpy()


def per_call(function, calls=15):
    """Returns the median seconds of so many calls, after one that warms up.

    All workers make as many: they meet in each.
    """
    function()
    times = []
    for _ in range(calls):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


if __name__ == "__main__":
    main()
