"""Compares `vae_mnist` with plain Keras: the same networks, optimizer, arrays and batches.

    $ python -m training.benchmark

Both run in this process, in turn; what counts is the ratio within each turn. Plain Keras runs with
its defaults, which compile with XLA too.
"""

import argparse
import statistics
import sys
import time

from tfgen.quiet import import_tensorflow


def main(arguments=None):
    """Runs the command."""
    parser = argparse.ArgumentParser(
        prog="python -m training.benchmark", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--data", help="the data (default: the recipe's)")
    parser.add_argument("--turns", type=int, default=5, help="repetitions (default: %(default)s)")
    parser.add_argument("--output", help="a JSON file for the result")
    options = parser.parse_args(arguments)
    import_tensorflow()
    from training.machine import machine
    from training.run_folder import commit, write_json

    try:
        rates = compare(options.data, options.turns)
    except (OSError, ValueError) as error:
        sys.exit(f"benchmark: {error}")
    ratios = [ours / plain for ours, plain in zip(rates["tfgen"], rates["keras"], strict=True)]
    for name, values in (*rates.items(), ("ratio", ratios)):
        low, middle, high = min(values), statistics.median(values), max(values)
        unit = "" if name == "ratio" else " steps/s"
        print(f"{name:6} median {middle:8.2f}{unit}   from {low:.2f} to {high:.2f}")
    if options.output:
        result = {"recipe": "vae_mnist", "steps_per_second": rates, "ratios": ratios}
        write_json(options.output, {**result, "machine": machine(), "commit": commit()})


def compare(name, turns):
    """Trains one epoch per turn in both ways; returns two lists of steps per second."""
    import keras

    import training.recipes  # noqa: F401 (registers them)
    from tfgen import data
    from training.plain import PlainVAE
    from training.recipe import find
    from training.settings import steps_per_execution

    recipe = find("vae_mnist")
    train = data.source(name or recipe.data)
    steps = data.steps_per_epoch(train, recipe.batch_size)
    ours = recipe.build(train.shape, steps * recipe.epochs)
    ours.jit_compile = recipe.jit_compile
    ours.steps_per_execution = steps_per_execution(steps, recipe.steps_per_execution)
    stream = data.batches(train, recipe.batch_size, repeat=True, binarized=recipe.binarized)

    twin = recipe.build(train.shape, steps * recipe.epochs)
    plain = PlainVAE(twin.encoder, twin.decoder, recipe.binarized)
    plain.compile(keras.optimizers.deserialize(keras.optimizers.serialize(twin.optimizer)))
    arrays = train.floats(steps * recipe.batch_size).numpy()

    ways = {
        "tfgen": lambda: ours.fit(stream, steps_per_epoch=steps, shuffle=False, verbose=0),
        "keras": lambda: plain.fit(arrays, batch_size=recipe.batch_size, verbose=0),
    }
    rates = {way: [] for way in ways}
    for turn in range(turns + 1):  # the first one compiles
        for way, fit in ways.items():
            start = time.perf_counter()
            fit()
            if turn:
                rates[way].append(steps / (time.perf_counter() - start))
    return rates


if __name__ == "__main__":
    main()
