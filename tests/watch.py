"""A look at a server from outside while others ask it: that it lives, and at what memory."""

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
        self._process = psutil.Process(pid)
        self._url = url
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._look)
        self.slowest = 0.0
        self.looks = 0
        self.before = self.most = self.after = self._megabytes()

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *error):
        self._end.set()
        self._thread.join()
        self.after = self._megabytes()

    def __str__(self):
        return (
            f"/healthz answered {self.looks} times, at the latest after {self.slowest:.2f} s; "
            f"memory: {self.before:.0f} MB before, {self.most:.0f} MB at most, "
            f"{self.after:.0f} MB after"
        )

    def _look(self):
        while not self._end.wait(_SECONDS_BETWEEN_LOOKS):
            start = time.monotonic()
            try:
                httpx2.get(f"{self._url}/healthz", timeout=_PATIENCE).raise_for_status()
            except httpx2.HTTPError:
                self.slowest = _PATIENCE
            self.slowest = max(self.slowest, time.monotonic() - start)
            self.looks += 1
            self.most = max(self.most, self._megabytes())

    def _megabytes(self):
        return self._process.memory_info().rss / 1e6
