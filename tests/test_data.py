"""Data: sources are checked, batches are a function of their arguments, errors say what to do."""

import importlib.resources
import os
import socket
import struct
import zlib

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from tfgen import data
from tfgen.data import Source, batches, four_modes, source, steps_per_epoch
from tfgen.data.folder import read_folder
from tfgen.data.source import _is_less, binarize
from tfgen.evaluation import Reference

GREY_MIX = np.tile(np.uint8([0, 51, 128, 204, 255]), [10, 8, 1])[..., np.newaxis]  # 10 x 8 x 5 x 1


def numbered(count, features=1):
    """A source whose examples say their own index, and so do their labels."""
    examples = np.repeat(np.arange(count, dtype=np.float32)[:, np.newaxis], features, axis=1)
    return Source(examples, np.arange(count))


def order(dataset):
    """Returns the indices of `numbered` examples, batch by batch."""
    return [batch[:, 0].astype(int).tolist() for batch in dataset.as_numpy_iterator()]


def flat(nested):
    return [number for batch in nested for number in batch]


# --- Sources


def test_a_source_keeps_pixels_as_bytes_and_makes_other_floats_single():
    assert Source(np.zeros([2, 3, 4, 1], np.uint8)).images.dtype == np.uint8
    for dtype in (np.float16, np.float32, np.float64):
        assert Source(np.zeros([2, 5], dtype)).images.dtype == np.float32


def test_a_source_takes_tensors_lists_and_images_without_channels():
    assert Source(tf.zeros([2, 3, 4, 1])).shape == (3, 4, 1)
    assert Source([[0.5, -2.0], [1.0, 7.0]]).shape == (2,)
    grey = Source(np.arange(24, dtype=np.uint8).reshape(2, 3, 4))
    assert grey.shape == (3, 4, 1) and len(grey) == 2
    np.testing.assert_array_equal(grey.images[1, :, :, 0], 12 + np.arange(12).reshape(3, 4))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("shape", [(4, 2, 2, 1), (4, 3)])
def test_values_that_are_not_finite_are_refused_by_their_index(value, shape):
    examples = np.zeros(shape)
    examples[2].flat[-1] = value
    with pytest.raises(ValueError, match="1 of 4 examples hold NaN or infinity, the first at ind"):
        Source(examples)
    examples[1].flat[0] = value
    with pytest.raises(ValueError, match="2 of 4 examples.*at index 1. Remove or repair them"):
        Source(examples)


@pytest.mark.parametrize("value", [-0.01, 1.01, 255.0])
def test_float_images_outside_of_zero_to_one_are_refused(value):
    images = np.full([2, 3, 3, 1], 0.5)
    images[1, 2, 2, 0] = value
    low, high = min(0.5, value), max(0.5, value)
    with pytest.raises(ValueError, match=rf"must be in \[0, 1\].*from {low:g} to {high:g}"):
        Source(images)


def test_vectors_may_have_any_finite_value():
    np.testing.assert_array_equal(Source([[-100.0, 255.0]]).images, [[-100.0, 255.0]])


@pytest.mark.parametrize(
    ("images", "mend"),
    [
        (np.full([2, 3, 3], 1, np.int64), r"int64, values from 1 to 1.*black.*`.astype\(bool\)`"),
        (np.full([2, 3, 3], 200, np.int32), r"from 200 to 200.*0 to 255 with `.astype\('uint8'\)`"),
        (np.full([2, 3, 3], 255, np.uint16), r"0 to 255 with `.astype\('uint8'\)`"),
        (np.full([2, 3, 3], 256, np.uint16), r"floats in \[0, 1\], .* 16 bits .*`images / 65535`"),
        (np.full([2, 3, 3], -1, np.int8), r"int8, values from -1 to -1. Scale them to floats"),
        (np.full([2, 5], 1, np.int64), r"Convert vectors with `.astype\('float32'\)`"),
        (np.zeros([2, 3, 3], complex), r"Received: an array of complex128\.$"),
        (np.full([2, 5], "a"), r"Received: an array of <U1\.$"),
    ],
)
def test_other_types_are_refused_with_a_mend_that_loses_nothing(images, mend):
    with pytest.raises(ValueError, match=f"Expected uint8 pixels or floats.*{mend}"):
        Source(images)


def test_booleans_are_black_and_white_images_or_vectors_of_zeros_and_ones():
    checks = np.array([[[True, False], [False, True]]])
    images = Source(checks)
    assert images.images.dtype == np.uint8 and images.shape == (2, 2, 1)
    np.testing.assert_array_equal(images.floats()[..., 0], checks)
    vectors = Source(checks.reshape(2, 2))
    assert vectors.images.dtype == np.float32
    np.testing.assert_array_equal(vectors.images, [[1, 0], [0, 1]])


@pytest.mark.parametrize(
    ("images", "mend"),
    [
        (np.eye(4, dtype=np.uint8)[np.newaxis], r"value is 1, .*Pass `images.astype\(bool\)`"),
        (np.eye(4)[np.newaxis] / 255, "value is 0.00392, .*Pass `255 . images` if .* twice"),
    ],
)
def test_images_that_are_almost_black_are_warned_of(images, mend):
    with pytest.warns(UserWarning, match=f"almost black: their largest {mend}") as warned:
        Source(images)
    assert warned[0].filename == __file__
    # A warning would fail.
    Source(0 * images), Source(2 * images), Source((images / 300).reshape(1, -1))


@pytest.mark.parametrize("channels", [1, 3])
def test_images_whose_channels_come_first_are_refused_with_the_transpose(channels):
    images = np.zeros([2, channels, 32, 48], np.uint8)
    with pytest.raises(ValueError, match=r"Channels come last.*transpose\(0, 2, 3, 1\)"):
        Source(images)
    assert Source(images.transpose(0, 2, 3, 1)).shape == (32, 48, channels)
    assert Source(np.zeros([2, channels, 48, 4])).shape == (channels, 48, 4)  # a flat image


@pytest.mark.parametrize(
    ("low", "high", "mend"),
    [
        (0, 200, "Pass `images / 255`"),
        (-1, 1, r"Pass `\(images \+ 1\) / 2`"),
        (-9, 300, "Scale them"),
    ],
)
def test_floats_in_other_ranges_are_refused_with_what_brings_them_to_ours(low, high, mend):
    images = np.linspace(low, high, 8).reshape(2, 2, 2)
    with pytest.raises(ValueError, match=rf"values from {low} to {high}\. {mend}"):
        Source(images)


def test_images_that_differ_in_size_are_refused():
    with pytest.raises(ValueError, match="The images differ in size. Give all of them one"):
        Source([np.zeros([4, 4]), np.zeros([5, 4])])


@pytest.mark.parametrize("shape", [(0, 28, 28, 1), (0, 5), (3, 0), (4,), (), (1, 2, 3, 4, 5)])
def test_no_examples_and_odd_shapes_are_refused(shape):
    with pytest.raises(ValueError, match="Expected images .* or vectors .*at least one") as raised:
        Source(np.zeros(shape, np.float32))
    assert str(shape) in str(raised.value)


@pytest.mark.parametrize("count", [0, 2, 4])
def test_labels_must_be_as_many_as_examples(count):
    with pytest.raises(ValueError, match=f"Received: {count} labels and 3 examples"):
        Source(np.zeros([3, 2]), np.zeros(count))


