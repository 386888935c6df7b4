"""What is missing is drawn from the model's own conditional distribution."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import tfgen
from tests.linear_gaussian import DEVIATION, WEIGHTS, true_posterior
from tests.specimens import SHAPE, compiled, images
from tfgen import distributions

SEEN = np.array([True, False, False])  # of three values


def linear_vae(stretch=1.0, shift=0.0):
    """The linear Gaussian model, with an encoder that is exact, or wrong by as much as is told."""
    mean, variance = true_posterior(np.eye(3, dtype=np.float32))
    inputs = keras.Input((3,))
    location = keras.layers.Dense(2)
    scale = keras.layers.Dense(2, kernel_initializer="zeros")
    encoder = keras.Model(inputs, [location(inputs), scale(inputs)])
    location.set_weights([mean, np.full(2, shift)])
    scale.set_weights([np.zeros([3, 2]), np.log(variance * stretch)])
    latents = keras.Input((2,))
    decoding = keras.layers.Dense(3, use_bias=False)
    decoder = keras.Model(latents, decoding(latents))
    decoding.set_weights([WEIGHTS.T])
    return tfgen.VAE(
        encoder,
        decoder,
        distributions.StandardNormal(2),
        distributions.LogVarianceNormal(),
        distributions.Gaussian(scale=DEVIATION),
    )


def conditional(example):
    """Returns mean and covariance of the missing values, given the seen ones, in closed form."""
    covariance = WEIGHTS @ WEIGHTS.T + DEVIATION**2 * np.eye(3)
    across = covariance[np.ix_(~SEEN, SEEN)] @ np.linalg.inv(covariance[np.ix_(SEEN, SEEN)])
    mean = across @ example[SEEN]
    return mean, covariance[np.ix_(~SEEN, ~SEEN)] - across @ covariance[np.ix_(SEEN, ~SEEN)]


@pytest.mark.parametrize(
    ("stretch", "shift"),
    [
        pytest.param(1.0, 0.0, marks=pytest.mark.slow),
        pytest.param(1.5, 0.2, marks=pytest.mark.slow),
        (2.0, -0.3),
    ],
)
def test_draws_are_those_of_the_decoder_s_model_whatever_the_encoder(stretch, shift):
    """Encoding, decoding and drawing alone would be right for the exact encoder only."""
    example, count = np.array([1.5, 0.0, 0.0], np.float32), 20_000
    rows, mask = np.tile(example, [count, 1]), np.tile(SEEN, [count, 1])
    drawn = linear_vae(stretch, shift).impute(rows, mask, seed=0, steps=60).numpy()
    mean, covariance = conditional(example)
    error = 4 * np.sqrt(np.diag(covariance) / count)
    assert (np.abs(drawn[:, ~SEEN].mean(axis=0) - mean) < error).all()
    np.testing.assert_allclose(np.cov(drawn[:, ~SEEN].T), covariance, rtol=0.05, atol=0.05)


def test_what_is_seen_stays_to_the_bit():
    model, pictures = compiled("conv_vae"), images(6)
    mask = np.random.default_rng(1).random(pictures.shape) < 0.5
    found = model.impute(pictures, mask, seed=0, steps=3).numpy()
    np.testing.assert_array_equal(found[mask], pictures[mask])
    assert (found[~mask] != pictures[~mask]).mean() > 0.99


def test_nothing_is_drawn_where_nothing_is_missing():
    model, pictures = compiled("mlp_vae"), images(2)
    found = model.impute(pictures, np.ones_like(pictures), seed=0, steps=2)
    np.testing.assert_array_equal(found, pictures)


def test_where_everything_is_missing_the_images_do_not_matter():
    model, mask = compiled("mlp_vae"), np.zeros([3, 8, 8, 1])
    found = [model.impute(each, mask, seed=4, steps=3) for each in (images(3), 1 - images(3))]
    np.testing.assert_array_equal(*found)


def test_the_seed_decides():
    model, mask = compiled("mlp_vae"), np.zeros([3, 8, 8, 1])
    first, again, other = (model.impute(images(3), mask, seed, steps=3) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 0.1


def test_a_mask_of_one_channel_is_that_of_all():
    model = compiled("mlp_vae")
    mask = np.random.default_rng(1).random([3, 8, 8, 1]) < 0.5
    found = model.impute(images(3), tf.constant(mask), seed=1, steps=2)
    np.testing.assert_array_equal(found.numpy()[mask], images(3)[mask])


@pytest.mark.slow
def test_an_export_draws_what_the_model_does(tmp_path):
    model, pictures = compiled("mlp_vae"), images(2)
    mask = np.random.default_rng(1).random(pictures.shape).round().astype("f")
    loaded = tf.saved_model.load(str(tfgen.export(model, tmp_path / "vae")))
    found = loaded.signatures["impute"](
        images=tf.constant(pictures), mask=tf.constant(mask), seed=tf.constant(3, tf.int64)
    )
    expected = model.impute(pictures, mask, 3, pixel_noise=False)
    np.testing.assert_allclose(found["images"], expected, atol=1e-6)


@pytest.mark.slow
def test_without_pixels_noise_missing_values_are_the_mean_given_the_drawn_latents():
    """Their covariance is that of the whole less the pixels' own noise."""
    example, count = np.array([1.5, 0.0, 0.0], np.float32), 20_000
    rows, mask = np.tile(example, [count, 1]), np.tile(SEEN, [count, 1])
    found = linear_vae().impute(rows, mask, seed=0, steps=60, pixel_noise=False).numpy()
    mean, covariance = conditional(example)
    covariance -= DEVIATION**2 * np.eye(2)
    np.testing.assert_allclose(found[:, ~SEEN].mean(axis=0), mean, atol=0.05)
    np.testing.assert_allclose(np.cov(found[:, ~SEEN].T), covariance, rtol=0.05, atol=0.05)


