"""Games against an independent implementation, and their gradients against closed forms."""

import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers
from scipy.special import expit, log_expit

import tfgen
from tfgen import distributions
from tfgen.engine.serialization import serializable
from tfgen.objectives.games import (
    Game,
    Hinge,
    LeastSquares,
    MaximumLikelihood,
    Minimax,
    NonSaturating,
    Relativistic,
    RelativisticAverage,
    Wasserstein,
)

REAL = np.array([[1.5], [-0.5], [2.0]])
FAKE = np.array([[-2.0], [0.25], [1.0], [3.5], [-0.75]])


def value_function(real, fake):
    """`V(D, G)`, in probabilities where the games have logits."""
    return np.log(expit(real)).mean() + np.log(1 - expit(fake)).mean()


# Each game's two losses, and the derivative of the generator's by a logit.
CASES = {
    Minimax(): (
        lambda real, fake: -value_function(real, fake),
        lambda fake: np.log(1 - expit(fake)).mean(),
        lambda fake: -expit(fake),
    ),
    NonSaturating(): (
        lambda real, fake: -value_function(real, fake),
        lambda fake: -np.log(expit(fake)).mean(),
        lambda fake: expit(fake) - 1,
    ),
    MaximumLikelihood(): (
        lambda real, fake: -value_function(real, fake),
        lambda fake: -np.mean(expit(fake) / (1 - expit(fake))),
        lambda fake: -np.exp(fake),
    ),
    LeastSquares(): (
        lambda real, fake: ((real - 1) ** 2).mean() / 2 + (fake**2).mean() / 2,
        lambda fake: ((fake - 1) ** 2).mean() / 2,
        lambda fake: fake - 1,
    ),
    Wasserstein(): (
        lambda real, fake: fake.mean() - real.mean(),
        lambda fake: -fake.mean(),
        lambda fake: -np.ones_like(fake),
    ),
    Hinge(): (
        lambda real, fake: np.maximum(0, 1 - real).mean() + np.maximum(0, 1 + fake).mean(),
        lambda fake: -fake.mean(),
        lambda fake: -np.ones_like(fake),
    ),
}
every_game = pytest.mark.parametrize("game", CASES, ids=lambda game: type(game).__name__)


def slopes(loss, *logits):
    """Returns a loss and its gradient by each of its arguments."""
    logits = [tf.constant(values, tf.float32) for values in logits]
    with tf.GradientTape() as tape:
        tape.watch(logits)
        value = loss(*logits)
    return value, tape.gradient(value, logits)


@every_game
def test_losses_are_those_of_an_independent_implementation(game):
    discriminator_loss, generator_loss, _ = CASES[game]
    real, fake = tf.constant(REAL, tf.float32), tf.constant(FAKE, tf.float32)
    found = game.discriminator_loss(real, fake)
    assert found.shape == () and found.dtype == tf.float32
    # The batches differ in size: a mean over both together would be another number.
    np.testing.assert_allclose(found, discriminator_loss(REAL, FAKE), rtol=1e-5)
    np.testing.assert_allclose(game.generator_loss(fake), generator_loss(FAKE), rtol=1e-5)


@every_game
def test_losses_are_means_over_everything_that_is_judged(game):
    real, fake = np.tile(REAL[:, :, None, None], [1, 4, 3, 2]), np.tile(FAKE, [2, 3])
    real, fake = tf.constant(real, tf.float32), tf.constant(fake, tf.float32)
    discriminator_loss, generator_loss, _ = CASES[game]
    np.testing.assert_allclose(
        game.discriminator_loss(real, fake), discriminator_loss(REAL, FAKE), rtol=1e-5
    )
    np.testing.assert_allclose(game.generator_loss(fake), generator_loss(FAKE), rtol=1e-5)


@every_game
def test_the_generators_gradient_is_its_closed_form(game):
    logits = np.array([[-30.0], [-4.0], [-0.5], [0.0], [0.9], [3.0]])
    _, (gradient,) = slopes(game.generator_loss, logits)
    expected = CASES[game][2](logits) / len(logits)
    np.testing.assert_allclose(gradient, expected, rtol=1e-5, atol=1e-30)


