"""Mixtures, VampPrior and exemplars against NumPy and SciPy; priors fitted afterwards."""

import json

import keras
import numpy as np
import pytest
import scipy.special
import scipy.stats
import tensorflow as tf
import tensorflow_probability as tfp

import tfgen
from tests.specimens import SHAPE, compiled, images
from tfgen import callbacks, distributions, latent_space, networks
from tfgen.distributions.mixtures import mixture_of
from tfgen.distributions.normal import diagonal_normal

tfd = tfp.distributions
LATENTS = 2


def vae(prior, seed=0, **options):
    keras.utils.set_random_seed(seed)
    model = tfgen.VAE(
        networks.mlp_encoder(SHAPE, LATENTS, hidden_sizes=(8,)),
        networks.mlp_decoder(SHAPE, LATENTS, hidden_sizes=(8,)),
        prior,
        distributions.DiagonalNormal(),
        distributions.Bernoulli(),
        **options,
    )
    model.compile(keras.optimizers.Adam(1e-2))
    return model


def normals(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def numpy_mixture(values, locations, scales, shares):
    """Returns the log-density by SciPy, component by component."""
    parts = scipy.stats.norm.logpdf(np.float64(values)[..., np.newaxis, :], locations, scales)
    return scipy.special.logsumexp(parts.sum(axis=-1) + np.log(shares), axis=-1)


@pytest.mark.parametrize("scale", [1e-3, 1.0, 30.0])
def test_the_quick_mixture_is_the_sum_of_its_parts(scale):
    locations, scales = 3 * normals(7, 4), scale * np.exp(normals(7, 4, seed=1))
    logits = normals(7, seed=2)
    mixture = mixture_of(diagonal_normal(locations, scales), logits)
    values = np.concatenate([locations + scales * normals(7, 4, seed=3), normals(9, 4, seed=4)])
    values = values.reshape(2, 8, 4)
    expected = numpy_mixture(values, locations, scales, scipy.special.softmax(logits))
    np.testing.assert_allclose(mixture.log_prob(values), expected, rtol=2e-4, atol=2e-4)
    general = tfd.MixtureSameFamily(
        tfd.Categorical(logits=logits), diagonal_normal(locations, scales)
    )
    np.testing.assert_allclose(
        mixture.log_prob(values), general.log_prob(values), rtol=1e-3, atol=1e-3
    )


def test_mixtures_are_drawn_with_their_shares():
    locations = np.float32([[-4, 0], [4, 1], [0, 8]])
    mixture = mixture_of(diagonal_normal(locations, 0.1 * tf.ones([3, 2])), np.log([0.2, 0.5, 0.3]))
    drawn = mixture.sample(20_000, seed=1).numpy()
    distances = np.linalg.norm(drawn[:, np.newaxis] - locations, axis=-1)
    shares = np.bincount(distances.argmin(axis=1)) / 20_000
    np.testing.assert_allclose(shares, [0.2, 0.5, 0.3], atol=0.015)
    assert distances.min(axis=1).std() < 0.1 and distances.min(axis=1).max() < 0.7


@pytest.mark.parametrize("prior", [distributions.NormalMixture(2, 5), distributions.FlowPrior(2)])
def test_a_prior_integrates_to_one(prior):
    weights = prior.initial_weights(SHAPE)
    weights = {
        name: value + 0.05 * normals(*value.shape, seed=index)
        for index, (name, value) in enumerate(weights.items())
    }
    axis = np.linspace(-12, 12, 481, dtype=np.float32)
    grid = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    density = np.exp(prior.distribution(**weights).log_prob(grid))
    assert density.sum() * (axis[1] - axis[0]) ** 2 == pytest.approx(1, abs=5e-3)


def test_with_the_example_as_its_only_pseudo_input_nothing_is_left_to_tell():
    """`K = 1, u = x`: the prior is the posterior, so that their divergence is 0."""
    model = vae(distributions.VampPrior(LATENTS, pseudo_inputs=1))
    (image,) = images(1)
    model.set_prior_weights(pseudo_inputs=image[np.newaxis])
    terms = model.terms(image[np.newaxis], 5, (0, 1))
    np.testing.assert_allclose(terms.divergence, 0, atol=1e-5)
    np.testing.assert_allclose(terms.log_weights, terms.log_likelihood, atol=1e-5)


def test_a_vamp_prior_is_the_mean_of_its_pseudo_inputs_posteriors():
    model = vae(distributions.VampPrior(LATENTS, pseudo_inputs=6))
    pseudo_inputs = images(6)
    model.set_prior_weights(pseudo_inputs=pseudo_inputs)
    posterior, values = model.encode(pseudo_inputs), normals(10, LATENTS)
    expected = numpy_mixture(values, posterior.mean(), posterior.stddev(), np.full(6, 1 / 6))
    np.testing.assert_allclose(model.prior_distribution().log_prob(values), expected, rtol=1e-4)


def test_a_score_encodes_pseudo_inputs_once_and_not_for_each_image(monkeypatch):
    model, counts = vae(distributions.VampPrior(LATENTS, pseudo_inputs=7)), []
    call = model.encoder.call

    def counted(inputs, **kwargs):
        counts.append(len(inputs))
        return call(inputs, **kwargs)

    monkeypatch.setattr(model.encoder, "call", counted)
    scores = model.score(images(5))["elbo"]
    assert counts == [7, 1, 1, 1, 1, 1]
    alone = [model.elbo(image[np.newaxis])[0] for image in images(5)]
    np.testing.assert_allclose(scores, alone, rtol=1e-5)


def test_pseudo_inputs_are_learnt_and_keep_to_the_limits():
    model = vae(distributions.VampPrior(LATENTS, pseudo_inputs=4))
    before = model.prior_weights["pseudo_inputs"].numpy()
    model.set_prior_weights(pseudo_inputs=before + 5.0)
    outside = model.prior_distribution().log_prob(normals(3, LATENTS))
    model.set_prior_weights(pseudo_inputs=np.ones_like(before))
    np.testing.assert_array_equal(model.prior_distribution().log_prob(normals(3, LATENTS)), outside)
    model.set_prior_weights(pseudo_inputs=before)
    model.fit(images(), batch_size=8, epochs=1, verbose=0)
    assert not np.array_equal(model.prior_weights["pseudo_inputs"].numpy(), before)


def test_pseudo_inputs_of_another_shape_are_refused_and_nothing_changes():
    model = vae(distributions.VampPrior(LATENTS, pseudo_inputs=4))
    before = model.prior_weights["pseudo_inputs"].numpy()
    with pytest.raises(ValueError, match=r"{'pseudo_inputs': \[4, 8, 8, 1\]}. Received: pseudo_in"):
        model.set_prior_weights(pseudo_inputs=np.zeros([4, 7, 7, 1]))
    with pytest.raises(ValueError, match="names and shapes: none. Received: locations of"):
        vae(distributions.StandardNormal(2)).set_prior_weights(locations=np.zeros([1, 2]))
    np.testing.assert_array_equal(model.prior_weights["pseudo_inputs"].numpy(), before)


def test_in_training_exemplars_are_the_others_of_the_batch():
    model = vae(distributions.ExemplarPrior(LATENTS, exemplars=16))
    model.prior_weights["log_scale"].assign(-0.5)
    batch = images(5)
    terms = model.terms(batch, 3, (0, 1), training=True, use_ema=False)
    means = terms.posterior.mean().numpy()
    for row in range(5):
        others = np.delete(means, row, axis=0)
        expected = numpy_mixture(terms.latents[:, row], others, np.exp(-0.5), np.full(4, 1 / 4))
        found = terms.prior.log_prob(terms.latents)[:, row]
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def test_outside_of_training_exemplars_are_the_latest_examples():
    model = vae(distributions.ExemplarPrior(LATENTS, exemplars=12))
    data = images(24)
    model.fit(data, batch_size=8, epochs=1, shuffle=False, verbose=0)
    kept = model.prior_weights["exemplars"].numpy()
    np.testing.assert_array_equal(kept, np.concatenate([data[16:], data[8:12]]))
    means, values = model.encode(kept).mean(), normals(10, LATENTS)
    scale = np.exp(model.prior_weights["log_scale"].numpy())
    expected = numpy_mixture(values, means, scale, np.full(12, 1 / 12))
    np.testing.assert_allclose(model.prior_distribution().log_prob(values), expected, rtol=1e-4)
    assert model.sample(3, seed=0).shape == (3, *SHAPE)


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: distributions.VampPrior(2, pseudo_inputs=0), "pseudo_inputs=0"),
        (lambda: distributions.ExemplarPrior(2, exemplars=0), "exemplars=0"),
        (lambda: distributions.NormalMixture(2, components=0), "components=0"),
        (lambda: distributions.FlowPrior(2, steps=0), "steps=0"),
        (lambda: distributions.FlowPrior(0), "size=0"),
    ],
)
def test_counts_are_at_least_one(make, match):
    with pytest.raises(ValueError, match=f"must be at least 1. Received: {match}"):
        make()