@pytest.mark.parametrize("shape", [[3, 8, 8], [2, 8, 8, 1], [3, 8, 4, 1], [3, 64]])
def test_a_mask_of_another_shape_is_refused(shape):
    with pytest.raises(ValueError, match="`mask` must be shaped as the images"):
        compiled("mlp_vae").impute(images(3), np.ones(shape), seed=0)


def test_no_steps_are_refused():
    with pytest.raises(ValueError, match="`steps` must be at least 1. Received: steps=0"):
        compiled("mlp_vae").impute(images(3), np.ones([3, 8, 8, 1]), steps=0)


@pytest.mark.parametrize("shape", [SHAPE, (1, *SHAPE)])
def test_one_mask_is_that_of_all_images(shape):
    model, mask = compiled("mlp_vae"), np.random.default_rng(1).random(shape) < 0.5
    found = model.impute(images(3), mask, seed=1, steps=2)
    every = np.broadcast_to(mask, [3, *SHAPE])
    np.testing.assert_array_equal(found, model.impute(images(3), every, seed=1, steps=2))


@pytest.mark.parametrize(
    ("value", "told"), [(0.5, "0.5"), (np.nan, "nan"), (2, "2"), ("yes", "yes")]
)
def test_a_mask_of_other_values_is_refused(value, told):
    mask = np.full([3, *SHAPE], value)
    with pytest.raises(
        ValueError, match=f"booleans, or numbers that are 0 or 1.*mask with .*{told}"
    ):
        compiled("mlp_vae").impute(images(3), mask)


def test_what_is_seen_must_be_finite_and_what_is_missing_need_not():
    model, pictures = compiled("mlp_vae"), images(3).copy()
    pictures[0, :2] = np.nan
    with pytest.raises(ValueError, match="16 of 192 values that are seen are NaN or infinite"):
        model.impute(pictures, np.ones_like(pictures))
    found = model.impute(pictures, np.isfinite(pictures), seed=1, steps=2)
    np.testing.assert_array_equal(found[0, 2:], pictures[0, 2:])
    assert np.isfinite(found).all()
