"""The GAN against what its two steps come to by hand, on linear players."""

import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf
import tensorflow_probability as tfp
from keras import layers
from scipy.special import expit

import tfgen
import training.recipes  # noqa: F401 (registers them)
from tfgen import distributions, games, penalties
from tfgen.engine.optimizer_step import compiles_update
from tfgen.engine.weight_average import WeightAverage
from training.recipes.recipe import RECIPES

tfd = tfp.distributions

LATENTS, FEATURES = 2, 3
RATE = 0.25


def linear_gan(prior=None, **options):
    """Returns a GAN whose players are a matrix and a vector, each with an offset."""
    generator = keras.Sequential([keras.Input((LATENTS,)), layers.Dense(FEATURES)])
    discriminator = keras.Sequential([keras.Input((FEATURES,)), layers.Dense(1)])
    random = np.random.default_rng(1)
    for network in (generator, discriminator):
        network.set_weights([random.normal(size=weight.shape) for weight in network.weights])
    prior = prior or distributions.StandardNormal(LATENTS)
    return tfgen.GAN(generator, discriminator, prior, seed=3, **options)


def compiled_gan(rates=(RATE, RATE), jit_update=None, steps=1, jit_compile=False, **options):
    gan = linear_gan(**options)
    gan.compile(
        *(keras.optimizers.SGD(rate) for rate in rates),
        jit_update=jit_update,
        jit_compile=jit_compile,
        steps_per_execution=steps,
    )
    return gan


def points(count=8):
    return np.random.default_rng(0).normal(size=(count, FEATURES)).astype(np.float32)


def fit(gan, steps=1, **options):
    return gan.fit(points(8 * steps), batch_size=8, shuffle=False, verbose=0, **options).history


def values(network):
    return [weight.astype(float) for weight in network.get_weights()]


class Recorder(keras.callbacks.Callback):
    """Keeps both players' weights after each step."""

    def on_train_begin(self, logs=None):
        self.generators, self.discriminators = [values(self.model.generator)], []
        self.discriminators.append(values(self.model.discriminator))

    def on_train_batch_end(self, batch, logs=None):
        self.generators.append(values(self.model.generator))
        self.discriminators.append(values(self.model.discriminator))

    def moved(self):
        """Returns for each step whether G and whether D moved."""
        return [
            [
                any((old != new).any() for old, new in zip(*pair, strict=True))
                for pair in zip(weights[:-1], weights[1:], strict=True)
            ]
            for weights in (self.generators, self.discriminators)
        ]


def latents_of(gan, player):
    seed = gan.noise.seed_of(f"{player} latents")
    return gan.sample_latents(len(points()), noise_seed=seed).numpy().astype(float)


def test_losses_are_those_of_matrices():
    gan, real = linear_gan(), points()
    (matrix, offset), (vector, bias) = values(gan.generator), values(gan.discriminator)
    fakes = {
        player: latents_of(gan, player) @ matrix + offset
        for player in ("discriminator", "generator")
    }
    chances = {player: expit(fake @ vector + bias) for player, fake in fakes.items()}
    found = gan.compute_losses(real, training=True)
    np.testing.assert_allclose(
        found["discriminator_loss"],
        -np.log(expit(real @ vector + bias)).mean() - np.log(1 - chances["discriminator"]).mean(),
        rtol=1e-5,
    )
    np.testing.assert_allclose(
        found["generator_loss"], -np.log(chances["generator"]).mean(), rtol=1e-5
    )
    assert set(found) == set(gan.log_names)