def test_labels_in_a_column_become_a_row():
    column = Source(np.zeros([3, 2]), np.array([[4], [5], [6]]))  # as Keras gives CIFAR's
    assert column.labels.tolist() == [4, 5, 6]
    for attributes in (np.zeros([3, 2], int), np.zeros([3, 1], float)):
        assert Source(np.zeros([3, 2]), attributes).labels.shape == attributes.shape


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (["cat", "dog", "cat"], r"integers. Received: .*<U3 such as .*'cat'.*Number.*np.unique"),
        (np.array(["0", "1", None], object), "integers. Received: labels of object such as '0'"),
        ([[0], [1, 2], [3]], "labels differ in length. Give one integer for each example"),
        (7, r"\[count, size\]. Received: labels of shape \(\)"),
        (np.zeros([3, 2, 2]), r"Received: labels of shape \(3, 2, 2\)"),
    ],
)
def test_labels_that_are_no_numbers_are_refused(labels, message):
    with pytest.raises(ValueError, match=message):
        Source(np.zeros([3, 2]), labels)


def test_a_source_prints_as_one_short_line():
    images = np.zeros([500, 28, 28, 1], np.uint8)
    shown = "Source(500 examples of shape (28, 28, 1), uint8, "
    assert repr(Source(images)) == f"{shown}no labels)"
    assert repr(Source(images, np.arange(500) % 10)) == f"{shown}10 classes)"
    assert repr(Source(images, np.zeros([500, 40]))) == f"{shown}labels of shape (40,))"
    reference = Reference(Source(images), "a name")
    assert f"source={shown}no labels), data='a name'" in repr(reference)
    assert len(repr(reference)) < 200


def test_floats_of_a_source_are_pixels_in_zero_to_one():
    floats = Source(np.array([[[[0], [51], [255]]], [[[102], [0], [0]]]], np.uint8)).floats()
    assert floats.dtype == tf.float32
    np.testing.assert_allclose(floats[0, 0, :, 0], [0.0, 0.2, 1.0], rtol=1e-6)
    assert len(numbered(5).floats(3)) == 3
    np.testing.assert_array_equal(numbered(5).floats()[:, 0], range(5))


def test_static_binarization_is_drawn_once_and_keeps_the_labels():
    grey = Source(np.repeat(GREY_MIX, 20, axis=0), np.arange(200))
    drawn = grey.binarized(seed=3)
    assert drawn.images.dtype == np.uint8 and set(np.unique(drawn.images)) == {0, 255}
    chances = drawn.images.mean(axis=(0, 1, 3)) / 255
    np.testing.assert_allclose(chances, np.array([0, 51, 128, 204, 255]) / 255, atol=0.05)
    np.testing.assert_array_equal(drawn.labels, grey.labels)
    np.testing.assert_array_equal(drawn.images, grey.binarized(seed=3).images)
    assert not np.array_equal(drawn.images, grey.binarized(seed=4).images)


# --- Batches


def test_bytes_become_floats_in_zero_to_one():
    (images,) = batches(Source(GREY_MIX), 10, shuffle=False)
    assert images.dtype == tf.float32 and images.shape == (10, 8, 5, 1)
    np.testing.assert_allclose(images[3, 2, :, 0], np.array([0, 51, 128, 204, 255]) / 255)


def test_floats_stay_as_they_are():
    (vectors,) = batches(Source([[0.25, -3.0]]), 1)
    np.testing.assert_array_equal(vectors, [[0.25, -3.0]])


def test_a_shuffled_epoch_holds_each_example_at_most_once():
    dataset = batches(numbered(53), 8)
    assert len(dataset) == 6 == steps_per_epoch(numbered(53), 8)
    for _ in range(3):
        epoch = order(dataset)
        assert [len(batch) for batch in epoch] == [8] * 6
        assert len(set(flat(epoch))) == 48
        assert flat(epoch) != sorted(flat(epoch))


def test_an_epoch_of_whole_batches_holds_each_example_exactly_once():
    assert sorted(flat(order(batches(numbered(48), 8)))) == list(range(48))
    stream = flat(order(batches(numbered(48), 8, repeat=True, first_step=12).take(6)))
    assert sorted(stream) == list(range(48))


def test_what_does_not_fill_a_batch_has_its_turn_in_another_epoch():
    dataset = batches(numbered(10), 4)
    seen = [set(flat(order(dataset))) for _ in range(10)]
    assert all(len(epoch) == 8 for epoch in seen)
    assert set().union(*seen) == set(range(10))


def test_every_pass_and_every_epoch_has_its_own_order():
    dataset = batches(numbered(40), 8)
    passes = [flat(order(dataset)) for _ in range(3)]
    stream = flat(order(batches(numbered(40), 8, repeat=True).take(15)))
    epochs = [stream[start : start + 40] for start in (0, 40, 80)]
    for orders in (passes, epochs):
        assert orders[0] != orders[1] != orders[2] != orders[0]


def test_the_seed_decides_the_order():
    def first_pass(seed):
        return order(batches(numbered(40), 8, seed=seed))

    def stream(seed):
        return order(batches(numbered(40), 8, seed=seed, repeat=True).take(10))

    for make in (first_pass, stream):
        assert make(7) == make(7)
        assert make(7) != make(8)


@pytest.mark.parametrize("shuffle", [True, False])
def test_nothing_but_the_arguments_decides_a_first_pass(shuffle):
    def first_pass(global_seed):
        tf.random.set_seed(global_seed)
        dataset = batches(Source(GREY_MIX), 5, seed=7, shuffle=shuffle, binarized="stochastic")
        return [batch.tolist() for batch in dataset.as_numpy_iterator()]

    assert first_pass(1) == first_pass(2)


def test_a_stream_does_not_depend_on_the_global_seed():
    def stream(global_seed):
        tf.random.set_seed(global_seed)
        return order(batches(numbered(40), 8, seed=7, repeat=True).take(10))

    assert stream(1) == stream(2)


@pytest.mark.parametrize("shuffle", [True, False])
@pytest.mark.parametrize("first_step", [1, 3, 4, 9, 1000])
def test_a_stream_goes_on_from_its_first_step_as_one_that_began_at_zero(shuffle, first_step):
    grey = Source(GREY_MIX, np.arange(10))
    options = dict(repeat=True, seed=5, shuffle=shuffle, labels=True, binarized="stochastic")
    resumed = batches(grey, 3, first_step=first_step, **options).take(5)
    whole = batches(grey, 3, **options).skip(first_step).take(5)
    for left, right in zip(resumed, whole, strict=True):
        np.testing.assert_array_equal(left[0], right[0])
        np.testing.assert_array_equal(left[1], right[1])


