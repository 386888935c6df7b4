"""Flows: causality by Jacobians, densities by autodiff, inverse flows, and flows on vectors."""

import keras
import numpy as np
import pytest
import tensorflow as tf
import tensorflow_probability as tfp

import tfgen
from tests.specimens import SHAPE
from tfgen import bounds, densities, distributions, networks
from tfgen.distributions.flows import AutoregressiveFlow
from tfgen.distributions.masked_network import MaskedNetwork

tfd = tfp.distributions


def normals(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def shaken(weights, spread=0.3):
    """Returns weights of which no layer is 0."""
    return {
        name: tf.constant(value + spread * normals(*value.shape, seed=index))
        for index, (name, value) in enumerate(weights.items())
    }


def jacobian(function, values):
    values = tf.constant(values)
    with tf.GradientTape() as tape:
        tape.watch(values)
        outputs = function(values)
    return tape.batch_jacobian(outputs, values).numpy()


@pytest.mark.parametrize("size", [1, 2, 5])
@pytest.mark.parametrize("context_size", [0, 3])
def test_each_output_hears_all_inputs_before_it_and_no_other(size, context_size):
    network = MaskedNetwork(size, (16, 24), context_size)
    weights = shaken(network.initial_weights(seed=0))
    context = normals(4, context_size, seed=9) if context_size else None
    for output in (0, 1):
        found = jacobian(lambda x, i=output: network(weights, x, context)[i], normals(4, size))
        heard = np.abs(found).sum(axis=0) > 0
        np.testing.assert_array_equal(heard, np.tril(np.ones([size, size]), k=-1) > 0)
    if context_size:
        other = network(weights, normals(4, size), normals(4, context_size, seed=3))
        same = network(weights, normals(4, size), context)
        assert not np.allclose(other[0], same[0])


def test_a_flow_begins_as_the_normal_distribution():
    prior = distributions.FlowPrior(3, steps=2)
    found = prior.distribution(**prior.initial_weights(SHAPE)).log_prob(normals(5, 3))
    expected = distributions.StandardNormal(3).distribution().log_prob(normals(5, 3))
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_a_flow_s_density_is_that_of_the_change_of_variables():
    prior = distributions.FlowPrior(3, steps=3, hidden_sizes=(8,))
    weights = shaken(prior.initial_weights(SHAPE))
    distribution, values = prior.distribution(**weights), normals(6, 3)
    inverse = distribution.bijector.inverse
    _, log_determinant = np.linalg.slogdet(jacobian(inverse, values))
    normal = distributions.StandardNormal(3).distribution().log_prob(inverse(tf.constant(values)))
    np.testing.assert_allclose(
        distribution.log_prob(values), normal + log_determinant, rtol=1e-4, atol=1e-4
    )
    again = distribution.bijector.forward(tf.identity(inverse(tf.constant(values))))
    np.testing.assert_allclose(again, values, atol=1e-4)


def posterior_of(size=3, seed=0):
    posterior = distributions.InverseAutoregressive(steps=2, hidden_sizes=(8,), context_size=4)
    weights = shaken(posterior.initial_weights((size,)), 0.15)
    parameters = normals(5, size), normals(5, size, seed=1), normals(5, 4, seed=2)
    return posterior.distribution(*parameters, **weights), posterior, parameters


def test_an_inverse_flow_knows_the_density_of_its_own_draws():
    distribution, _, _ = posterior_of()
    drawn, log_prob = distribution.experimental_sample_and_log_prob([7], seed=(0, 1))
    np.testing.assert_allclose(
        log_prob, distribution.log_prob(tf.identity(drawn)), rtol=1e-3, atol=1e-3
    )
    base = distribution.distribution.sample([7], seed=(0, 1))
    np.testing.assert_allclose(distribution.bijector.forward(base), drawn, atol=1e-5)


def test_an_inverse_flow_s_density_is_that_of_the_change_of_variables():
    distribution, _, _ = posterior_of()
    base = distribution.distribution.sample(seed=(0, 3))
    _, log_determinant = np.linalg.slogdet(jacobian(distribution.bijector.forward, base))
    values = distribution.bijector.forward(tf.identity(base))
    expected = distribution.distribution.log_prob(base) - log_determinant
    np.testing.assert_allclose(
        distribution.log_prob(tf.identity(values)), expected, rtol=1e-3, atol=1e-3
    )


def test_an_inverse_flow_listens_to_the_example():
    _, posterior, (location, scale, context) = posterior_of()
    weights = shaken(posterior.initial_weights((3,)))
    here = posterior.distribution(location, scale, context, **weights)
    there = posterior.distribution(location, scale, context + 1.0, **weights)
    assert not np.allclose(here.sample(seed=(0, 1)), there.sample(seed=(0, 1)))
    assert here.mean().shape == here.stddev().shape == (5, 3)


def test_its_mean_and_deviation_are_of_its_draws():
    distribution, _, _ = posterior_of()
    drawn = distribution.sample(20_000, seed=(3, 4)).numpy()
    np.testing.assert_allclose(
        distribution.mean(), drawn.mean(axis=0), atol=0.3 * drawn.std(axis=0).max()
    )
    np.testing.assert_allclose(distribution.stddev(), drawn.std(axis=0), rtol=0.3)
    np.testing.assert_array_equal(distribution.mean(), distribution.mean())


def flexible_vae(**options):
    keras.utils.set_random_seed(0)
    return tfgen.VAE(
        networks.mlp_encoder(SHAPE, 3, hidden_sizes=(8,), heads=(3, 3, 4)),
        networks.mlp_decoder(SHAPE, 3, hidden_sizes=(8,)),
        distributions.StandardNormal(3),
        distributions.InverseAutoregressive(steps=2, hidden_sizes=(8,), context_size=4),
        distributions.Bernoulli(),
        **options,
    )


def test_a_vae_takes_the_density_of_its_own_draws():
    model = flexible_vae()
    for weight in model.posterior_weights.values():
        weight.assign(weight + 0.2 * normals(*weight.shape))
    terms = model.terms(np.float32(normals(4, *SHAPE) > 0), 5, (0, 1))
    expected = terms.posterior.log_prob(tf.identity(terms.latents))
    np.testing.assert_allclose(terms.log_posterior, expected, rtol=1e-3, atol=1e-3)
    log_weights = terms.log_likelihood + terms.prior.log_prob(terms.latents) - expected
    np.testing.assert_allclose(terms.log_weights, log_weights, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize(
    "bound",
    [
        bounds.ELBO(),
        pytest.param(bounds.ImportanceWeighted(3, 1, True), marks=pytest.mark.slow),
    ],
)
def test_the_flows_learn_with_the_encoder(bound):
    model = flexible_vae(bound=bound)
    model.compile(keras.optimizers.Adam(1e-2))
    model.fit(np.float32(normals(16, *SHAPE) > 0), batch_size=8, epochs=2, verbose=0)
    first = model.posterior.initial_weights((3,))
    moved = [
        name
        for name, weight in model.posterior_weights.items()
        if (weight != first[name]).numpy().any()
    ]
    assert {"step_0_kernel_1", "step_1_kernel_1", "step_0_bias_1"} <= set(moved)


@pytest.mark.slow
def test_a_flow_prior_is_saved_and_exported_with_what_it_learnt(tmp_path):
    model = tfgen.VAE(
        networks.mlp_encoder(SHAPE, 3, hidden_sizes=(8,)),
        networks.mlp_decoder(SHAPE, 3, hidden_sizes=(8,)),
        distributions.FlowPrior(3, steps=1, hidden_sizes=(8,)),
        distributions.DiagonalNormal(),
        distributions.Bernoulli(),
    )
    before = model.sample(4, seed=2)
    for weight in model.prior_weights.values():
        weight.assign(weight + normals(*weight.shape))
    samples = model.sample(4, seed=2)
    assert np.abs(samples - before).max() > 1e-3
    model.save(tmp_path / "model.keras")
    loaded = tfgen.load(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded.sample(4, seed=2), samples)
    served = tf.saved_model.load(str(tfgen.export(model, tmp_path))).signatures["sample"]
    answer = served(count=tf.constant(4), seed=tf.constant(2, tf.int64))["images"]
    np.testing.assert_allclose(answer, samples, rtol=1e-5, atol=1e-5)


def test_an_encoder_without_a_context_is_refused():
    with pytest.raises(ValueError, match=r"3 outputs: .*context \[batch, 64\]"):
        tfgen.VAE(
            networks.mlp_encoder(SHAPE, 3, hidden_sizes=(8,)),
            networks.mlp_decoder(SHAPE, 3, hidden_sizes=(8,)),
            distributions.StandardNormal(3),
            distributions.InverseAutoregressive(),
            distributions.Bernoulli(),
        )


def ring(count, seed):
    random = np.random.default_rng(seed)
    angle, radius = random.uniform(0, 2 * np.pi, count), 2 + 0.2 * random.normal(size=count)
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1).astype(np.float32)


@pytest.mark.slow
def test_a_flow_finds_a_density_that_one_normal_cannot():
    model = tfgen.DensityModel(
        (2,), densities.Flow(steps=4, hidden_sizes=(32,), training_steps=500)
    )
    model.fit(ring(2000, seed=0), verbose=0)
    normal = tfgen.DensityModel((2,), densities.Gaussian())
    normal.fit(ring(2000, seed=0), verbose=0)
    held_out = ring(1000, seed=1)
    gain = np.mean(model.log_likelihood(held_out) - normal.log_likelihood(held_out))
    assert gain > 0.4
    radii = np.linalg.norm(model.sample(1000, seed=0), axis=1)
    assert np.mean(np.abs(radii - 2) < 0.8) > 0.75


@pytest.mark.slow
def test_a_flow_is_estimated_alike_from_the_same_seed():
    density = densities.Flow(steps=2, hidden_sizes=(8,), training_steps=5)
    first, again, other = (density.estimate(ring(50, 0), seed) for seed in (0, 0, 1))
    assert all(np.array_equal(first[name], again[name]) for name in first)
    assert not all(np.array_equal(first[name], other[name]) for name in first)
    with pytest.raises(ValueError, match="two examples at least. Received: 1"):
        density.estimate(ring(1, 0), 0)


def test_values_that_never_vary_are_refused():
    points = np.concatenate([ring(200, 0), np.full([200, 1], 7.0, np.float32)], axis=1)
    model = tfgen.DensityModel((3,), densities.Flow(steps=1, hidden_sizes=(8,), training_steps=3))
    with pytest.raises(ValueError, match="1 of 3 that never do. Principal components vary"):
        model.fit(points, verbose=0)


def test_few_units_hear_all_inputs_alike():
    network = MaskedNetwork(20, (10, 10))
    weights = shaken(network.initial_weights(seed=0))
    heard = np.abs(jacobian(lambda x: network(weights, x)[0], normals(99, 20))).sum(axis=0) > 0
    assert not np.triu(heard).any() and heard[-1].sum() >= 16


@pytest.mark.slow
def test_flow_posteriors_are_the_components_of_a_vamp_prior():
    model = flexible_vae()
    better = type(model)(
        model.encoder,
        model.decoder,
        distributions.VampPrior(3, pseudo_inputs=5),
        model.posterior,
        model.likelihood,
    )
    better.compile("adam")
    logs = better.fit(np.float32(normals(8, *SHAPE) > 0), batch_size=8, verbose=0)
    assert np.isfinite(logs.history["loss"]).all()


def test_flows_keep_their_order_of_values_apart():
    """Two steps with a turn between: together every value may depend on every other."""
    flow = AutoregressiveFlow(4, 2, (16,))
    bijector = flow.bijector(shaken(flow.initial_weights()))
    found = np.abs(jacobian(bijector.inverse, normals(3, 4))).sum(axis=0)
    assert (found > 0).sum() > 10  # of 16; a single step reaches 10
