"""A VAE asks its values: priors with weights, posteriors of other shapes, bounds of weights."""

import dataclasses
import functools

import keras
import numpy as np
import pytest
import tensorflow as tf
import tensorflow_probability as tfp
from keras import layers

import tfgen
from tests.specimens import compiled, images
from tfgen import bounds, distributions, networks

tfd = tfp.distributions
SHAPE, LATENTS = (5,), 2


@dataclasses.dataclass(frozen=True)
class ShiftedNormal(distributions.Prior):
    """A normal prior whose mean is learnt."""

    def initial_weights(self, example_shape):
        return {"mean": np.full([self.size], 0.5, "f")}

    def distribution(self, mean):
        return tfd.Independent(tfd.Normal(mean, tf.ones_like(mean)), 1)


@dataclasses.dataclass(frozen=True)
class PseudoInputs(distributions.Prior):
    """The mixture of the posteriors of learnt inputs (Tomczak and Welling, 2018, equation 9)."""

    count: int = 3

    needs_encoder = True

    def initial_weights(self, example_shape):
        random = np.random.default_rng(0)
        return {"pseudo_inputs": random.random((self.count, *example_shape), np.float32)}

    def distribution(self, pseudo_inputs, encode):
        parts = encode(pseudo_inputs)
        return tfd.MixtureSameFamily(tfd.Categorical(logits=tf.zeros([self.count])), parts)


@dataclasses.dataclass(frozen=True)
class SharedScale(distributions.Posterior):
    """A normal posterior of one scale for all latents: outputs of two sizes."""

    def parameters(self, latent_shape):
        return {"location": latent_shape, "scale": (1,)}

    def distribution(self, location, scale):
        scale = tf.nn.softplus(scale) * tf.ones_like(location)
        return tfd.Independent(tfd.Normal(location, scale), 1)

    def point(self, distribution):
        return distribution.mean() + 1.0


@dataclasses.dataclass(frozen=True)
class ImportanceWeighted(bounds.Bound):
    """`E log 1/k sum_i w_i` (Burda et al., 2016, equation 8)."""

    samples: int = 5

    def value(self, terms, step):
        return tf.reduce_logsumexp(terms.log_weights, axis=0) - np.log(self.samples)


def vae(prior=None, posterior=None, encoder=None, **options):
    keras.utils.set_random_seed(1)
    model = tfgen.VAE(
        encoder or networks.mlp_encoder(SHAPE, LATENTS, hidden_sizes=(8,)),
        networks.mlp_decoder(SHAPE, LATENTS, hidden_sizes=(8,)),
        prior or distributions.StandardNormal(LATENTS),
        posterior or distributions.DiagonalNormal(),
        distributions.Gaussian(1.0),
        seed=5,
        **options,
    )
    model.compile(keras.optimizers.Adam(1e-2))
    return model


def points(count=64):
    return np.random.default_rng(0).normal(size=(count, *SHAPE)).astype("f")


@pytest.mark.parametrize("prior", [ShiftedNormal(LATENTS), PseudoInputs(LATENTS)])
def test_a_prior_s_own_weights_learn_are_saved_and_sampled_from(prior, tmp_path):
    model = vae(prior)
    (weight,) = model.prior_weights.values()
    before, first = weight.numpy(), model.sample(4, seed=0)
    assert any(weight is variable for variable in model.trainable_variables)
    model.fit(points(), batch_size=16, epochs=2, verbose=0)
    assert np.abs(weight.numpy() - before).max() > 1e-3
    assert np.abs(model.sample(4, seed=0) - first).max() > 1e-3
    model.save(tmp_path / "vae.keras")
    loaded = tfgen.load(tmp_path / "vae.keras")
    np.testing.assert_array_equal(loaded.sample(4, seed=0), model.sample(4, seed=0))
    np.testing.assert_array_equal(loaded.elbo(points(8)), model.elbo(points(8)))


def test_pseudo_inputs_that_are_the_data_make_the_prior_the_posterior():
    """K = 1 and u = x: the divergence is 0, whatever the encoder."""
    model = vae(PseudoInputs(LATENTS, count=1))
    example = points(1)
    model.prior_weights["pseudo_inputs"].assign(example)
    terms = model.terms(tf.constant(example), 200, [1, 2])
    np.testing.assert_allclose(terms.divergence, 0.0, atol=1e-5)


def test_a_posterior_says_which_outputs_it_takes_and_which_point_stands_for_it():
    inputs = keras.Input(SHAPE)
    encoder = keras.Model(inputs, [layers.Dense(LATENTS)(inputs), layers.Dense(1)(inputs)])
    model = vae(posterior=SharedScale(), encoder=encoder)
    model.fit(points(), verbose=0)
    mean = model.encode(points(3)).mean()
    expected = model.decode(mean + 1.0).mean()
    np.testing.assert_allclose(model.reconstruct(points(3)), expected, rtol=1e-6)
    with pytest.raises(ValueError, match=r"SharedScale.*location \[batch, 2\], scale \[batch, 1\]"):
        vae(posterior=SharedScale())