def test_unshuffled_batches_keep_the_order_and_end_with_a_smaller_one():
    dataset = batches(numbered(10), 4, shuffle=False)
    expected = [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    assert len(dataset) == 3 == steps_per_epoch(numbered(10), 4, shuffle=False)
    assert order(dataset) == order(dataset) == expected
    assert order(batches(numbered(10), 4, shuffle=False, repeat=True).take(6)) == 2 * expected
    assert order(batches(numbered(3), 4, shuffle=False)) == [[0, 1, 2]]


@pytest.mark.parametrize("options", [{}, {"shuffle": False}, {"repeat": True}], ids=str)
def test_labels_stay_with_their_examples(options):
    for examples, labels in batches(numbered(30, features=2), 7, labels=True, **options).take(12):
        np.testing.assert_array_equal(examples[:, 1], labels)


def test_labels_come_only_where_they_are_wanted():
    (examples,) = batches(numbered(4), 4)
    assert isinstance(examples, tf.Tensor)
    with pytest.raises(ValueError, match="no labels. Pass labels=False"):
        batches(Source(np.zeros([4, 2])), 4, labels=True)


def test_binarized_pixels_are_white_with_the_grey_value_as_chance():
    stream = batches(Source(GREY_MIX), 10, repeat=True, binarized="stochastic")
    drawn = np.concatenate(list(stream.take(60).as_numpy_iterator()))
    assert set(np.unique(drawn)) == {0.0, 1.0}
    chances = drawn.mean(axis=(0, 1, 3))
    np.testing.assert_allclose(chances, np.array([0, 51, 128, 204, 255]) / 255, atol=0.03)
    assert chances[0] == 0 and chances[-1] == 1


def test_a_pixel_is_white_for_its_grey_value_of_all_numbers_that_can_be_drawn():
    own = tf.cast(tf.range(256), tf.uint8)[:, tf.newaxis, tf.newaxis]
    shared = tf.range(255)[:, tf.newaxis]
    grey = tf.cast(tf.range(256), tf.uint8)
    for pixels in (grey, tf.cast(grey, tf.float32) / 255.0):
        white = _is_less(own, shared, pixels)
        # 256 * 255 numbers, of which pixel / 255 is 256 times the pixel.
        np.testing.assert_array_equal(np.count_nonzero(white, axis=(0, 1)), 256 * np.arange(256))


def test_pixels_are_binarized_independently():
    drawn = binarize(tf.fill([400, 30, 30, 1], tf.constant(100, tf.uint8)), [1, 2]).numpy()
    for shift in ((0, 1), (1, 0), (0, 16), (16, 0)):
        here = drawn[:, shift[0] :, shift[1] :].ravel()
        there = drawn[:, : 30 - shift[0], : 30 - shift[1]].ravel()
        assert abs(np.corrcoef(here, there)[0, 1]) < 5 / np.sqrt(here.size)
    totals = drawn.sum(axis=(1, 2, 3))  # a binomial distribution of each image
    assert 0.8 < totals.var() / (900 * 100 / 255 * 155 / 255) < 1.2


@pytest.mark.parametrize("dtype", [tf.uint8, tf.float32])
def test_a_part_of_a_batch_is_binarized_as_in_the_whole(dtype):
    grey = tf.constant(np.random.default_rng(0).integers(0, 256, [60, 7, 5, 1]), tf.uint8)
    images = grey if dtype == tf.uint8 else tf.cast(grey, tf.float32) / 255.0
    whole = binarize(images, [1, 2])
    for first in (1, 20, 59):
        np.testing.assert_array_equal(binarize(images[first:], [1, 2], first), whole[first:])


def test_the_mean_of_many_binarized_pixels_is_the_grey_value():
    grey = tf.fill([6000, 28, 28, 1], tf.constant(128, tf.uint8))
    deviation = 0.5 / np.sqrt(6000 * 784)
    for seed in range(4):
        mean = np.mean(binarize(grey, [seed, 0]))
        assert abs(mean - 128 / 255) < 5 * deviation


@pytest.mark.parametrize("shuffle", [True, False])
def test_a_stream_binarizes_anew_at_every_visit(shuffle):
    stream = batches(Source(GREY_MIX), 5, repeat=True, shuffle=shuffle, binarized="stochastic")
    drawn = list(stream.take(6).as_numpy_iterator())
    for index, batch in enumerate(drawn):
        assert not any(np.array_equal(batch, other) for other in drawn[:index])
        assert not np.array_equal(batch[0], batch[1])


def test_the_seed_decides_what_is_binarized():
    def drawn(seed):
        options = {"repeat": True, "shuffle": False, "binarized": "stochastic"}
        return next(iter(batches(Source(GREY_MIX), 10, seed=seed, **options))).numpy()

    np.testing.assert_array_equal(drawn(7), drawn(7))
    assert not np.array_equal(drawn(7), drawn(8))


def test_shuffled_passes_binarize_anew_and_unshuffled_ones_the_same():
    def drawn(dataset):
        return [batch.tolist() for batch in dataset.as_numpy_iterator()]

    grey = Source(np.full([4, 6, 6, 1], 128, np.uint8))
    shuffled = batches(grey, 4, binarized="stochastic")
    assert drawn(shuffled) != drawn(shuffled)
    fixed = batches(grey, 4, shuffle=False, binarized="stochastic")
    assert drawn(fixed) == drawn(fixed)
    assert drawn(fixed) == drawn(batches(grey, 4, shuffle=False, binarized="stochastic"))
    assert drawn(fixed) != drawn(batches(grey, 4, shuffle=False, binarized="stochastic", seed=1))


def test_shuffled_batches_have_a_known_length_for_xla():
    assert batches(numbered(10), 4, repeat=True).element_spec.shape == (4, 1)


@pytest.mark.parametrize("batch_size", [0, -2])
def test_a_batch_size_below_one_is_refused(batch_size):
    message = f"`batch_size` must be at least 1. Received: batch_size={batch_size}"
    for function in (batches, steps_per_epoch):
        with pytest.raises(ValueError, match=message):
            function(numbered(5), batch_size)


def test_a_shuffled_batch_larger_than_the_source_is_refused():
    with pytest.raises(ValueError, match="fit in the 5 examples there are. Received: batch_size=6"):
        batches(numbered(5), 6)


# --- Folders


def write(path, pixels):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.asarray(pixels, np.uint8)).save(path)


def plain(grey, height=4, width=3, channels=None):
    return np.full([height, width] + ([channels] if channels else []), grey)


def read(folder, split="train", **options):
    return source(f"folder:{folder}", split, **options)


def test_a_folder_of_images_is_read_in_the_order_of_names_one_in_ten_for_the_test(tmp_path):
    for index in range(25):
        write(tmp_path / f"{index:02}.png", plain(10 * index))
    train, test = read(tmp_path), read(tmp_path, "test")
    assert train.shape == test.shape == (4, 3, 1)
    assert train.images.dtype == np.uint8 and train.labels is None
    assert test.images[:, 0, 0, 0].tolist() == [90, 190]
    kept = [10 * index for index in range(25) if index % 10 != 9]
    assert train.images[:, 0, 0, 0].tolist() == kept


def test_rows_are_the_height_and_columns_the_width(tmp_path):
    pixels = np.arange(12).reshape(4, 3)
    write(tmp_path / "a.png", pixels)
    np.testing.assert_array_equal(read(tmp_path).images[0, :, :, 0], pixels)


def test_subfolders_are_classes(tmp_path):
    for index in range(4):
        write(tmp_path / "cats" / f"{index}.png", plain(index))
        write(tmp_path / "apes" / "more" / f"{index}.PNG", plain(100 + index))
    animals = read(tmp_path)
    assert animals.labels.tolist() == [0] * 4 + [1] * 4
    assert animals.images[:, 0, 0, 0].tolist() == [100, 101, 102, 103, 0, 1, 2, 3]


def test_folders_called_train_and_test_are_the_splits(tmp_path):
    for index in range(12):
        write(tmp_path / "train" / "ab"[index % 2] / f"{index:02}.png", plain(index))
    write(tmp_path / "test" / "a" / "0.png", plain(200))
    write(tmp_path / "test" / "b" / "0.png", plain(201))
    assert read(tmp_path).labels.tolist() == [0] * 6 + [1] * 6
    test = read(tmp_path, "test")
    assert test.images[:, 0, 0, 0].tolist() == [200, 201]
    assert test.labels.tolist() == [0, 1]