def test_exemplars_need_a_batch_with_others():
    model = vae(distributions.ExemplarPrior(LATENTS, exemplars=4))
    with pytest.raises(ValueError, match="at least 2 examples. Leave out an epoch's last"):
        model.terms(images(1), 1, (0, 1), training=True, use_ema=False)


def test_pseudo_inputs_leave_the_statistics_of_layers_alone():
    inputs = keras.Input(SHAPE)
    hidden = keras.layers.BatchNormalization(momentum=0.0)(keras.layers.Flatten()(inputs))
    encoder = keras.Model(inputs, [keras.layers.Dense(LATENTS)(hidden) for _ in range(2)])
    decoder = networks.mlp_decoder(SHAPE, LATENTS, hidden_sizes=(8,))
    prior = distributions.VampPrior(LATENTS, pseudo_inputs=4)
    values = distributions.DiagonalNormal(), distributions.Bernoulli()
    model = tfgen.VAE(encoder, decoder, prior, *values)
    model.compile("adam")
    model.fit(images(8), batch_size=8, verbose=0)
    mean = encoder.layers[2].moving_mean.numpy()
    np.testing.assert_allclose(mean, images(8).reshape(8, -1).mean(axis=0), rtol=1e-4)


@pytest.mark.parametrize(
    "value",
    [
        distributions.VampPrior(2, 3, limits=(0.0, 2.0)),
        distributions.FlowPrior(2, hidden_sizes=(8, 4)),
        distributions.InverseAutoregressive(hidden_sizes=(8, 4)),
    ],
    ids=repr,
)
def test_a_value_with_a_tuple_is_the_same_after_a_file(value):
    config = json.loads(json.dumps(keras.saving.serialize_keras_object(value)))
    found = keras.saving.deserialize_keras_object(config)
    assert found == value and hash(found) == hash(value)


