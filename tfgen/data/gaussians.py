"""Points around known centres in the plane, on which lost modes can be counted."""

import dataclasses
import math

import numpy as np

from tfgen.data.source import Source
from tfgen.utils.deprecation import warn_renamed


@dataclasses.dataclass(frozen=True)
class RoundGaussians:
    """An even mixture of normal distributions of one width, all round.

    Args:
        centres: the means, a sequence of tuples of one size.
        deviation: the standard deviation in every direction, positive.

    Raises:
        ValueError: there is no centre, or the deviation is not positive.

    Example:
        >>> pair = RoundGaussians([(-1.0, 0.0), (1.0, 0.0)], deviation=0.1)
        >>> evaluation.mixture_coverage(model.sample(2500), pair.centres, pair.deviation)
    """

    centres: tuple
    deviation: float

    def __post_init__(self):
        if not len(self.centres):
            raise ValueError("There must be at least one centre. Received: none.")
        if not self.deviation > 0:
            raise ValueError(f"`deviation` must be positive. Received: deviation={self.deviation}.")

    def sample(self, count, seed=0):
        """Draws points, each of any mode with the same chance.

        Args:
            count: the number of points, at least 1.
            seed: an integer.

        Returns:
            A `Source` of vectors `[count, size]`, with the mode's index as label.
        """
        random = np.random.default_rng(seed)
        modes = random.integers(len(self.centres), size=count)
        return Source(random.normal(np.array(self.centres)[modes], self.deviation), modes)

    def draw(self, count, seed=0):
        """The old name of `sample`."""
        warn_renamed("draw", "sample")
        return self.sample(count, seed)


def gaussian_ring(modes=8, radius=1.0, deviation=0.01):
    """Returns Gaussians at equal steps on a circle around zero.

    By default those of VEEGAN's experiment (Srivastava et al., 2017, section 4.1), the first of
    them at (1, 0).

    Example:
        >>> gaussian_ring().sample(100_000).shape
        (2,)
    """
    angles = [2 * math.pi * mode / modes for mode in range(modes)]
    centres = [(radius * math.cos(angle), radius * math.sin(angle)) for angle in angles]
    return RoundGaussians(tuple(centres), deviation)


def gaussian_grid(side=5, step=2.0, deviation=0.05):
    """Returns Gaussians on a square grid around zero, `side * side` of them.

    By default the 25 of VEEGAN's experiment (Srivastava et al., 2017, section 4.1), at -4, -2, 0,
    2 and 4.

    Example:
        >>> len(gaussian_grid().centres)
        25
    """
    places = [step * (index - (side - 1) / 2) for index in range(side)]
    return RoundGaussians(tuple((x, y) for y in places for x in places), deviation)