@pytest.mark.parametrize("name", ["val", "valid", "validation", "testing", "Test"])
def test_validation_images_are_held_out_where_there_is_no_test(tmp_path, name):
    for index, label in enumerate("xy"):
        write(tmp_path / "train" / label / "0.png", plain(10 + index))
        write(tmp_path / name / label / "0.png", plain(20 + index))
    for split, pixels in (("train", [10, 11]), ("test", [20, 21]), ("all", [10, 11, 20, 21])):
        found = read(tmp_path, split)
        assert found.images[:, 0, 0, 0].tolist() == pixels
        assert found.labels.tolist() == [pixel % 10 for pixel in pixels]


def test_validation_images_beside_a_test_are_in_no_split_but_all(tmp_path):
    for pixel, name in ((10, "train"), (20, "val"), (30, "test")):
        write(tmp_path / name / "0.png", plain(pixel))
    for split, pixels in (("train", [10]), ("test", [30]), ("all", [10, 30, 20])):
        assert read(tmp_path, split).images[:, 0, 0, 0].tolist() == pixels


def test_a_train_folder_alone_keeps_one_in_ten_for_the_test(tmp_path):
    for index in range(20):
        write(tmp_path / "train" / "ab"[index // 10] / f"{index:02}.png", plain(10 * index))
    (tmp_path / "notes").mkdir()  # holds no images
    test = read(tmp_path, "test")
    assert test.images[:, 0, 0, 0].tolist() == [90, 190] and test.labels.tolist() == [0, 1]
    assert len(read(tmp_path)) == 18 and len(read(tmp_path, "all")) == 20


@pytest.mark.parametrize("other", ["bus/0.png", "0.png", "dev/a/0.png"])
def test_a_train_folder_beside_other_images_is_refused(tmp_path, other):
    write(tmp_path / "train" / "0.png", plain(10))
    write(tmp_path / "test" / "0.png", plain(10))
    write(tmp_path / other, plain(10))
    named = other.partition("/")[0] if "/" in other else "images in no folder"
    with pytest.raises(ValueError, match=f"`train` and other images.*besides: {named}. Move"):
        read(tmp_path)


def test_classes_may_be_called_as_splits_are_where_there_is_no_train(tmp_path):
    for index, name in enumerate(["invalid", "valid"]):
        write(tmp_path / name / "0.png", plain(10 * index))
    assert read(tmp_path).labels.tolist() == [0, 1]


def test_a_folder_of_nothing_but_held_out_images_has_none_to_train_on(tmp_path):
    write(tmp_path / "val" / "a" / "0.png", plain(10))
    with pytest.raises(FileNotFoundError, match=r"no images to train on in .* \(val\). Name their"):
        read(tmp_path)
    assert len(read(tmp_path, "test")) == len(read(tmp_path, "all")) == 1


def test_images_beside_the_folders_of_classes_leave_all_without_labels(tmp_path):
    for name in ("a/0", "b/0", "preview"):
        write(tmp_path / f"{name}.png", plain(10))
    found = read(tmp_path)
    assert len(found) == 3 and found.labels is None


@pytest.mark.parametrize("divided", [False, True])
def test_a_class_has_one_number_in_both_splits(tmp_path, divided):
    for number, (folder, count) in enumerate([("a", 5), ("b", 5), ("c", 15)]):
        for index in range(count):
            write(
                tmp_path / ("train" if divided else "") / folder / f"{index:02}.png", plain(number)
            )
    if divided:
        write(tmp_path / "test" / "c" / "00.png", plain(2))
    for split in data.SPLITS:
        animals = read(tmp_path, split)
        assert animals.labels.tolist() == animals.images[:, 0, 0, 0].tolist()


@pytest.mark.parametrize("folders", [("", ""), ("train", "test")], ids=str)
def test_both_splits_are_grey_or_both_in_colour(tmp_path, folders):
    for index in range(9):
        write(tmp_path / folders[0] / f"{index}.png", plain(9))
    write(tmp_path / folders[1] / "9.png", plain(9, channels=3))
    assert read(tmp_path).shape == read(tmp_path, "test").shape == (4, 3, 3)


def test_a_test_split_of_too_few_images_says_so(tmp_path):
    write(tmp_path / "a.png", plain(0))
    with pytest.raises((FileNotFoundError, ValueError), match="test"):
        read(tmp_path, "test")


def test_grey_images_are_grey_and_a_mix_is_in_colour(tmp_path):
    write(tmp_path / "a.png", plain(7))
    Image.fromarray(plain(7).astype(np.uint8)).convert("LA").save(tmp_path / "b.png")
    assert read(tmp_path).shape == (4, 3, 1)
    colour = np.zeros([4, 3, 3]) + [10, 20, 30]
    write(tmp_path / "c.png", colour)
    mixed = read(tmp_path)
    assert mixed.shape == (4, 3, 3)
    np.testing.assert_array_equal(mixed.images[0], plain(7, channels=3))
    np.testing.assert_array_equal(mixed.images[2], colour)
    assert read(tmp_path, channels=1).shape == (4, 3, 1)


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "CMYK"])
def test_images_of_every_mode_are_read(tmp_path, mode):
    image = Image.new("L", (3, 4), 255).convert(mode)
    image.save(tmp_path / ("a.jpg" if mode == "CMYK" else "a.png"))
    images = read(tmp_path).images
    assert images.shape == (1, 4, 3, 1 if mode in "1L" else 3)
    np.testing.assert_array_equal(images, 255)


@pytest.mark.parametrize("ending", ["png", "tif", "pgm"])
@pytest.mark.parametrize("channels", [1, 3])
def test_grey_values_of_sixteen_bits_are_scaled_to_eight(tmp_path, ending, channels):
    deep = np.uint16([[0, 128, 129], [257, 30_000, 65_535]])
    Image.fromarray(deep).save(tmp_path / f"deep.{ending}")
    if channels == 3:
        write(tmp_path / "colour.png", plain(9, 2, 3, channels=3))
    images = read(tmp_path).images
    assert images.shape[1:] == (2, 3, channels)
    for channel in range(channels):
        assert images[-1, :, :, channel].tolist() == [[0, 0, 1], [1, 117, 255]]


def test_a_grey_value_of_sixteen_bits_that_is_transparent_is_white(tmp_path):
    deep = np.uint16([[0, 257], [30_000, 65_535]])
    Image.fromarray(deep).save(tmp_path / "deep.png", transparency=257)
    assert read(tmp_path).images[0, :, :, 0].tolist() == [[0, 255], [117, 255]]


@pytest.mark.parametrize("dtype", [np.int32, np.float32])
def test_pixels_of_32_bits_are_refused_by_name(tmp_path, dtype):
    Image.fromarray(np.full([4, 3], 1, dtype)).save(tmp_path / "deep.tif")
    with pytest.raises(ValueError, match=r"1 of 1 files .*deep\.tif .*32 bits. Convert them to 8"):
        read(tmp_path)


def test_images_that_differ_in_size_are_refused_by_name(tmp_path):
    write(tmp_path / "a.png", plain(0))
    write(tmp_path / "odd.png", plain(0, height=5, width=6))
    write(tmp_path / "z.png", plain(0))
    with pytest.raises(ValueError, match=r"2 sizes: most are 4x3, but .*odd\.png is 5x6.*--size"):
        read(tmp_path)


