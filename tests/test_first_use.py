"""What first users do with models: it works, or a message names the mend."""

import dataclasses
import functools
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

import tfgen
from tests.specimens import compiled, discriminator, each_of, generator, images, names_in
from tfgen import distributions, games, networks, penalties
from tfgen.engine.serialization import Configured

SHAPE = (8, 8, 1)


def gan(**options):
    keras.utils.set_random_seed(0)
    return tfgen.GAN(generator(3), discriminator(), distributions.Uniform(3), **options)


def vae(likelihood=None, heads=1):
    return tfgen.VAE(
        networks.mlp_encoder(SHAPE, 3, hidden_sizes=(8,)),
        networks.mlp_decoder(SHAPE, 3, hidden_sizes=(8,), heads=heads),
        distributions.StandardNormal(3),
        distributions.DiagonalNormal(),
        likelihood or distributions.Bernoulli(),
    )


# ---- compile


def test_an_average_by_a_player_s_optimizer_names_the_model_s_own():
    with pytest.raises(ValueError, match=r"generator_optimizer.*Pass ema_momentum=0.9 to GAN"):
        gan().compile(keras.optimizers.Adam(1e-2, use_ema=True, ema_momentum=0.9), "adam")


def test_one_player_s_optimizer_asks_for_the_other_s_and_none_is_dcgan_s():
    with pytest.raises(ValueError, match="generator_optimizer. Pass discriminator_optimizer too"):
        gan().compile(keras.optimizers.Adam(2e-4, 0.5))
    model = gan()
    model.compile()
    for optimizer in model.optimizers:
        assert float(optimizer.learning_rate) == pytest.approx(2e-4)
        assert optimizer.beta_1 == 0.5


def test_a_player_that_is_not_there_is_no_argument():
    model = compiled("pair_game")
    with pytest.raises(TypeError, match="computes its own losses.*Received: actor_optimizer='sgd'"):
        model.compile(actor_optimizer="sgd")


@pytest.mark.parametrize("name", ["mlp_vae", "gan"])
@pytest.mark.parametrize("option", [{"loss": "mse"}, {"metrics": ["mae"]}])
def test_keras_loss_and_metrics_have_no_use(name, option):
    with pytest.raises(
        TypeError, match=f"computes its own losses.*Received: {next(iter(option))}="
    ):
        compiled(name).compile(**option)


@pytest.mark.slow
def test_gradients_are_not_accumulated_on_replicas():
    """Keras would fail in the first step, within its own code."""
    program = """
import keras, tfgen
from tests.test_first_use import gan, vae
strategy = tfgen.strategy("mirrored", replicas=2)
with strategy.scope():
    for model, count in ((vae(), 1), (gan(), 2)):
        try:
            adams = [keras.optimizers.Adam(gradient_accumulation_steps=2) for _ in range(count)]
            model.compile(*adams)
        except ValueError as error:
            print(error)
"""
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert run.stdout.count("cannot accumulate gradients on several replicas") == 2, run.stderr


# ---- fit: what is looked at before the first step


@pytest.mark.parametrize("build", [vae, gan])
@pytest.mark.parametrize("give", ["array", "data set", "iterator"])
@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda x: 255 * x, r"Images must be in \[0, 1\].*from 0.*Divide pixels by 255"),
        (lambda x: 2 * x - 1, r"Images must be in \[0, 1\].*\(images \+ 1\) / 2"),
        (lambda x: np.where(x > 0.9, np.nan, x), "in the first batch are NaN or infinite"),
    ],
)
def test_pixels_out_of_range_are_refused_before_the_first_step(build, give, change, told):
    model = build()
    model.compile()
    examples = change(images(16)).astype("float32")
    given = {
        "array": lambda: examples,
        "data set": lambda: tf.data.Dataset.from_tensor_slices(examples).batch(8),
        "iterator": lambda: iter([examples[:8], examples[8:]]),
    }[give]()
    with pytest.raises(ValueError, match=told):
        model.fit(given, verbose=0, steps_per_epoch=None if give == "array" else 2)
    assert int(model.step) == 0


def test_the_look_takes_nothing_away():
    seen = []

    def batches():
        for batch in np.split(images(16), 2):
            seen.append(len(batch))
            yield (batch,)

    model = vae()
    model.compile()
    model.fit(batches(), steps_per_epoch=2, verbose=0)
    assert int(model.step) == 2 and sum(seen) == 16