def test_every_bound_is_made_of_the_same_weights():
    model, examples = vae(), points(6)
    weights = model.log_weights(examples, 500, seed=3)
    assert weights.shape == (500, 6)
    mean_weight = np.logaddexp.reduce(weights.numpy(), axis=0) - np.log(500)
    np.testing.assert_allclose(mean_weight, model.log_likelihood(examples, 5000), atol=0.6)
    # E_q[log w] is the ELBO, whose divergence has a closed form.
    draw = tf.function(lambda seed: model.elbo(examples, seed=seed), autograph=False)
    elbos = np.mean([draw(tf.constant(seed, tf.int64)) for seed in range(300)], axis=0)
    np.testing.assert_allclose(weights.numpy().mean(axis=0), elbos, rtol=0.1)


def test_an_importance_weighted_bound_rises_with_its_samples_to_the_likelihood():
    model, examples = vae(), tf.constant(points(64))

    def bound(samples):
        @functools.partial(tf.function, autograph=False)
        def draw(seed):
            return ImportanceWeighted(samples).value(model.terms(examples, samples, seed), None)

        return np.mean([draw(tf.constant([7, index])) for index in range(40)])

    values = [bound(samples) for samples in (1, 5, 50)]
    assert values[0] < values[1] < values[2]
    assert values[2] < np.mean(model.log_likelihood(examples, 5000)) + 0.05


def test_a_bound_of_several_samples_trains():
    model = vae(bound=ImportanceWeighted(5))
    losses = model.fit(points(), batch_size=16, epochs=5, verbose=0).history["loss"]
    assert losses[-1] < losses[0]


@dataclasses.dataclass(frozen=True)
class Silenced(bounds.Bound):
    """Lets no gradient reach the encoder: neither through the latents nor the fixed posterior."""

    samples: int = 3

    def value(self, terms, step):
        terms.gradient.factor = tf.zeros_like(terms.log_likelihood)
        density = terms.fixed_posterior().log_prob(tf.identity(terms.latents))
        return tf.reduce_mean(terms.log_likelihood + density, axis=0)


def test_a_bound_s_factor_and_its_fixed_posterior_reach_the_encoder():
    """Without them the doubly reparametrized gradient would be another, and its value the same."""
    model = vae(bound=Silenced())
    with tf.GradientTape(persistent=True) as tape:
        loss = model.compute_losses(tf.constant(points(4)), training=True)["loss"]
    for variable in model.encoder.trainable_variables:
        assert not np.any(tape.gradient(loss, variable.value, unconnected_gradients="zero"))
    assert np.any(tape.gradient(loss, model.decoder.trainable_variables[0].value))


def test_every_draw_of_a_bound_is_taken_in_a_step():
    model = vae(bound=bounds.ImportanceWeighted(2, repeats=3))
    terms = model.step_terms(points(4), training=True)
    assert terms.latents.shape == (6, 4, LATENTS)


def test_a_vae_may_average_its_weights():
    model = vae(ema_momentum=0.9)
    model.fit(points(), batch_size=8, epochs=3, verbose=0)
    first = model.averages[1]  # of the decoder
    latents = tf.zeros([1, LATENTS])
    averaged, last = model.generate(latents), model.generate(latents, use_ema=False)
    assert np.abs(averaged - last).max() > 1e-4
    for variable, average in zip(model.decoder.variables, first.variables, strict=True):
        variable.assign(average)
    np.testing.assert_allclose(model.generate(latents, use_ema=False), averaged, rtol=1e-5)
    with pytest.raises(ValueError, match="`ema_momentum` must be between 0 and 1.*=1.5"):
        vae(ema_momentum=1.5)


def test_an_average_of_a_network_with_a_state_takes_the_batch():
    model = compiled("denoiser")
    model.fit(images(), batch_size=8, verbose=0)
    average = model.averages[0]
    names = [variable.name for variable in model.network.variables]
    moving = average.variables[names.index("moving_mean")]
    assert np.abs(moving.numpy()).max() > 1e-4
    model.average_inputs = lambda data: [None]
    with pytest.raises(ValueError, match="Override `average_inputs`"):
        model.train_step(images(8))


def test_a_vae_of_labels_says_that_it_knows_none():
    with pytest.raises(ValueError, match="A VAE knows no labels"):
        vae().generate(tf.zeros([1, LATENTS]), labels=[3])
