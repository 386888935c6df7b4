"""Measures the embedded server under load, with a DCGAN's generator, an image per request.

    $ python -m training.benchmark_serving --output training/results/benchmark_serving.json

Each turn calls the SavedModel in a loop in this process, then asks three servers, over REST and
gRPC, as several numbers of clients: one puts requests together, one does not
(`--max-batch-size 1`), and the model of the third does nothing, which tells what the protocol
takes. What counts are ratios within a turn. Then memory is read, and versions are swapped, see
`training.endurance`.

The clients take their share of the same processor: each load's `load_cores` stand beside the
`server_cores`, in cores that were busy.
"""

import argparse
import contextlib
import importlib.metadata
import importlib.util
import itertools
import json
import pathlib
import statistics
import sys
import tempfile
import time

from tfgen.utils.tensorflow_setup import import_tensorflow
from training.benchmarks.client_figures import times_as_many
from training.benchmarks.scaling import per_call
from training.tools.arguments import positive

CLIENTS = (1, 8, 64)
PROTOCOLS = ("rest", "grpc")
# The folder of models that each server has, and its options.
SERVERS = {
    "batched": ("generator", []),
    "unbatched": ("generator", ["--max-batch-size=1"]),
    "no model": ("nothing", []),
}
ROWS = (1, 64)  # of a call in the loop


def main(arguments=None):
    """Runs the command."""
    options = parse(arguments)
    if importlib.util.find_spec("locust") is None:
        sys.exit("benchmark_serving: the load is Locust's. Install it: pip install 'tfgen[bench]'.")
    import_tensorflow()
    from training.benchmarks import endurance, served
    from training.runs.run_folder import commit, write_json
    from training.tools.machine import machine

    measured = commit()  # now: the checkout may be another one in the end
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        served.write_models(root)
        requests = served.write_requests(root)
        try:
            result = {"costs": costs(), **compare(root, requests, options.seconds, options.turns)}
            describe(result)
            result |= endurance.measure(root / "generator", requests, options.minutes)
        except OSError as error:
            sys.exit(f"benchmark_serving: {error}")
    if options.output:
        settings = {name: getattr(options, name) for name in ("seconds", "turns", "minutes")}
        result |= {"settings": settings, "locust": importlib.metadata.version("locust")}
        write_json(options.output, {**result, "machine": machine(), "commit": measured})


def parse(arguments=None):
    """Returns the parsed command line."""
    parser = argparse.ArgumentParser(
        prog="python -m training.benchmark_serving", description=__doc__.splitlines()[0]
    )
    add = parser.add_argument
    add("--seconds", type=positive, default=5, help="of each load (default: %(default)s)")
    add("--turns", type=positive, default=3, help="repetitions (default: %(default)s)")
    add("--minutes", type=positive, default=10, help="that memory is read (default: %(default)s)")
    add("--output", metavar="FILE", help="a JSON file for the result")
    return parser.parse_args(arguments)


def compare(root, requests, seconds, turns):
    """Measures the loop and all servers in turn.

    Returns:
        A dict: `loop`, from the rows of a call to the images per second of each turn; `serving`, a
        list of loads, each with its `server`, `protocol` and `clients`, and a list of the figures
        of each turn; `ratios`, from a protocol to how many times as many requests per second the
        server that puts them together answered, for most clients, turn by turn.
    """
    from training.benchmarks import served

    call = served.loaded(root / "generator")
    loop = {str(rows): [] for rows in ROWS}
    loads = {point: [] for point in itertools.product(SERVERS, PROTOCOLS, CLIENTS)}
    with contextlib.ExitStack() as stack:
        servers = {
            name: stack.enter_context(served.server(root / models, *options))
            for name, (models, options) in SERVERS.items()
        }
        for _ in range(turns):
            for rows in ROWS:
                loop[str(rows)].append(rows * calls_per_second(call, rows, seconds))
            for (name, protocol, clients), found in loads.items():
                load = served.begin_load(
                    servers[name], protocol, requests[protocol], clients, seconds
                )
                found.append(served.end_load(load))
    serving = [
        {"server": name, "protocol": protocol, "clients": clients, "turns": found}
        for (name, protocol, clients), found in loads.items()
    ]
    return {"loop": loop, "serving": serving, "ratios": ratios(loads)}


def calls_per_second(call, rows, seconds):
    """Returns how often a function of latents can be called one after the other."""
    from training.benchmarks.served import latents

    batch = latents(rows)
    call(batch)  # finds memory
    calls, start = 0, time.perf_counter()
    while (passed := time.perf_counter() - start) < seconds:
        call(batch)
        calls += 1
    return calls / passed


def ratios(loads):
    """Returns batched requests per second over unbatched ones at most clients, by protocol."""
    rates = {point: [each["rate"] for each in found] for point, found in loads.items()}
    return {
        protocol: times_as_many(
            rates["batched", protocol, CLIENTS[-1]], rates["unbatched", protocol, CLIENTS[-1]]
        )
        for protocol in PROTOCOLS
    }


def costs():
    """Returns what reading a request and writing its answer takes, in milliseconds."""
    import numpy as np
    import tensorflow as tf
    from tensorflow.core.framework import tensor_pb2
    from tensorflow_serving.apis import predict_pb2

    from tfgen.serving import json_answers, json_parsing, json_requests
    from training.benchmarks.served import SHAPE, latents

    dtypes = {"latents": np.dtype(np.float32)}
    body = json.dumps({"instances": latents(1).tolist()}).encode()
    message = tf.make_tensor_proto(latents(1)).SerializeToString()
    images = np.random.default_rng(0).random([1, *SHAPE], np.float32)
    functions = {
        "a request of JSON": lambda: json_requests.read(json_parsing.parse(body), dtypes),
        "an answer of JSON": lambda: json_answers.write({"images": images}, rows=True),
        "a request of protocol buffers": lambda: tf.make_ndarray(
            tensor_pb2.TensorProto.FromString(message)
        ),
        "an answer of protocol buffers": lambda: predict_pb2.PredictResponse(
            outputs={"images": tf.make_tensor_proto(images)}
        ).SerializeToString(),
    }
    return {name: 1e3 * per_call(function, calls=200) for name, function in functions.items()}


def describe(result):
    """Prints the figures of `compare`."""
    for rows, rates in result["loop"].items():
        print(f"loop, {rows} rows: {statistics.median(rates):.0f} images/s")
    for each in result["serving"]:
        rate, low, high, load = (
            statistics.median(turn[key] for turn in each["turns"])
            for key in ("rate", "p50", "p99", "load_cores")
        )
        print(
            f"{each['server']}, {each['protocol']}, {each['clients']} clients: {rate:.0f} "
            f"requests/s, {low:.1f} ms (p99 {high:.1f}); the load took {load:.2f} cores"
        )
    for protocol, found in result["ratios"].items():
        print(
            f"{protocol}: {statistics.median(found):.2f} times as many when put together "
            f"(from {min(found):.2f} to {max(found):.2f})",
            flush=True,  # the next takes minutes
        )


if __name__ == "__main__":
    main()
