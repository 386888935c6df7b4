"""Readings of a plant's sensors, made by a function: for novelty detection on vectors."""

import numpy as np

from tfgen.data.source import Source
from tfgen.utils.arguments import check_count

SENSORS = 12
# What may be wrong; the labels of `plant` are the places in this list.
FAULTS = ("none", "drift", "stuck", "leak")
_NOISE = 0.03
_DRIFT = 0.25  # of a sensor, in units of its spread, at least


def plant(count, faults=FAULTS[:1], seed=0):
    """Draws readings of twelve sensors of a plant that runs by three hidden states.

    The states are the load, the temperature outside and the age of a filter. Flows, pressures,
    temperatures and power depend on them, not in a line, and so on each other. A fault breaks one
    of these relations; most readings stay within their usual range. So no single sensor tells it.

    Args:
        count: how many readings, at least 1.
        faults: which of `FAULTS` to draw, all equally likely: "none"; "drift", a sensor that shows
            too much or too little; "stuck", one that shows what it showed at another time; "leak",
            a flow that is lost on its way.
        seed: an integer: the same seed gives the same readings.

    Returns:
        A `Source` of float32 vectors `[count, 12]`, each sensor with mean 0 and deviation 1 in
        normal operation; its labels are the faults, by their places in `FAULTS`.

    Raises:
        ValueError: `count` is no integer, or less than 1; or there is no such fault.

    Example:
        >>> normal, mixed = plant(10_000), plant(2_000, FAULTS, seed=1)
    """
    check_count("count", count)
    unknown = set(faults) - set(FAULTS)
    if unknown or not faults:
        raise ValueError(f"`faults` must be some of {FAULTS}. Received: {tuple(faults)}.")
    random = np.random.default_rng(seed)
    labels = np.array([FAULTS.index(each) for each in faults])[
        random.integers(len(faults), size=count)
    ]
    is_leak = labels == FAULTS.index("leak")
    readings = _readings(
        random, count, lost=np.where(is_leak, random.uniform(0.08, 0.2, count), 0.0)
    )
    readings = (readings - _MEAN) / _DEVIATION
    others = (_readings(random, count) - _MEAN) / _DEVIATION
    sensor, rows = random.integers(SENSORS, size=count), np.arange(count)
    drifts = random.choice([-1, 1], count) * random.uniform(_DRIFT, 4 * _DRIFT, count)
    drifts *= labels == FAULTS.index("drift")
    readings[rows, sensor] += drifts
    is_stuck = labels == FAULTS.index("stuck")
    readings[rows[is_stuck], sensor[is_stuck]] = others[rows[is_stuck], sensor[is_stuck]]
    return Source(readings.astype(np.float32), labels)


def _readings(random, count, lost=0.0):
    """Returns readings of normal operation, but for a share of the flow that is lost."""
    load, outside, age = random.uniform([0.3, -10, 0], [1, 30, 1], [count, 3]).T
    flow_in = 100 * load
    flow_out = flow_in * (1 - lost)
    pressure_in = 2 + 6 * load**2
    pressure_out = pressure_in - (0.5 + 1.5 * age) * load**2
    power = 20 + 180 * load * (1 + 0.2 * age)
    heat = 0.4 * power / (1 + 0.02 * flow_out)
    readings = [
        flow_in,
        flow_out,
        pressure_in,
        pressure_out,
        power,
        power / 0.4,  # the current, at a constant voltage
        outside,
        outside + heat,  # behind the pump
        outside + 0.5 * heat,  # in the tank
        50 + 30 * np.tanh(3 * (load - 0.6)),  # the valve
        0.2 + 2 * load * age,  # the vibration
        1500 + 1400 * np.sqrt(load),  # the speed
    ]
    noise = random.normal(size=[SENSORS, count])
    return np.stack(readings, axis=1) + _NOISE * _SPREADS * noise.T


_SPREADS = np.ones(SENSORS)
_SPREADS = _readings(np.random.default_rng(0), 10_000).std(axis=0)  # of each sensor
_MEAN, _DEVIATION = (
    getattr(_readings(np.random.default_rng(1), 10_000), name)(axis=0) for name in ("mean", "std")
)
