"""A way of doing a workload, in a process of its own, so that threads and memory are its own.

It is asked over its standard input, one JSON object per line, and answers with one on its standard
output: first what tasks there are, then to `{"task": NAME, "count": N}` the seconds that they took,
and to `{"task": "memory"}` the peaks of its memory and of a GPU's so far in megabytes.
"""

import argparse
import dataclasses
import importlib
import json
import os
import resource
import sys

from training.benchmarks.speed.tasks import timed

DTYPES = ("float32", "bfloat16")


def main(arguments=None):
    """Answers until the input ends."""
    parser = argparse.ArgumentParser(prog="python -m training.benchmark.worker")
    parser.add_argument("workload")
    parser.add_argument("way", choices=WAYS)
    parser.add_argument("dtype", choices=DTYPES)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--batch-size", type=int)
    options = parser.parse_args(arguments)
    # What libraries print is no answer.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)

    def answer(**content):
        print(json.dumps(content), file=answers, flush=True)

    tasks = WAYS[options.way](options)
    answer(tasks={name: [task.quantum, task.examples] for name, task in tasks.items()})
    for line in sys.stdin:
        request = json.loads(line)
        if request["task"] == "memory":
            megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            answer(megabytes=megabytes, of_gpu=_peak_of_gpu(options.way))
        else:
            answer(seconds=timed(tasks[request["task"]], request["count"]))


def _peak_of_gpu(way):
    """Returns the megabytes of a GPU that were in use at most, or `None` without one."""
    if way in ON_TORCH:
        import torch

        return torch.cuda.max_memory_allocated() / 1e6 if torch.cuda.is_available() else None
    import tensorflow as tf

    gpus = tf.config.list_logical_devices("GPU")
    return tf.config.experimental.get_memory_info("GPU:0")["peak"] / 1e6 if gpus else None


def _workload(options):
    from training.benchmarks.speed.workloads import WORKLOADS

    workload = WORKLOADS[options.workload]
    size = options.batch_size
    return dataclasses.replace(workload, batch_size=size) if size else workload


def _on_tensorflow(function, quietly=False, **choices):
    """Returns a way that runs on TensorFlow.

    Args:
        function: the name of a function of `training.benchmark.ways`.
        quietly: whether TensorFlow is imported as tfgen's commands do it, with their settings.
        **choices: what that function takes beside a workload.
    """

    def way(options):
        if quietly:
            from tfgen.utils.tensorflow_setup import import_tensorflow

            import_tensorflow()
        import keras
        import tensorflow as tf

        if options.threads:
            tf.config.threading.set_intra_op_parallelism_threads(options.threads)
            tf.config.threading.set_inter_op_parallelism_threads(options.threads)
        keras.utils.set_random_seed(0)
        keras.config.set_dtype_policy(_POLICIES[options.dtype])
        module = importlib.import_module("training.benchmarks.speed.ways")
        return getattr(module, function)(_workload(options), **choices)

    return way


def _on_torch(shared):
    def way(options):
        import torch

        from training.benchmarks.speed.torch_way import torch_way

        if options.threads:
            torch.set_num_threads(options.threads)
        return torch_way(_workload(options), options.dtype == "bfloat16", shared)

    return way


_POLICIES = {"float32": "float32", "bfloat16": "mixed_bfloat16"}
ON_TORCH = {"torch", "torch_shared"}
# `keras` and `tfgen` use XLA where they choose to: on a GPU. The others are told.
TOLD = {"keras_plain", "keras_xla", "tfgen_plain"}
WAYS = {
    "keras": _on_tensorflow("keras_way"),
    "keras_plain": _on_tensorflow("keras_way", jit_compile=False),
    "keras_xla": _on_tensorflow("keras_way", jit_compile=True),
    "tfgen": _on_tensorflow("tfgen_way", quietly=True),
    "tfgen_plain": _on_tensorflow("tfgen_way", quietly=True, jit_compile=False),
    "tfgen_shared": _on_tensorflow("tfgen_shared_way", quietly=True),
    "torch": _on_torch(shared=False),
    "torch_shared": _on_torch(shared=True),
}

if __name__ == "__main__":
    main()
