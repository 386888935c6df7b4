"""How fast the machine multiplies matrices and copies memory: what a step is compared with.

$ python -m training.benchmark.rates
"""

import argparse
import concurrent.futures
import json
import os
import time

import numpy as np

from tfgen.utils.tensorflow_setup import import_tensorflow
from training.tools.arguments import positive

MEGABYTES = 256  # of each thread's array: more than caches hold


def main(arguments=None):
    """Prints the rates as JSON."""
    parser = argparse.ArgumentParser(
        prog="python -m training.benchmark.rates", description=__doc__.splitlines()[0]
    )
    add = parser.add_argument
    add("--size", type=positive, help="of the matrices (default: 2048; on a GPU 8192)")
    add("--times", type=positive, default=10, help="repetitions (default: %(default)s)")
    add("--threads", type=positive, help="of TensorFlow, and that copy (default: all cores)")
    options = parser.parse_args(arguments)
    import_tensorflow()
    import tensorflow as tf

    if options.threads:
        tf.config.threading.set_intra_op_parallelism_threads(options.threads)
    size = options.size or (8192 if tf.config.list_physical_devices("GPU") else 2048)
    found = {
        dtype: [rate / 1e9 for rate in product_rates(dtype, size, options.times)]
        for dtype in ("float32", "bfloat16")
    }
    threads = options.threads or len(os.sched_getaffinity(0))
    copied = [rate / 1e9 for rate in copy_rates(threads, options.times)]
    print(json.dumps({"gigaflops": found, "gigabytes_copied": copied}), flush=True)


def product_rates(dtype, size, times):
    """Returns the operations per second of products of two square matrices, for each repetition."""
    import tensorflow as tf

    matrix = tf.cast(tf.random.normal([size, size]), dtype)
    # One number of it is enough to wait for.
    product = tf.function(lambda: tf.matmul(matrix, matrix)[0, 0], autograph=False)
    return [2 * size**3 / seconds for seconds in _seconds(lambda: product().numpy(), times)]


def copy_rates(threads, times, megabytes=MEGABYTES):
    """Returns the bytes per second that are read and written, for each repetition."""
    arrays = [np.ones([2, megabytes * 2**20], np.uint8) for _ in range(threads)]
    with concurrent.futures.ThreadPoolExecutor(threads) as pool:

        def copy():
            list(pool.map(lambda pair: np.copyto(pair[1], pair[0]), arrays))

        moved = 2 * threads * megabytes * 2**20
        return [moved / seconds for seconds in _seconds(copy, times)]


def _seconds(function, times):
    function()
    seconds = []
    for _ in range(times):
        start = time.perf_counter()
        function()
        seconds.append(time.perf_counter() - start)
    return seconds


if __name__ == "__main__":
    main()