def test_what_asks_for_independent_values_refuses_priors_that_learn():
    for prior in (distributions.NormalMixture(2), distributions.VampPrior(2)):
        with pytest.raises(ValueError, match="must be independent"):
            latent_space.quantiles(prior, [0.5])


def two_hills(count=2000):
    """Points of two well separated normals, of which a standard normal prior knows nothing."""
    random = np.random.default_rng(0)
    centres = np.array([[3.0, 0.0], [-3.0, 0.0]])[random.integers(2, size=count)]
    return (centres + 0.3 * random.normal(size=(count, 2))).astype(np.float32)


def point_vae(**options):
    keras.utils.set_random_seed(0)
    model = tfgen.VAE(
        networks.mlp_encoder((2,), 2, hidden_sizes=(16,)),
        networks.mlp_decoder((2,), 2, hidden_sizes=(16,)),
        distributions.StandardNormal(2),
        distributions.DiagonalNormal(),
        distributions.Gaussian(0.3),
        **options,
    )
    model.compile(keras.optimizers.Adam(1e-2))
    return model


@pytest.mark.parametrize(
    "prior",
    [
        distributions.NormalMixture(2, 4),
        pytest.param(distributions.FlowPrior(2, 3), marks=pytest.mark.slow),
    ],
    ids=repr,
)
def test_a_prior_that_is_fitted_afterwards_raises_the_bound_and_leaves_the_networks(prior):
    model, points = point_vae(ema_momentum=0.9), two_hills()
    model.fit(points, batch_size=100, epochs=8, verbose=0)
    before = [each.numpy() for each in model.trainable_variables]
    better = tfgen.fit_prior(model, prior, points, steps=300)
    for value, variable in zip(before, model.trainable_variables, strict=True):
        np.testing.assert_array_equal(value, variable.numpy())
    gain = better.elbo(points).numpy().mean() - model.elbo(points).numpy().mean()
    assert gain > 0.15
    np.testing.assert_array_equal(better.reconstruct(points[:5]), model.reconstruct(points[:5]))

    def strays(of):
        samples = of.sample(2000, seed=0).numpy()
        return np.mean(np.abs(samples[:, 0]) < 1.5)

    assert strays(better) < strays(model)


