"""Augmentations by the moments of a blob, before and after."""

import collections

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfgen import augmentations
from tfgen.engine import noise
from tfgen.objectives.augmentations import (
    Chain,
    RandomAffine,
    RandomBrightness,
    RandomCrop,
    RandomFlip,
    RandomShift,
)

NONE = {"turn": 0.0, "shear": 0.0, "scale": 0.0, "shift": 0.0}
SHAPE = (41, 51)  # height and width
SPREADS = 3.0, 5.0  # of the blob, down and to the right
COUNT = 1000


def blobs(count=COUNT):
    """Normal densities in the middle, wider than high."""
    axes = (np.arange(size) - (size - 1) / 2 for size in SHAPE)
    down, right = (np.exp(-0.5 * (x / s) ** 2) for x, s in zip(axes, SPREADS, strict=True))
    return np.tile(np.outer(down, right).astype("f")[np.newaxis, ..., np.newaxis], [count, 1, 1, 1])


def moments(**limits):
    """Returns the means `[count, 2]` and covariances `[count, 2, 2]` of changed blobs, (x, y)."""
    images = RandomAffine(**{**NONE, **limits})(tf.constant(blobs()), (0, 1)).numpy()[..., 0]
    y, x = np.meshgrid(*(np.arange(size) - (size - 1) / 2 for size in SHAPE), indexing="ij")
    points = np.stack([x.ravel(), y.ravel()], axis=1)
    mass = images.reshape(len(images), -1)
    mass = mass / mass.sum(axis=1, keepdims=True)
    means = mass @ points
    squares = np.einsum("np,pi,pj->nij", mass, points, points)
    return means, squares - means[:, :, np.newaxis] * means[:, np.newaxis]


def assert_uniform(values, limit):
    """Asserts that numbers are spread evenly over [-limit, limit]."""
    assert np.abs(values).max() <= 1.02 * limit
    parts = np.quantile(values, [0.25, 0.5, 0.75]) / limit
    np.testing.assert_allclose(parts, [-0.5, 0, 0.5], atol=0.12)


def test_without_limits_nothing_changes():
    images = blobs(3)
    np.testing.assert_allclose(RandomAffine(**NONE)(images), images, atol=1e-6)


def test_turns_keep_the_shape():
    means, covariances = moments(turn=0.5)
    np.testing.assert_allclose(means, 0, atol=0.02)
    lengths, directions = np.linalg.eigh(covariances)
    np.testing.assert_allclose(lengths, [[9, 25]] * COUNT, rtol=0.05)
    x, y = directions[:, :, 1].T
    assert_uniform(np.arctan(y / x), 0.5)


def test_shears_move_to_the_side_by_the_height():
    means, covariances = moments(shear=0.6)
    np.testing.assert_allclose(means, 0, atol=0.02)
    np.testing.assert_allclose(covariances[:, 1, 1], 9, rtol=0.05)
    slopes = covariances[:, 0, 1] / covariances[:, 1, 1]
    np.testing.assert_allclose(covariances[:, 0, 0], 25 + slopes**2 * 9, rtol=0.05)
    assert_uniform(slopes, 0.6)


def test_scales_are_the_same_in_both_directions():
    means, covariances = moments(scale=0.4)
    np.testing.assert_allclose(means, 0, atol=0.02)
    x, y = np.sqrt(covariances[:, 0, 0]) / 5, np.sqrt(covariances[:, 1, 1]) / 3
    np.testing.assert_allclose(x, y, rtol=0.05)
    assert_uniform(1 / y - 1, 0.4)


def test_shifts_are_shares_of_the_sides():
    means, covariances = moments(shift=0.1)
    np.testing.assert_allclose(covariances, [np.diag([25, 9])] * COUNT, rtol=0.06, atol=0.1)
    assert_uniform(means[:, 0], 5.1)
    assert_uniform(means[:, 1], 4.1)
    assert abs(np.corrcoef(means.T)[0, 1]) < 0.1


def test_what_comes_in_from_outside_is_black():
    images = RandomAffine(**{**NONE, "shift": 0.5})(tf.ones([50, 8, 8, 3]), (0, 1)).numpy()
    assert images.min() == 0 and images.max() == 1
    np.testing.assert_array_equal(images[..., 0], images[..., 2])


def test_changes_are_a_function_of_the_seed():
    images = tf.constant(blobs(2))
    first = RandomAffine()(images, (0, 1))
    np.testing.assert_array_equal(first, RandomAffine()(images, (0, 1)))
    assert np.abs(first - RandomAffine()(images, (0, 2))).max() > 0.05
    assert np.abs(first[0] - first[1]).max() > 0.05