def test_vectors_may_have_any_value_but_for_a_likelihood_of_pixels():
    values = np.random.default_rng(0).normal(size=(16, 5)).astype("f")
    for likelihood, fits in ((distributions.Gaussian(1.0), True), (None, False)):
        model = tfgen.VAE(
            networks.mlp_encoder((5,), 2, hidden_sizes=(4,)),
            networks.mlp_decoder((5,), 2, hidden_sizes=(4,)),
            distributions.StandardNormal(2),
            distributions.DiagonalNormal(),
            likelihood or distributions.Bernoulli(),
        )
        model.compile()
        if fits:
            model.fit(values, verbose=0)
        else:
            with pytest.raises(ValueError, match=r"Examples must be in \[0, 1\].*`Gaussian`"):
                model.fit(values, verbose=0)


@pytest.mark.parametrize(
    ("examples", "told"),
    [
        (np.zeros([4], "f"), r"shape \[4\]. Add an axis: x\[:, None\]"),
        (np.zeros([0, *SHAPE], "f"), r"There must be examples. Received: .*\[0, 8, 8, 1\]"),
    ],
)
def test_what_is_no_examples_is_told(examples, told):
    model = vae()
    model.compile()
    with pytest.raises(ValueError, match=told):
        model.fit(examples, verbose=0)


def test_sample_weights_are_refused_with_and_without_labels():
    model = gan()
    model.compile()
    for labels in ([], [np.zeros(16)]):
        with pytest.raises(ValueError, match="Sample weights are not supported"):
            model.fit(images(16), *labels, sample_weight=np.ones(16), verbose=0)


def test_unequal_domains_are_refused_where_only_the_step_knows_their_sizes():
    model = compiled("cyclegan")
    pairs = tf.data.Dataset.zip(
        *(
            tf.data.Dataset.from_tensor_slices(images(count)).repeat(2).batch(3)
            for count in (4, 5)  # 8 and 10 images: the last batches are of 2 and of 3
        )
    )
    with pytest.raises((ValueError, tf.errors.InvalidArgumentError), match="as many images of A"):
        model.fit(pairs, verbose=0)


# ---- batches


@each_of(["mlp_vae", "conv_vae", "gan"])
def test_double_precision_is_taken(name):
    model, single = compiled(name), compiled(name)
    for each, kind in ((model, np.float64), (single, np.float32)):
        each.fit(images(16).astype(kind), batch_size=8, shuffle=False, verbose=0)
    np.testing.assert_array_equal(model.sample(2, seed=0), single.sample(2, seed=0))
    if name != "gan":
        assert model.elbo(images(4).astype(np.float64)).dtype == tf.float32


@pytest.mark.slow
def test_batches_that_are_dicts_are_taken_by_their_usual_keys():
    labels = np.arange(16) % 10
    as_dict = tf.data.Dataset.from_tensor_slices({"image": images(16), "label": labels})
    as_pair = tf.data.Dataset.from_tensor_slices((images(16), labels))
    for name in ("mlp_vae", "cgan"):
        models = compiled(name), compiled(name)
        for model, batches in zip(models, (as_dict, as_pair), strict=True):
            model.fit(batches.batch(8), verbose=0)
        np.testing.assert_array_equal(*(model.sample(2, seed=0) for model in models))
    with pytest.raises(ValueError, match=r"keys \['image', .*Received: \['pixels'\]"):
        models[0].fit(tf.data.Dataset.from_tensors({"pixels": images(8)}), verbose=0)


@each_of(["mlp_vae", "gan", "began"], {"mlp_vae", "gan"})
def test_batches_of_unknown_shape_get_the_network_s(name):
    batches = tf.data.Dataset.range(2).map(
        lambda _: tf.numpy_function(lambda: images(8), [], tf.float32)
    )
    assert batches.element_spec.shape.rank is None
    model = compiled(name)
    model.fit(batches, verbose=0)
    assert int(model.step) == 2


# ---- Keras' callbacks


