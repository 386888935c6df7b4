"""Likelihoods of diffusion, against Gaussians whose flow and bound are known."""

import math

import numpy as np
import pytest
import scipy.linalg
import scipy.stats
import tensorflow as tf

import tfgen
from tests.test_diffusion import nothing
from tests.test_noise_paths import MEAN, PATHS, gaussian
from tfgen import noise_paths, predictions
from tfgen.models.diffusion import likelihood

SEED = tf.constant([0, 1])
every_path = pytest.mark.parametrize(
    "path",
    [PATHS[0], *(pytest.param(path, marks=pytest.mark.slow) for path in PATHS[1:])],
    ids=repr,
)


def flow_of(path, denoise):
    def velocity(state, time):
        (scale_rate, deviation_rate), (example, noise) = path.rates(time), denoise(state, time)
        return scale_rate * example + deviation_rate * noise

    return velocity


@every_path
def test_the_flow_tells_a_gaussian_s_density(path):
    points = np.linspace(-0.6, 1.8, 10).astype(np.float32).reshape(5, 2)
    velocity = flow_of(path, gaussian(path, 0.5))
    found = likelihood.flow_log_density(velocity, path, tf.constant(points), 200, SEED)
    expected = scipy.stats.norm.logpdf(points, MEAN, 0.5).sum(axis=1)
    np.testing.assert_allclose(found, expected, atol=0.05)


def test_no_step_of_the_way_leads_nowhere():
    """EDM's last step to an example begins at the least noise, where this way ends."""
    for path in PATHS:
        times = np.array([path.time_to(index, 5) for index in range(6)])
        assert (times[0], times[-1]) == (1, pytest.approx(path.begin, rel=1e-4))
        assert (np.diff(times) < 0).all()


def test_the_divergence_is_the_trace_where_values_depend_on_each_other():
    matrix = np.array([[0.3, 0.9, 0.0], [-0.5, -0.2, 0.4], [0.1, 0.0, 0.5]], np.float32)
    points = tf.tile(tf.constant([[0.4, -1.0, 0.7]]), [20_000, 1])
    found = likelihood.flow_log_density(
        lambda state, _: state @ tf.transpose(matrix), noise_paths.Linear(), points, 20, SEED
    )
    length = 1 - noise_paths.Linear().begin
    noise = scipy.linalg.expm(length * matrix.astype("d")) @ points[0].numpy()
    expected = scipy.stats.norm.logpdf(noise).sum() + length * np.trace(matrix)
    assert np.mean(found) == pytest.approx(expected, abs=0.02)
    assert np.std(found) > 0.1  # each probe's own


@every_path
def test_the_bound_of_the_best_denoiser_is_the_density(path):
    """With many terms the way back is the way of the data, and the bound is tight."""
    spread, point = 0.5, 0.9

    def told(seen, deviation):
        variance = 1 / (1 / spread**2 + 1 / deviation**2)
        mean = variance * (MEAN / spread**2 + seen / deviation**2)
        square = tf.square(point - mean) / variance + tf.math.log(2 * math.pi * variance)
        return -0.5 * tf.reduce_sum(square, axis=1)

    examples = tf.fill([4000, 1], point)
    found = likelihood.variational_bound(gaussian(path, spread), path, examples, 300, SEED, told)
    expected = scipy.stats.norm.logpdf(point, MEAN, spread)
    error = np.std(found) / np.sqrt(len(found))
    assert np.mean(found) == pytest.approx(expected, abs=0.01 + 3 * error) and error < 0.03


def test_a_pixel_is_told_by_what_is_seen_of_it():
    images = np.array([[0, 7, 255]], np.float32) / 255
    seen = tf.constant(2 * images - 1)
    assert float(likelihood.pixel_log_probability(images, seen, 1e-4)[0]) == pytest.approx(
        0, abs=1e-5
    )
    found = float(likelihood.pixel_log_probability(images, seen, 1e4)[0])
    assert found == pytest.approx(-3 * np.log(256), rel=1e-5)
    shifted = likelihood.pixel_log_probability(images, seen + 2 / 255, 1e-4)[0]
    assert shifted < -100  # the next value is seen


def test_noise_leaves_each_pixel_in_its_cell():
    images = np.tile(np.arange(256, dtype=np.float32) / 255, [50, 1])
    cells = likelihood.dequantized(images, SEED).numpy() * 256
    np.testing.assert_array_equal(np.floor(cells), np.tile(np.arange(256), [50, 1]))
    assert np.mean(cells % 1) == pytest.approx(0.5, abs=0.01)


def test_both_tell_the_probability_of_an_image_of_independent_pixels(monkeypatch):
    path, spread = noise_paths.VariancePreserving(), 0.3
    model = tfgen.Diffusion(nothing((4, 4, 1)), path, predictions.V())
    values = np.round(255 * np.random.default_rng(0).normal(0.8, spread / 2, [200, 4, 4, 1]))
    images = (np.clip(values, 0, 255) / 255).astype(np.float32)
    monkeypatch.setattr(model, "denoiser_of", lambda rows, use_ema: gaussian(path, spread))
    cells = np.append(-np.inf, (np.arange(255) + 0.5) * 2 / 255 - 1)
    table = np.log(np.diff(scipy.stats.norm.cdf([*cells, np.inf], MEAN, spread)))
    inner = np.all(values < 255, axis=(1, 2, 3))  # what lies beyond the limits has no density
    expected = table[np.clip(values, 0, 255).astype(int)].sum(axis=(1, 2, 3))[inner].mean()
    found = model.log_likelihood(images, steps=100).numpy()[inner].mean()
    assert found == pytest.approx(expected, rel=0.02)
    bound = model.elbo(images, draws=300).numpy()[inner].mean()
    assert bound == pytest.approx(expected, rel=0.03) and abs(bound - found) < 0.03 * abs(expected)


def test_vectors_have_no_bound_on_pixels_and_ways_have_steps():
    model = tfgen.Diffusion(nothing())
    with pytest.raises(ValueError, match="vectors .3,.*log_likelihood"):
        model.elbo(np.zeros([2, 3], np.float32))
    with pytest.raises(ValueError, match="`steps` must be at least 1"):
        model.log_likelihood(np.zeros([2, 3], np.float32), steps=0)
