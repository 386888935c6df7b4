"""A look at a server from outside while others ask it: that it lives, and at what memory.

It is a process of its own, since whoever attacks a server is too busy to watch it.
"""

import json
import subprocess
import sys
import threading
import time

import httpx2
import psutil

_SECONDS_BETWEEN_LOOKS = 0.1
_PATIENCE = 30.0  # seconds, after which there is no answer


class Watch:
    """Asks `/healthz` again and again, each time on a new connection, in a `with` block.

    Args:
        pid: the number of the server's process.
        url: its address.

    Attributes:
        slowest: after how many seconds the latest of its answers came.
        looks: how often it was asked.
        before, most, after: its resident memory in MB, when the block began, at most, and when the
            block ended.
    """

    def __init__(self, pid, url):
        self._command = [sys.executable, "-m", "tests.watch", str(pid), url]

    def __enter__(self):
        self._process = subprocess.Popen(
            self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout.readline() == "watching\n"
        return self

    def __exit__(self, *error):
        said, _ = self._process.communicate()  # which ends its input, and so the watch
        vars(self).update(json.loads(said))

    def __str__(self):
        return (
            f"/healthz answered {self.looks} times, at the latest after {self.slowest:.2f} s; "
            f"memory: {self.before:.0f} MB before, {self.most:.0f} MB at most, "
            f"{self.after:.0f} MB after"
        )


def watch(pid, url):
    """Watches a server until the input ends, and prints what there was to see."""
    process, end = psutil.Process(int(pid)), threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), end.set())).start()
    seen = {"slowest": 0.0, "looks": 0, "before": megabytes(process)}
    seen["most"] = seen["before"]
    print("watching", flush=True)
    while not end.wait(_SECONDS_BETWEEN_LOOKS):
        start = time.monotonic()
        try:
            httpx2.get(f"{url}/healthz", timeout=_PATIENCE).raise_for_status()
        except httpx2.HTTPError:
            seen["slowest"] = _PATIENCE
        seen["slowest"] = max(seen["slowest"], time.monotonic() - start)
        seen["looks"] += 1
        seen["most"] = max(seen["most"], megabytes(process))
    print(json.dumps(seen | {"after": megabytes(process)}))


def megabytes(process):
    return process.memory_info().rss / 1e6


if __name__ == "__main__":
    watch(*sys.argv[1:])
