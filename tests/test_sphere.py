"""Distributions on the sphere against SciPy's, integrals in float64, and closed forms."""

import keras
import numpy as np
import pytest
import scipy.special
import scipy.stats
import tensorflow as tf

import tfgen
from tests.specimens import SHAPE, compiled
from tfgen import callbacks, distributions, networks
from tfgen.distributions import sphere
from tfgen.distributions.polar_angle import PolarAngle

COORDINATES = (2, 3, 4, 6, 21, 101)
CONCENTRATIONS = (1e-6, 0.1, 2.0, 10.0, 500.0, 1e4, 1e6)
every_size = pytest.mark.parametrize("coordinates", COORDINATES)


def directions(count, coordinates, seed=0):
    vectors = np.random.default_rng(seed).normal(size=(count, coordinates))
    return np.float32(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))


def moments(coordinates, concentration):
    """Returns log Z and the first two moments of 1 - cos of the angle, by 20,000 cells."""
    concentration = float(np.float32(concentration))
    spread = 1 / np.sqrt(concentration + coordinates)
    reach = min(np.pi, 12 * spread * (1 + np.sqrt(coordinates)))
    angles = (np.arange(200_000) + 0.5) / 200_000 * reach
    drops = 2 * np.sin(angles / 2) ** 2
    logits = -concentration * drops + (coordinates - 2) * np.log(np.sin(angles))
    masses = scipy.special.softmax(logits)
    log_normalizer = scipy.special.logsumexp(logits) + np.log(reach / 200_000)
    return log_normalizer, np.sum(masses * drops), np.sum(masses * drops**2)


def log_area(coordinates):
    return np.log(2) + coordinates / 2 * np.log(np.pi) - scipy.special.gammaln(coordinates / 2)


@every_size
def test_the_angle_has_the_moments_of_its_density(coordinates):
    angle = PolarAngle(coordinates, tf.constant(CONCENTRATIONS, tf.float32))
    found = angle.log_normalizer, angle.mean_drop(), angle.mean_drop(power=2)
    expected = np.transpose([moments(coordinates, each) for each in CONCENTRATIONS])
    np.testing.assert_allclose(found[0], expected[0], rtol=1e-5, atol=1e-4)
    np.testing.assert_allclose(found[1], expected[1], rtol=2e-5)
    np.testing.assert_allclose(found[2], expected[2], rtol=5e-5)


@every_size
def test_quantiles_invert_the_distribution_function(coordinates):
    probabilities = np.float32(np.linspace(1e-4, 1 - 1e-4, 201))[:, np.newaxis]
    for concentration in CONCENTRATIONS:
        angle = PolarAngle(coordinates, tf.constant([concentration], tf.float32))
        found = angle.quantile(probabilities).numpy()[:, 0].astype(np.float64)
        cells = np.concatenate([[0.0], found])
        # The mass between neighbours, by 400 cells each.
        shares = (np.arange(400) + 0.5) / 400
        inner = cells[:-1, np.newaxis] + np.diff(cells)[:, np.newaxis] * shares
        drops = 2 * np.sin(inner / 2) ** 2
        logs = -np.float32(concentration) * drops + (coordinates - 2) * np.log(np.sin(inner))
        masses = np.exp(logs - moments(coordinates, concentration)[0]).mean(axis=1)
        reached = np.cumsum(masses * np.diff(cells))
        np.testing.assert_allclose(reached, probabilities[:, 0], atol=1e-4)


