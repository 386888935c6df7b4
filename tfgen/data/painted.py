"""Colour images made by a function: a marble on a ground, in the light of a lamp."""

import colorsys
import numbers

import numpy as np

from tfgen.data.source import Source

_CHUNK = 500  # images that are painted at once
_AMBIENT = 0.35  # the light that comes from everywhere


def marbles(count, size=64, seed=0):
    """Paints images of glass marbles, for models of colour images where no photos are at hand.

    An image is a smooth function of what is drawn at random, each on its own: where the marble
    lies and how large it is; its two colours and how they swirl; the colour of the ground; and
    where the lamp stands, which decides the shade, the gloss and the shadow.

    Args:
        count: the number of images, at least 1.
        size: their height and width in pixels.
        seed: an integer: the same seed gives the same images.

    Returns:
        A `Source` of uint8 images `[count, size, size, 3]` without labels.

    Raises:
        ValueError: `count` or `size` is no integer, or less than 1.

    Example:
        >>> marbles(10).images.shape
        (10, 64, 64, 3)
    """
    for name, number in {"count": count, "size": size}.items():
        if not isinstance(number, numbers.Integral) or number < 1:
            raise ValueError(f"`{name}` must be an integer, at least 1. Received: {name}={number}.")
    random = np.random.default_rng(seed)
    parts = [
        _paint(size, **_draw(random, min(_CHUNK, count - start)))
        for start in range(0, count, _CHUNK)
    ]
    return Source(np.concatenate(parts))


def _draw(random, count):
    """Draws what `_paint` takes, for `count` images."""
    hues, saturations = random.uniform(size=[2, count]), random.uniform(0.65, 1.0, [2, count])
    second = hues[0] + random.uniform(0.08, 0.25, count)  # a neighbour on the colour circle
    values = {
        "centre": random.uniform([0.36, 0.38], [0.64, 0.58], [count, 2]),
        "radius": random.uniform(0.2, 0.31, count),
        "colours": (
            _colours(hues[0], saturations[0], random.uniform(0.75, 1.0, count)),
            _colours(second, saturations[1], random.uniform(0.75, 1.0, count)),
        ),
        "ground": _colours(hues[1], random.uniform(0.1, 0.4, count), np.full(count, 0.85)),
        "swirl": _unit(random.normal(size=[count, 3])),
        "lamp": _unit(random.uniform([-0.8, -0.9, 0.6], [0.8, -0.4, 0.9], [count, 3])),
    }
    return {name: np.asarray(value, np.float32) for name, value in values.items()}


def _paint(size, centre, radius, colours, ground, swirl, lamp):
    """Paints images, each of its own values; lengths are shares of the image's side.

    Args:
        size: pixels on a side.
        centre: `[count, 2]`, of the marble, from the left and from the top.
        radius: `[count]`, of the marble.
        colours: two arrays `[count, 3]` in [0, 1], of the glass.
        ground: `[count, 3]`, its colour.
        swirl: `[count, 3]`, the unit vector along which the two colours change.
        lamp: `[count, 3]`, the unit vector to the lamp: rightwards, downwards, to the eye.

    Returns:
        uint8 `[count, size, size, 3]`.
    """
    axis = ((np.arange(size) + 0.5) / size).astype(np.float32)
    places = np.stack(np.meshgrid(axis, axis), axis=-1)  # [size, size, 2]
    each = (slice(None), np.newaxis, np.newaxis)  # numbers of an image, for all its pixels
    offsets = (places - centre[each]) / radius[each][..., np.newaxis]
    distances = np.linalg.norm(offsets, axis=-1)
    heights = np.sqrt(np.clip(1 - distances**2, 0, None))
    normals = np.concatenate([offsets, heights[..., np.newaxis]], axis=-1)
    light = np.clip(np.einsum("nhwc,nc->nhw", normals, lamp), 0, None)
    swirled = 0.5 + 0.5 * np.sin(5 * np.einsum("nhwc,nc->nhw", normals, swirl))
    glass = _mix(colours[0][each], colours[1][each], swirled)
    # Blinn's gloss: brightest where the surface faces halfway between the lamp and the eye.
    halfway = _unit(lamp + [0, 0, 1])
    gloss = np.clip(np.einsum("nhwc,nc->nhw", normals, halfway), 0, None) ** 40
    shaded = glass * (_AMBIENT + (1 - _AMBIENT) * light)[..., np.newaxis]
    marble = shaded + 0.8 * gloss[..., np.newaxis]
    # The shadow falls away from the lamp, onto a ground behind.
    away = centre - 0.55 * radius[:, np.newaxis] * lamp[:, :2] / lamp[:, 2:]
    from_shadow = np.linalg.norm(places - away[each], axis=-1) / radius[each]
    shadow = 0.45 * _smooth_step(1.25 - from_shadow, 0.5)
    faded = 1 - 0.35 * places[..., 1]  # darker towards the eye
    table = ground[each] * (faded * (1 - shadow))[..., np.newaxis]
    edge = _smooth_step((1 - distances) * radius[each] * size, 1.5)  # of a pixel or two
    return np.uint8(np.round(255 * np.clip(_mix(table, marble, edge), 0, 1)))


def _mix(first, second, share):
    share = share[..., np.newaxis]
    return (1 - share) * first + share * second


def _smooth_step(value, width):
    """Returns 0 below `-width / 2`, 1 above `width / 2`, and a smooth step in between."""
    share = np.clip(value / width + 0.5, 0, 1)
    return share * share * (3 - 2 * share)


def _colours(hues, saturations, values):
    """Returns colours `[count, 3]` in [0, 1] of what defines them, each `[count]`."""
    each = zip(hues, saturations, values, strict=True)
    return np.array([colorsys.hsv_to_rgb(*colour) for colour in each])


def _unit(vectors):
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)