def test_rates_follow_keras_schedulers_and_tensorboard_logs_both(tmp_path):
    model = gan()
    model.compile(keras.optimizers.Adam(1e-3), keras.optimizers.Adam(4e-3))
    seen = []

    def schedule(epoch, rate):
        seen.append(rate)
        return rate / 2

    history = model.fit(
        images(16),
        epochs=2,
        verbose=0,
        callbacks=[
            keras.callbacks.LearningRateScheduler(schedule),
            keras.callbacks.ReduceLROnPlateau("generator_loss", mode="min"),
            keras.callbacks.TensorBoard(tmp_path, write_steps_per_second=True),
        ],
    ).history
    np.testing.assert_allclose(seen, [1e-3, 5e-4], rtol=1e-5)
    np.testing.assert_allclose(history["generator_learning_rate"], [5e-4, 2.5e-4], rtol=1e-5)
    np.testing.assert_allclose(history["discriminator_learning_rate"], [2e-3, 1e-3], rtol=1e-5)
    assert any("events" in name for name in names_in(tmp_path))


def test_a_rate_of_nothing_rises_for_all_players():
    model = gan()
    model.compile(keras.optimizers.SGD(0.0), keras.optimizers.SGD(0.5))
    model.optimizer.learning_rate = 0.25
    rates = [float(optimizer.learning_rate) for optimizer in model.optimizers]
    assert rates == [0.25, 0.25]


@pytest.mark.parametrize(
    ("callback", "told"),
    [
        (keras.callbacks.TerminateOnNaN(), "StopOnNonFinite"),
        (keras.callbacks.SwapEMAWeights(), "ema_momentum"),
    ],
)
def test_callbacks_that_would_do_nothing_name_what_does(callback, told):
    model = gan()
    model.compile()
    with pytest.raises(ValueError, match=f"has no effect on a GAN.*{told}"):
        model.fit(images(8), verbose=0, callbacks=[callback])


def test_a_generator_s_loss_is_left_out_of_epochs_in_which_it_took_no_step():
    model = gan(critic_steps=5)
    model.compile()
    logs = []
    keep = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, log: logs.append(dict(log)))
    model.fit(images(16), batch_size=8, epochs=4, verbose=0, callbacks=[keep])  # two steps each
    assert ["generator_loss" in log for log in logs] == [False, False, True, False]
    assert all("discriminator_loss" in log for log in logs)
    assert logs[2]["generator_loss"] > 0


# ---- files


def test_hdf5_is_refused_before_anything_is_written(tmp_path):
    for model in (compiled("mlp_vae"), compiled("gan")):
        for name in ("m.h5", "m.hdf5"):
            with pytest.raises(ValueError, match="Name it '.keras'"):
                model.save(tmp_path / name)
        model.save_weights(tmp_path / "m.weights.h5")
    assert names_in(tmp_path) == ["m.weights.h5"]


def test_keras_export_names_ours(tmp_path):
    with pytest.raises(ValueError, match=r'`tfgen.export\(model, ".*out"\)`'):
        compiled("mlp_vae").export(tmp_path / "out")


OWN = """
import dataclasses
import keras
import tensorflow as tf
import tfgen


@dataclasses.dataclass(frozen=True)
class OwnGame:  # as README says: a dataclass with two methods
    margin: float = 1.0

    def discriminator_loss(self, real_logits, fake_logits):
        return tf.reduce_mean(fake_logits) - self.margin * tf.reduce_mean(real_logits)

    def generator_loss(self, fake_logits):
        return -tf.reduce_mean(fake_logits)


@dataclasses.dataclass(frozen=True)
class OwnPenalty:
    weight: float = 0.1

    def __call__(self, critic, real, fake, noise_seed):
        return self.weight * tf.reduce_mean(tf.square(critic(real)))


@dataclasses.dataclass(frozen=True)
class OwnPrior(tfgen.distributions.Prior):
    spread: float = 2.0

    def distribution(self):
        return tfgen.distributions.Uniform(self.size).distribution()


@dataclasses.dataclass(frozen=True)
class OwnBound(tfgen.bounds.Bound):
    beta: float = 3.0

    def value(self, terms, step):
        return tf.reduce_mean(terms.log_likelihood, axis=0) - self.beta * terms.divergence


@dataclasses.dataclass(frozen=True)
class OwnCode(tfgen.codes.UniformCode):
    pass


@dataclasses.dataclass(frozen=True)
class OwnShift:
    by: float = 0.1

    def __call__(self, images, noise_seed):
        return images + self.by


@keras.saving.register_keras_serializable()  # which a function needs
def clip(weight):
    return tf.clip_by_value(weight, -1.0, 1.0)
"""
MAKE = """
import numpy as np, keras, tfgen, own
from tfgen import distributions, networks, penalties
shape = (4,)
values = np.random.default_rng(0).random((8, 4)).astype("f")
gan = tfgen.InfoGAN(
    networks.mlp_generator(shape, latent_dim=3, hidden_sizes=(4,)),
    networks.mlp_discriminator(shape, hidden_sizes=(4,)),
    networks.mlp_encoder(shape, latent_dim=1, hidden_sizes=(4,), heads=1),
    own.OwnPrior(2), [own.OwnCode(1)], game=own.OwnGame(0.5), penalties=[own.OwnPenalty()],
    augmentation=own.OwnShift(), code_augmentations=[own.OwnShift(0.2)], constraint=own.clip,
)
gan.compile()
gan.fit(values, verbose=0)
gan.save("gan.keras")
vae = tfgen.VAE(
    networks.mlp_encoder(shape, 2, hidden_sizes=(4,)),
    networks.mlp_decoder(shape, 2, hidden_sizes=(4,)),
    distributions.StandardNormal(2), distributions.DiagonalNormal(), distributions.Bernoulli(),
    bound=own.OwnBound(2.0),
)
vae.compile()
vae.fit(values, verbose=0)
vae.save("vae.keras")
"""
LOAD = """
import tfgen, own
gan, vae = tfgen.load("gan.keras"), tfgen.load("vae.keras")
assert gan.game == own.OwnGame(0.5) and gan.prior == own.OwnPrior(2), gan.game
assert gan.penalties == [own.OwnPenalty()] and gan.codes == [own.OwnCode(1)]
assert gan.augmentation == own.OwnShift() and gan.constraint is own.clip
assert gan.code_augmentations == [own.OwnShift(0.2)]
assert vae.bound == own.OwnBound(2.0)
print("loaded")
"""