def test_only_the_minimax_and_likelihood_games_saturate_where_fakes_are_found_out():
    far = {
        type(game).__name__: abs(slopes(game.generator_loss, [[-20.0]])[1][0].numpy().item())
        for game in CASES
    }
    assert far["Minimax"] < 1e-8 and far["MaximumLikelihood"] < 1e-8
    assert all(far[name] > 0.99 for name in ("NonSaturating", "LeastSquares", "Wasserstein"))
    assert far["Hinge"] > 0.99


@every_game
def test_sure_discriminators_give_finite_losses_and_gradients(game):
    far = [[-1e4], [1e4], [-88.0], [89.0]]
    loss, gradients = slopes(game.discriminator_loss, far, far)
    assert np.isfinite(loss) and np.isfinite(gradients).all()
    # Half of the logits are wrong, and those are put right at full strength.
    assert all(np.abs(gradient).max() >= 0.25 for gradient in gradients)
    loss, gradients = slopes(game.generator_loss, far)
    assert np.isfinite(loss) and np.isfinite(gradients).all()


@pytest.mark.parametrize("logit", [-1e4, -50.0, 50.0, 1e4])
def test_the_cross_entropies_of_sure_discriminators_are_exact(logit):
    logits = tf.constant([[logit]])
    for game in (Minimax(), NonSaturating(), MaximumLikelihood()):
        np.testing.assert_allclose(
            game.discriminator_loss(logits, logits),
            -log_expit(logit) - log_expit(-logit),
            rtol=1e-6,
        )
    np.testing.assert_allclose(NonSaturating().generator_loss(logits), -log_expit(logit), rtol=1e-6)
    np.testing.assert_allclose(Minimax().generator_loss(logits), log_expit(-logit), rtol=1e-6)


def test_likelihood_is_kept_below_its_ceiling():
    game = MaximumLikelihood(ceiling=3.0)
    loss, (gradient,) = slopes(game.generator_loss, [[2.0], [3.5], [100.0]])
    np.testing.assert_allclose(loss, -(np.exp(2.0) + 2 * np.exp(3.0)) / 3, rtol=1e-6)
    np.testing.assert_allclose(gradient, [[-np.exp(2.0) / 3], [0.0], [0.0]], rtol=1e-6)


@pytest.mark.parametrize("game", [Minimax, NonSaturating, MaximumLikelihood])
def test_labels_are_smoothed_on_the_side_of_the_data_alone(game):
    smooth, plain = game(real_target=0.9), game()
    real, fake = tf.constant(REAL, tf.float32), tf.constant(FAKE, tf.float32)
    cross_entropy = -(0.9 * np.log(expit(REAL)) + 0.1 * np.log(1 - expit(REAL))).mean()
    np.testing.assert_allclose(
        smooth.discriminator_loss(real, fake),
        cross_entropy - np.log(1 - expit(FAKE)).mean(),
        rtol=1e-5,
    )
    np.testing.assert_array_equal(smooth.generator_loss(fake), plain.generator_loss(fake))
    # The answer that costs least is the target.
    target = np.log(0.9 / 0.1)
    _, (at_target, _) = slopes(smooth.discriminator_loss, [[target]], [[0.0]])
    np.testing.assert_allclose(at_target, 0.0, atol=1e-7)


@pytest.mark.parametrize("real_target", [0.5, 0.0, 1.1, float("nan")])
def test_a_target_that_is_no_label_of_data_is_refused(real_target):
    message = f"above 0.5 and at most 1. Received: real_target={real_target}."
    with pytest.raises(ValueError, match=message):
        NonSaturating(real_target=real_target)


