import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

import tfgen
from tests.specimens import SHAPE, compiled, images
from tfgen import bounds, distributions, networks

FEATURES, LATENTS, SCALE = 5, 2, 0.7


def linear_vae(**options):
    """A VAE with linear networks: p(x) is normal, and known."""
    keras.utils.set_random_seed(1)
    small = keras.initializers.RandomNormal(stddev=0.2, seed=1)
    encoder_inputs = keras.Input((FEATURES,))
    location = layers.Dense(LATENTS, kernel_initializer=small)(encoder_inputs)
    scale = layers.Dense(LATENTS, kernel_initializer="zeros")(encoder_inputs)
    decoder_inputs = keras.Input((LATENTS,))
    return tfgen.VAE(
        keras.Model(encoder_inputs, [location, scale]),
        keras.Model(
            decoder_inputs, layers.Dense(FEATURES, kernel_initializer=small)(decoder_inputs)
        ),
        distributions.StandardNormal(LATENTS),
        distributions.DiagonalNormal(),
        distributions.Gaussian(scale=SCALE),
        **options,
    )


def points(count=20):
    return np.random.default_rng(0).normal(size=(count, FEATURES)).astype(np.float32)


def exact_log_likelihood(model, examples):
    weights, bias = (variable.numpy().astype(float) for variable in model.decoder.weights)
    covariance = weights.T @ weights + SCALE**2 * np.eye(FEATURES)
    centred = examples - bias
    _, determinant = np.linalg.slogdet(2 * np.pi * covariance)
    return -0.5 * (
        np.einsum("ni,ij,nj->n", centred, np.linalg.inv(covariance), centred) + determinant
    )


def test_the_bounds_are_in_order_and_reach_the_likelihood():
    model, examples = linear_vae(), points()
    exact = exact_log_likelihood(model, examples)
    draw = tf.function(lambda seed: model.elbo(examples, seed=seed), autograph=False)
    elbo = np.mean([draw(tf.constant(seed, tf.int64)) for seed in range(300)])
    few = np.mean([model.log_likelihood(examples, 5, seed=seed) for seed in range(20)])
    many = np.mean(model.log_likelihood(examples, 5000))
    assert elbo < few - 0.01 < many - 0.02
    np.testing.assert_allclose(many, exact.mean(), atol=0.02)


def test_the_gap_of_the_elbo_is_the_divergence_from_the_true_posterior():
    model, examples = linear_vae(), points()
    weights, bias = (variable.numpy() for variable in model.decoder.weights)
    covariance = np.linalg.inv(np.eye(LATENTS) + weights @ weights.T / SCALE**2)
    mean = (examples - bias) @ weights.T @ covariance / SCALE**2
    posterior = model.encode(examples)
    variance, moved = posterior.variance().numpy(), posterior.mean().numpy() - mean
    precision = np.linalg.inv(covariance)
    gap = 0.5 * (
        variance @ np.diag(precision)
        + np.einsum("ni,ij,nj->n", moved, precision, moved)
        - LATENTS
        + np.linalg.slogdet(covariance)[1]
        - np.log(variance).sum(axis=1)
    )
    many = np.repeat(examples, 2000, axis=0)  # each has a latent of its own
    elbo = model.elbo(many).numpy().reshape(len(examples), 2000).mean(axis=1)
    np.testing.assert_allclose(
        exact_log_likelihood(model, examples) - elbo, gap, rtol=0.1, atol=0.1
    )


@pytest.mark.parametrize("samples", [1, 49, 50, 51, 120])
def test_exactly_the_wanted_samples_are_averaged(samples, monkeypatch):
    model, examples = linear_vae(), points(3)
    counted = []

    def fake(images, chunk, noise_seed, prior):
        latents = tf.zeros([chunk, 3, LATENTS])
        posterior = tfgen.distributions.DiagonalNormal().distribution(
            tf.zeros([3, LATENTS]), tf.fill([3, LATENTS], float(np.log(np.e - 1)))
        )
        counted.append(chunk)
        log_likelihood = tf.fill([chunk, 3], 2.0)
        return bounds.Terms(log_likelihood, latents, posterior, model.prior.distribution())

    monkeypatch.setattr(model, "terms", fake)
    # Every weight is exp(2): a sample too many or too few would move the mean.
    np.testing.assert_allclose(model.log_likelihood(examples, samples), 2.0, rtol=1e-5)
    assert counted


def test_the_likelihood_needs_bounded_memory(monkeypatch):
    model = linear_vae()
    seen = []
    terms = model.terms

    def spy(images, chunk, noise_seed, prior):
        seen.append((images.shape[0] or 0) * chunk)
        return terms(images, chunk, noise_seed, prior=prior)

    monkeypatch.setattr(model, "terms", spy)
    result = model.log_likelihood(points(1000), samples=100)
    assert result.shape == (1000,) and max(seen) <= 5000


def test_likelihood_estimates_are_a_function_of_the_seed():
    model, examples = linear_vae(), points()
    first = model.log_likelihood(examples, 10, seed=1)
    np.testing.assert_array_equal(first, model.log_likelihood(examples, 10, seed=1))
    assert not np.array_equal(first, model.log_likelihood(examples, 10, seed=2))
    with pytest.raises(ValueError, match="`samples` must be at least 1. Received: samples=0"):
        model.log_likelihood(examples, samples=0)