def test_a_size_brings_images_to_one_shape_around_their_centre(tmp_path):
    wide = np.zeros([8, 24])
    wide[:, 8:16] = 200  # the centre is what a square keeps
    write(tmp_path / "wide.png", wide)
    write(tmp_path / "tall.png", wide.T)
    write(tmp_path / "small.png", plain(200, height=3, width=3))
    images = read(tmp_path, size=(6, 6)).images
    assert images.shape == (3, 6, 6, 1)
    np.testing.assert_allclose(images[:, 1:-1, 1:-1], 200, atol=1)


def test_a_size_is_height_and_width(tmp_path):
    wide = np.tile(10 * np.arange(24), [8, 1])
    write(tmp_path / "wide.png", wide)
    images = read(tmp_path, size=(8, 4)).images
    np.testing.assert_array_equal(images[0, :, :, 0], wide[:, 10:14])


def test_broken_images_are_refused_by_name(tmp_path):
    write(tmp_path / "a.png", plain(0))
    (tmp_path / "b.png").write_bytes(b"This is no image.")
    with pytest.raises(ValueError, match=r"b\.png cannot be read as an image: .*Remove or repl"):
        read(tmp_path)


def test_broken_images_are_left_out_if_asked(tmp_path):
    for name, value in (("a/1", 10), ("a/2", 20), ("b/3", 30), ("b/4", 40)):
        write(tmp_path / f"{name}.png", plain(value))
    (tmp_path / "a/2.png").write_bytes(b"This is no image.")
    found = read_folder(tmp_path, "all", skip_unreadable=True)
    assert found.unreadable == 1
    np.testing.assert_array_equal(found.images[:, 0, 0, 0], [10, 30, 40])
    np.testing.assert_array_equal(found.labels, [0, 1, 1])
    assert found.subset(2).unreadable == 1
    assert source(f"folder:{tmp_path}", "all", (4, 4), skip_unreadable=True).unreadable == 1
    with pytest.raises(ValueError, match="1 of 4 files are broken: .*2.png cannot be read"):
        read_folder(tmp_path, "all")


def png(*chunks):
    """The bytes of a PNG of these chunks."""
    joined = b"".join(
        struct.pack(">I", len(content))
        + kind
        + content
        + struct.pack(">I", zlib.crc32(kind + content))
        for kind, content in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + joined


def test_images_that_are_too_large_and_other_errors_of_pillow_count_as_broken(tmp_path):
    huge = (b"IHDR", struct.pack(">IIBBBBB", 60_000, 60_000, 8, 0, 0, 0, 0))
    small = (b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))
    text = (b"zTXt", b"name\0\0" + zlib.compress(bytes(2_000_000)))
    pixels = (b"IDAT", zlib.compress(b"\0\x50"))
    end = (b"IEND", b"")
    (tmp_path / "huge.png").write_bytes(png(huge, pixels, end))
    (tmp_path / "text-before.png").write_bytes(png(small, text, pixels, end))
    (tmp_path / "text-after.png").write_bytes(png(small, pixels, text, end))
    (tmp_path / "cut.png").write_bytes(png(small)[:-9])
    (tmp_path / "good.png").write_bytes(png(small, pixels, end))
    with pytest.raises(ValueError, match="4 of 5 files are broken: ") as raised:
        read(tmp_path)
    for name in ("huge", "text-before", "text-after", "cut"):
        assert f"{name}.png cannot be read as an image: " in str(raised.value)
    found = read_folder(tmp_path, "all", skip_unreadable=True)
    assert found.unreadable == 4 and found.images.tolist() == [[[[80]]]]


def test_a_file_of_another_kind_than_its_name_says_starts_no_other_program(tmp_path, monkeypatch):
    programs = []
    monkeypatch.setattr("subprocess.check_call", lambda *given, **_: programs.append(given))
    monkeypatch.setattr("PIL.EpsImagePlugin.gs_binary", "gs")
    (tmp_path / "picture.png").write_bytes(
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n%%EOF\n"
    )
    with pytest.raises(ValueError, match="picture.png cannot be .*cannot identify"):
        read(tmp_path)
    assert not programs  # Pillow would start Ghostscript for PostScript


def test_the_names_of_broken_files_are_listed_up_to_a_bound(tmp_path):
    for index in range(13):
        (tmp_path / f"{index:02}.png").write_bytes(b"This is no image.")
    with pytest.raises(
        ValueError, match="13 of 13 .*00.png .*09.png .* And 3 more. Remove"
    ) as raised:
        read_folder(tmp_path, "all")
    assert "10.png" not in str(raised.value)


def test_a_folder_of_broken_images_stays_refused(tmp_path):
    (tmp_path / "a.png").write_bytes(b"This is no image.")
    with pytest.raises(ValueError, match="1 of 1 files are broken"):
        read_folder(tmp_path, "all", skip_unreadable=True)


def test_a_folder_read_whole(tmp_path):
    for index in range(12):
        write(tmp_path / f"{index:02}.png", plain(index))
    assert len(read_folder(tmp_path, "all").images) == 12
    write(tmp_path / "split/train/a.png", plain(1))
    write(tmp_path / "split/test/b.png", plain(2))
    assert len(read_folder(tmp_path / "split", "all").images) == 2
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileNotFoundError, match="no images in .*empty"):
        read_folder(tmp_path / "empty", "all")


@pytest.mark.parametrize("ending", ["png", "jpg"])
def test_half_images_are_refused_by_name(tmp_path, ending):
    noise = np.random.default_rng(0).integers(0, 256, [40, 30])
    write(tmp_path / f"half.{ending}", noise)
    content = (tmp_path / f"half.{ending}").read_bytes()
    (tmp_path / f"half.{ending}").write_bytes(content[: len(content) // 2])
    with pytest.raises(ValueError, match=rf"half\.{ending} cannot be read as an image"):
        read(tmp_path)


@pytest.mark.parametrize("ending", ["tif", "TIFF", "jfif", "jpe", "pgm", "bmp", "gif", "webp"])
def test_images_of_other_formats_are_read(tmp_path, ending):
    kind = {"jfif": "jpeg", "jpe": "jpeg", "pgm": "ppm"}.get(ending)
    Image.new("L", (3, 4), 255).save(tmp_path / f"a.{ending}", kind)
    np.testing.assert_array_equal(read(tmp_path).images, 255)


def test_hidden_files_and_folders_do_not_count(tmp_path):
    root = tmp_path / ".cache"  # hidden itself, but asked for
    for index, name in enumerate(["a", "b/more"]):
        write(root / name / "0.png", plain(10 * index))
        write(root / name / ".ipynb_checkpoints" / "0.png", plain(99))
        write(root / name / "._0.png", plain(99))
    write(root / ".ipynb_checkpoints" / "0.png", plain(99))
    found = read(root)
    assert found.labels.tolist() == [0, 1]
    assert found.images[:, 0, 0, 0].tolist() == [0, 10]


def test_links_are_followed_but_not_around_for_ever(tmp_path):
    write(tmp_path / "elsewhere" / "0.png", plain(10))
    write(tmp_path / "root" / "b" / "more" / "0.png", plain(20))
    write(tmp_path / "root" / "c" / "0.png", plain(30))
    (tmp_path / "root" / "a").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "root" / "d.png").symlink_to(tmp_path / "elsewhere" / "0.png")
    (tmp_path / "root" / "b" / "more" / "up").symlink_to(tmp_path / "root")
    (tmp_path / "root" / "b" / "c").symlink_to(tmp_path / "root" / "c")  # not around: counts twice
    found = read_folder(tmp_path / "root", "all")
    assert found.images[:, 0, 0, 0].tolist() == [10, 30, 20, 30, 10]
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    assert len(read_folder(tmp_path / "link", "all")) == 1


def test_other_files_do_not_count(tmp_path):
    write(tmp_path / "a.png", plain(0))
    (tmp_path / "notes.txt").write_text("nothing")
    assert len(read(tmp_path)) == 1


def test_an_empty_folder_is_refused(tmp_path):
    (tmp_path / "notes.txt").write_text("nothing")
    with pytest.raises(FileNotFoundError, match=rf"no images in {tmp_path}\. .*\.jpeg, .*\.png"):
        read(tmp_path)


def test_a_missing_folder_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match=f"no folder {tmp_path}/nothing"):
        read(tmp_path / "nothing")