@pytest.mark.parametrize("fresh", [True, False])
def test_a_step_moves_d_on_fixed_fakes_and_then_g_against_the_new_d(fresh):
    gan, real = compiled_gan(game=games.Minimax(), fresh_fakes=fresh), points()
    (matrix, offset), (vector, bias) = values(gan.generator), values(gan.discriminator)
    latents = latents_of(gan, "discriminator" if fresh else "generator")
    fake = latents @ matrix + offset
    # The gradient of V: up for the discriminator, with 1 - D(x) at data and D(x) at samples.
    wrong_real, wrong_fake = 1 - expit(real @ vector + bias), expit(fake @ vector + bias)
    vector += RATE * (real * wrong_real - fake * wrong_fake).mean(axis=0)[:, None]
    bias += RATE * (wrong_real.mean() - wrong_fake.mean())
    # Down for the generator, through the discriminator as it has become.
    latents = latents_of(gan, "generator")
    slopes = expit((latents @ matrix + offset) @ vector + bias) * vector.T
    matrix += RATE * latents.T @ slopes / len(latents)
    offset += RATE * slopes.mean(axis=0)
    fit(gan)
    for found, expected in zip(
        [*values(gan.generator), *values(gan.discriminator)],
        [matrix, offset, vector, bias],
        strict=True,
    ):
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("rates", "moved"), [((0.0, RATE), (0, 1)), ((RATE, 0.0), (1, 0))])
def test_each_optimizer_moves_its_own_player(rates, moved):
    recorder = Recorder()
    fit(compiled_gan(rates=rates), steps=2, callbacks=[recorder])
    assert recorder.moved() == [[bool(player)] * 2 for player in moved]


def test_the_generator_moves_at_every_third_step_only():
    gan, recorder = compiled_gan(critic_steps=3), Recorder()
    fit(gan, steps=7, callbacks=[recorder])
    generator, discriminator = recorder.moved()
    assert generator == [False, False, True, False, False, True, False]
    assert discriminator == [True] * 7
    assert int(gan.step) == 7
    # The count goes on in the next epoch: one step was taken of the three.
    fit(gan, steps=2, callbacks=[recorder])
    assert recorder.moved()[0] == [False, True]


def spied(gan, monkeypatch):
    """Returns a list to which examples are added as the discriminator is to judge them."""
    judged = []

    def inputs(images, data):
        judged.append(images)
        return images

    monkeypatch.setattr(gan, "discriminator_inputs", inputs)
    return judged


def test_every_step_of_the_critic_has_a_batch_and_noise_of_its_own(monkeypatch):
    gan = linear_gan(critic_steps=3)
    gan.compile(keras.optimizers.SGD(0.0), keras.optimizers.SGD(0.0), run_eagerly=True)
    judged = spied(gan, monkeypatch)
    fit(gan, steps=3)
    # Data and samples for the critic, three times, and at last samples for the generator.
    assert len(judged) == 7
    np.testing.assert_array_equal(np.concatenate(judged[0:6:2]), points(24))
    fakes = [*judged[1:6:2], judged[6]]
    assert len({fake.numpy().tobytes() for fake in fakes}) == 4


def test_the_generator_may_learn_from_what_the_last_step_of_the_critic_saw(monkeypatch):
    gan = linear_gan(critic_steps=2, fresh_fakes=False)
    gan.compile(keras.optimizers.SGD(0.0), keras.optimizers.SGD(0.0), run_eagerly=True)
    judged, made = spied(gan, monkeypatch), []
    make_fakes = gan.make_fakes

    def count(data, player, training):
        made.append(player)
        return make_fakes(data, player, training)

    monkeypatch.setattr(gan, "make_fakes", count)
    fit(gan, steps=2)
    # The generator runs once a step.
    assert made == ["discriminator", "generator"]
    first, second, generators = judged[1], judged[3], judged[4]
    np.testing.assert_array_equal(second, generators)
    assert np.any(first != second)
    losses = gan.compute_losses(points(), training=True)
    assert len(made) == 3 and set(losses) == set(gan.log_names)


def test_logs_are_means_over_each_players_own_steps():
    rates = {"rates": (0.0, 0.0), "critic_steps": 2}
    gan, watched = compiled_gan(**rates), linear_gan(critic_steps=2)
    history = fit(gan, steps=5)
    losses = {"generator_loss": [], "discriminator_loss": []}
    for step in range(5):
        watched.step.assign(step)
        batch = points(40)[8 * step : 8 * step + 8]
        found = watched.compute_losses(batch, training=True)
        losses["discriminator_loss"].append(found["discriminator_loss"])
        if step in (1, 3):
            losses["generator_loss"].append(found["generator_loss"])
    for name, each in losses.items():
        np.testing.assert_allclose(history[name], [np.mean(each)], rtol=1e-5)


