"""Asks one server for minutes, while its memory is read, and then while new versions come."""

import contextlib
import os
import shutil
import time

from tfgen.serving.client import RestClient
from training.benchmarks import served
from training.benchmarks.client_figures import growth

_CLIENTS = 4  # of each protocol
_SECONDS_BETWEEN_READINGS = 5.0
_SECONDS_BETWEEN_VERSIONS = 10.0
_SECONDS_OF_SWAPS = 120
_SECONDS_TO_LOAD = 60.0


def measure(root, requests, minutes):
    """Measures both on one server, and prints what was found.

    Args:
        root: the folder of models to serve, which gets new versions.
        requests: a dict from a protocol to a file with a request.
        minutes: how long memory is read.

    Returns:
        A dict: `memory` and `versions`, see `read_memory` and `swap_versions`.
    """
    with served.server(root) as server:
        memory = read_memory(server, requests, 60 * minutes)
        print(
            f"memory: {memory['first_minute']:.0f} MB in the first minute, "
            f"{memory['last_minute']:.0f} MB in the last; {memory['slope']:+.2f} MB per minute in "
            f"the second half; {memory['requests']} requests, {memory['failures']} failed",
            flush=True,  # the next takes minutes
        )
        versions = swap_versions(server, requests, _SECONDS_OF_SWAPS)
    print(
        f"versions: {versions['swaps']} swapped during {versions['requests']} requests, "
        f"{versions['failures']} failed; {versions['megabytes_per_swap']:+.1f} MB each"
    )
    return {"memory": memory, "versions": versions}


def read_memory(server, requests, seconds):
    """Reads a server's memory every few seconds, while it is asked over both protocols.

    Returns:
        A dict: the `seconds` and `megabytes` of each reading, what `client_figures.growth` says of
        them, and the load, see `under_load`.
    """
    moments, megabytes = [], []
    with under_load(server, requests, seconds) as load:
        start = time.monotonic()
        while (moment := time.monotonic() - start) < seconds:
            moments.append(moment)
            megabytes.append(server.megabytes())
            time.sleep(_SECONDS_BETWEEN_READINGS)
    return {"seconds": moments, "megabytes": megabytes, **growth(moments, megabytes), **load}


def swap_versions(server, requests, seconds):
    """Brings one version after the other, while a server is asked over both protocols.

    Returns:
        A dict: the number of `swaps`, how much the server's memory grew (`megabytes_per_swap`),
        and the load, see `under_load`.
    """
    before, newest = server.megabytes(), 1
    with under_load(server, requests, seconds) as load:
        end = time.monotonic() + seconds
        while time.monotonic() + _SECONDS_BETWEEN_VERSIONS < end:
            time.sleep(_SECONDS_BETWEEN_VERSIONS)
            replace(server, newest)
            newest += 1
    swaps = newest - 1
    growth_of_each = (server.megabytes() - before) / swaps
    return {"swaps": swaps, "megabytes_per_swap": growth_of_each, **load}


def replace(server, number):
    """Copies a version as the next one, waits until that is served, and removes the old one.

    Raises:
        TimeoutError: the server does not take it over.
    """
    folder = server.root / served.MODEL
    shutil.copytree(folder / str(number), folder / ".unfinished")
    os.rename(folder / ".unfinished", folder / str(number + 1))
    client, end = RestClient(f"http://{server.rest}"), time.monotonic() + _SECONDS_TO_LOAD
    while client.status(served.MODEL).get(number + 1) != "AVAILABLE":
        if time.monotonic() > end:
            raise TimeoutError(f"Version {number + 1} is not served.")
        time.sleep(0.1)
    shutil.rmtree(folder / str(number))


@contextlib.contextmanager
def under_load(server, requests, seconds):
    """Lets clients of both protocols ask a server for at least so many seconds.

    Yields:
        A dict, which in the end has the number of `requests`, of `failures`, and the `errors` of
        the first failures.
    """
    processes = [
        served.begin_load(server, protocol, request, _CLIENTS, seconds)
        for protocol, request in requests.items()
    ]
    load = {}
    try:
        yield load
        found = [served.end_load(process) for process in processes]
    finally:
        for process in processes:
            process.terminate()
            process.wait()
    load |= {key: sum(each[key] for each in found) for key in ("requests", "failures")}
    load["errors"] = [each["first_error"] for each in found if each["failures"]]
