"""BEGAN against matrices: a linear generator and a linear autoencoder of images of four pixels."""

import math

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

import tfgen
from tfgen import distributions

LATENTS, SHAPE = 2, (2, 2, 1)


def linear(size, shape=SHAPE, penalty=None):
    inputs = keras.Input(size)
    values = math.prod(shape)
    outputs = layers.Dense(values, kernel_regularizer=penalty)(layers.Flatten()(inputs))
    network = keras.Model(inputs, layers.Reshape(shape)(outputs))
    random = np.random.default_rng(len(size))
    network.set_weights([random.normal(size=weight.shape) for weight in network.weights])
    return network


def linear_began(penalty=None, **options):
    return tfgen.BEGAN(
        linear((LATENTS,), penalty=penalty),
        linear(SHAPE, penalty=penalty),
        distributions.StandardNormal(LATENTS),
        seed=3,
        **options,
    )


def compiled_began(rate=0.0, **options):
    began = linear_began(**options)
    optimizers = (keras.optimizers.SGD(rate) for _ in range(2))
    began.compile(*optimizers, run_eagerly=True)
    return began


def images(count=8):
    return np.random.default_rng(0).random((count, *SHAPE), np.float32)


def affine(network, inputs):
    matrix, offset = (weight.astype(float) for weight in network.get_weights())
    return np.reshape(inputs, [len(inputs), -1]) @ matrix + offset


def errors(began, examples):
    """Returns `L` of each example."""
    flat = np.reshape(examples, [len(examples), -1])
    return np.abs(flat - affine(began.discriminator, flat)).mean(axis=1)


def fake_error(began, player, count=8):
    latents = began.sample_latents(count, noise_seed=began.noise.seed_of(f"{player} latents"))
    return errors(began, affine(began.generator, latents)).mean()


def test_losses_are_those_of_matrices():
    began = linear_began(diversity=0.7)
    began.control.assign(0.3)
    real = errors(began, images()).mean()
    fakes = {player: fake_error(began, player) for player in ("discriminator", "generator")}
    found = began.compute_losses(images(), training=True)
    expected = {
        "discriminator_loss": real - 0.3 * fakes["discriminator"],
        "generator_loss": fakes["generator"],
        "convergence": real + abs(0.7 * real - fakes["generator"]),
        "control": 0.3,
    }
    for name in began.log_names:
        np.testing.assert_allclose(found[name], expected[name], rtol=1e-5)
    assert set(began.log_names) == set(expected)


def test_judging_moves_nothing():
    began = compiled_began(control_rate=0.5)
    began.control.assign(0.3)
    began.compute_losses(images(), training=True)
    began.evaluate(images(), verbose=0)
    assert float(began.control) == pytest.approx(0.3)
    np.testing.assert_allclose(began.score(images())["errors"], errors(began, images()), rtol=1e-4)


def test_k_holds_the_balance_step_by_step():
    began, watched = compiled_began(diversity=0.7, control_rate=0.05), linear_began()
    assert float(began.control) == 0
    began.control.assign(0.5)
    control, logs = 0.5, {"control": [], "convergence": [], "discriminator_loss": []}
    batches = images(24)
    for step in range(3):
        watched.step.assign(step)
        real = errors(watched, batches[8 * step : 8 * step + 8]).mean()
        fake = fake_error(watched, "generator")
        logs["control"].append(control)
        logs["convergence"].append(real + abs(0.7 * real - fake))
        logs["discriminator_loss"].append(real - control * fake_error(watched, "discriminator"))
        control = control + 0.05 * (0.7 * real - fake)
        assert 0 < control < 1
    history = began.fit(batches, batch_size=8, shuffle=False, verbose=0).history
    assert float(began.control) == pytest.approx(control, rel=1e-5)
    for name, each in logs.items():
        np.testing.assert_allclose(history[name], [np.mean(each)], rtol=1e-5)