@dataclasses.dataclass(frozen=True)
class Point(distributions.Prior):
    """Latents that do not vary: XLA draws other numbers from a seed than TensorFlow does."""

    size: int = LATENTS

    def distribution(self):
        return tfd.Independent(tfd.Deterministic(tf.ones([self.size])), 1)


def test_xla_compiles_no_update_in_which_replicas_meet():
    with tf.distribute.MirroredStrategy(["CPU:0"]).scope():  # one replica, as on one GPU
        with pytest.raises(ValueError, match="`jit_update=True` needs a single device"):
            compiled_gan(jit_update=True)
        gan = RECIPES["lsgan_fashion"].build((28, 28, 1), 1)
        gan.compile(**averaged())
        assert not compiles_update(gan, gan.generator_optimizer, gan.generator_variables)


def averaged():
    """Returns optimizers that do more than one operation of TensorFlow's does."""
    return {
        f"{player}_optimizer": keras.optimizers.Adam(weight_decay=1e-4)
        for player in ("generator", "discriminator")
    }


@pytest.mark.slow
def test_xla_compiles_the_updates_of_large_players_where_nothing_else_is_said():
    gan = RECIPES["lsgan_fashion"].build((28, 28, 1), 1)

    def compiled(variables=gan.generator_variables, **options):
        gan.compile(**options)
        return compiles_update(gan, gan.generator_optimizer, variables)

    assert compiled(**averaged())
    assert compiled(gan.generator_variables[:1], **averaged()) is False
    assert compiled(**averaged(), jit_update=False) is False
    assert compiled(**averaged(), jit_compile=True) is False
    assert compiled() is False  # Adam has an operation of its own
    assert compiled(gan.generator_variables[:1], jit_update=True)


@pytest.mark.slow
def test_compiled_steps_are_the_same_steps():
    model = {
        "critic_steps": 2,
        "ema_momentum": 0.9,
        "constraint": penalties.WeightClipping(0.9),
        "prior": Point(),
    }
    plain, recorder = compiled_gan(**model), Recorder()
    expected = fit(plain, steps=5, callbacks=[recorder])
    assert recorder.moved()[0] == [False, True, False, True, False]
    for options in (
        {"jit_compile": True, "steps": 2},
        {"jit_update": True},
        # With latents that do not vary the same, too.
        {"jit_update": True, "fresh_fakes": False},
    ):
        compiled = compiled_gan(**model, **options)
        found = fit(compiled, steps=5)
        assert int(compiled.step) == 5
        for name, value in expected.items():
            np.testing.assert_allclose(found[name], value, rtol=1e-4)
        for weight, other in zip(plain.get_weights(), compiled.get_weights(), strict=True):
            np.testing.assert_allclose(other, weight, rtol=1e-4, atol=1e-6)


@keras.saving.register_keras_serializable(package="tests")
def doubled(examples, seed):
    return 2 * examples


def test_the_discriminator_is_shown_augmented_examples_in_training():
    # To see twice the values is, for a linear player, to have twice the weights.
    gan, sharper, plain = linear_gan(augmentation=doubled), linear_gan(), linear_gan()
    weights, offset = sharper.discriminator.get_weights()
    sharper.discriminator.set_weights([2 * weights, offset])
    for other, in_training in ((sharper, True), (plain, False)):
        found = gan.compute_losses(points(), training=in_training)
        expected = other.compute_losses(points(), training=in_training)
        for name, loss in expected.items():
            np.testing.assert_allclose(found[name], loss, rtol=1e-5)


def test_an_augmentation_is_one_function():
    with pytest.raises(TypeError, match=r"one function of examples and a seed\. Received: .*\[\]"):
        linear_gan(augmentation=[])


def test_labels_that_nobody_reads_may_be_anything():
    gan = linear_gan()
    losses = gan.compute_losses(points(), training=True)
    for labels in (None, [1] * 8, 3.0):
        found = gan.compute_losses((points(), labels), training=True)
        np.testing.assert_allclose(found["discriminator_loss"], losses["discriminator_loss"])