def test_a_tilde_is_the_home_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    write(tmp_path / "pictures" / "a.png", plain(0))
    assert len(read("~/pictures")) == 1


# --- Archives


def archive(folder, **arrays):
    np.savez(folder / "data.npz", **arrays)
    return f"npz:{folder / 'data.npz'}"


def test_an_archive_with_splits(tmp_path):
    train, test = numbered(5, 2), numbered(3, 2)
    name = archive(
        tmp_path,
        x_train=train.images,
        y_train=train.labels,
        x_test=test.images,
        y_test=test.labels,
    )
    for split, expected in (("train", train), ("test", test)):
        np.testing.assert_array_equal(source(name, split).images, expected.images)
        np.testing.assert_array_equal(source(name, split).labels, expected.labels)


def test_an_archive_without_splits_keeps_one_in_ten_for_the_test(tmp_path):
    name = archive(tmp_path, x=numbered(25).images, y=numbered(25).labels)
    assert source(name, "test").labels.tolist() == [9, 19]
    train = source(name)
    assert train.labels.tolist() == [index for index in range(25) if index not in (9, 19)]
    np.testing.assert_array_equal(train.images[:, 0], train.labels)


def test_an_archive_of_too_few_examples_to_hold_any_out_says_so(tmp_path):
    name = archive(tmp_path, x=numbered(9).images)
    assert len(source(name)) == 9
    with pytest.raises(
        ValueError, match="every tenth example is held out, .*data.npz holds only 9"
    ):
        source(name, "test")


def test_an_archive_without_labels(tmp_path):
    assert source(archive(tmp_path, x=np.zeros([25, 2]))).labels is None
    assert source(archive(tmp_path, x_train=np.zeros([25, 2]))).labels is None


def test_an_archive_without_examples_is_refused(tmp_path):
    name = archive(tmp_path, x_train=np.zeros([3, 2]), photos=np.zeros([3, 2]))
    with pytest.raises(ValueError, match=r"must hold `x_train` and `x_test`.*'photos', 'x_train'"):
        source(name, "test")


def test_a_missing_archive_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match=f"no file {tmp_path}/nothing.npz"):
        source(f"npz:{tmp_path}/nothing.npz")


@pytest.mark.parametrize(
    "content",
    [
        b"garbage",
        b"PK\x03\x04 half an archive",
    ],
)
def test_a_broken_archive_is_refused_by_name(tmp_path, content):
    (tmp_path / "broken.npz").write_bytes(content)
    with pytest.raises(ValueError, match=r"broken\.npz"):
        source(f"npz:{tmp_path / 'broken.npz'}")


def test_a_bare_array_is_refused_by_name(tmp_path):
    np.save(tmp_path / "array.npy", np.zeros([3, 2]))
    with pytest.raises(ValueError, match=r"array\.npy"):
        source(f"npz:{tmp_path / 'array.npy'}")


def test_static_binarization_never_changes():
    grey = Source(np.full([20, 4, 4, 1], 128, np.uint8))
    options = {"shuffle": False, "batch_size": 20, "repeat": True, "binarized": "static"}
    first, second, other = (
        next(iter(batches(grey, seed=seed, first_step=step, **options))).numpy()
        for seed, step in ((0, 0), (0, 5), (1, 0))
    )
    assert set(np.unique(first)) == {0.0, 1.0} and 0.4 < first.mean() < 0.6
    np.testing.assert_array_equal(first, second)
    assert not np.array_equal(first, other)


def test_other_kinds_of_binarization_are_refused():
    with pytest.raises(ValueError, match="`binarized` must be.*Received: True"):
        batches(Source(np.zeros([2, 4, 4, 1], np.uint8)), 2, binarized=True)
    with pytest.raises(ValueError, match="Only images can be binarized"):
        batches(Source(np.zeros([2, 4])), 2, binarized="stochastic")


# --- TensorFlow Datasets


@pytest.fixture
def network_calls(monkeypatch):
    """Cuts the network; returns the addresses that were asked for."""
    calls = []

    def refuse(address, *args, **kwargs):
        calls.append(address)
        raise OSError("there is no network in tests")

    monkeypatch.setattr(socket, "create_connection", refuse)
    return calls


@pytest.fixture
def tfds(monkeypatch, tmp_path):
    """TensorFlow Datasets, with an empty folder of data."""
    import tensorflow_datasets as tfds

    monkeypatch.setattr(tfds.core.constants, "DATA_DIR", str(tmp_path))
    return tfds


@pytest.fixture(scope="module")
def tiny_pictures():
    """Registers a data set that is made, not downloaded."""
    import tensorflow_datasets as tfds

    class TinyPictures(tfds.core.GeneratorBasedBuilder):
        VERSION = tfds.core.Version("1.0.0")
        BUILDER_CONFIGS = [
            tfds.core.BuilderConfig(name=name)
            for name in ("plain", "unlabelled", "mixed", "text", "tags")
        ] + [
            tfds.core.BuilderConfig(name=name, description="Splits as its name says.")
            for name in ("train", "train_validation", "train_validation_test", "validation")
        ]

        def _info(self):
            features = {
                "image": tfds.features.Image(shape=(None, None, 1)),
                "label": tfds.features.ClassLabel(num_classes=3),
                "text": tfds.features.Text(),
            }
            for name in {"unlabelled": ["label"], "text": ["image", "label"]}.get(
                self.builder_config.name, []
            ):
                del features[name]
            if self.builder_config.name == "tags":
                features["label"] = tfds.features.Sequence(tfds.features.ClassLabel(num_classes=3))
            return tfds.core.DatasetInfo(
                builder=self, features=tfds.features.FeaturesDict(features)
            )

        def _split_generators(self, dl_manager):
            if self.builder_config.description:
                counts = {"train": 20, "validation": 3, "test": 2}
                names = self.builder_config.name.split("_")
                return {name: self._generate_examples(counts[name]) for name in names}
            return {"train": self._generate_examples(7), "test": self._generate_examples(2)}

        def _generate_examples(self, count):
            for index in range(count):
                height = 4 + (self.builder_config.name == "mixed") * index
                example = {
                    "image": np.full([height, 3, 1], 10 * index, np.uint8),
                    "label": index % 3 if self.builder_config.name != "tags" else [0] * index,
                    "text": str(index),
                }
                yield index, {name: example[name] for name in self.info.features}

    return TinyPictures


@pytest.fixture
def prepared(tfds, tiny_pictures):
    """Prepares one configuration of the data set, as `tfds build` would."""
    return lambda name: tiny_pictures(config=name).download_and_prepare()


# TensorFlow Datasets 4.9.10 asks protobuf for what newer ones deprecate.
quiet_tfds = pytest.mark.filterwarnings(
    r"ignore:label\(\) is deprecated. Use is_required\(\) or is_repeated\(\):DeprecationWarning"
)


