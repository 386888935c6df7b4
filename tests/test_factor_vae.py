"""FactorVAE: whose turn moves whom, and what the discriminator learns."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import tfgen
from tests.specimens import compiled, images
from tfgen import bounds, distributions, networks


def test_the_discriminator_s_turn_moves_no_encoder():
    model = compiled("factor_vae")
    before = [variable.numpy() for variable in model.players["vae"]]
    latents = tf.random.stateless_normal([8, 3], (0, 1))
    model.descend(
        "discriminator",
        lambda: model.discriminator_losses(model.encode(images(8)).mean() + latents, True),
    )
    for variable, value in zip(model.players["vae"], before, strict=True):
        np.testing.assert_array_equal(variable.numpy(), value)


def test_the_vae_s_turn_moves_no_discriminator():
    model = compiled("factor_vae")
    before = [variable.numpy() for variable in model.players["discriminator"]]
    model.descend("vae", lambda: model.vae_losses(images(8), True)[0])
    for variable, value in zip(model.players["discriminator"], before, strict=True):
        np.testing.assert_array_equal(variable.numpy(), value)


def test_the_players_share_no_variable_and_leave_none_out():
    model = compiled("factor_vae")
    players = [set(map(id, variables)) for variables in model.players.values()]
    assert not players[0] & players[1]
    assert players[0] | players[1] == set(map(id, model.trainable_variables))


def test_a_permutation_keeps_each_column_s_values_and_parts_its_rows():
    model = compiled("factor_vae")
    latents = tf.tile(tf.range(64.0)[:, tf.newaxis], [1, 3])  # columns that are one
    permuted = model.permuted(latents, tf.constant([1, 2])).numpy()
    np.testing.assert_array_equal(np.sort(permuted, axis=0), latents)
    assert np.abs(np.corrcoef(permuted.T) - np.eye(3)).max() < 0.5
    assert (permuted != latents.numpy()).mean() > 0.9


def test_an_undecided_discriminator_s_loss_is_log_2():
    model = compiled("factor_vae")
    for variable in model.discriminator.variables:
        variable.assign(tf.zeros_like(variable))
    losses = model.discriminator_losses(tf.random.stateless_normal([8, 3], (0, 1)), True)
    np.testing.assert_allclose(losses["discriminator_loss"], np.log(2), rtol=1e-6)


def test_the_loss_is_the_bound_s_and_gamma_times_the_density_ratio():
    model = compiled("factor_vae")
    losses, latents = model.vae_losses(images(8), training=False)
    plain = model.losses_of(model.step_terms(images(8), False), False)["loss"]
    ratio = tf.reduce_mean(model.discriminator(latents))
    np.testing.assert_allclose(losses["total_correlation"], ratio, rtol=1e-5)
    np.testing.assert_allclose(losses["vae_loss"], plain + 3.0 * ratio, rtol=1e-5)


@pytest.mark.slow
def test_the_discriminator_finds_the_total_correlation():
    """Of two normal latents with correlation r it is -1/2 log(1 - r^2)."""
    correlation = 0.8
    keras.utils.set_random_seed(0)
    model = tfgen.FactorVAE(
        networks.mlp_encoder((2,), 2),
        networks.mlp_decoder((2,), 2),
        networks.mlp_discriminator((2,), hidden_sizes=(64, 64), activation="tanh"),
        distributions.StandardNormal(2),
        distributions.DiagonalNormal(),
        distributions.Gaussian(1.0),
    )
    rate = keras.optimizers.schedules.CosineDecay(3e-3, 1500)
    model.compile(vae_optimizer="adam", discriminator_optimizer=keras.optimizers.Adam(rate))
    root = np.linalg.cholesky([[1, correlation], [correlation, 1]]).astype("f")

    @tf.function(autograph=False)
    def step(index):
        draws = tf.random.stateless_normal([1000, 2], tf.stack([index, 1]))
        latents = tf.matmul(draws, root, transpose_b=True)
        model.step.assign_add(1)  # so that each step permutes anew
        return model.descend("discriminator", lambda: model.discriminator_losses(latents, True))

    for index in range(1500):
        step(tf.constant(index))
    latents = tf.random.stateless_normal([20_000, 2], (7, 7)) @ root.T
    found = float(tf.reduce_mean(model.discriminator(latents)))
    assert found == pytest.approx(-0.5 * np.log(1 - correlation**2), abs=0.06)


def built(model, **changed):
    """Returns a FactorVAE of a model's networks and values, of which some are changed."""
    names = "encoder decoder discriminator prior posterior likelihood".split()
    return tfgen.FactorVAE(**{name: getattr(model, name) for name in names} | changed)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"gamma": -1}, "`gamma` must be at least 0. Received: gamma=-1"),
        ({"gamma": np.nan}, "`gamma` must be a finite number. Received: gamma=nan"),
        (
            {"discriminator": networks.mlp_encoder((3,), 2, heads=1)},
            r"one logit for each example, \[batch, 1\]. Received: a discriminator to \[None, 2\]",
        ),
        ({"discriminator": networks.mlp_encoder((3,), 1)}, "must output one logit"),
    ],
)
def test_what_does_not_fit_is_refused(changed, message):
    with pytest.raises(ValueError, match=message):
        built(compiled("factor_vae"), **changed)


def test_a_bound_does_not_scale_the_gradient_of_the_total_correlation():
    """Doubly reparametrized bounds scale that of their own latents."""
    model, gradients = compiled("factor_vae"), []
    for doubly in (False, True):
        bound = bounds.ImportanceWeighted(4, doubly_reparametrized=doubly)
        vae = built(model, bound=bound, seed=5)
        with tf.GradientTape(persistent=True) as tape:
            losses, _ = vae.vae_losses(images(8), training=True)
        gradients.append(tape.gradient(losses["total_correlation"], vae.encoder.trainable_weights))
    for plain, double in zip(*gradients, strict=True):
        np.testing.assert_allclose(double, plain, rtol=1e-4, atol=1e-7)
    assert max(np.abs(each).max() for each in gradients[0]) > 1e-3


def test_without_gamma_the_vae_learns_as_a_vae():
    factor, plain = (compiled(name) for name in ("factor_vae", "mlp_vae"))
    factor.gamma, factor.bound = 0.0, plain.bound
    factor.encoder.set_weights(plain.encoder.get_weights())
    factor.decoder.set_weights(plain.decoder.get_weights())
    losses, _ = factor.vae_losses(images(8), training=True)
    np.testing.assert_allclose(
        losses["vae_loss"], plain.compute_losses(images(8), training=True)["loss"], rtol=1e-6
    )
