"""Measurements in turn, and what they amount to."""

import statistics

from training.benchmarks.speed.workers import WorkerError


def calibrate(run, quantum, seconds):
    """Finds how often to do something for a share of a turn; in doing so warms it up.

    Args:
        run: a function of a number of times that returns the seconds they took.
        quantum: the number must be a multiple of it.
        seconds: the share of a turn.

    Returns:
        The number of times.
    """
    count = quantum
    while (taken := run(count)) < seconds / 4:
        count *= 2
    return max(1, round(seconds * count / taken / quantum)) * quantum


def take_turns(runs, turns, lose):
    """Runs everything once in each turn, and begins with another one each time.

    Args:
        runs: a dict from a key to a function without arguments that returns seconds.
        turns: the number of turns.
        lose: a function that is called with the key and the error of what fails; it is left out
            from then on, and of the result.

    Returns:
        A dict from each key to a list of the seconds of each turn.
    """
    seconds = {key: [] for key in runs}
    for turn in range(turns):
        keys = list(seconds)
        first = turn % max(1, len(keys))
        for key in keys[first:] + keys[:first]:
            try:
                seconds[key].append(runs[key]())
            except WorkerError as error:
                del seconds[key]
                lose(key, error)
    return seconds


def rates(count, seconds):
    """Returns how many a second, turn by turn."""
    return [count / each for each in seconds]


def ratios(ours, theirs):
    """Returns how many times as fast the first is, turn by turn, from two lists of rates."""
    return [one / other for one, other in zip(ours, theirs, strict=True)]


def spread(numbers, digits=2):
    """Returns the median of numbers and their range as text, such as "1.52 (1.41 to 1.60)"."""
    low, high = min(numbers), max(numbers)
    return f"{statistics.median(numbers):.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"