@quiet_tfds
def test_a_prepared_tfds_data_set_needs_no_network(prepared, network_calls):
    prepared("plain")
    train, test = (source("tfds:tiny_pictures/plain", split) for split in data.SPLITS)
    assert (len(train), len(test)) == (7, 2)
    assert train.shape == (4, 3, 1) and train.images.dtype == np.uint8
    np.testing.assert_array_equal(train.labels, train.images[:, 0, 0, 0] // 10 % 3)
    assert sorted(train.images[:, 0, 0, 0].tolist()) == [0, 10, 20, 30, 40, 50, 60]
    assert network_calls == []


@quiet_tfds
def test_a_tfds_data_set_that_is_not_there_is_prepared_where_there_is_a_network(
    tfds, tiny_pictures, monkeypatch
):
    hosts = []

    def connect(address, timeout):
        hosts.append(address)
        return socket.socket()

    monkeypatch.setattr(socket, "create_connection", connect)
    for _ in range(2):
        assert len(source("tfds:tiny_pictures/plain")) == 7
    assert hosts == [("storage.googleapis.com", 443)]


@quiet_tfds
def test_a_tfds_data_set_without_labels(prepared):
    prepared("unlabelled")
    assert source("tfds:tiny_pictures/unlabelled").labels is None


@quiet_tfds
@pytest.mark.parametrize(
    ("splits", "counts"),
    [
        ("train", (18, 2, 20)),
        ("train_validation", (20, 3, 23)),
        ("train_validation_test", (20, 2, 22)),
    ],
)
def test_a_tfds_data_set_without_a_test_split_holds_out_another_or_one_in_ten(
    prepared, splits, counts
):
    prepared(splits)
    found = [source(f"tfds:tiny_pictures/{splits}", split) for split in ("train", "test", "all")]
    assert tuple(len(each) for each in found) == counts
    assert sorted(found[2].images[:, 0, 0, 0]) == sorted(
        pixel for each in found[:2] for pixel in each.images[:, 0, 0, 0]
    )


@quiet_tfds
def test_a_tfds_data_set_without_a_train_split_is_refused(prepared):
    prepared("validation")
    with pytest.raises(
        ValueError, match=r"must have the split 'train'. Received: \['validation'\]"
    ):
        source("tfds:tiny_pictures/validation")


@quiet_tfds
def test_a_tfds_data_set_of_many_labels_each_is_refused(prepared):
    prepared("tags")
    with pytest.raises(
        ValueError, match="one label for each image. .*labels that differ in length"
    ):
        source("tfds:tiny_pictures/tags")


@quiet_tfds
def test_a_tfds_data_set_of_many_sizes_needs_one(prepared):
    prepared("mixed")
    with pytest.raises(ValueError, match="tiny_pictures/mixed' differ in size.*--size 64x64"):
        source("tfds:tiny_pictures/mixed")
    resized = source("tfds:tiny_pictures/mixed", size=(5, 6))
    assert resized.shape == (5, 6, 1) and resized.images.dtype == np.uint8
    assert sorted(resized.images[:, 2, 3, 0].tolist()) == [0, 10, 20, 30, 40, 50, 60]


@quiet_tfds
def test_a_tfds_data_set_without_images_is_refused(prepared):
    prepared("text")
    with pytest.raises(ValueError, match=r"must have the feature 'image'. Received: \['text'\]"):
        source("tfds:tiny_pictures/text")


def test_a_tfds_data_set_without_network_says_how_to_bring_it(tfds, network_calls, tmp_path):
    with pytest.raises(ConnectionError) as raised:
        source("tfds:mnist")
    message = str(raised.value)
    assert f"'mnist' is not in {tmp_path}" in message
    for part in ("no network in tests", "`tfds build mnist`", "TFDS_DATA_DIR=", "'embedded'"):
        assert part in message
    assert network_calls == [("storage.googleapis.com", 443)]
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    ("name", "near"), [("mnst", "mnist"), ("fashion_mnis", "fashion_mnist"), ("cifar", "cifar10")]
)
def test_an_unknown_tfds_name_is_answered_with_near_ones(tfds, network_calls, name, near):
    with pytest.raises(ValueError, match=f"none called '{name}'. Did you mean .*'{near}'"):
        source(f"tfds:{name}")
    assert network_calls == []


# --- By name


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("embeded", r"no data called 'embeded'. Did you mean 'embedded'\?"),
        (
            "x",
            "'x'. There are: demo, digits, embedded, folder, grid, marbles, npz, plant, ring, "
            "sprites, tfds.",
        ),
        ("fashion_mnist", r"no data called .*Did you mean 'tfds:fashion_mnist'\?"),
        ("mnist:3.0.1", r"Did you mean 'tfds:mnist:3.0.1'\?"),
        ("/a/folder", r"no data called '/a/folder'. Did you mean 'folder:/a/folder'\?"),
        ("~/pictures", r"Did you mean 'folder:~/pictures'\?"),
        ("data/some.npz", r"Did you mean 'npz:data/some.npz'\?"),
        ("folder", "Expected data by the name 'folder:...'. Received: 'folder'"),
        ("tfds:", "Expected data by the name 'tfds:...'. Received: 'tfds:'"),
        ("demo:3", "Expected data by the name 'demo'. Received: 'demo:3'"),
    ],
)
def test_wrong_names_are_answered_with_right_ones(name, message):
    with pytest.raises(ValueError, match=message):
        source(name)


def test_a_folder_by_its_name_alone_is_answered_with_how_to_name_it(tmp_path, monkeypatch):
    (tmp_path / "pictures").mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=r"'pictures'. Did you mean 'folder:pictures'\?"):
        source("pictures")


def test_all_are_both_splits(tmp_path):
    train, test, every = (source("digits", split) for split in ("train", "test", "all"))
    np.testing.assert_array_equal(every.images, np.concatenate([train.images, test.images]))
    np.testing.assert_array_equal(every.labels, np.concatenate([train.labels, test.labels]))
    assert source("demo", "all").images.shape == (200, 32)


def test_an_unknown_split_is_refused():
    with pytest.raises(ValueError, match=r"one of \('train', 'test', 'all'\). Rec.*'val'"):
        source("embedded", "val")


@pytest.mark.parametrize(("split", "per_class"), [("train", 1000), ("test", 200)])
def test_embedded_images_are_as_many_of_every_class(split, per_class):
    embedded = source("embedded", split)
    assert embedded.images.shape == (10 * per_class, 28, 28, 1)
    assert embedded.images.dtype == np.uint8
    assert np.bincount(embedded.labels).tolist() == [per_class] * 10
    # Fashion-MNIST's mean pixel is 72.9; the images are not scaled or turned to white.
    assert embedded.images.mean() == pytest.approx(72.9, abs=1.5)


def test_embedded_splits_share_no_image_with_each_other():
    train, test = ({image.tobytes() for image in source("embedded", s).images} for s in data.SPLITS)
    assert not train & test


def test_embedded_labels_belong_to_their_images():
    # Trousers (1) are narrow, bags (8) are wide.
    embedded = source("embedded")
    widths = (embedded.images[..., 0] > 0).any(axis=1).sum(axis=1)
    assert widths[embedded.labels == 1].mean() + 8 < widths[embedded.labels == 8].mean()


def test_the_embedded_file_is_small():
    file = importlib.resources.files("tfgen.data.embedded") / "fashion_mnist.npz"
    assert len(file.read_bytes()) < 6_000_000


