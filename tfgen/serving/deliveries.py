"""Answers of threads, brought to those who wait in an event loop, all at once."""

import asyncio
import threading


class Deliveries:
    """Brings what threads have finished to an event loop.

    `asyncio.wrap_future` wakes the loop for each answer. Those of one call of a model come
    together: here they wake it once.

    Args:
        loop: the event loop.

    Example:
        >>> deliveries = Deliveries(asyncio.get_running_loop())
        >>> outputs = await deliveries.result_of(scheduler.submit(signature, inputs), timeout=1.0)
    """

    def __init__(self, loop):
        self._loop = loop
        self._lock = threading.Lock()
        self._finished = []  # pairs of who waits and what is done

    async def result_of(self, future, timeout):
        """Waits for a future of a thread, and returns its result; it is cancelled if given up.

        Args:
            future: a `concurrent.futures.Future`.
            timeout: how many seconds to wait.

        Raises:
            asyncio.TimeoutError: it took longer.
        """
        waiting = self._loop.create_future()
        future.add_done_callback(lambda done: self._add(waiting, done))
        timer = self._loop.call_later(timeout, _give_up, waiting)
        try:
            return await waiting
        finally:
            timer.cancel()
            future.cancel()  # nothing happens to one that is done

    def _add(self, waiting, done):
        """Is called in any thread."""
        with self._lock:
            is_first = not self._finished
            self._finished.append((waiting, done))
        if is_first and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._deliver)

    def _deliver(self):
        with self._lock:
            finished, self._finished = self._finished, []
        for waiting, done in finished:
            if waiting.done():  # given up
                continue
            if error := done.exception():
                waiting.set_exception(error)
            else:
                waiting.set_result(done.result())


def _give_up(waiting):
    if not waiting.done():
        waiting.set_exception(asyncio.TimeoutError())