def test_the_average_of_the_generator_follows_its_own_steps():
    gan, recorder = compiled_gan(critic_steps=2, ema_momentum=0.3), Recorder()
    fit(gan, steps=9, callbacks=[recorder])
    average = recorder.generators[0]
    # (1 + n) / (10 + n) is 1/10, 2/11, 3/12 and then above the momentum.
    for step, momentum in zip((2, 4, 6, 8), (1 / 10, 2 / 11, 3 / 12, 0.3), strict=True):
        average = [
            momentum * old + (1 - momentum) * new
            for old, new in zip(average, recorder.generators[step], strict=True)
        ]
    latents = gan.sample_latents(5, seed=1)
    matrix, offset = average
    np.testing.assert_allclose(gan.sample(5, seed=1), latents @ matrix + offset, rtol=1e-4)
    np.testing.assert_array_equal(gan.generate(latents), gan.sample(5, seed=1))
    np.testing.assert_allclose(
        gan.generate(latents.numpy().tolist()), gan.sample(5, seed=1), rtol=1e-5
    )
    np.testing.assert_array_equal(gan.sample(5, seed=1, use_ema=False), gan.generator(latents))
    assert np.abs(gan.sample(5, seed=1) - gan.sample(5, seed=1, use_ema=False)).max() > 1e-3


def test_samples_are_the_generators_where_nothing_is_averaged():
    gan = linear_gan()
    latents = gan.sample_latents(4, seed=2)
    np.testing.assert_array_equal(gan.sample(4, seed=2), gan.generator(latents))
    np.testing.assert_array_equal(gan.sample(4, seed=2, use_ema=False), gan.generator(latents))
    np.testing.assert_array_equal(gan(latents), gan.generator(latents))
    draws = gan.sample_latents(20_000, seed=0).numpy()
    np.testing.assert_allclose(np.cov(draws.T), np.eye(LATENTS), atol=0.05)