@pytest.mark.slow
def test_values_of_one_s_own_train_are_saved_and_loaded_in_a_new_process(tmp_path):
    (tmp_path / "own.py").write_text(OWN)
    for program in (MAKE, LOAD):
        run = subprocess.run(
            [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True
        )
        assert run.returncode == 0, run.stderr
    assert "loaded" in run.stdout


def test_a_value_that_forgets_its_arguments_is_refused_at_construction():
    class Forgetful:
        def __init__(self, margin):
            self.kept = margin

        def discriminator_loss(self, real_logits, fake_logits):
            return tf.reduce_mean(fake_logits - real_logits)

        def generator_loss(self, fake_logits):
            return -tf.reduce_mean(fake_logits)

    with pytest.raises(TypeError, match="`game` could not be saved: Forgetful.*Missing: margin"):
        gan(game=Forgetful(1.0))


# ---- construction


@pytest.mark.parametrize("player", ["decoder", "discriminator"])
def test_a_network_that_ends_in_a_sigmoid_where_logits_are_asked_is_told(player):
    inputs = keras.Input(SHAPE)
    judge = keras.Model(inputs, layers.Dense(1, "sigmoid")(layers.Flatten()(inputs)))
    with pytest.warns(UserWarning, match=f"The {player} should output logits.*sigmoid"):
        if player == "discriminator":
            tfgen.GAN(generator(3), judge, distributions.Uniform(3))
        else:
            latents = keras.Input((3,))
            pixels = layers.Reshape(SHAPE)(layers.Dense(64, "sigmoid")(latents))
            tfgen.VAE(
                networks.mlp_encoder(SHAPE, 3, hidden_sizes=(8,)),
                keras.Model(latents, pixels),
                distributions.StandardNormal(3),
                distributions.DiagonalNormal(),
                distributions.Bernoulli(),
            )


def test_outputs_of_another_number_are_told_by_what_they_mean():
    with pytest.raises(ValueError, match="Gaussian.*two outputs: location.*scale before softplus"):
        vae(distributions.Gaussian())  # the decoder has one output
    assert vae(distributions.Gaussian(), heads=2)


def test_a_generator_without_an_input_is_told():
    unbuilt = keras.Sequential([layers.Dense(64, "sigmoid"), layers.Reshape(SHAPE)])
    with pytest.raises(ValueError, match="generator must be a built Keras model.*keras.Input"):
        tfgen.GAN(unbuilt, discriminator(), distributions.Uniform(3))


def test_values_of_another_kind_are_told():
    encoder = networks.mlp_encoder(SHAPE, 3, hidden_sizes=(8,))
    decoder = networks.mlp_decoder(SHAPE, 3, hidden_sizes=(8,))
    prior, posterior = distributions.StandardNormal(3), distributions.DiagonalNormal()
    with pytest.raises(TypeError, match="`prior` must be a `tfgen.distributions.Prior`"):
        tfgen.VAE(encoder, decoder, posterior, posterior, distributions.Bernoulli())
    with pytest.raises(TypeError, match="`bound` must be a `tfgen.bounds.Bound`"):
        tfgen.VAE(encoder, decoder, prior, posterior, distributions.Bernoulli(), bound=prior)
    with pytest.raises(TypeError, match=r"`penalties` must be a list.*Write penalties=\[...\]"):
        gan(penalties=penalties.RealGradient())


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((-1,), "`count` must be an integer, at least 0. Received: count=-1"),
        ((1.5,), "`count` must be an integer, at least 0. Received: count=1.5"),
        ((2, "a"), "`seed` must be an integer from .* Received: seed='a'"),
        ((2, 2**64 - 1), r"`seed` must be an integer from -2\*\*63 to 2\*\*63 - 1"),
    ],
)
def test_counts_and_seeds_that_are_none_are_told(arguments, told):
    for name in ("mlp_vae", "gan", "cgan", "infogan", "denoiser"):
        with pytest.raises(ValueError, match=told):
            compiled(name).sample(*arguments)


