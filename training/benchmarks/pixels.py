"""Compares ways to draw images pixel by pixel: whole passes, kept activations, XLA.

    $ python -m training.benchmark_pixels --count 16 --turns 3

The ways draw in turn, in this process, of networks with first weights. Images of kept activations
must be those of whole passes, to the bit; XLA draws others. What it takes to compile is told apart.
"""

import argparse
import functools
import statistics
import sys
import time

from tfgen.utils.tensorflow_setup import import_tensorflow

WHOLE, KEPT, COMPILED = "whole passes", "kept activations", "kept activations, XLA"
SHAPE = (28, 28, 1)


def main(arguments=None):
    """Runs the command."""
    parser = argparse.ArgumentParser(
        prog="python -m training.benchmark_pixels", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--count", type=int, default=16, help="images (default: %(default)s)")
    parser.add_argument("--turns", type=int, default=3, help="repetitions (default: %(default)s)")
    parser.add_argument("--side", type=int, default=SHAPE[0], help="of images (default: 28)")
    parser.add_argument("--output", help="a JSON file for the result")
    options = parser.parse_args(arguments)
    import_tensorflow()
    from tfgen import networks
    from tfgen.utils.versions import versions
    from training.runs.run_folder import commit, write_json
    from training.tools.machine import machine

    builders = (networks.pixel_cnn, networks.gated_pixel_cnn, networks.pixel_cnn_plus_plus)
    try:  # all of them first: the last one takes fewer sizes than the others
        built = {build.__name__: build((options.side, options.side, 1)) for build in builders}
    except ValueError as error:
        sys.exit(f"benchmark_pixels: {error}")
    results = {}
    for name, network in built.items():
        try:
            found = results[name] = measure(network, options.count, options.turns)
        except ValueError as error:
            sys.exit(f"benchmark_pixels: {name}: {error}")
        told = (
            f"{way} {statistics.median(found['seconds'][way]):.3g} s" for way in found["seconds"]
        )
        print(f"{name}: {', '.join(told)}", flush=True)  # the next one takes minutes
    if options.output:
        result = {"pixels_benchmark": results, "count": options.count, "versions": versions()}
        result |= {"side": options.side, "turns": options.turns}
        write_json(options.output, {**result, "machine": machine(), "commit": commit()})


def measure(network, count, turns):
    """Draws images of a network in each way, in turn, after one turn that is not timed.

    Returns:
        A dict: `seconds` of each turn by the ways' names, and what each way took the `first` time.

    Raises:
        ValueError: images of kept activations are not those of whole passes.
    """
    import numpy as np

    ways = ways_of(network, count)
    drawn, first = {}, {}
    for way, draw in ways.items():
        start = time.perf_counter()
        drawn[way] = np.asarray(draw())
        first[way] = time.perf_counter() - start
    if np.any(drawn[KEPT] != drawn[WHOLE]):
        raise ValueError(f"{np.sum(drawn[KEPT] != drawn[WHOLE])} values differ between the ways.")
    seconds = {way: [] for way in ways}
    for _ in range(turns):
        for way, draw in ways.items():
            start = time.perf_counter()
            np.asarray(draw())
            seconds[way].append(time.perf_counter() - start)
    return {"seconds": seconds, "first": first, "weights": network.count_params()}


def ways_of(network, count):
    """Returns functions that draw images, by the ways' names."""
    import tensorflow as tf

    import tfgen
    from tfgen.models.autoregressive.ancestral import draw
    from tfgen.models.autoregressive.passes import PlainPasses

    model = tfgen.Autoregressive(network, tfgen.distributions.Bernoulli())

    @tf.function(autograph=False)
    def by_whole_passes():
        rows, noise_seed = tf.zeros([count, *model.map_shape]), tfgen.noise.seed_from(0, "sample")
        return draw(PlainPasses(network, []), model.likelihood, rows, None, noise_seed)

    return {
        WHOLE: by_whole_passes,
        KEPT: functools.partial(model.sample, count, seed=0),
        COMPILED: functools.partial(model.sample, count, seed=0, jit_compile=True),
    }


if __name__ == "__main__":
    main()
