"""What a way of doing a workload can be asked to do."""

import dataclasses
import time
from collections.abc import Callable

SAMPLES = 64  # images in a call of a generator
IN_STEPS = {f"in {count}": count for count in (1, 8, 32)}  # samples of what makes them in steps


@dataclasses.dataclass(frozen=True)
class Task:
    """Something that can be done a number of times.

    Args:
        run: does it so many times, and returns when all is done.
        quantum: the number must be a multiple of it.
        examples: how many examples one time makes or reads, where these are counted.
        clocked: whether `run` returns the seconds that count.
    """

    run: Callable
    quantum: int = 1
    examples: int | None = None
    clocked: bool = False


def timed(task, count):
    """Returns the seconds that a task takes so many times."""
    start = time.perf_counter()
    seconds = task.run(count)
    return seconds if task.clocked else time.perf_counter() - start