def test_seeds_are_those_of_numpy_too():
    model = compiled("gan")
    np.testing.assert_array_equal(model.sample(np.int64(2), np.int32(3)), model.sample(2, 3))


# ---- scales of posteriors


@pytest.mark.parametrize(
    ("posterior", "extreme"),
    [
        (distributions.DiagonalNormal(), (-120.0, 1e9)),
        (distributions.LogVarianceNormal(), (-300.0, 200.0)),
    ],
)
def test_scales_are_held_in_a_range_that_they_can_come_back_from(posterior, extreme):
    prior = distributions.StandardNormal(1).distribution()
    for value, scale, sign in zip(extreme, (1e-6, 1e6), (-1, 1), strict=True):
        raw = tf.constant([[value]])
        with tf.GradientTape() as tape:
            tape.watch(raw)
            found = posterior.distribution(tf.zeros([1, 1]), raw)
            divergence = found.kl_divergence(prior)
        np.testing.assert_allclose(found.stddev(), [[scale]], rtol=1e-3)
        gradient = tape.gradient(divergence, raw)
        assert np.isfinite(divergence).all() and np.isfinite(gradient).all()
        assert np.sign(gradient) == sign  # descent leads back


# ---- games, constraints, critics


@dataclasses.dataclass(frozen=True)
class Relativistic(games.Game):
    """D tells how much more real data are than samples (Jolicoeur-Martineau, 2019)."""

    sees_real_logits = True

    def discriminator_loss(self, real_logits, fake_logits):
        return tf.reduce_mean(tf.nn.softplus(fake_logits - real_logits))

    def generator_loss(self, fake_logits, real_logits):
        return tf.reduce_mean(tf.nn.softplus(real_logits - fake_logits))


def test_a_game_may_see_real_logits_in_the_generators_turn():
    model = gan(game=Relativistic())
    model.compile()
    losses = model.compute_losses(images(8), training=False)
    fakes = model.make_fakes(images(8), "generator", training=False)
    real, fake = model.discriminator(images(8)), model.discriminator(fakes.images)
    expected = np.mean(np.log1p(np.exp(real - fake)))
    np.testing.assert_allclose(losses["generator_loss"], expected, rtol=1e-5)
    before = [weight.numpy() for weight in model.generator.weights]
    model.fit(images(16), verbose=0)
    assert any(np.any(old != new) for old, new in zip(before, model.generator.weights, strict=True))


class Multiplier(penalties.Constraint, Configured):
    """Holds the mean logit of data at 1, by a multiplier that learns."""

    def __init__(self, rate=0.5):
        self.rate = rate

    def initial_state(self):
        return {"multiplier": 0.25}

    def loss(self, state, real_logits, fake_logits):
        return state["multiplier"] * (1 - tf.reduce_mean(real_logits))

    def next_state(self, state, real_logits, fake_logits):
        excess = 1 - tf.reduce_mean(real_logits)
        return {"multiplier": state["multiplier"] + self.rate * excess}


