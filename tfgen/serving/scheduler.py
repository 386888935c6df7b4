"""Requests wait in a queue, and those for one signature are answered together."""

import collections
import concurrent.futures
import dataclasses
import threading
import time

import numpy as np

from tfgen.serving.errors import Code, ServingError, invalid


@dataclasses.dataclass(frozen=True)
class Limits:
    """What a server takes on at once.

    Args:
        max_batch_size: how many rows of several requests are put together in one call.
        max_request_rows: how many rows a request may have.
        max_queue_rows: how many rows may wait in the queue.
        timeout: how many seconds a request may wait for its answer.
        pause: where several requests wait, or were just answered together, how many seconds to wait
            for another one before each call, in all at most ten times as long.
    """

    max_batch_size: int = 64
    max_request_rows: int = 1024
    max_queue_rows: int = 4096
    timeout: float = 30.0
    pause: float = 0.003


class Scheduler:
    """Calls signatures in a thread of its own, one after the other.

    TensorFlow divides each call between cores. While a call runs, requests wait. Those for the same
    signature with rows of the same shapes are then put together, up to `limits.max_batch_size`
    rows, if its inputs and outputs have a row for each example. So a single client is answered at
    once, and many at the rate of large batches.

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
        # From a signature and the shapes of a row to the requests that wait.
        self._lines = collections.OrderedDict()
        self._waiting = 0
        self._together = 1  # requests in the last call
        self._changed = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._work, name="answers", daemon=True)
        self._thread.start()

    @property
    def waiting(self):
        """The number of rows that wait in the queue."""
        return self._waiting

    def submit(self, signature, inputs, timeout=None):
        """Puts a request in the queue.

        Args:
            signature: a `Signature`.
            inputs: a dict of NumPy arrays.
            timeout: how many seconds it may wait, at most `limits.timeout`.

        Returns:
            A `concurrent.futures.Future` of the outputs. Cancelled in time, the request is left
            out.

        Raises:
            ServingError: the inputs are not those of the signature, or the queue is full.
        """
        signature.check(inputs)
        rows = signature.rows(inputs)
        self.check_rows(rows)
        limits = self.limits
        timeout = min(limits.timeout, limits.timeout if timeout is None else timeout)
        request = _Request(inputs, rows, time.monotonic() + timeout)
        with self._changed:
            if self._closed:
                raise ServingError(Code.UNAVAILABLE, "The server is shutting down.")
            if self._waiting + request.weight > limits.max_queue_rows:
                raise ServingError(
                    Code.RESOURCE_EXHAUSTED,
                    f"The server's queue holds at most {limits.max_queue_rows} rows. Received: "
                    f"{rows}, while {self._waiting} wait. Try again later.",
                )
            self._waiting += request.weight
            self._lines.setdefault((signature, request.shapes), collections.deque()).append(request)
            self._changed.notify()
        return request.future

    def check_rows(self, rows):
        """Raises a ServingError if a request may not have so many rows."""
        most = self.limits.max_request_rows
        if rows > most:
            raise invalid(
                f"A request may have at most {most} rows. Received: {rows}. Send several requests."
            )

    def close(self):
        """Answers what waits in the queue, and ends."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._thread.join()

    def _work(self):
        while taken := self._take():
            signature, requests = taken
            wanted = [request for request in requests if request.is_wanted()]
            if wanted:
                _answer(signature, wanted)

    def _take(self):
        """Waits for requests, and returns a signature and some of them; None at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._lines or self._closed)
            self._wait_for_more()
            if not self._lines:
                return None
            (signature, shapes), line = self._lines.popitem(last=False)
            taken = [line.popleft()]
            rows, most = taken[0].rows, self.limits.max_batch_size
            while signature.is_batched and line and rows + line[0].rows <= most:
                taken.append(line.popleft())
                rows += taken[-1].rows
            if line:
                self._lines[signature, shapes] = line  # behind the others
            self._waiting -= sum(request.weight for request in taken)
            self._together = len(taken)
            return signature, taken

    def _wait_for_more(self):
        """Waits until no more requests come, if several clients ask: few large calls are faster."""
        end = time.monotonic() + 10 * self.limits.pause
        while (
            self._several_ask()
            and self._waiting < self.limits.max_batch_size
            and not self._closed
            and time.monotonic() < end
            and self._changed.wait(self.limits.pause)
        ):
            pass

    def _several_ask(self):
        if not self._lines:
            return False
        (signature, _), line = next(iter(self._lines.items()))
        return signature.is_batched and max(len(line), self._together) > 1


class _Request:
    def __init__(self, inputs, rows, deadline):
        self.inputs = inputs
        self.rows = rows
        self.weight = max(1, rows)  # without rows it takes a place in the line all the same
        self.shapes = tuple(sorted((key, value.shape[1:]) for key, value in inputs.items()))
        self.deadline = deadline
        self.future = concurrent.futures.Future()

    def is_wanted(self):
        """Tells whether to answer; if it is too late, says so."""
        if not self.future.set_running_or_notify_cancel():
            return False
        if time.monotonic() > self.deadline:
            self.future.set_exception(
                ServingError(
                    Code.DEADLINE_EXCEEDED, "The request waited in the queue for too long."
                )
            )
            return False
        return True


def _answer(signature, requests):
    """Calls a signature once for all requests, or, where that cannot be done, for each alone."""
    outputs = _answer_together(signature, requests) if len(requests) > 1 else None
    if outputs is None:
        for request in requests:
            _answer_alone(signature, request)
        return
    end = 0
    for request in requests:
        rows = slice(end, end := end + request.rows)
        request.future.set_result({key: value[rows] for key, value in outputs.items()})


def _answer_together(signature, requests):
    """Returns the outputs of all requests, row below row; None if there are no such outputs."""
    rows = sum(request.rows for request in requests)
    try:
        outputs = signature(
            {
                key: np.concatenate([request.inputs[key] for request in requests])
                for key in signature.inputs
            }
        )
    except Exception:  # of one of them: the others must not suffer for it
        return None
    return outputs if all(len(value) == rows for value in outputs.values()) else None


def _answer_alone(signature, request):
    try:
        request.future.set_result(signature(request.inputs))
    except Exception as error:
        request.future.set_exception(error)