def test_an_average_has_statistics_of_its_own():
    # A momentum of 0 keeps the last batch's statistics alone.
    network = keras.Sequential(
        [keras.Input((FEATURES,)), layers.Dense(3), layers.BatchNormalization(momentum=0.0)]
    )
    average = WeightAverage(keras.Model(), network)
    before = [np.asarray(variable) for variable in average.variables]
    for variable in network.variables:
        variable.assign(variable + tf.ones_like(variable))
    batch = points(50)
    average.follow(0.75, 1000, batch)
    kernel, bias, gamma, beta, mean, variance = map(np.asarray, average.variables)
    for moved, old in zip((kernel, bias, gamma, beta), before[:4], strict=True):
        np.testing.assert_allclose(moved, old + 0.25, rtol=1e-6)
    hidden = batch @ kernel + bias
    np.testing.assert_allclose(mean, hidden.mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose(variance, hidden.var(axis=0), rtol=1e-5)


class FadedIn(layers.Layer):
    """Has a weight that no optimizer and no call moves, in another type than most."""

    def build(self, _):
        self.share = self.add_weight(trainable=False, initializer="zeros", dtype="float64")
        self.slope = self.add_weight(dtype="float64")

    def call(self, inputs):
        return inputs * tf.cast(self.share.value * self.slope.value, inputs.dtype)


def test_what_no_call_moves_is_in_the_average_as_it_is_in_the_network():
    parts = FadedIn(), layers.BatchNormalization(), layers.Dropout(0.5)
    network = keras.Sequential([keras.Input((FEATURES,)), *parts])
    average = WeightAverage(keras.Model(), network)
    faded = network.layers[0]
    slope = faded.slope.numpy()
    faded.share.assign(1.0)
    faded.slope.assign(slope + 1.0)
    average.follow(0.75, 1000, points())
    found = [float(each) for each in average.variables if each.dtype == "float64"]
    np.testing.assert_allclose(found, [slope + 0.25, 1.0], rtol=1e-6)


def test_layers_can_be_frozen_under_an_average(tmp_path):
    """The second matrix is of the third's shape, which must not take its place."""
    parts = layers.Dense(FEATURES), layers.Dense(FEATURES), layers.Dense(FEATURES)
    generator = keras.Sequential([keras.Input((LATENTS,)), *parts])
    discriminator = keras.Sequential([keras.Input((FEATURES,)), layers.Dense(1)])
    gan = tfgen.GAN(
        generator, discriminator, distributions.StandardNormal(LATENTS), ema_momentum=0.9
    )
    gan.compile("sgd", "sgd")
    gan.fit(points(64), batch_size=8, verbose=0)
    latents = gan.sample_latents(5, seed=1)
    before = gan.sample(5, seed=1).numpy()
    generator.layers[1].trainable = False
    # Not `gan.sample`, which keeps the graph that it has traced.
    np.testing.assert_allclose(tf.function(gan.generate)(latents), before, rtol=1e-6)
    gan.save(tmp_path / "gan.keras")
    loaded = tfgen.load(tmp_path / "gan.keras")
    np.testing.assert_allclose(loaded.sample(5, seed=1), before, rtol=1e-6)
    gan.compile("sgd", "sgd")
    frozen = [weight.numpy() for weight in generator.layers[1].weights]
    gan.fit(points(64), batch_size=8, verbose=0)
    hidden, last = generator.layers[0], generator.layers[2]
    averages = dict(zip(map(id, generator.variables), gan.averages[0].variables, strict=True))
    for weight, before in zip(generator.layers[1].weights, frozen, strict=True):
        np.testing.assert_array_equal(weight, before)
        np.testing.assert_array_equal(averages[id(weight)], before)
    for weight in (*hidden.weights, *last.weights):
        assert np.abs(averages[id(weight)] - weight).max() > 1e-6


def test_samples_of_the_average_are_normalized():
    normalize = layers.BatchNormalization(momentum=0.0, center=False, scale=False)
    generator = keras.Sequential([keras.Input((LATENTS,)), layers.Dense(FEATURES), normalize])
    discriminator = keras.Sequential([keras.Input((FEATURES,)), layers.Dense(1)])
    prior = distributions.StandardNormal(LATENTS)
    gan = tfgen.GAN(generator, discriminator, prior, ema_momentum=0.9)
    gan.compile("sgd", "sgd")
    gan.fit(points(2000), batch_size=2000, epochs=9, verbose=0)
    generator.set_weights([10 * weight for weight in generator.get_weights()])
    gan.fit(points(2000), batch_size=2000, verbose=0)  # the average has not caught up
    made = gan.sample(20_000, seed=0).numpy()
    np.testing.assert_allclose(made.mean(axis=0), 0.0, atol=0.1)
    np.testing.assert_allclose(made.std(axis=0), 1.0, atol=0.1)


def test_the_signatures_answer_as_the_model_does():
    gan = compiled_gan(ema_momentum=0.5)
    fit(gan, steps=2)
    signatures = gan.signatures()
    assert set(signatures) == {"serving_default", "sample", "score"}
    latents = gan.sample_latents(3, seed=7)
    inputs = {
        "serving_default": [latents],
        "sample": [tf.constant(3), tf.constant(7, tf.int64)],
        "score": [tf.constant(points(3))],
    }
    answers = {
        name: tf.function(function, input_signature=specs)(*inputs[name])
        for name, (function, specs) in signatures.items()
    }
    for name in ("serving_default", "sample"):
        np.testing.assert_allclose(answers[name]["images"], gan.sample(3, seed=7), rtol=1e-5)
    vector, bias = values(gan.discriminator)
    np.testing.assert_allclose(answers["score"]["logits"], points(3) @ vector + bias, rtol=1e-4)


def test_regularizers_count_for_their_own_player():
    networks = []
    for size, outputs in ((LATENTS, FEATURES), (FEATURES, 1)):
        dense = layers.Dense(outputs, kernel_regularizer=keras.regularizers.L2(0.5))
        networks.append(keras.Sequential([keras.Input((size,)), dense]))
    gan = tfgen.GAN(*networks, distributions.StandardNormal(LATENTS), seed=3)
    plain = linear_gan()
    for network, other in zip((plain.generator, plain.discriminator), networks, strict=True):
        network.set_weights(other.get_weights())
    found = gan.compute_losses(points(), training=True)
    expected = plain.compute_losses(points(), training=True)
    for name, network in zip(("generator_loss", "discriminator_loss"), networks, strict=True):
        square = 0.5 * np.sum(network.get_weights()[0] ** 2)
        np.testing.assert_allclose(found[name], expected[name] + square, rtol=1e-5)


@pytest.mark.parametrize("penalty", [penalties.GradientPenalty(), penalties.Dragan()], ids=str)
def test_data_of_double_precision_are_taken(penalty):
    gan = linear_gan(penalties=[penalty])
    double = points().astype(np.float64)
    found, expected = (
        gan.compute_losses(tf.constant(each), training=True) for each in (double, points())
    )
    np.testing.assert_allclose(found["penalty"], expected["penalty"], rtol=1e-6)


def test_data_and_each_players_samples_are_augmented_by_draws_of_their_own():
    seeds = []

    def seen(examples, seed):
        seeds.append(tuple(np.asarray(seed)))
        return examples

    gan = linear_gan(augmentation=seen)
    for step in (0, 1):
        gan.step.assign(step)
        gan.compute_losses(points(), training=True)
    assert len(seeds) == len(set(seeds)) == 6
    gan.compute_losses(points(), training=False)
    assert len(seeds) == 6


def test_players_that_do_not_fit_are_refused():
    gan = linear_gan()
    with pytest.raises(ValueError, match=r"latents of the prior's size, \[batch, 5\].*\[None, 2\]"):
        tfgen.GAN(gan.generator, gan.discriminator, distributions.StandardNormal(5))
    other = keras.Sequential([keras.Input((4,)), layers.Dense(1)])
    with pytest.raises(ValueError, match=r"what the discriminator takes.*\[None, 3\].*\[None, 4\]"):
        tfgen.GAN(gan.generator, other, gan.prior)


@pytest.mark.parametrize("critic_steps", [0, -1, 1.5, float("nan"), float("inf"), None, "2"])
def test_fewer_than_one_step_of_the_critic_are_refused(critic_steps):
    message = (
        f"`critic_steps` must be an integer, at least 1. Received: critic_steps={critic_steps!r}."
    )
    with pytest.raises(ValueError, match=message):
        linear_gan(critic_steps=critic_steps)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"game": "wasserstein"}, "must be a game, such as .*Received: 'wasserstein'"),
        ({"game": games.Wasserstein}, "must be a game, such as .*Received: <class"),
        ({"penalties": [10.0]}, "`penalties` must be functions.*Received: 10.0"),
        ({"penalties": [penalties.WeightClipping()]}, "`WeightClipping` is a `constraint`"),
        ({"constraint": penalties.GradientPenalty()}, "penalties are `tfgen.GAN.penalties="),
        ({"constraint": 0.01}, "`constraint` must be a function of a weight.*constraint=0.01"),
    ],
)
def test_values_of_another_kind_are_refused(options, message):
    with pytest.raises(TypeError, match=message):
        linear_gan(**options)