def test_the_loss_is_the_lecture_code():
    """recon = reduce_sum(squared_difference), latent = KL, loss = reduce_mean(recon + latent)."""
    model = tfgen.VAE(
        networks.lecture_conv_encoder(SHAPE, 3, filters=4),
        networks.lecture_conv_decoder(SHAPE, 3, filters=4),
        distributions.StandardNormal(3),
        distributions.DiagonalNormal(),
        distributions.Gaussian(scale=0.5**0.5),
    )
    batch = images(8)
    losses = model.compute_losses(batch, training=True)
    location, scale = model.encoder(batch)
    posterior = model.posterior.distribution(location, scale)
    latents = posterior.sample([1, 1], seed=model.noise.seed_of("latents"))[0, 0]
    squared = np.sum((model.decoder(latents) - batch) ** 2, axis=(1, 2, 3))
    mu, variance = location.numpy(), np.log1p(np.exp(scale)) ** 2
    latent = 0.5 * np.sum(mu**2 + variance - np.log(variance) - 1, axis=1)
    constant = 0.5 * batch[0].size * np.log(np.pi)
    np.testing.assert_allclose(losses["loss"], np.mean(squared + latent) + constant, rtol=1e-5)
    np.testing.assert_allclose(losses["divergence"], np.mean(latent), rtol=1e-5)


def test_regularizers_count_in_training():
    model = compiled("dropout_vae")
    losses = model.compute_losses(images(8), training=False)
    penalty = sum(
        0.01 * np.sum(layer.kernel**2)
        for layer in model.encoder.layers
        if getattr(layer, "kernel_regularizer", None)
    )
    assert penalty > 0.01
    np.testing.assert_allclose(
        losses["loss"], losses["reconstruction"] + losses["divergence"] + penalty, rtol=1e-5
    )


@pytest.mark.slow
def test_a_linear_autoencoder_spans_the_principal_plane():
    """The optimum of probabilistic PCA (Tipping and Bishop, 1999), found by gradient descent."""
    random = np.random.default_rng(0)
    mixing = random.normal(size=(LATENTS, FEATURES)) * [[2.0], [1.5]]
    data = random.normal(size=(2000, LATENTS)) @ mixing
    data = (data + random.normal(scale=SCALE, size=data.shape)).astype(np.float32)
    model = linear_vae()
    model.compile(keras.optimizers.Adam(3e-2), jit_compile=True, steps_per_execution=10)
    model.fit(data, batch_size=200, epochs=40, verbose=0)
    _, _, directions = np.linalg.svd(data - data.mean(axis=0), full_matrices=False)
    learnt, _ = np.linalg.qr(model.decoder.weights[0].numpy().T)
    cosines = np.linalg.svd(directions[:LATENTS] @ learnt, compute_uv=False)
    assert cosines.min() > 0.99


def test_samples_come_from_the_prior_through_the_decoder():
    model = linear_vae()
    weights, bias = (variable.numpy() for variable in model.decoder.weights)
    samples = model.sample(20000, seed=3).numpy()
    np.testing.assert_allclose(samples.mean(axis=0), bias, atol=0.05)
    np.testing.assert_allclose(np.cov(samples.T), weights.T @ weights, atol=0.1)


def test_networks_that_do_not_fit_are_refused():
    encoder, decoder = networks.mlp_encoder((8,), 3), networks.mlp_decoder((8,), 3)
    other = networks.mlp_encoder((8,), 4), networks.mlp_decoder((8,), 4)
    values = (
        distributions.StandardNormal(3),
        distributions.DiagonalNormal(),
        distributions.Bernoulli(),
    )
    with pytest.raises(ValueError, match=r"DiagonalNormal.*two outputs: location \[batch, 3\]"):
        tfgen.VAE(other[0], decoder, *values)
    with pytest.raises(ValueError, match=r"decoder must take latents of the prior's size.*\b3\b"):
        tfgen.VAE(encoder, other[1], *values)
    with pytest.raises(
        ValueError, match=r"Bernoulli.*decoder to have one output: logits \[batch, 8\].*\[None, 9\]"
    ):
        tfgen.VAE(encoder, networks.mlp_decoder((9,), 3), *values)
    with pytest.raises(ValueError, match="DiagonalNormal.*softplus.*Received: 1.*heads"):
        tfgen.VAE(networks.mlp_encoder((8,), 3, heads=1), decoder, *values)
    with pytest.raises(ValueError, match="Bernoulli.*have one output.*Received: 2.*heads"):
        tfgen.VAE(encoder, networks.mlp_decoder((8,), 3, heads=2), *values)


def test_the_weight_of_the_divergence_warms_up():
    bound = bounds.ELBO(beta=2.0, warm_up=10)
    model = linear_vae(bound=bound)
    model.compile("adam")
    for step, weight in ((0, 0.0), (5, 1.0), (10, 2.0), (1000, 2.0)):
        model.step.assign(step)
        for training, expected in ((True, weight), (False, 2.0)):
            losses = model.compute_losses(points(), training=training)
            expected = losses["reconstruction"] + expected * losses["divergence"]
            np.testing.assert_allclose(losses["loss"], expected, rtol=1e-5)
