"""The lecture's demonstration data."""

import numpy as np

from tfgen.data.source import Source


def four_modes(count=100, features=32, spread=0.15, seed=0):
    """Makes points around four modes of a two-dimensional manifold in many dimensions.

    The lecture's slide says: N = 100, p = 32, four modes in 2-D space. Points are drawn around the
    corners of a square, in turn, and mapped by one random smooth function, `x = tanh(h A) B`.

    Args:
        count: the number of points.
        features: the number of dimensions they are mapped to.
        spread: the standard deviation around a corner, where the corners are at (+-1, +-1).
        seed: an integer; decides the points, and with `features` the map.

    Returns:
        A `Source` of vectors `[count, features]`, with the mode's number (0 to 3) as label.

    Example:
        >>> four_modes().images.shape
        (100, 32)
    """
    plane, modes = _plane(count, spread, seed)
    # The map is the same for every seed, so that a test set lies on the training set's manifold.
    random = np.random.default_rng([features, 1])
    hidden = np.tanh(plane @ random.normal(size=(2, 64)))
    return Source(hidden @ random.normal(scale=64**-0.5, size=(64, features)), modes)


def four_modes_in_plane(count=100, spread=0.15, seed=0):
    """Makes the points of the plane that `four_modes` maps, in the same order.

    Args:
        count: the number of points.
        spread: the standard deviation around a corner, where the corners are at (+-1, +-1).
        seed: an integer; decides the points.

    Returns:
        A `Source` of vectors `[count, 2]`, with the mode's number (0 to 3) as label.

    Example:
        >>> four_modes_in_plane().images.shape
        (100, 2)
    """
    return Source(*_plane(count, spread, seed))


def _plane(count, spread, seed):
    """Returns float64 points `[count, 2]` around the corners of a square, and their modes."""
    corners = np.array([[1, 1], [-1, 1], [-1, -1], [1, -1]])
    modes = np.arange(count) % 4
    return np.random.default_rng([seed, 0]).normal(corners[modes], spread), modes
