"""Penalties against critics whose gradients are known."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

import tfgen
from tfgen import distributions
from tfgen.objectives.games import Wasserstein
from tfgen.objectives.penalties import (
    Dragan,
    GradientPenalty,
    Penalty,
    RealGradient,
    WeightClipping,
    global_deviation,
)

WEIGHTS = np.array([[2.0], [-1.0], [2.0]], np.float32)  # of norm 3
# What each penalty says of a critic whose gradient has norm 3 everywhere, with weight 5.
CASES = {
    GradientPenalty(5.0): 5.0 * (3.0 - 1) ** 2,
    Dragan(5.0): 5.0 * (3.0 - 1) ** 2,
    RealGradient(5.0): 5.0 / 2 * 3.0**2,
}
every_penalty = pytest.mark.parametrize("penalty", CASES, ids=lambda case: type(case).__name__)


def vectors(count=6, size=3, seed=0):
    return tf.constant(np.random.default_rng(seed).normal(size=(count, size)), tf.float32)


class Seen:
    """A critic `|x|^2 / 2`, whose gradient is `x`, that keeps what it is asked about."""

    def __call__(self, examples):
        self.examples = examples
        axes = list(range(1, len(examples.shape)))
        return tf.reduce_sum(tf.square(examples), axes, keepdims=True) / 2


def looked_at(penalty, real, fake, noise_seed=(0, 0)):
    """Returns the penalty of `|x|^2 / 2` and the points `x`, flat, where it looks."""
    critic = Seen()
    value = penalty(critic, real, fake, noise_seed=noise_seed)
    return value, np.reshape(critic.examples, [len(real), -1]).astype(float)


@every_penalty
def test_a_linear_critic_is_judged_by_the_norm_of_its_weights(penalty):
    found = penalty(lambda x: x @ WEIGHTS, vectors(), vectors(seed=1), noise_seed=(1, 2))
    assert found.shape == () and found.dtype == tf.float32
    np.testing.assert_allclose(found, CASES[penalty], rtol=1e-5)


def test_the_deviation_is_exact_far_from_zero():
    far = vectors(50) + 5000
    np.testing.assert_allclose(global_deviation(far), np.std(np.asarray(far, float)), rtol=1e-4)


@every_penalty
def test_a_critic_of_parts_is_judged_by_the_gradient_of_their_sum(penalty):
    def critic(images):
        return tf.stack([tf.reduce_sum(images, axis=[1, 2, 3])] * 2, axis=1)[:, :, None]

    images = tf.reshape(vectors(2, 12), [2, 2, 2, 3])
    norm = np.sqrt(12 * 2.0**2)
    expected = 5.0 / 2 * norm**2 if isinstance(penalty, RealGradient) else 5.0 * (norm - 1) ** 2
    np.testing.assert_allclose(penalty(critic, images, images), expected, rtol=1e-5)


@every_penalty
def test_the_gradient_by_the_critics_weights_is_exact(penalty):
    weights = tf.Variable(WEIGHTS)
    with tf.GradientTape() as tape:
        value = penalty(lambda x: x @ weights, vectors(), vectors(seed=1))
    norm = 3.0
    slope = 5.0 * norm if isinstance(penalty, RealGradient) else 5.0 * 2 * (norm - 1)
    np.testing.assert_allclose(tape.gradient(value, weights), slope * WEIGHTS / norm, rtol=1e-5)


@every_penalty
def test_a_dead_critic_has_a_finite_derivative(penalty):
    weights = tf.Variable(tf.zeros_like(WEIGHTS))
    with tf.GradientTape() as tape:
        value = penalty(lambda x: x @ weights, vectors(), vectors())
    expected = 0.0 if isinstance(penalty, RealGradient) else 5.0
    np.testing.assert_allclose(value, expected, atol=1e-4)
    np.testing.assert_array_equal(tape.gradient(value, weights), np.zeros_like(WEIGHTS))


@pytest.mark.parametrize("shape", [(40,), (5, 4, 2)], ids=str)
def test_the_gradient_penalty_looks_between_data_and_samples(shape):
    real, fake = (
        tf.reshape(vectors(200, 40, seed), [200, *shape]).numpy().astype(np.float32)
        for seed in (1, 2)
    )
    value, points = looked_at(GradientPenalty(3.0), tf.constant(real), tf.constant(fake), (3, 4))
    norms = np.linalg.norm(points, axis=1)
    np.testing.assert_allclose(value, 3.0 * np.mean((norms - 1) ** 2), rtol=1e-4)
    real, fake = real.reshape(200, -1), fake.reshape(200, -1)
    shares = (points - fake) / (real - fake)
    # One share for all values of an example, between 0 and 1, another for the next example.
    middle = np.median(shares, axis=1, keepdims=True)
    np.testing.assert_allclose(points, fake + middle * (real - fake), atol=1e-5)
    assert_uniform(middle)


def test_every_share_between_data_and_samples_is_equally_likely():
    """The penalty of `|x|^2/2` on segments from 0 to length 2 is `E(2 e - 1)^2 = 1/3`."""
    real, fake = tf.fill([20_000, 1], 2.0), tf.zeros([20_000, 1])
    found = GradientPenalty(1.0)(Seen(), real, fake, noise_seed=(5, 6))
    # The standard error is 0.0021; normal shares would give 5.
    np.testing.assert_allclose(found, 1 / 3, atol=0.01)


def test_dragan_looks_around_the_data():
    real = 4 * vectors(200, 500, seed=1) + 10
    penalty = Dragan(3.0, spread=0.25)
    value, points = looked_at(penalty, tf.reshape(real, [200, 10, 10, 5]), None, (3, 4))
    norms = np.linalg.norm(points, axis=1)
    np.testing.assert_allclose(value, 3.0 * np.mean((norms - 1) ** 2), rtol=1e-4)
    # Of all values: the deviation of an example or of a feature would not be near to 4.
    way = (points - real.numpy()) / (0.25 * np.std(real))
    assert way.min() >= -1e-4 and way.max() <= 1 + 1e-4
    # Each way is a share, of the example, times a number of the value.
    shares = way.max(axis=1)
    assert_uniform(shares)
    # The shares are as far off as the largest of 500 numbers is from 1.
    assert_uniform((way / shares[:, None]).ravel())
    # And the two are draws apart, not one draw's beginning and the whole of it.
    assert abs(np.corrcoef(shares, way[0, :200])[0, 1]) < 0.5


def test_r1_looks_at_the_data():
    real = vectors(50)
    value, points = looked_at(RealGradient(4.0), real, vectors(50, seed=1))
    np.testing.assert_array_equal(points, real)
    np.testing.assert_allclose(value, 2.0 * np.mean(np.sum(np.square(real), axis=1)), rtol=1e-5)


@pytest.mark.parametrize("penalty", [GradientPenalty(), Dragan()], ids=str)
def test_points_are_a_function_of_the_seed(penalty):
    real, fake = vectors(), vectors(seed=1)
    _, points = looked_at(penalty, real, fake, (1, 2))
    np.testing.assert_array_equal(points, looked_at(penalty, real, fake, (1, 2))[1])
    assert not np.array_equal(points, looked_at(penalty, real, fake, (1, 3))[1])


def assert_uniform(numbers):
    """Asserts that numbers are spread evenly over [0, 1]: within what 200 or more would vary."""
    numbers = np.ravel(numbers)
    assert numbers.min() >= -1e-4 and numbers.max() <= 1 + 1e-4
    np.testing.assert_allclose(np.quantile(numbers, [0.25, 0.5, 0.75]), [0.25, 0.5, 0.75], atol=0.1)
    assert np.std(numbers) == pytest.approx(12**-0.5, abs=0.03)


@pytest.mark.parametrize("value", [*CASES, Dragan(1.0, spread=0.1), WeightClipping(0.5)], ids=str)
def test_penalties_are_values_that_save_themselves(value):
    saved = keras.saving.serialize_keras_object(value)
    assert keras.saving.deserialize_keras_object(saved) == value


def test_weights_and_limits_out_of_range_are_refused():
    for penalty in (GradientPenalty, Dragan, RealGradient):
        assert penalty(0.0).weight == 0
        with pytest.raises(ValueError, match="`weight` must be at least 0. Received: weight=-1.0"):
            penalty(-1.0)
    for limit in (0.0, -0.01):
        message = f"`limit` must be positive. Received: limit={limit}"
        with pytest.raises(ValueError, match=message):
            WeightClipping(limit)
    with pytest.raises(ValueError, match="`spread` must be positive. Received: spread=0.0"):
        Dragan(spread=0.0)
    with pytest.raises(ValueError, match="`weight` must be at least 0. Received: weight=-2.0"):
        Dragan(-2.0, spread=1.0)
    with pytest.raises(TypeError, match="__call__"):
        Penalty(1.0)


def image_gan(**options):
    """Returns a GAN of images whose steps are large."""
    keras.utils.set_random_seed(0)
    generator = keras.Sequential(
        [keras.Input((2,)), layers.Dense(48), layers.Reshape((4, 4, 3))], name="generator"
    )
    critic = keras.Sequential(
        [keras.Input((4, 4, 3)), layers.Conv2D(2, 3), layers.Flatten(), layers.Dense(1)]
    )
    prior = distributions.StandardNormal(2)
    gan = tfgen.GAN(generator, critic, prior, Wasserstein(), **options)
    gan.compile(keras.optimizers.SGD(1.0), keras.optimizers.SGD(1.0))
    return gan


def images(count=8):
    return np.random.default_rng(0).random((count, 4, 4, 3), np.float32)


def test_clipped_weights_stay_in_the_box():
    gan = image_gan(constraint=WeightClipping(0.125))
    before = [variable.numpy() for variable in gan.generator_variables]
    gan.fit(images(), batch_size=4, verbose=0)
    found = [variable.numpy() for variable in gan.discriminator_variables]
    assert all(np.abs(weight).max() <= 0.125 for weight in found)
    # Steps so large reach the box' walls, and what is inside is not moved to them.
    kernel = np.abs(found[0])
    assert (kernel == 0.125).any() and (kernel < 0.1).any()
    after = [variable.numpy() for variable in gan.generator_variables]
    assert any(np.abs(weight).max() > 0.125 for weight in after)
    assert any((old != new).any() for old, new in zip(before, after, strict=True))


def test_penalties_of_a_model_are_added_logged_and_seeded_apart():
    penalties = [GradientPenalty(2.0), Dragan(3.0), GradientPenalty(2.0)]
    gan, plain = image_gan(penalties=penalties), image_gan()
    losses = gan.compute_losses(images(), training=True)
    expected = plain.compute_losses(images(), training=True)["discriminator_loss"]
    np.testing.assert_allclose(
        losses["discriminator_loss"] - losses["penalty"], expected, rtol=1e-4, atol=1e-5
    )

    class Judged(Penalty):
        seeds = []

        def __call__(self, critic, real, fake, noise_seed=(0, 0)):
            self.seeds.append(tuple(np.asarray(noise_seed)))
            np.testing.assert_array_equal(real, images())
            np.testing.assert_array_equal(critic(fake), gan.discriminator(fake))
            return tf.constant(self.weight)

    gan.penalties = [Judged(1.0), Judged(0.25)]
    assert gan.compute_losses(images(), training=True)["penalty"] == 1.25
    gan.step.assign_add(1)
    gan.compute_losses(images(), training=True)
    assert len(set(Judged.seeds)) == 4
