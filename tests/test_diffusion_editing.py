"""What a diffusion makes of examples that are given: against a Gaussian, whose answer is known."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import tfgen
from tfgen import noise_paths, predictions, solvers

COVARIANCE = np.array([[1.0, 0.8], [0.8, 1.0]], np.float32)


class Best(keras.layers.Layer):
    """The mean of the example, given what is seen of it at a time on the straight path."""

    def call(self, noisy, times):
        scale, deviation = (tf.reshape(each, [-1, 1, 1]) for each in (1 - times, times))
        seen = scale**2 * COVARIANCE + deviation**2 * tf.eye(2)
        return tf.squeeze(scale * COVARIANCE @ tf.linalg.solve(seen, noisy[..., tf.newaxis]), -1)


@pytest.fixture(scope="module")
def gaussian():
    inputs = [keras.Input((2,)), keras.Input(())]
    network = keras.Model(inputs, Best()(*inputs))
    values = {"prediction": predictions.Example(), "solver": solvers.DDIM(1.0), "steps": 50}
    return tfgen.Diffusion(network, noise_paths.Linear(), **values)


def test_samples_are_the_gaussian_s(gaussian):
    samples = gaussian.sample(4000, seed=0, steps=300)
    np.testing.assert_allclose(np.cov(samples, rowvar=False), COVARIANCE, atol=0.1)


def test_what_is_missing_comes_from_its_distribution_given_what_is_seen(gaussian):
    given = np.tile(np.array([[1.5, np.nan]], np.float32), [3000, 1])
    mask = np.array([1, 0])
    drawn = gaussian.impute(given, mask, seed=0, repeats=10).numpy()
    np.testing.assert_array_equal(drawn[:, 0], given[:, 0])  # to the bit
    assert drawn[:, 1].mean() == pytest.approx(0.8 * 1.5, abs=0.1)
    assert drawn[:, 1].std() == pytest.approx(np.sqrt(1 - 0.8**2), abs=0.1)
    once = gaussian.impute(given, mask, seed=0, repeats=1).numpy()
    assert abs(once[:, 1].mean() - 1.2) > abs(drawn[:, 1].mean() - 1.2)
    np.testing.assert_array_equal(gaussian.impute(given, mask, seed=0, repeats=10), drawn)


@pytest.mark.parametrize("strength", [0.0, 0.5, 1.0])
def test_variations_keep_less_the_stronger_they_are(gaussian, strength):
    given = np.random.default_rng(0).multivariate_normal([0, 0], COVARIANCE, 4000).astype("f")
    varied = gaussian.vary(given, strength, seed=0).numpy()
    np.testing.assert_allclose(np.cov(varied, rowvar=False), COVARIANCE, atol=0.12)
    kept = np.corrcoef(given[:, 0], varied[:, 0])[0, 1]
    assert {0.0: kept > 0.999, 0.5: 0.3 < kept < 0.95, 1.0: abs(kept) < 0.06}[strength]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"strength": 1.5}, "from 0 to 1"),
        ({"strength": -0.1}, "at least 0"),
        ({"steps": 0}, "`steps` must be at least 1"),
    ],
)
def test_variations_out_of_range_are_refused(gaussian, options, message):
    with pytest.raises(ValueError, match=message):
        gaussian.vary(np.zeros([1, 2], np.float32), **options)


def test_imputations_out_of_range_are_refused(gaussian):
    with pytest.raises(ValueError, match="`repeats` must be at least 1"):
        gaussian.impute(np.zeros([1, 2], np.float32), np.array([1, 0]), repeats=0)
    with pytest.raises(ValueError, match="mask"):
        gaussian.impute(np.zeros([1, 2], np.float32), np.array([1, 0, 1]))
