"""Friends and attackers ask one server: `python -m tests.siege --minutes 60 --output siege.json`.

Friends ask one model over REST and gRPC, each again after a pause. Turn by turn they are alone, and
then beside attackers, who

* send all that `tests.hostile` has, one kind after the other,
* begin requests and do not go on, see `tests.loiterers`, and
* ask another model for what takes long, and hang up.

Printed, and written, are the times of the friends' requests in both parts of each turn. No friend's
request may fail.
"""

import argparse
import concurrent.futures
import contextlib
import itertools
import pathlib
import statistics
import tempfile
import threading
import warnings

import httpx2

from tests.hostile import ask_all, files
from tests.loiterers import Loiterers
from tests.png_files import png
from tests.specimens import compiled
from tests.watch import Watch
from tfgen import export
from training.benchmarks import served
from training.runs.run_folder import commit, write_json
from training.tools.machine import machine

FRIENDS = 4  # of each protocol
PAUSE = 0.1  # seconds between a friend's requests
MINUTES = 4  # of a turn beside attackers
LOITERERS = 8  # of each kind
SECONDS_OF_PATIENCE = 0.1  # of those who ask for what takes long


def main():
    """Runs the command; raises an AssertionError if a friend's request failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.siege", description=__doc__)
    parser.add_argument("--minutes", type=int, default=60, help="beside attackers (default: 60)")
    parser.add_argument("--output", help="a JSON file for the result")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    turns = [min(MINUTES, options.minutes - n) for n in range(0, options.minutes, MINUTES)]
    with tempfile.TemporaryDirectory() as folder:
        result = besiege(pathlib.Path(folder), turns)
    result |= {"minutes": options.minutes, "machine": machine(), "commit": commit()}
    if options.output:
        write_json(options.output, result)
    for part, protocol in itertools.product(("alone", "beside"), served_by(result)):
        found = [turn[part][protocol] for turn in result["siege"]]
        requests, failures = (sum(each[key] for each in found) for key in ("requests", "failures"))
        middle, late = (statistics.median(each[key] for each in found) for key in ("p50", "p99"))
        print(
            f"{protocol}, {part}: {requests} requests, {failures} failed; {middle:.1f} ms "
            f"(p99 {late:.1f}), medians of {len(found)} turns"
        )
        assert not failures, [each["first_error"] for each in found]
    print(f"{result['attacks']} attacks. {result['watched']}.")


def served_by(result):
    return result["siege"][0]["alone"]


def besiege(folder, turns):
    """Lets friends ask a server, alone and beside attackers.

    Args:
        folder: an empty folder.
        turns: a list of how many minutes each turn has beside attackers; a quarter alone.

    Returns:
        A dict: `siege`, a list with the friends' figures of each turn, `alone` and `beside`, by
        protocol, see `training.clients`; how many `attacks` there were; what was `watched`; the
        `slowest` answer of `/healthz`, in seconds.
    """
    served.write_models(folder)
    for name in ("vae", "large"):
        export(compiled("conv_vae"), folder / "generator" / name, png=True)
    requests = served.write_requests(folder)
    result = {"siege": [], "attacks": 0}
    with served.server(folder / "generator") as server:
        friends(server, requests, 5)  # finds memory
        with Watch(server.pid, f"http://{server.rest}") as watch:
            for minutes in turns:
                alone = friends(server, requests, 15 * minutes)
                with attacked(server) as attacks:
                    beside = friends(server, requests, 60 * minutes)
                result["siege"].append({"alone": alone, "beside": beside})
                result["attacks"] += next(attacks)
                print(f"{len(result['siege'])} of {len(turns)} turns", flush=True)
    return result | {"watched": str(watch), "slowest": watch.slowest}


def friends(server, requests, seconds):
    """Returns the figures of the friends' requests in so many seconds, by protocol."""
    loads = {
        protocol: served.begin_load(server, protocol, request, FRIENDS, seconds, PAUSE)
        for protocol, request in requests.items()
    }
    return {protocol: served.end_load(load) for protocol, load in loads.items()}


@contextlib.contextmanager
def attacked(server):
    """Attacks a server as long as the context lasts; yields an iterator of how often it was."""
    end, count = threading.Event(), itertools.count()
    with (
        concurrent.futures.ThreadPoolExecutor() as pool,
        Loiterers(server.rest, server.grpc, LOITERERS),
    ):
        attackers = [
            pool.submit(attack, server, end, count)
            for attack in (_send_what_is_refused, _ask_for_much)
        ]
        try:
            yield count
        finally:
            end.set()
            for attacker in attackers:
                attacker.result()


def _send_what_is_refused(server, end, count):
    while not end.is_set():
        for counts in ask_all(f"http://{server.rest}", server.grpc, 2).values():
            for _ in range(counts.total()):
                next(count)


def _ask_for_much(server, end, count):
    """Sends the largest image again and again, and waits for no answer."""
    url = f"http://{server.rest}/v1/models/large:predict"
    _, body = files(png(4096, 4096))
    while not end.is_set():
        with contextlib.suppress(httpx2.TimeoutException):
            httpx2.post(url, content=body, timeout=SECONDS_OF_PATIENCE)
        next(count)


if __name__ == "__main__":
    main()