def test_a_constraint_has_a_state_that_moves_is_saved_and_counts_in_the_loss(tmp_path):
    model = gan(constraint=Multiplier())
    model.compile("sgd", "sgd")
    plain = gan()
    plain.set_weights(plain.get_weights())
    real = float(tf.reduce_mean(model.discriminator(images(8))))
    without = plain.compute_losses(images(8), training=False)["discriminator_loss"]
    with_it = model.compute_losses(images(8), training=False)["discriminator_loss"]
    np.testing.assert_allclose(with_it - without, 0.25 * (1 - real), rtol=1e-4)
    model.train_step(images(8))
    (state,) = model._constraint_state.values()
    np.testing.assert_allclose(state, 0.25 + 0.5 * (1 - real), rtol=1e-5)
    model.fit(images(16), verbose=0)
    model.save(tmp_path / "gan.keras")
    (loaded,) = tfgen.load(tmp_path / "gan.keras")._constraint_state.values()
    np.testing.assert_array_equal(loaded, state)


def test_logits_can_be_computed_from_given_weights():
    model = gan()
    weights = [2 * variable.value for variable in model.discriminator.trainable_variables]
    found = model.logits(images(4), images(4), training=False, weights=weights)
    for variable, weight in zip(model.discriminator.trainable_variables, weights, strict=True):
        variable.assign(weight)
    np.testing.assert_allclose(found, model.discriminator(images(4)), rtol=1e-6)


def test_penalties_of_pairs_are_those_of_the_pair_side_by_side():
    rng = np.random.default_rng(0)
    pairs = [[tf.constant(rng.normal(size=(6, n)), tf.float32) for n in (3, 2)] for _ in range(2)]
    weights = tf.constant(rng.normal(size=(5, 1)), tf.float32)

    def critic(pair):
        return tf.square(tf.concat(pair, axis=1)) @ weights

    joined = [tf.concat(pair, axis=1) for pair in pairs]
    whole = penalties.GradientPenalty(2.0)(lambda x: critic([x]), *joined, noise_seed=(1, 2))
    parts = penalties.GradientPenalty(2.0)(critic, *pairs, noise_seed=(1, 2))
    np.testing.assert_allclose(parts, whole, rtol=1e-5)
    flat = penalties.RealGradient(2.0)
    np.testing.assert_allclose(
        flat(critic, *pairs), flat(lambda x: critic([x]), *joined), rtol=1e-5
    )
    images_and_codes = [tf.ones([6, 2, 2, 1]), tf.ones([6, 3])]
    assert np.isfinite(
        penalties.Dragan()(
            lambda pair: tf.reduce_sum(pair[0], [1, 2]) + pair[1][:, :1],
            images_and_codes,
            images_and_codes,
        )
    )


@pytest.mark.slow
def test_infogan_s_q_may_have_an_optimizer_of_its_own():
    model = compiled("infogan")
    own = {f"{name}_optimizer": keras.optimizers.SGD(0.5) for name in model.players}
    model.compile(**own, recognition_optimizer=keras.optimizers.SGD(0.5))
    assert list(model.players) == ["generator", "discriminator", "recognition"]
    losses = model.compute_losses(images(8), training=False)
    assert {"recognition_loss", "information_loss", "generator_loss"} <= set(losses)
    before = model.get_weights()
    model.fit(images(16), batch_size=8, verbose=0)
    assert any(np.any(old != new) for old, new in zip(before, model.get_weights(), strict=True))
    steps = [int(optimizer.iterations) for optimizer in model.optimizers]
    assert steps == [2, 2, 2]
    with pytest.raises(ValueError, match="Pass generator_optimizer, discriminator_optimizer too"):
        model.compile(recognition_optimizer="sgd")


# ---- names of the release before


def test_old_names_of_models_work_and_name_the_new_ones():
    with pytest.warns(FutureWarning, match="`generator_ema=` is now called `ema_momentum=`"):
        model = gan(generator_ema=0.9)
    assert model.ema_momentum == 0.9
    for call, new in (
        (lambda: model.sample(2, seed=0, averaged=False), "use_ema="),
        (lambda: model.generate(tf.zeros([2, 3]), averaged=False), "use_ema="),
        (lambda: model.draw_latents(2, seed=0), "sample_latents"),
        (lambda: model.generate_ways(tf.zeros([1, 2, 3])), "generate_paths"),
    ):
        with pytest.warns(FutureWarning, match=f"is now called `{new}`"):
            call()


@pytest.mark.slow
def test_batches_of_ours_are_not_begun_before_the_first_step():
    """A look would begin a pass, and the first epoch would have the second one's order."""
    source = tfgen.data.Source(images(16))
    by_epochs, streamed = compiled("mlp_vae"), compiled("mlp_vae")
    by_epochs.fit(tfgen.data.batches(source, 4), verbose=0)
    streamed.fit(tfgen.data.batches(source, 4, repeat=True), steps_per_epoch=4, verbose=0)
    np.testing.assert_array_equal(by_epochs.sample(2, seed=0), streamed.sample(2, seed=0))