def test_only_priors_that_learn_can_be_fitted():
    model = point_vae()
    for prior in (distributions.StandardNormal(2), distributions.ExemplarPrior(2)):
        with pytest.raises(ValueError, match="all of whose weights are learnt"):
            tfgen.fit_prior(model, prior, two_hills(10))
    with pytest.raises(TypeError, match="needs a `tfgen.VAE`. Received: a HierarchicalVAE"):
        tfgen.fit_prior(compiled("ladder"), distributions.NormalMixture(5), images())
    with pytest.raises(
        ValueError, match=r"of the model's latents, \[2\]. Received: FlowPrior\(size=3"
    ):
        tfgen.fit_prior(model, distributions.FlowPrior(3), two_hills(10))


def test_the_mixtures_specimen_samples_from_what_it_learnt():
    model = compiled("vamp_vae")
    drawn = model.prior_distribution().sample(2000, seed=(0, 1)).numpy()
    posterior = model.encode(model.prior_weights["pseudo_inputs"])
    np.testing.assert_allclose(drawn.mean(0), posterior.mean().numpy().mean(0), atol=0.1)


def test_pseudo_inputs_are_shown(tmp_path):
    model = compiled("vamp_vae")
    callback = callbacks.PriorExamples(tmp_path, count=4, columns=2)
    callback.set_model(model)
    shown, pseudo_input = callback.render().numpy() / 255, model.prior_weights["pseudo_inputs"][2]
    assert shown.shape == (4 * 9 - 1, 2 * 9 - 1, 1)
    np.testing.assert_allclose(shown[18:26, :8], pseudo_input, atol=1 / 255)
    rebuilt = model.reconstruct(pseudo_input[tf.newaxis])[0]
    np.testing.assert_allclose(shown[27:35, :8], rebuilt, atol=1 / 255)
    callback.set_model(compiled("mlp_vae"))
    with pytest.raises(ValueError, match="such as `VampPrior`. Received: StandardNormal"):
        callback.on_train_begin()


def test_a_conditional_vae_takes_no_prior_that_needs_examples():
    networks_of = compiled("cvae")
    with pytest.raises(ValueError, match="ConditionalVAE takes labels, too.*VampPrior"):
        tfgen.ConditionalVAE(
            networks_of.encoder,
            networks_of.decoder,
            prior=distributions.VampPrior(3),
            posterior=distributions.DiagonalNormal(),
            likelihood=distributions.Bernoulli(),
            num_classes=10,
        )
