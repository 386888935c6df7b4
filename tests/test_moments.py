"""Moments in pieces are the moments of the whole."""

import functools

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from tests.replicas import conv_features, labelled
from tfgen.data import Source
from tfgen.evaluation.features import ModelFeatures, PixelFeatures
from tfgen.evaluation.moments import Moments, streaming_moments


def samples(count, size=3, seed=0):
    random = np.random.default_rng(seed)
    return random.normal(size=[count, size]) @ random.normal(size=[size, size]) + 2.0


def assert_moments_of(moments, features, rtol=1e-10):
    assert moments.count == len(features)
    np.testing.assert_allclose(moments.mean, features.mean(axis=0), rtol=rtol)
    expected = np.atleast_2d(np.cov(features, rowvar=False))
    scale = np.abs(expected).max()
    np.testing.assert_allclose(moments.covariance, expected, atol=rtol * scale, rtol=0)


# --- Moments in memory


@pytest.mark.parametrize("splits", [[], [1], [10, 11], [0, 0, 29], [5, 5, 6, 28]])
def test_merged_in_any_order_they_are_those_of_all_samples(splits):
    features = samples(30)
    parts = [Moments.of(part) for part in np.split(features, splits)]
    assert_moments_of(functools.reduce(Moments.merge, parts), features)
    assert_moments_of(functools.reduce(Moments.merge, parts[::-1]), features)
    halves = functools.reduce(Moments.merge, parts[1:], Moments.none(3))
    assert_moments_of(parts[0].merge(halves), features)


def test_no_samples_change_nothing():
    features = samples(5)
    moments, none = Moments.of(features), Moments.none(3)
    for merged in (
        moments.merge(none),
        none.merge(moments),
        moments.merge(Moments.of(features[:0])),
    ):
        assert_moments_of(merged, features)
    assert none.merge(none).count == 0
    np.testing.assert_array_equal(none.merge(none).scatter, np.zeros([3, 3]))


@pytest.mark.parametrize(("dtype", "digits"), [(np.float32, 1e-12), (np.float64, 1e-9)])
def test_a_large_offset_costs_no_digits(dtype, digits):
    features = (samples(1000) + 1e6).astype(dtype)
    # Shifted without rounding: float32 numbers of a million are apart by 1/16.
    expected = np.cov((features.astype(np.float64) - 1e6), rowvar=False)
    parts = functools.reduce(Moments.merge, map(Moments.of, np.split(features, 100)))
    for moments in (Moments.of(features), parts):
        np.testing.assert_allclose(moments.covariance, expected, rtol=digits * 100)
        np.testing.assert_allclose(moments.mean, features.mean(axis=0, dtype=np.float64))


def test_sums_of_single_precision_are_kept_in_double():
    features = samples(7).astype(np.float32)
    moments = Moments.of(tf.constant(features))
    assert moments.mean.dtype == moments.scatter.dtype == np.float64
    assert_moments_of(moments, features.astype(np.float64))


@pytest.mark.parametrize("value", [0.1, 0.3, 1e6])
def test_a_constant_has_a_variance_of_exactly_zero(value):
    moments = Moments.of(np.full([1000, 2], value))
    np.testing.assert_array_equal(moments.scatter, np.zeros([2, 2]))
    np.testing.assert_array_equal(moments.mean, [value, value])


@pytest.mark.parametrize("count", [0, 1])
def test_a_covariance_needs_two_samples(count):
    moments = Moments.of(samples(3)[:count])
    with pytest.raises(ValueError, match=f"at least 2 samples. Received: {count}"):
        _ = moments.covariance


# --- Streaming; tests/test_strategies.py has more replicas than one


@pytest.mark.parametrize("kind", ["array", "source", "tensor", "data set", "labelled"])
def test_streaming_takes_what_features_take(kind):
    images = np.random.default_rng(0).random([23, 2, 3, 1], np.float32)
    dataset = tf.data.Dataset.from_tensor_slices(images)
    taken = {
        "array": images,
        "source": Source(images),
        "tensor": tf.constant(images),
        "data set": dataset.batch(5),
        "labelled": tf.data.Dataset.zip(dataset, tf.data.Dataset.range(23)).batch(5),
    }
    moments = streaming_moments(PixelFeatures(), taken[kind], batch_size=5)
    assert_moments_of(moments, images.reshape(23, 6).astype(np.float64))


@pytest.mark.parametrize("strategy", [None, "one device"])
def test_streaming_agrees_with_the_features_in_memory(strategy):
    strategy = tf.distribute.OneDeviceStrategy("CPU:0") if strategy else None
    features = conv_features()
    images = np.random.default_rng(0).random([11, 8, 8, 1], np.float32)
    for dataset in (labelled(images, 4), labelled(images, 4, drop_remainder=True)):
        used = np.concatenate([batch for batch, _ in dataset])
        moments = streaming_moments(features, dataset, strategy=strategy)
        assert_moments_of(moments, features(used).astype(np.float64), rtol=1e-5)


def test_streaming_keeps_the_dark():
    moments = streaming_moments(PixelFeatures(), np.zeros([4, 3, 3, 1], np.uint8), batch_size=3)
    assert moments.count == 4
    np.testing.assert_array_equal(moments.covariance, np.zeros([9, 9]))


def test_streaming_traces_once_for_batches_of_any_size():
    traces = []

    class Counted(PixelFeatures):
        def extract(self, images):
            traces.append(images.shape)
            return super().extract(images)

    sizes = tf.data.Dataset.from_tensor_slices(list(range(1, 9)))
    ragged = sizes.map(lambda size: tf.zeros([size, 2, 2, 1]))
    assert streaming_moments(Counted(), ragged).count == 36
    assert len(traces) <= 2


def test_streaming_refuses_no_images():
    empty = tf.data.Dataset.from_tensor_slices(np.zeros([0, 2], np.float32)).batch(3)
    with pytest.raises(ValueError, match="There are no images: the data set yields no batch"):
        streaming_moments(PixelFeatures(), empty)
    with pytest.raises(ValueError, match="at least one. Received: an array of shape"):
        streaming_moments(PixelFeatures(), np.zeros([0, 2], np.float32))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("place", [0, 4])
def test_streaming_refuses_features_that_are_not_finite(value, place):
    images = np.random.default_rng(0).random([5, 2], np.float32)
    images[place, 1] = value
    dataset = tf.data.Dataset.from_tensor_slices(images).batch(2)
    with pytest.raises(ValueError, match="Features 'pixels' of these images are NaN or infinite"):
        streaming_moments(PixelFeatures(), dataset)


def test_streaming_refuses_a_network_that_gives_nan():
    inputs = keras.Input([2])
    network = keras.Model(inputs, layers.Dense(1, bias_initializer=lambda *_, **__: np.nan)(inputs))
    with pytest.raises(ValueError, match="Features 'broken' of these images"):
        streaming_moments(ModelFeatures(network, "broken"), np.ones([3, 2], np.float32))