@pytest.mark.parametrize("coordinates", [2, pytest.param(6, marks=pytest.mark.slow), 101])
@pytest.mark.parametrize("concentration", [1e-3, 2.0, 50.0, 5e4])
def test_the_gradient_of_samples_is_that_of_their_mean(coordinates, concentration):
    """`d E[m^T z] / dk = A'(k)`, which TFP's sampler misses by a seventh at n = 5, k = 2."""
    mean = tf.constant(directions(1, coordinates))
    value = tf.constant([concentration], tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(value)
        samples = sphere.VonMisesFisher(mean, value).sample(40_000, seed=3)
        along = tf.reduce_mean(tf.reduce_sum(samples * mean, axis=-1))
    _, drop, squared = moments(coordinates, concentration)
    assert tape.gradient(along, value).numpy()[0] == pytest.approx(squared - drop**2, rel=0.05)


def test_on_the_ordinary_sphere_all_is_in_closed_form():
    concentration = np.array([0.5, 3.0, 40.0])
    found = sphere.VonMisesFisher(directions(3, 3), tf.constant(concentration, tf.float32))
    mean = 1 / np.tanh(concentration) - 1 / concentration
    log_constant = np.log(concentration / (4 * np.pi * np.sinh(concentration)))
    np.testing.assert_allclose(tf.norm(found.mean(), axis=1), mean, rtol=1e-5)
    np.testing.assert_allclose(
        found.entropy(), -log_constant - concentration * mean, rtol=1e-5, atol=1e-5
    )
    uniform = sphere.UniformOnSphere(3)
    divergence = concentration * mean + log_constant + np.log(4 * np.pi)
    np.testing.assert_allclose(found.kl_divergence(uniform), divergence, rtol=1e-4, atol=1e-6)


@every_size
def test_densities_are_those_of_scipy(coordinates):
    (mean,) = directions(1, coordinates, seed=1)
    points = directions(50, coordinates, seed=2)
    found = sphere.VonMisesFisher(mean[np.newaxis], tf.constant([20.0])).log_prob(points)
    expected = scipy.stats.vonmises_fisher(mean / np.linalg.norm(mean), 20.0)
    points = np.float64(points) / np.linalg.norm(np.float64(points), axis=1, keepdims=True)
    np.testing.assert_allclose(found, expected.logpdf(points), rtol=1e-4, atol=1e-4)
    uniform = sphere.UniformOnSphere(coordinates)
    np.testing.assert_allclose(uniform.log_prob(points), -log_area(coordinates), rtol=1e-5)


def test_samples_have_the_mean_and_the_variance_that_are_told():
    distribution = sphere.VonMisesFisher(directions(2, 4), tf.constant([0.5, 30.0]))
    samples = distribution.sample(100_000, seed=0).numpy()
    np.testing.assert_allclose(np.linalg.norm(samples, axis=-1), 1, atol=1e-3)
    np.testing.assert_allclose(samples.mean(axis=0), distribution.mean(), atol=0.01)
    np.testing.assert_allclose(samples.var(axis=0), distribution.variance(), atol=0.01)


def test_turning_the_mean_direction_turns_the_density_and_leaves_the_divergence():
    turn, _ = np.linalg.qr(np.random.default_rng(0).normal(size=(5, 5)))
    mean, points = directions(1, 5), directions(20, 5, seed=1)
    here = sphere.VonMisesFisher(mean, tf.constant([7.0]))
    there = sphere.VonMisesFisher(np.float32(mean @ turn), tf.constant([7.0]))
    np.testing.assert_allclose(
        here.log_prob(points), there.log_prob(np.float32(points @ turn)), atol=1e-5
    )
    uniform = sphere.UniformOnSphere(5)
    np.testing.assert_allclose(here.kl_divergence(uniform), there.kl_divergence(uniform))


@every_size
def test_without_concentration_it_is_uniform_and_with_much_a_point(coordinates):
    mean, uniform = directions(2, coordinates), sphere.UniformOnSphere(coordinates)
    concentration = tf.constant([0.0, 1e6])
    with tf.GradientTape() as tape:
        tape.watch(concentration)
        found = sphere.VonMisesFisher(mean, concentration)
        divergence, samples = found.kl_divergence(uniform), found.sample(50, seed=0)
        total = tf.reduce_sum(divergence) + tf.reduce_sum(samples)
    assert np.isfinite(tape.gradient(total, concentration)).all()
    divergence = divergence.numpy()
    assert divergence[0] == pytest.approx(0, abs=2e-5)
    flat, _, _ = moments(coordinates, 1e6)
    drop = moments(coordinates, 1e6)[1]
    exact = log_area(coordinates) - (1e6 * drop + flat + log_area(coordinates - 1))
    assert divergence[1] == pytest.approx(exact, rel=1e-4)
    points = np.linalg.norm(samples[:, 1] - mean[1], axis=-1)
    assert points.max() < 6 * np.sqrt(coordinates / 1e6)


def test_uniform_draws_are_unit_vectors_without_a_direction():
    prior = distributions.UniformOnSphere(4)
    samples = prior.distribution().sample(50_000, seed=(0, 1)).numpy()
    np.testing.assert_allclose(np.linalg.norm(samples, axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(samples.mean(axis=0), 0, atol=0.01)
    np.testing.assert_allclose(np.cov(samples.T), np.eye(4) / 4, atol=0.01)


@pytest.mark.parametrize("size", [1, 2.0])
def test_a_sphere_has_two_coordinates_at_least(size):
    with pytest.raises(ValueError, match=f"Received: size={size}"):
        distributions.UniformOnSphere(size)


def test_an_encoder_of_another_shape_is_refused_with_what_is_missing():
    with pytest.raises(ValueError, match=r"concentration before softplus \[batch, 1\]"):
        tfgen.VAE(
            networks.mlp_encoder(SHAPE, 3, hidden_sizes=(8,)),
            networks.mlp_decoder(SHAPE, 3, hidden_sizes=(8,)),
            distributions.UniformOnSphere(3),
            distributions.VonMisesFisher(),
            distributions.Bernoulli(),
        )


def test_latents_off_the_sphere_are_refused_and_nearest_brings_them_there():
    vae = compiled("s_vae")
    with pytest.raises(ValueError, match="must be unit vectors: divide each by its norm, as"):
        vae.generate(tf.constant([[0.0, 1.5, 0.0]]))
    on_it = vae.prior.nearest(tf.constant([[0.0, 1.5, 0.0]]))
    np.testing.assert_allclose(on_it, [[0.0, 1.0, 0.0]])
    assert vae.generate(on_it).shape == (1, *SHAPE)
    answer = tf.function(vae.generate, autograph=False)
    with pytest.raises(tf.errors.InvalidArgumentError, match="must be unit vectors"):
        answer(tf.constant([[0.0, 1.5, 0.0]]))


def test_an_export_brings_latents_to_the_sphere():
    vae = compiled("s_vae")
    function, _ = vae.signatures()["serving_default"]
    near = vae.generate(tf.constant([[0.0, 1.0, 0.0]]))
    np.testing.assert_allclose(function(tf.constant([[0.0, 1.5, 0.0]]))["images"], near, rtol=1e-6)
    assert np.isfinite(function(tf.zeros([1, 3]))["images"]).all()


def test_what_stands_for_an_encoding_is_on_the_sphere():
    vae = compiled("s_vae")
    function, _ = vae.signatures()["encode"]
    answer = function(tf.zeros([3, *SHAPE]))
    np.testing.assert_allclose(tf.norm(answer["direction"], axis=1), 1, atol=1e-5)
    assert (
        answer["concentration"].shape == (3,) and (np.linalg.norm(answer["mean"], axis=1) < 1).all()
    )
    assert vae.generate(answer["direction"]).shape == (3, *SHAPE)


@pytest.mark.slow
def test_a_trained_encoder_comes_to_know_where_examples_are():
    """Points on a circle and a decoder that is right: q(z|x) turns to them."""
    keras.utils.set_random_seed(0)
    angles = np.random.default_rng(0).uniform(0, 2 * np.pi, 500)
    points = np.float32(np.stack([np.cos(angles), np.sin(angles)], axis=1))
    inputs = keras.Input((2,))
    hidden = keras.layers.Dense(16, "relu")(inputs)
    encoder = keras.Model(inputs, [keras.layers.Dense(2)(hidden), keras.layers.Dense(1)(hidden)])
    latents = keras.Input((2,))
    decoder = keras.Model(latents, keras.layers.Identity()(latents))
    vae = tfgen.VAE(
        encoder,
        decoder,
        distributions.UniformOnSphere(2),
        distributions.VonMisesFisher(),
        distributions.Gaussian(scale=0.3),
    )
    vae.compile(keras.optimizers.Adam(0.02))
    vae.fit(points, epochs=15, batch_size=50, verbose=0)
    posterior = vae.encode(points)
    assert np.mean(np.sum(posterior.mode() * points, axis=1)) > 0.98
    # The exact posterior is a von Mises distribution with concentration 1 / 0.3^2.
    assert np.median(posterior.concentration) == pytest.approx(11.1, rel=0.25)


def test_the_globe_shows_both_halves(tmp_path):
    vae = compiled("s_vae")
    callback = callbacks.Globe(tmp_path, side=5)
    callback.set_model(vae)
    picture = callback.render().numpy()
    assert picture.shape == (5 * 9 - 1, 11 * 9 - 1, 1)
    assert (picture[:8, :8] == 255).all()  # a corner
    assert (picture[:, 5 * 9 : 6 * 9] == 255).all()  # between the halves
    middle = vae.generate(tf.constant([[0.0, 0.0, 1.0], [0.0, 0.0, -1.0]])).numpy()
    for image, column in zip(middle, (2, 8), strict=True):
        found = picture[18:26, column * 9 : column * 9 + 8]
        np.testing.assert_allclose(found / 255, image, atol=1 / 255)


def test_the_globe_refuses_another_prior(tmp_path):
    callback = callbacks.Globe(tmp_path)
    callback.set_model(compiled("mlp_vae"))
    with pytest.raises(ValueError, match=r"`UniformOnSphere\(3\)`. Received: StandardNormal"):
        callback.on_train_begin()
