"""When to try again what failed."""

import dataclasses
import time

_FIRST, _LONGEST = 1.0, 60.0  # seconds


@dataclasses.dataclass(frozen=True)
class _Failure:
    files: object
    error: str
    pause: float
    until: float


class Retries:
    """Remembers failures, and tells when to try again.

    What failed is tried again at once when its files are others. While they are the same it is
    tried after 1, 2, 4, ... and at last after each 60 seconds: a disk may have failed for a moment,
    but a file may also be broken for good.
    """

    def __init__(self):
        self._failures = {}

    def is_due(self, key, files):
        """Tells whether to try, now that the files of something are these."""
        failure = self._failures.get(key)
        return failure is None or failure.files != files or time.monotonic() >= failure.until

    def failed(self, key, files, error):
        """Remembers a failure.

        Args:
            key: what failed.
            files: what its files were then, see `is_due`.
            error: why, a text.

        Returns:
            Whether it failed for another reason before, or not at all: then it is to be logged.
        """
        before = self._failures.get(key)
        is_same = before is not None and before.files == files
        pause = min(2 * before.pause, _LONGEST) if is_same else _FIRST
        self._failures[key] = _Failure(files, error, pause, time.monotonic() + pause)
        return before is None or before.error != error

    def forget(self, key):
        """Forgets a failure, if there was one."""
        self._failures.pop(key, None)