def test_two_replicas_draw_what_one_alone_would(monkeypatch):
    images = tf.constant(blobs(4))
    alone = RandomAffine()(images, (0, 1))
    for replica in range(2):
        monkeypatch.setattr(noise, "_position", lambda replica=replica: (2, replica))
        rows = slice(2 * replica, 2 * replica + 2)
        np.testing.assert_array_equal(RandomAffine()(images[rows], (0, 1)), alone[rows])


def test_gradients_go_back_to_where_the_pixels_came_from():
    images = tf.Variable(blobs(2))
    weights = np.random.default_rng(0).normal(size=images.shape).astype("f")
    with tf.GradientTape() as tape:
        changed = tf.reduce_sum(weights * RandomAffine()(images.value(), (0, 1)))
    # It is linear: the derivative in a direction is the change along it.
    direction = np.random.default_rng(1).normal(size=images.shape).astype("f")
    expected = np.sum(weights * RandomAffine()(tf.constant(direction), (0, 1)))
    found = np.sum(tape.gradient(changed, images) * direction)
    assert found == pytest.approx(expected, rel=1e-3)


def test_it_is_a_value_that_saves_itself():
    value = RandomAffine(turn=0.1)
    saved = keras.saving.serialize_keras_object(value)
    assert keras.saving.deserialize_keras_object(saved) == value


@pytest.mark.parametrize("limits", [{"turn": -0.1}, {"shift": -1.0}, {"scale": 1.0}], ids=str)
def test_limits_out_of_range_are_refused(limits):
    with pytest.raises(ValueError, match="at least 0, and `scale` less than 1. Received: {'turn'"):
        augmentations.RandomAffine(**limits)