def test_k_is_found_from_the_players_as_they_moved():
    began = compiled_began(rate=0.1, control_rate=0.2, diversity=1.0)
    began.control.assign(0.5)
    real = errors(began, images()).mean()
    latents = began.sample_latents(
        len(images()), noise_seed=began.noise.seed_of("generator latents")
    )
    fakes = affine(began.generator, latents)
    began.train_step(images())
    fake = errors(began, fakes).mean()  # by the discriminator's new weights
    assert float(began.control) == pytest.approx(0.5 + 0.2 * (real - fake), rel=1e-4)


@pytest.mark.parametrize(("diversity", "brightness", "end"), [(0.0, 1.0, 0.0), (1.0, 100.0, 1.0)])
def test_k_stays_between_0_and_1(diversity, brightness, end):
    began = compiled_began(diversity=diversity, control_rate=1e3)
    began.control.assign(0.5)
    began.train_step(brightness * images())
    assert float(began.control) == end


def test_k_is_saved_and_goes_on(tmp_path):
    began = compiled_began(diversity=0.7, control_rate=0.2)
    began.control.assign(0.5)
    began.train_step(images())
    began.save(tmp_path / "began.keras")
    loaded = tfgen.load(tmp_path / "began.keras")
    assert float(loaded.control) == float(began.control) > 0
    for model in (began, loaded):
        model.train_step(images())
    assert float(loaded.control) == float(began.control)


def test_regularizers_count_for_their_own_player():
    began, plain = linear_began(penalty=keras.regularizers.L2(0.5)), linear_began()
    found = began.compute_losses(images(), training=True)
    expected = plain.compute_losses(images(), training=True)
    for player in ("generator", "discriminator"):
        square = 0.5 * np.sum(getattr(plain, player).get_weights()[0] ** 2)
        name = f"{player}_loss"
        np.testing.assert_allclose(found[name], expected[name] + square, rtol=1e-5)
    # What k weighs is errors alone.
    np.testing.assert_allclose(found["convergence"], expected["convergence"], rtol=1e-6)


def test_the_signatures_answer_as_the_model_does():
    began = linear_began()
    signatures = began.signatures()
    assert set(signatures) == {"serving_default", "sample", "score"}
    function, specs = signatures["score"]
    answer = tf.function(function, input_signature=specs)(tf.constant(images(3)))
    np.testing.assert_allclose(answer["errors"], errors(began, images(3)), rtol=1e-4)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"diversity": -0.1}, r"`diversity` must be in \[0, 1\]. Received: diversity=-0.1"),
        ({"diversity": 1.5}, "Received: diversity=1.5"),
        ({"control_rate": 0.0}, "`control_rate` must be positive. Received: control_rate=0.0"),
        ({"control_rate": -1.0}, "Received: control_rate=-1.0"),
        ({"critic_steps": 2}, "take turns.*Received: critic_steps=2. Leave it out"),
        ({"ema_momentum": 2.0}, "`ema_momentum` must be between"),
    ],
)
def test_numbers_out_of_range_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        linear_began(**options)


@pytest.mark.parametrize(
    ("generator", "discriminator", "message"),
    [
        ([(5,)], [SHAPE], r"prior's size, \[batch, 2\]. Received: .*\[None, 5\]"),
        ([(2,), (4,)], [SHAPE], r"what the discriminator takes.*\[None, 4\]"),
        ([(2,)], [SHAPE, (1,)], r"an autoencoder.*from \[None, 2, 2, 1\] to \[None, 1\]"),
        ([(2,)], [SHAPE, (4,)], r"an autoencoder.*from \[None, 2, 2, 1\] to \[None, 4\]"),
    ],
)
def test_networks_that_do_not_fit_are_refused(generator, discriminator, message):
    networks = linear(*generator), linear(*discriminator)
    with pytest.raises(ValueError, match=message):
        tfgen.BEGAN(*networks, distributions.StandardNormal(LATENTS))
