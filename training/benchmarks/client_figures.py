"""What the times of requests, and the memory of a server, amount to."""

import statistics

_MINUTE = 60


def figures(milliseconds, failures, seconds):
    """Returns a load's figures.

    Args:
        milliseconds: a list of the requests' times, at least two.
        failures: how many of the requests had no answer, or an error.
        seconds: how long the load lasted.

    Returns:
        A dict: `requests`, `failures`, answered requests per second (`rate`), and the times' 50th,
        95th and 99th percentile in milliseconds (`p50`, `p95`, `p99`).

    Raises:
        ValueError: there are too few requests.

    Example:
        >>> figures([1.0, 2.0, 3.0], failures=0, seconds=0.5)["rate"]
        6.0
    """
    if len(milliseconds) < 2:
        raise ValueError(
            f"At least 2 requests must be answered. Received: {len(milliseconds)}. Ask for longer."
        )
    percentiles = statistics.quantiles(milliseconds, n=100, method="inclusive")
    return {
        "requests": len(milliseconds),
        "failures": failures,
        "rate": (len(milliseconds) - failures) / seconds,
        **{f"p{percent}": percentiles[percent - 1] for percent in (50, 95, 99)},
    }


def growth(seconds, megabytes):
    """Returns how a server's memory changes.

    Args:
        seconds: a list of moments, from 0 on.
        megabytes: the memory at each, as long a list of at least four.

    Returns:
        A dict: the medians of the first and the last minute (`first_minute`, `last_minute`, in MB),
        and the slope of the second half by least squares (`slope`, MB per minute): the first half
        is left to whatever a server finds once.
    """
    end = seconds[-1]
    pairs = list(zip(seconds, megabytes, strict=True))
    late = [(moment, size) for moment, size in pairs if moment >= end / 2]
    return {
        "first_minute": statistics.median(size for moment, size in pairs if moment <= _MINUTE),
        "last_minute": statistics.median(size for moment, size in pairs if moment >= end - _MINUTE),
        "slope": _MINUTE * statistics.linear_regression(*zip(*late, strict=True)).slope,
    }


def times_as_many(rates, others):
    """Returns, turn by turn, how many times as large the first rates are."""
    return [rate / other for rate, other in zip(rates, others, strict=True)]