def test_shifts_move_whole_images_by_whole_pixels():
    shifts = RandomShift(0.1)(tf.constant(blobs()), (0, 1)).numpy()[..., 0]
    down, right = (np.round(0.1 * size).astype(int) for size in SHAPE)
    image = np.pad(blobs(1)[0, ..., 0], [(down, down), (right, right)])
    seen = collections.Counter()
    for shifted in shifts:
        peak = np.unravel_index(shifted.argmax(), SHAPE)
        lower, further = (at - size // 2 for at, size in zip(peak, SHAPE, strict=True))
        seen[lower, further] += 1
        rows = slice(down - lower, down - lower + SHAPE[0])
        columns = slice(right - further, right - further + SHAPE[1])
        np.testing.assert_array_equal(shifted, image[rows, columns])
    for axis, limit in enumerate((down, right)):
        counts = collections.Counter(np.repeat([key[axis] for key in seen], list(seen.values())))
        assert set(counts) == set(range(-limit, limit + 1))
        expected = COUNT / (2 * limit + 1)
        assert max(abs(count - expected) for count in counts.values()) < 4 * expected**0.5
    assert len(seen) > (2 * down + 1) * (2 * right + 1) - 10  # both directions apart


def test_a_shift_sends_gradients_back_to_where_pixels_came_from():
    images = tf.constant(blobs(5))
    with tf.GradientTape() as tape:
        tape.watch(images)
        shifted = RandomShift(0.1)(images, (0, 3))
        loss = tf.reduce_sum(shifted**2)
    lost = images - 0.5 * tape.gradient(loss, images)  # what went over the edge
    np.testing.assert_allclose(
        tf.reduce_sum(lost, [1, 2, 3]),
        tf.reduce_sum(images, [1, 2, 3]) - tf.reduce_sum(shifted, [1, 2, 3]),
        atol=1e-3,
    )
    np.testing.assert_array_equal(RandomShift(0.0)(images), images)


@pytest.mark.parametrize("limit", [-0.1, 1.1])
def test_shifts_beyond_the_image_are_refused(limit):
    with pytest.raises(ValueError, match="`limit` must be from 0 to 1"):
        RandomShift(limit)


@pytest.mark.parametrize(
    "augmentation", [RandomShift(), RandomAffine(), RandomCrop(), RandomFlip()]
)
@pytest.mark.parametrize("shape", [[2, 5], [2, None, 28, 1]])
def test_what_is_no_image_of_a_known_size_is_refused(augmentation, shape):
    traced = tf.function(augmentation, input_signature=[tf.TensorSpec(shape)])
    with pytest.raises(ValueError, match="images of a known size"):
        traced.get_concrete_function()


def ramps(count=COUNT):
    """Returns images whose channels are the place to the right and the place downwards."""
    down, right = np.meshgrid(*map(np.arange, SHAPE), indexing="ij")
    return np.tile(np.stack([right, down], axis=-1).astype("f"), [count, 1, 1, 1])


def test_crops_are_rectangles_of_the_asked_areas_anywhere_within():
    crops = RandomCrop(0.25, stretch=2.0)(tf.constant(ramps(3000)), (0, 1)).numpy()
    x, y = crops[:, SHAPE[0] // 2, :, 0], crops[:, :, SHAPE[1] // 2, 1]
    # Linear in between: a part's pixels are evenly apart. At the image's edge they are held.
    wide, tall = (each[:, 20] - each[:, 19] for each in (x, y))
    np.testing.assert_allclose(np.diff(x[:, 5:-5]), np.tile(wide, [40, 1]).T, atol=1e-4)
    np.testing.assert_array_equal(crops[..., 0], np.tile(x[:, None], [1, SHAPE[0], 1]))
    assert x.min() >= 0 and x.max() <= SHAPE[1] - 1 and max(wide.max(), tall.max()) < 1 + 1e-5
    free = (wide < 0.999) & (tall < 0.999)  # not held at the image's own sides
    area = (wide * tall)[free]
    assert 0.25 <= area.min() < 0.27 and free.mean() > 0.6
    stretch = (tall / wide)[free]
    assert_uniform(np.log(stretch[area < 0.5]) / np.log(2), 1.0)
    for places, side, size in ((x, wide, SHAPE[1]), (y, tall, SHAPE[0])):
        start = places[free, size // 2] + 0.5 - side[free] * size / 2
        assert_uniform(2 * start / (size * (1 - side[free])) - 1, 1.0)


def test_the_whole_image_is_a_crop():
    images = tf.constant(blobs(2))
    np.testing.assert_allclose(RandomCrop(1.0, stretch=1.0)(images, (0, 1)), images, atol=1e-6)


def test_half_of_the_images_are_mirrored():
    images = ramps()
    flipped = RandomFlip()(tf.constant(images), (0, 1)).numpy()
    mirrored = (flipped == images[:, :, ::-1]).all(axis=(1, 2, 3))
    same = (flipped == images).all(axis=(1, 2, 3))
    assert (mirrored ^ same).all() and 450 < mirrored.sum() < 550


def test_brightness_is_one_factor_for_each_image():
    images = ramps() + 1
    factors = RandomBrightness(0.4)(tf.constant(images), (0, 1)).numpy() / images
    expected = np.broadcast_to(factors[:, :1, :1, :1], images.shape)
    np.testing.assert_allclose(factors, expected, rtol=1e-5)
    assert_uniform(factors[:, 0, 0, 0] - 1, 0.4)
    with pytest.raises(ValueError, match="`limit` must be from 0 to 1"):
        RandomBrightness(1.5)


def test_a_chain_draws_apart_for_each_of_its_parts():
    images = tf.constant(blobs(3))
    shift = RandomShift(0.2)
    changed = Chain((shift, shift))(images, (0, 1))
    first, second = (tf.random.fold_in((0, 1), index) for index in range(2))
    np.testing.assert_array_equal(changed, shift(shift(images, first), second))
    assert np.abs(changed - shift(shift(images, first), first)).max() > 0.1
    with pytest.raises(ValueError, match="must hold one"):
        Chain([])


def test_a_chain_saves_itself_and_its_parts():
    value = Chain((RandomCrop(0.3), RandomFlip()))
    saved = keras.saving.serialize_keras_object(value)
    assert keras.saving.deserialize_keras_object(saved) == value


@pytest.mark.parametrize(
    "augmentation", [RandomCrop(), RandomFlip(), RandomBrightness(), Chain((RandomCrop(),))]
)
def test_two_replicas_cut_and_mirror_what_one_alone_would(augmentation, monkeypatch):
    images = tf.constant(ramps(8))
    alone = augmentation(images, (0, 1))
    for replica in range(2):
        monkeypatch.setattr(noise, "_position", lambda replica=replica: (2, replica))
        rows = slice(4 * replica, 4 * replica + 4)
        np.testing.assert_allclose(augmentation(images[rows], (0, 1)), alone[rows], atol=1e-5)


@pytest.mark.parametrize("wrong", [{"area": 0.0}, {"area": 1.1}, {"stretch": 0.9}], ids=str)
def test_crops_out_of_range_are_refused(wrong):
    with pytest.raises(ValueError, match=f"`{next(iter(wrong))}` must be"):
        RandomCrop(**wrong)
