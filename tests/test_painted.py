"""Images that a function paints: what is drawn at random shows, and nothing else changes."""

import re

import numpy as np
import pytest

from tfgen import data
from tfgen.data import painted


def drawn(count=40, seed=0):
    return painted._draw(np.random.default_rng(seed), count)


def paint(values, size=64):
    return painted._paint(size, **values).astype(float)


def test_images_are_a_function_of_the_seed_and_do_not_repeat():
    first, again, other = (data.marbles(8, seed=seed) for seed in (0, 0, 1))
    assert first.images.shape == (8, 64, 64, 3) and first.images.dtype == np.uint8
    assert first.labels is None
    np.testing.assert_array_equal(first.images, again.images)
    every = np.concatenate([first.images, other.images]).reshape(16, -1)
    assert len(np.unique(every, axis=0)) == 16


def test_more_images_begin_with_those_of_fewer_in_whole_chunks():
    chunk = painted._CHUNK
    few, many = data.marbles(chunk, size=8), data.marbles(chunk + 3, size=8)
    np.testing.assert_array_equal(many.images[:chunk], few.images)


def test_a_marble_moved_by_whole_pixels_is_the_same_on_a_ground_of_its_own():
    values = drawn()
    moved = {**values, "centre": values["centre"] + np.float32([4 / 64, -2 / 64])}
    there, here = paint(values), paint(moved)
    shifted = np.roll(there, [-2, 4], axis=[1, 2])
    columns = (np.arange(64) + 0.5) / 64
    offsets = np.stack(np.meshgrid(columns, columns), axis=-1) - moved["centre"][:, None, None]
    inside = np.linalg.norm(offsets, axis=-1) < values["radius"][:, None, None] - 2 / 64
    assert inside.sum() > 10_000
    assert np.abs(shifted - here)[inside].max() <= 1  # rounding
    assert np.abs(shifted - here).max() > 20  # the ground stays


def test_the_marble_is_bright_towards_the_lamp_and_the_shadow_falls_away_from_it():
    values = drawn(200)
    grey = paint(values).mean(axis=-1)
    columns = (np.arange(64) + 0.5) / 64
    offsets = np.stack(np.meshgrid(columns, columns), axis=-1) - values["centre"][:, None, None]
    distances = np.linalg.norm(offsets, axis=-1) / values["radius"][:, None, None]
    rightward = np.sign(values["lamp"][:, 0])[:, None, None] * offsets[..., 0]
    strong = np.abs(values["lamp"][:, 0]) > 0.3

    def mean(where):
        return np.array([image[each].mean() for image, each in zip(grey, where, strict=True)])

    inside, around = distances < 0.9, (distances > 1.1) & (distances < 1.4)
    lit = mean(inside & (rightward > 0)) - mean(inside & (rightward < 0))
    assert (lit[strong] > 0).mean() > 0.95
    ground = mean(around & (rightward > 0)) - mean(around & (rightward < 0))
    assert (ground[strong] > 0).mean() > 0.95


@pytest.mark.slow
def test_marbles_are_data_by_name():
    test = data.source("marbles", "test")
    assert (len(test), test.shape) == (5000, (64, 64, 3))
    np.testing.assert_array_equal(
        test.images[: painted._CHUNK], data.marbles(painted._CHUNK, seed=1).images
    )


@pytest.mark.parametrize(
    ("wrong", "received"),
    [
        ({"count": 0}, "count=0"),
        ({"count": 1.5}, "count=1.5"),
        ({"count": 1, "size": 0}, "size=0"),
        ({"count": 1, "size": (64, 64)}, "size=(64, 64)"),
    ],
)
def test_what_is_no_number_of_images_or_pixels_is_refused(wrong, received):
    message = re.escape(f"must be an integer, at least 1. Received: {received}.")
    with pytest.raises(ValueError, match=message):
        data.marbles(**wrong)