@pytest.mark.parametrize("shape", [(8, FEATURES + 1), (8, FEATURES, 1), (8,)])
def test_examples_of_another_shape_are_refused(shape):
    message = r"shaped as what the generator makes, \[None, 3\]. Received: \[8"
    with pytest.raises(ValueError, match=message):
        linear_gan().compute_losses(tf.zeros(shape), training=True)


@pytest.mark.parametrize("momentum", [0.0, 1.0, -0.5, 999])
def test_a_momentum_out_of_range_is_refused(momentum):
    message = f"`ema_momentum` must be between 0 and 1.*Received: ema_momentum={momentum}."
    with pytest.raises(ValueError, match=message):
        linear_gan(ema_momentum=momentum)


def test_one_optimizer_for_both_players_is_refused():
    gan, optimizer = linear_gan(), keras.optimizers.Adam()
    with pytest.raises(ValueError, match="an optimizer each.*Received: the same Adam twice"):
        gan.compile(optimizer, optimizer)
    gan.compile("sgd", "sgd")
    first, second = gan.optimizers
    assert first is not second and {type(first), type(second)} == {keras.optimizers.SGD}


def test_pixels_that_are_integers_are_refused():
    gan = compiled_gan()
    with pytest.raises(TypeError, match="floating-point.*Received: uint8"):
        gan.fit(np.zeros((8, FEATURES), np.uint8), verbose=0)
    with pytest.raises(TypeError, match="floating-point.*Received: int32"):
        gan.compute_losses(tf.zeros([8, FEATURES], tf.int32), training=True)