@pytest.mark.parametrize(
    "game", [*CASES, Minimax(0.9), NonSaturating(0.8), MaximumLikelihood(0.9, ceiling=5.0)], ids=str
)
def test_games_are_values_that_save_themselves(game):
    saved = keras.saving.serialize_keras_object(game)
    assert keras.saving.deserialize_keras_object(saved) == game
    assert [other for other in CASES if other == game] == [game] * (game in CASES)


def test_a_game_must_say_both_losses():
    class OneSided(Game):
        def generator_loss(self, fake_logits):
            return fake_logits

    with pytest.raises(TypeError, match="discriminator_loss"):
        OneSided()


@serializable
@dataclasses.dataclass(frozen=True)
class Exponential(Game):
    """A game of a user's own: both players descend exponential losses."""

    scale: float = 1.0

    def discriminator_loss(self, real_logits, fake_logits):
        real, fake = tf.exp(-self.scale * real_logits), tf.exp(self.scale * fake_logits)
        return tf.reduce_mean(real) + tf.reduce_mean(fake)

    def generator_loss(self, fake_logits):
        return tf.reduce_mean(tf.exp(-self.scale * fake_logits))


def test_a_game_of_ones_own_trains_and_is_saved_with_its_model(tmp_path):
    keras.utils.set_random_seed(0)
    gan = tfgen.GAN(
        keras.Sequential([keras.Input((2,)), layers.Dense(2)]),
        keras.Sequential([keras.Input((2,)), layers.Dense(4, "tanh"), layers.Dense(1)]),
        distributions.StandardNormal(2),
        Exponential(scale=0.5),
    )
    gan.compile()
    points = np.random.default_rng(0).normal(size=(16, 2)).astype(np.float32)
    before = gan.discriminator(points)
    expected = gan.compute_losses(points, training=True)["discriminator_loss"]
    history = gan.fit(points, batch_size=16, verbose=0).history
    np.testing.assert_allclose(history["discriminator_loss"], [expected], rtol=1e-5)
    assert not np.array_equal(gan.discriminator(points), before)
    gan.save(tmp_path / "model.keras")
    assert tfgen.load(tmp_path / "model.keras").game == Exponential(scale=0.5)


MARGINS = {
    "logistic": lambda margin: np.log1p(np.exp(-margin)),
    "squared": lambda margin: (margin - 1) ** 2,
    "hinge": lambda margin: np.maximum(0, 1 - margin),
}
every_margin = pytest.mark.parametrize("loss", MARGINS)


@every_margin
def test_relativistic_games_compare_data_with_samples(loss):
    """Jolicoeur-Martineau, 2019, section 4: of pairs, and of means."""
    real, fake = REAL, FAKE[:3]
    logits, margin = [tf.constant(each, tf.float32) for each in (real, fake)], MARGINS[loss]
    pairs = Relativistic(loss)
    expected = margin(real - fake).mean(), margin(fake - real).mean()
    found = pairs.discriminator_loss(*logits), pairs.generator_loss(*logits[::-1])
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    means = RelativisticAverage(loss)
    expected = (
        margin(real - fake.mean()).mean() + margin(real.mean() - fake).mean(),
        margin(fake - real.mean()).mean() + margin(fake.mean() - real).mean(),
    )
    found = means.discriminator_loss(*logits), means.generator_loss(*logits[::-1])
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    # What data and samples have in common decides nothing.
    moved = [each + 7.0 for each in logits]
    np.testing.assert_allclose(means.discriminator_loss(*moved), expected[0], rtol=1e-4)


@every_margin
def test_a_relativistic_generator_learns_from_data_too(loss):
    """Section 3: the samples' logits rise, and the data's fall."""
    for game in (Relativistic(loss), RelativisticAverage(loss)):
        _, (fake, real) = slopes(game.generator_loss, np.zeros([3, 1]), np.zeros([3, 1]))
        assert (np.array(fake) < -0.1).all() and (np.array(real) > 0.1).all()


def test_a_relativistic_game_of_another_loss_is_refused():
    with pytest.raises(ValueError, match="'hing'. Did you mean 'hinge'?"):
        RelativisticAverage("hing")
