"""The requests that wait for one model, and the thread that answers them."""

import collections
import concurrent.futures
import threading
import time
import weakref

import numpy as np

from tfgen.serving.cost import bytes_of
from tfgen.serving.errors import Code, ServingError

_IDLE = 10.0  # seconds without a request, after which the thread ends


class Line:
    """Calls the signatures of a model in a thread of its own, one after the other.

    The thread begins with a request, and ends when none came for a while.

    Args:
        limits: `tfgen.serving.scheduler.Limits`.
        turns: the `Turns` that it shares with other lines.
    """

    def __init__(self, limits, turns):
        self._limits = limits
        self._turns = turns
        # From a signature and the shapes of a row to the requests that wait.
        self._requests = collections.OrderedDict()
        self.waiting = 0  # rows
        self._rows = self._bytes = 0  # of what waits or is answered
        self._together = 1  # requests in the last call
        self._changed = threading.Condition()
        self._closed = False
        self._thread = None

    def add(self, signature, inputs, cost, timeout):
        """Puts a request in the line.

        Args:
            signature: a `Signature`.
            inputs: a dict of NumPy arrays.
            cost: what the request costs, in rows.
            timeout: how many seconds it may wait.

        Returns:
            A `concurrent.futures.Future` of the outputs.

        Raises:
            ServingError: the line is full, or closed.
        """
        request = _Request(signature, inputs, cost, time.monotonic() + timeout)
        with self._changed:
            if self._closed:
                raise ServingError(Code.UNAVAILABLE, "The server is shutting down.")
            self._check_room(request)
            if self._thread is None:
                thread = threading.Thread(target=self._work, name="answers", daemon=True)
                thread.start()  # first: where no thread can be had, nothing waits for it
                self._thread = thread
            self._requests.setdefault(request.key, collections.deque()).append(request)
            self.waiting += cost
            self._rows += cost
            self._bytes += request.bytes
            self._changed.notify()
        known = weakref.ref(request)  # or the request and its future would keep each other
        request.future.add_done_callback(lambda future: future.cancelled() and self._drop(known()))
        return request.future

    def close(self):
        """Answers what waits in the line, and ends."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
            thread = self._thread
        if thread is not None:
            thread.join()

    def _check_room(self, request):
        limits = self._limits
        if self._rows + request.cost > limits.max_queue_rows:
            raise ServingError(
                Code.RESOURCE_EXHAUSTED,
                f"The model's queue holds at most {limits.max_queue_rows} rows. Received: "
                f"{request.cost}, while {self._rows} wait or are answered. Try again later.",
            )
        if self._bytes and self._bytes + request.bytes > limits.max_queue_bytes:
            raise ServingError(
                Code.RESOURCE_EXHAUSTED,
                f"The model's queue holds at most {limits.max_queue_bytes} bytes. Received: "
                f"{request.bytes}, while {self._bytes} wait or are answered. Try again later.",
            )

    def _work(self):
        try:
            while self._wait():
                with self._turns.turn():
                    self._answer_next()
        except BaseException:
            with self._changed:
                self._thread = None  # the next request begins another one
            raise

    def _wait(self):
        """Waits for requests; returns False if there are none, and the thread is to end."""
        with self._changed:
            self._changed.wait_for(lambda: self._requests or self._closed, _IDLE)
            self._wait_for_more()
            if not self._requests:
                self._thread = None
            return bool(self._requests)

    def _answer_next(self):
        taken = self._take()
        try:
            _answer([request for request in taken if request.is_wanted()])
        finally:
            with self._changed:
                self._rows -= sum(request.cost for request in taken)
                self._bytes -= sum(request.bytes for request in taken)

    def _take(self):
        """Returns the requests to answer together; none if those that waited were given up."""
        with self._changed:
            if not self._requests:
                return []
            key, line = self._requests.popitem(last=False)
            taken = [line.popleft()]
            rows, most = taken[0].cost, self._limits.max_batch_size
            while taken[0].signature.is_batched and line and rows + line[0].cost <= most:
                taken.append(line.popleft())
                rows += taken[-1].cost
            if line:
                self._requests[key] = line  # behind the others
            self.waiting -= rows
            self._together = len(taken)
            return taken

    def _drop(self, request):
        """Takes a request that nobody waits for out of the line, and its arrays out of memory."""
        with self._changed:
            line = self._requests.get(request.key, ()) if request is not None else ()
            if request not in line:
                return  # it is being answered
            line.remove(request)
            if not line:
                del self._requests[request.key]
            self.waiting -= request.cost
            self._rows -= request.cost
            self._bytes -= request.bytes

    def _wait_for_more(self):
        """Waits until no more requests come, if several clients ask: few large calls are faster."""
        end = time.monotonic() + 10 * self._limits.pause
        while (
            self._several_ask()
            and self.waiting < self._limits.max_batch_size
            and not self._closed
            and time.monotonic() < end
            and self._changed.wait(self._limits.pause)
        ):
            pass

    def _several_ask(self):
        if not self._requests:
            return False
        (signature, _), line = next(iter(self._requests.items()))
        return signature.is_batched and max(len(line), self._together) > 1


class _Request:
    def __init__(self, signature, inputs, cost, deadline):
        self.signature = signature
        self.inputs = inputs
        self.cost = cost
        self.bytes = bytes_of(inputs)
        shapes = tuple(sorted((key, value.shape[1:]) for key, value in inputs.items()))
        self.key = signature, shapes  # those of one key can be put together
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


def _answer(requests):
    """Calls a signature once for all requests, or, where that cannot be done, for each alone."""
    outputs = _answer_together(requests) if len(requests) > 1 else None
    if outputs is None:
        for request in requests:
            _answer_alone(request)
        return
    end = 0
    for request in requests:
        rows = slice(end, end := end + request.signature.rows(request.inputs))
        request.future.set_result({key: value[rows] for key, value in outputs.items()})


def _answer_together(requests):
    """Returns the outputs of all requests, row below row; None if there are no such outputs."""
    signature = requests[0].signature
    rows = sum(signature.rows(request.inputs) for request in requests)
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


def _answer_alone(request):
    try:
        request.future.set_result(request.signature(request.inputs))
    except Exception as error:
        request.future.set_exception(error)
