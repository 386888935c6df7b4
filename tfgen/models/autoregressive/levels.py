"""The levels that a pixel's value can have: k / (levels - 1), from 0 to 1."""

import numpy as np

from tfgen.data.source import round_to_levels

_ROUNDING = 1e-3  # of a step from level to level


def nearest(images, likelihood):
    """Returns images whose values are the nearest of a likelihood's levels.

    Args:
        images: float32 `[..., channels]`.
        likelihood: a `tfgen.distributions.PixelLikelihood`.
    """
    return round_to_levels(images, likelihood.levels)


def check_levels(images, likelihood):
    """Raises a ValueError unless all values are levels of a likelihood."""
    values = np.asarray(images)
    near = np.asarray(nearest(values, likelihood))
    wrong = values[~(np.abs(values - near) * (likelihood.levels - 1) < _ROUNDING)]
    if not wrong.size:
        return
    mend = "`tfgen.data.load_batches(..., levels=...)` rounds them."
    if likelihood.levels == 2:
        mend = "`tfgen.data.load_batches(..., binarized='stochastic')` makes them so."
    raise ValueError(
        f"{likelihood!r} has {likelihood.levels} levels, k/{likelihood.levels - 1}. "
        f"Received: {wrong.size} of {values.size} values between them, such as {wrong[0]:.4g}. "
        f"{mend}"
    )