# ---- found by reading, each seen before the mend


class LaterGAN(tfgen.GAN):
    def __init__(self, generator, discriminator, prior, rate=0.1, **kwargs):
        super().__init__(generator, discriminator, prior, **kwargs)
        self.rate = rate


def test_a_subclass_may_keep_its_argument_after_its_parents_init(tmp_path):
    model = LaterGAN(generator(3), discriminator(), distributions.Uniform(3), rate=0.5)
    model.save(tmp_path / "gan.keras")
    assert tfgen.load(tmp_path / "gan.keras").rate == 0.5


class Shifter:
    def __init__(self, by):
        self.by = by

    def __call__(self, images, noise_seed):
        return images + self.by


def test_functions_of_any_kind_are_taken_and_no_class_of_others_is_changed():
    for augmentation in (
        functools.partial(lambda images, noise_seed, by: images + by, by=0.1),
        Shifter(0.1).__call__,
        lambda images, noise_seed: images,
    ):
        assert gan(augmentation=augmentation).augmentation is augmentation
    assert not hasattr(functools.partial, "get_config")


def test_values_in_dicts_and_with_slots_are_saved(tmp_path):
    @dataclasses.dataclass(frozen=True, slots=True)
    class Slotted:
        margin: float = 2.0

        def discriminator_loss(self, real_logits, fake_logits):
            return tf.reduce_mean(fake_logits - real_logits)

        def generator_loss(self, fake_logits):
            return -tf.reduce_mean(fake_logits)

    gan(game=Slotted()).save(tmp_path / "gan.keras")
    assert tfgen.load(tmp_path / "gan.keras").game == Slotted()


def test_adversarial_models_are_compiled_twice_in_half_precision():
    keras.config.set_dtype_policy("mixed_float16")
    model = gan()
    model.compile()
    model.compile()
    model.fit(images(8), verbose=0)


def test_callbacks_may_be_given_by_position():
    model, seen = gan(), []
    model.compile()
    note = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append(epoch))
    model.fit(images(8), None, 8, 1, 0, [note])
    assert seen == [0]


def test_a_tracker_that_puts_itself_before_keras_fit_adds_its_callback(monkeypatch):
    model, seen, keras_fit = gan(), [], keras.Model.fit
    model.compile()
    note = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append(epoch))

    def tracked_fit(self, *args, callbacks, **kwargs):
        return keras_fit(self, *args, callbacks=[*callbacks, note], **kwargs)

    monkeypatch.setattr(keras.Model, "fit", tracked_fit)
    model.fit(images(8), batch_size=8, verbose=0, callbacks=[])
    assert seen == [0]


def test_train_on_batch_returns_all_losses_in_every_step():
    model = gan(critic_steps=3)
    model.compile()
    assert [len(model.train_on_batch(images(8))) for _ in range(3)] == [2, 2, 2]


def test_data_of_keras_own_keep_their_length():
    class Two(keras.utils.PyDataset):
        def __len__(self):
            return 2

        def __getitem__(self, index):
            return (images(8),)

        def __next__(self):
            raise AssertionError("not asked")

        def __iter__(self):
            return iter([self[0], self[1]])

    model = gan()
    model.compile()
    model.fit(Two(), epochs=2, verbose=0)
    assert int(model.step) == 4
    with pytest.raises(ValueError, match="There must be examples.*iterator without any"):
        model.fit(iter([]), verbose=0)


def test_images_of_any_value_are_for_likelihoods_of_any_value():
    model = vae(distributions.Gaussian(1.0))
    model.compile()
    model.fit(3 * images(8) - 1, verbose=0)


def test_labels_of_any_structure_are_looked_past():
    model = vae()
    model.compile()
    model.fit(images(8), {"label": np.zeros(8)}, verbose=0)


