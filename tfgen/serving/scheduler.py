"""Requests wait in the line of their model; those for one signature are answered together."""

import dataclasses
import os
import threading
import weakref

from tfgen.serving.errors import Code, ServingError, invalid
from tfgen.serving.line import Line
from tfgen.serving.turns import Turns

_PATIENCE = 1.0  # seconds of a call, after which others do not wait for it


@dataclasses.dataclass(frozen=True)
class Limits:
    """What a server takes on at once. Its rows are those of `tfgen.serving.cost`.

    Args:
        max_batch_size: how many rows of several requests are put together in one call.
        max_request_rows: how many rows a request may cost.
        max_queue_rows: how many rows the requests of one model may cost that wait or are answered.
        max_queue_bytes: how many bytes the inputs of these requests may have, unless it is one.
        timeout: how many seconds a request may wait for its answer.
        pause: where several requests wait, or were just answered together, how many seconds to wait
            for another one before each call, in all at most ten times as long.
    """

    max_batch_size: int = 64
    max_request_rows: int = 4096
    max_queue_rows: int = 8192
    max_queue_bytes: int = 256 * 2**20
    timeout: float = 30.0
    pause: float = 0.003


class Scheduler:
    """Calls signatures: those of one model one after the other, those of several at once.

    Each model has a line of its own, with a thread. While a call of it runs, its requests wait.
    Those for the same signature with rows of the same shapes are then put together, up to
    `limits.max_batch_size` rows, if its inputs and outputs have a row for each example. So a single
    client is answered at once, and many at the rate of large batches.

    TensorFlow divides each call between cores, and as many calls run at once as there are cores. A
    call that takes long stops its own model only.

    Args:
        limits: `Limits`.

    Example:
        >>> scheduler = Scheduler(Limits())
        >>> future = scheduler.submit(servable.signature("serving_default"), {"latents": latents})
        >>> future.result()["images"]
        >>> scheduler.close()
    """

    def __init__(self, limits):
        self.limits = limits
        self._turns = Turns(os.cpu_count(), _PATIENCE)
        # From a model to its line, which goes when the model does.
        self._lines = weakref.WeakKeyDictionary()
        self._lock = threading.Lock()
        self._closed = False

    @property
    def waiting(self):
        """The number of rows that wait in the lines."""
        return sum(line.waiting for line in self._all())

    def submit(self, signature, inputs, timeout=None):
        """Puts a request in the line of its model.

        Args:
            signature: a `Signature`.
            inputs: a dict of NumPy arrays.
            timeout: how many seconds it may wait, at most `limits.timeout`.

        Returns:
            A `concurrent.futures.Future` of the outputs. Cancelled in time, the request is left
            out.

        Raises:
            ServingError: the inputs are not those of the signature, the request costs too much, or
                the line is full.
        """
        signature.check(inputs)
        cost = signature.cost(inputs)
        self.check_rows(cost)
        most = self.limits.timeout
        timeout = most if timeout is None else min(timeout, most)
        return self._line(signature.owner).add(signature, inputs, cost, timeout)

    def check_rows(self, rows):
        """Raises a ServingError if a request may not have so many rows."""
        most = min(self.limits.max_request_rows, self.limits.max_queue_rows)
        if rows > most:
            raise invalid(
                f"A request may have at most {most} rows. Received: {rows}. An example that is "
                "counted is a row, a large image several. Send several requests."
            )

    def close(self):
        """Answers what waits in the lines, and ends. A call that runs is waited for."""
        with self._lock:
            self._closed = True
        for line in self._all():
            line.close()

    def _all(self):
        with self._lock:
            return list(self._lines.values())

    def _line(self, owner):
        with self._lock:
            if self._closed:
                raise ServingError(Code.UNAVAILABLE, "The server is shutting down.")
            if owner not in self._lines:
                self._lines[owner] = Line(self.limits, self._turns)
            return self._lines[owner]
