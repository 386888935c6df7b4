"""Images of shapes, each a function of factors that are known: for scores of disentanglement."""

import numpy as np

from tfgen.data.source import Source
from tfgen.utils.arguments import check_count

# How many values each factor has: those of dSprites (Matthey et al., 2017), with shapes of our own
# drawing.
SPRITE_FACTORS = {"shape": 3, "scale": 6, "turn": 40, "x": 32, "y": 32}
_CHUNK = 500  # images that are drawn at once
_FINER = 3  # points in a pixel and direction that say how much of it is covered


def sprites(count, size=64, seed=0):
    """Draws white shapes on black, of factors that are drawn at random, each on its own.

    The factors are the shape (square, ellipse, heart), its scale (6), its turn (40) and its place
    in both directions (32 each): 737,280 combinations. They are made like those of dSprites, and
    are other images.

    Of the combinations 430,080 look different: a square is itself again after 10 turns of 40, and
    an ellipse after 20. So no encoder tells `turn` exactly of these two shapes, and no score of
    disentanglement that asks for it reaches its ceiling.

    Args:
        count: the number of images, at least 1.
        size: their height and width in pixels.
        seed: an integer: the same seed gives the same images.

    Returns:
        A `Source` of uint8 images `[count, size, size, 1]`; its labels are the factors' values,
        integers `[count, 5]`, in the order of `SPRITE_FACTORS`.

    Raises:
        ValueError: `count` or `size` is no integer, or less than 1.

    Example:
        >>> sprites(10).labels.shape
        (10, 5)
    """
    check_count("count", count)
    counts = list(SPRITE_FACTORS.values())
    factors = np.random.default_rng(seed).integers(counts, size=[count, len(counts)])
    return Source(draw_sprites(factors, size), factors)


def draw_sprites(factors, size=64):
    """Draws the sprites of given factors.

    Args:
        factors: integers `[count, 5]`, each from 0 to its number of values in `SPRITE_FACTORS`.
        size: height and width in pixels, at least 1.

    Returns:
        uint8 images `[count, size, size, 1]`.

    Raises:
        ValueError: the factors are no such integers, or there are none; or `size` is no integer,
            or less than 1.

    Example:
        >>> draw_sprites([[2, 5, 0, 16, 16]], size=32).shape
        (1, 32, 32, 1)
    """
    check_count("size", size)
    factors, counts = np.asarray(factors), np.array(list(SPRITE_FACTORS.values()))
    if factors.ndim != 2 or factors.shape[1] != len(counts) or factors.dtype.kind not in "iu":
        raise ValueError(
            f"Factors must be integers [count, {len(counts)}]. "
            f"Received: {factors.dtype} of shape {list(factors.shape)}."
        )
    if not len(factors):
        raise ValueError("There must be factors of at least 1 image. Received: none.")
    if (factors < 0).any() or (factors >= counts).any():
        raise ValueError(
            f"Factors must be less than {counts.tolist()} ({', '.join(SPRITE_FACTORS)}), and at "
            f"least 0. Received: {factors.min(axis=0).tolist()} to {factors.max(axis=0).tolist()}."
        )
    parts = [
        _draw(factors[start : start + _CHUNK], size) for start in range(0, len(factors), _CHUNK)
    ]
    return np.concatenate(parts)


def _draw(factors, size):
    shape, scale, turn, x, y = (each[:, np.newaxis, np.newaxis] for each in factors.T)
    axis = ((np.arange(size * _FINER) + 0.5) / (size * _FINER)).astype(np.float32)
    radius = (0.08 + 0.016 * scale).astype(np.float32)  # at most 0.16 of the side
    right, down = (axis - (0.2 + 0.6 * place / 31) for place in (x, y))
    down = np.swapaxes(down, 1, 2)
    angle = 2 * np.pi * turn / 40
    # The point in the shape's own frame, which is turned, in units of its size.
    across = ((np.cos(angle) * right + np.sin(angle) * down) / radius).astype(np.float32)
    along = ((-np.sin(angle) * right + np.cos(angle) * down) / radius).astype(np.float32)
    covered = np.select([shape == 0, shape == 1], [_square(across, along), _ellipse(across, along)])
    covered = np.where(shape == 2, _heart(across, along), covered)
    pixels = covered.reshape(len(factors), size, _FINER, size, _FINER).mean(axis=(2, 4))
    return np.uint8(np.round(255 * pixels))[..., np.newaxis]


def _square(across, along):
    return np.maximum(np.abs(across), np.abs(along)) < 0.85


def _ellipse(across, along):
    return across**2 + (2 * along) ** 2 < 1.2


def _heart(across, along):
    across, along = 1.2 * across, 0.15 - 1.2 * along
    return (across**2 + along**2 - 1) ** 3 < across**2 * along**3
