"""Asks a server, as many clients at once: each asks again when it is answered.

    $ python -m training.clients grpc localhost:8500 request.bin --clients 8 --seconds 10

The clients are Locust's, in a process of their own, since Locust replaces Python's sockets. It
imports no TensorFlow: a request is the bytes of a file. Printed is JSON: `client_figures.figures`,
and how much of a core this process took, and the server's if its `--pid` is given.
"""

import argparse
import json
import pathlib
import time

import gevent
import grpc
import locust
import psutil
from grpc.experimental import gevent as grpc_gevent

from training.benchmarks.client_figures import figures
from training.tools.arguments import positive

_PREDICT = "/tensorflow.serving.PredictionService/Predict"
_SECONDS_TO_WARM_UP = 1.0
_CLIENTS_PER_SECOND = 100


class RestClient(locust.FastHttpUser):
    """Posts a body of JSON to the URL that is its host."""

    body = b""

    @locust.task
    def ask(self):
        """Asks once; Locust notes the time."""
        self.client.post(self.host, data=self.body)


class GrpcClient(locust.User):
    """Sends a serialized `PredictRequest` to the address that is its host."""

    body = b""

    def on_start(self):
        # A connection for each client, as with REST.
        options = [("grpc.use_local_subchannel_pool", 1)]
        self._predict = grpc.insecure_channel(self.host, options).unary_unary(_PREDICT)

    @locust.task
    def ask(self):
        """Asks once, and tells Locust the time."""
        start, error, answer = time.perf_counter(), None, b""
        try:
            answer = self._predict(self.body)
        except grpc.RpcError as raised:
            error = raised
        self.environment.events.request.fire(
            request_type="grpc",
            name=_PREDICT,
            response_time=1e3 * (time.perf_counter() - start),
            response_length=len(answer),
            exception=error,
            context={},
        )


CLIENTS = {"rest": RestClient, "grpc": GrpcClient}


def main(arguments=None):
    """Runs the command."""
    options = parse(arguments)
    client = CLIENTS[options.protocol]
    client.body = options.body.read_bytes()
    client.wait_time = locust.constant(options.pause)
    grpc_gevent.init_gevent()
    environment = locust.env.Environment(user_classes=[client], host=options.target)
    runner = environment.create_local_runner()
    runner.start(options.clients, spawn_rate=_CLIENTS_PER_SECOND)
    runner.spawning_greenlet.join()
    gevent.sleep(_SECONDS_TO_WARM_UP)
    print(json.dumps(measure(environment.events.request, options.seconds, options.pid)))
    runner.quit()


def parse(arguments=None):
    """Returns the parsed command line."""
    parser = argparse.ArgumentParser(
        prog="python -m training.clients", description=__doc__.splitlines()[0]
    )
    add = parser.add_argument
    add("protocol", choices=CLIENTS)
    add("target", help="a URL ending in :predict, or an address for gRPC")
    add("body", type=pathlib.Path, help="a file with a request")
    add("--clients", type=positive, default=1, help="at once (default: %(default)s)")
    add("--seconds", type=float, default=5, help="that are measured (default: %(default)s)")
    add("--pause", type=float, default=0, help="seconds before a client asks again (default: 0)")
    add("--pid", type=int, help="the server's process, on this machine")
    return parser.parse_args(arguments)


def measure(requests, seconds, pid):
    """Listens to Locust's requests for some time, and returns the figures."""
    times, errors = [], []

    def listen(response_time, exception, **_):
        times.append(response_time)
        if exception is not None:
            errors.append(exception)

    processes = {"load": psutil.Process()} | ({"server": psutil.Process(pid)} if pid else {})
    before = {name: _seconds_of(process) for name, process in processes.items()}
    requests.add_listener(listen)
    start = time.perf_counter()
    gevent.sleep(seconds)
    seconds = time.perf_counter() - start
    requests.remove_listener(listen)
    cores = {
        f"{name}_cores": (_seconds_of(process) - before[name]) / seconds
        for name, process in processes.items()
    }
    return {
        **figures(times, len(errors), seconds),
        **cores,
        "first_error": repr(errors[0]) if errors else None,
    }


def _seconds_of(process):
    """Returns the processor's time that a process took."""
    return sum(process.cpu_times()[:2])


if __name__ == "__main__":
    main()