def test_the_average_of_an_own_game_of_two_players_moves():
    class Own(tfgen.TwoPlayerModel):
        log_names = ("generator_loss", "discriminator_loss")

        def __init__(self, generator, discriminator, **kwargs):
            super().__init__(**kwargs)
            self.generator, self.discriminator = generator, discriminator
            self.averages.add(generator)
            self.finalize()

        discriminator_variables = property(lambda self: self.discriminator.trainable_variables)
        generator_variables = property(lambda self: self.generator.trainable_variables)

        def make_fakes(self, data, player, training):
            return self.generator(tf.ones([tf.shape(data)[0], 3]), training=training)

        def discriminator_losses(self, data, fakes, training):
            gap = self.discriminator(fakes) - self.discriminator(data)
            return {"discriminator_loss": tf.reduce_mean(gap)}

        def generator_losses(self, data, fakes, training):
            return {"generator_loss": -tf.reduce_mean(self.discriminator(fakes))}

        def signatures(self):
            return {}

    class Hooked(Own):
        def after_generator_step(self, data, fakes):
            """Replaces the hook; the averages are none of its business."""

    for game in (Own, Hooked):
        assert_its_average_moves(game(generator(3), discriminator(), ema_momentum=0.5))
    with pytest.raises(ValueError, match="A Own keeps no state of a constraint.*multiplier"):
        Own(generator(3), discriminator(), constraint=Multiplier())


def test_the_average_moves_whatever_the_hook_after_a_step_does():
    class Hooked(tfgen.VAE):
        def after_step(self, losses, data):
            """Replaces the hook; the averages are none of its business."""

    parts = distributions.StandardNormal(3), distributions.DiagonalNormal()
    encoder = networks.mlp_encoder(SHAPE, 3, hidden_sizes=(8,))
    decoder = networks.mlp_decoder(SHAPE, 3, hidden_sizes=(8,))
    likelihood = distributions.Bernoulli()
    assert_its_average_moves(Hooked(encoder, decoder, *parts, likelihood, ema_momentum=0.5))


def test_the_average_of_an_own_game_of_one_player_moves():
    class Alone(tfgen.AdversarialModel):
        log_names = ("actor_loss",)

        def __init__(self, actor, **kwargs):
            super().__init__(**kwargs)
            self.actor = actor
            self.averages.add(actor)
            self.finalize()

        players = property(lambda self: {"actor": self.actor.trainable_variables})

        def compute_losses(self, data, training):
            return {"actor_loss": tf.reduce_mean(self.actor(data, training=training))}

        def take_turns(self, data):
            return self.descend("actor", lambda: self.compute_losses(data, True))

        def signatures(self):
            return {}

    assert_its_average_moves(Alone(discriminator(), ema_momentum=0.5))


def assert_its_average_moves(model):
    model.compile()
    before = [weight.numpy() for weight in model.averages[0].variables]
    model.fit(images(16), batch_size=4, verbose=0)
    moved = zip(before, model.averages[0].variables, strict=True)
    assert max(np.abs(old - new.numpy()).max() for old, new in moved) > 1e-5


def test_the_old_base_of_two_players_names_the_new_one():
    with pytest.raises(TypeError, match="derive it from `tfgen.TwoPlayerModel`"):
        type("Old", (tfgen.AdversarialModel,), {"make_fakes": lambda *_: None})


def test_a_compile_that_is_refused_leaves_the_model_as_it_was():
    model = compiled("infogan")
    with pytest.raises(ValueError, match="Pass generator_optimizer"):
        model.compile(recognition_optimizer="sgd")
    model.fit(images(8), verbose=0)
    model.compile("sgd", "sgd", recognition_optimizer="sgd")
    model.compile("sgd", "sgd")
    assert model.recognition_optimizer is None and len(model.optimizers) == 2


def test_rates_keep_their_distance_through_nothing():
    model = gan()
    model.compile(keras.optimizers.SGD(0.01), keras.optimizers.SGD(0.04))
    for rate in (0.0, 0.02):
        model.optimizer.learning_rate = rate
    rates = [float(optimizer.learning_rate) for optimizer in model.optimizers]
    np.testing.assert_allclose(rates, [0.02, 0.08], rtol=1e-5)


def test_an_average_is_seen_within_a_loss_scale():
    scaled = keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam(use_ema=True))
    with pytest.raises(ValueError, match="Pass ema_momentum=0.99"):
        gan().compile(scaled, "adam")


def test_what_the_zoo_would_override_is_refused():
    for options in ({"constraint": penalties.WeightClipping(9.0)}, {"penalties": []}):
        build = tfgen.zoo.wgan if "constraint" in options else tfgen.zoo.wgan_gp
        with pytest.raises(TypeError, match="multiple values"):
            build(generator(3), discriminator(), distributions.Uniform(3), **options)
