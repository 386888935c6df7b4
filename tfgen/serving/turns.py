"""How many calls run at once."""

import contextlib
import threading
import time


class Turns:
    """Lets a number of calls run at once, and others wait for their turn.

    A call that takes long counts no more after a while: it cannot be stopped, and the calls of
    other models must not wait for it.

    Args:
        most: how many calls run at once.
        patience: after how many seconds a call counts no more.

    Example:
        >>> turns = Turns(most=2, patience=1.0)
        >>> with turns.turn():
        ...     answers = signature(inputs)
    """

    def __init__(self, most, patience):
        self._most = most
        self._patience = patience
        self._begun = []  # when the calls that run began, the earliest first
        self._changed = threading.Condition()

    @contextlib.contextmanager
    def turn(self):
        """Waits for a turn, and takes it for the time of a `with` block."""
        with self._changed:
            while (wait := self._seconds_to_wait()) > 0:
                self._changed.wait(wait)
            begun = time.monotonic()
            self._begun.append(begun)
        try:
            yield
        finally:
            with self._changed:
                self._begun.remove(begun)
                self._changed.notify()

    def _seconds_to_wait(self):
        """Returns in how many seconds fewer than the most calls are young, if none ends before."""
        if len(self._begun) < self._most:
            return 0.0
        return self._begun[-self._most] + self._patience - time.monotonic()