def test_load_gives_batches_for_fit():
    dataset = data.load_batches("embedded", "test", batch_size=500, shuffle=False, labels=True)
    images, labels = next(iter(dataset))
    assert len(dataset) == 4
    assert images.shape == (500, 28, 28, 1) and images.dtype == tf.float32
    np.testing.assert_array_equal(labels, source("embedded", "test").labels[:500])
    assert tf.reduce_max(images) == 1.0
    small = next(iter(data.load_batches("embedded", batch_size=2, size=(8, 9), channels=3)))
    assert small.shape == (2, 8, 9, 3)


def test_demo_is_the_lectures_hundred_points_around_four_modes():
    demo = source("demo")
    assert demo.images.shape == (100, 32) and demo.images.dtype == np.float32
    assert np.bincount(demo.labels).tolist() == [25] * 4
    centres = np.stack([demo.images[demo.labels == mode].mean(axis=0) for mode in range(4)])
    distances = np.linalg.norm(demo.images[:, np.newaxis] - centres, axis=2)
    np.testing.assert_array_equal(distances.argmin(axis=1), demo.labels)
    # Modes are far from each other, beside their own width.
    own = np.take_along_axis(distances, demo.labels[:, np.newaxis], axis=1)
    others = np.linalg.norm(centres[:, np.newaxis] - centres, axis=2) + 100 * np.eye(4)
    assert others.min() > 3 * own.mean()


def plane_of(points):
    """Returns the two first principal directions and the share of the variance in them."""
    _, singular, directions = np.linalg.svd(points - points.mean(axis=0))
    return directions[:2], np.sum(singular[:2] ** 2) / np.sum(singular**2), singular


def test_demo_lies_on_a_curved_surface_of_two_dimensions():
    demo = four_modes()
    for mode in range(4):
        _, share, singular = plane_of(demo.images[demo.labels == mode])
        assert share > 0.98
        assert singular[1] > 2 * singular[2]
    # Seen from nearer, it is a plane; seen from farther, it is not.
    near, far = four_modes(spread=0.01), four_modes(spread=1.0)
    for mode in range(4):
        assert plane_of(near.images[near.labels == mode])[1] > 0.9995
    assert plane_of(far.images)[1] < 0.99


def test_demo_splits_are_other_points_of_the_same_surface():
    train, test = (source("demo", split) for split in data.SPLITS)
    assert not set(train.images[:, 0].tolist()) & set(test.images[:, 0].tolist())
    for mode in range(4):
        points = train.images[train.labels == mode]
        offsets = test.images[test.labels == mode] - points.mean(axis=0)
        directions, _, _ = plane_of(points)
        outside = offsets - offsets @ directions.T @ directions
        assert np.sum(outside**2) < 0.05 * np.sum(offsets**2)


def test_demo_points_are_a_function_of_the_seed():
    np.testing.assert_array_equal(four_modes().images, four_modes(seed=0).images)
    assert not np.array_equal(four_modes().images, four_modes(seed=1).images)
    assert four_modes(count=7, features=5).images.shape == (7, 5)


# --- Sizes and channels


def two_halves(dtype):
    """Images that are black on the left and white on the right."""
    images = np.zeros([3, 28, 28, 1], dtype)
    images[:, :, 14:] = 255 if dtype == np.uint8 else 1
    return images


@pytest.mark.parametrize(
    "dtype",
    [
        np.uint8,
        np.float32,
    ],
)
@pytest.mark.parametrize("size", [(20, 20), (13, 17), (14, 14)])
def test_images_are_resized_and_keep_their_type_and_range(tmp_path, dtype, size):
    name = archive(tmp_path, x_train=two_halves(dtype), y_train=np.arange(3))
    resized = source(name, size=size)
    assert resized.shape == (*size, 1) and resized.images.dtype == dtype
    left, right = resized.images[:, :, : size[1] // 4], resized.images[:, :, -(size[1] // 4) :]
    np.testing.assert_allclose(left, 0)
    np.testing.assert_allclose(right, 255 if dtype == np.uint8 else 1, rtol=1e-5)
    np.testing.assert_array_equal(resized.labels, range(3))


def test_shrinking_averages_instead_of_skipping(tmp_path):
    stripes = np.zeros([1, 32, 32, 1], np.uint8)
    stripes[:, :, ::4] = 200  # a nearest or two-tap filter would see stripes or nothing
    resized = source(archive(tmp_path, x_train=stripes), size=(4, 4)).images
    np.testing.assert_allclose(resized[:, :, 1:-1], 50, atol=1)


def test_one_number_is_the_size_of_a_square(tmp_path):
    assert data.load_batches("digits", size=12).element_spec.shape == (64, 12, 12, 1)
    write(tmp_path / "a.png", plain(9, 8, 24))
    assert read(tmp_path, size=6).shape == (6, 6, 1)


@pytest.mark.parametrize(
    ("size", "message"),
    [
        (0, "at least 1 pixel. Received: size=0"),
        ((4, -4), r"at least 1 pixel. Received: size=\(4, -4\)"),
        ((4, 4, 3), r"\(height, width\), or one integer. Received: size=\(4, 4, 3\)"),
        ("64x64", r"\(height, width\), or one integer. Received: size=64x64"),
        ((0.5, 0.5), r"\(height, width\), or one integer. Received: size=\(0.5, 0.5\)"),
    ],
)
def test_other_sizes_are_refused(size, message):
    with pytest.raises(ValueError, match=message):
        source("embedded", "test", size)


def test_a_size_that_images_have_leaves_them_alone():
    embedded = source("embedded", "test")
    np.testing.assert_array_equal(
        source("embedded", "test", (28, 28), 1).images[:50], embedded.images[:50]
    )


def test_grey_images_become_colour_and_colour_ones_grey(tmp_path):
    grey = np.arange(0, 250, 10, dtype=np.uint8).reshape(1, 5, 5, 1)
    colour = source(archive(tmp_path, x_train=grey), channels=3).images
    assert colour.dtype == np.uint8
    np.testing.assert_array_equal(colour, np.repeat(grey, 3, axis=-1))
    primaries = np.uint8([[[[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255], [0, 0, 0]]]])
    back = source(archive(tmp_path, x_train=primaries), channels=1).images
    assert back.shape == (1, 1, 5, 1) and back.dtype == np.uint8
    np.testing.assert_allclose(back.ravel(), [76, 150, 29, 255, 0], atol=1)


def test_white_stays_in_range_when_float_images_change_channels(tmp_path):
    white = np.ones([1, 2, 2, 3], np.float32)
    grey = source(archive(tmp_path, x_train=white), channels=1)
    np.testing.assert_allclose(grey.images, 1.0, atol=1e-3)


def test_channels_other_than_one_and_three_are_refused():
    with pytest.raises(ValueError, match="`channels` must be 1 or 3. Received: channels=2"):
        source("embedded", "test", channels=2)


def test_images_of_four_channels_are_refused_where_others_are_asked_for(tmp_path):
    name = archive(tmp_path, x_train=np.zeros([2, 4, 4, 4], np.uint8))
    assert source(name).shape == (4, 4, 4)
    with pytest.raises(ValueError, match="Received: images of 4 channels, and channels=1. .*RGBA"):
        source(name, channels=1)


@pytest.mark.parametrize("options", [{"size": (8, 8)}, {"channels": 3}], ids=str)
def test_vectors_have_no_size_and_no_channels(options):
    with pytest.raises(ValueError, match="Only images have a size and channels"):
        source("demo", **options)
