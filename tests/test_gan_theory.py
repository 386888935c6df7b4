"""What the papers prove of adversarial games, on distributions small enough to enumerate."""

import functools

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers
from scipy.optimize import linprog
from scipy.spatial.distance import cdist, jensenshannon
from scipy.special import expit, rel_entr

import tfgen
from tfgen import distributions
from tfgen.engine.optimizer_step import descend
from tfgen.objectives.games import (
    Hinge,
    LeastSquares,
    MaximumLikelihood,
    Minimax,
    NonSaturating,
    Wasserstein,
)
from tfgen.objectives.penalties import FisherConstraint, GradientPenalty

# Sixteenths: a batch of 16 has every outcome as often as is likely.
DATA = np.array([8, 4, 2, 1, 1]) / 16
SAMPLES = np.array([1, 2, 3, 2, 8]) / 16
OUTCOMES = len(DATA)
RATIO = DATA / (DATA + SAMPLES)
CROSS_ENTROPIES = [Minimax, NonSaturating, MaximumLikelihood]


def one_hot(chances):
    """Returns a batch of 16 one-hot vectors that has the outcomes as often as `chances` says."""
    return tf.one_hot(np.repeat(np.arange(OUTCOMES), np.round(16 * chances).astype(int)), OUTCOMES)


def train_discriminator(game, data, samples, steps=300, learning_rate=0.3):
    """Returns the logit of every outcome, and the loss, of a discriminator at its optimum."""
    discriminator = keras.Sequential([keras.Input((OUTCOMES,)), layers.Dense(1, use_bias=False)])
    real, fake = one_hot(data), one_hot(samples)
    loss = minimize(
        lambda _: game.discriminator_loss(discriminator(real), discriminator(fake)),
        discriminator.trainable_variables,
        steps,
        learning_rate,
    )
    return discriminator.get_weights()[0][:, 0].astype(float), loss


def minimize(compute_loss, variables, steps, learning_rate):
    """Descends a function of the step's number, ever more slowly; returns the last loss."""
    schedule = keras.optimizers.schedules.CosineDecay(learning_rate, steps)
    optimizer = keras.optimizers.Adam(schedule, beta_1=0.8)
    optimizer.build(variables)

    def compute_losses(step):
        return {"loss": compute_loss(step)}

    @tf.function(autograph=False)
    def run():
        def take_step(_, step):
            return descend(optimizer, variables, functools.partial(compute_losses, step))["loss"]

        return tf.foldl(take_step, tf.range(steps), 0.0)

    return float(run())


def jensen_shannon(first, second):
    return jensenshannon(first, second) ** 2


def pearson(data, samples):
    """Mao et al.'s chi squared: of twice the samples' distribution from the sum of both."""
    return np.sum((samples - data) ** 2 / (data + samples))


@pytest.mark.parametrize("game", CROSS_ENTROPIES)
def test_the_best_discriminator_is_the_share_of_the_data(game):
    """Goodfellow et al., 2014, proposition 1, and theorem 1: V = -log 4 + 2 JSD."""
    logits, loss = train_discriminator(game(), DATA, SAMPLES)
    np.testing.assert_allclose(expit(logits), RATIO, atol=2e-4)
    value = -np.log(4) + 2 * jensen_shannon(DATA, SAMPLES)
    np.testing.assert_allclose(-loss, value, atol=1e-5)
    assert value > -np.log(4) + 0.2


def test_the_best_discriminator_of_a_perfect_generator_knows_nothing():
    logits, loss = train_discriminator(Minimax(), DATA, DATA)
    np.testing.assert_allclose(expit(logits), np.full(OUTCOMES, 0.5), atol=1e-4)
    np.testing.assert_allclose(-loss, -np.log(4), atol=1e-6)


def test_smoothed_labels_scale_the_share_of_the_data():
    """Salimans et al., 2016, section 3.4: D = a p / (p + q)."""
    logits, _ = train_discriminator(Minimax(real_target=0.75), DATA, SAMPLES)
    np.testing.assert_allclose(expit(logits), 0.75 * RATIO, atol=2e-4)


def test_the_best_least_squares_discriminator_measures_a_chi_squared():
    """Mao et al., 2017, equations 4 and 7, for the targets 1 and 0.

    Their equation 8 asks for targets with b - c = 1 and b - a = 2. With a = 0, b = c = 1, D's own
    optimum still tells the same divergence: J_D = 1/4 - chi^2 / 8.
    """
    logits, loss = train_discriminator(LeastSquares(), DATA, SAMPLES)
    np.testing.assert_allclose(logits, RATIO, atol=2e-4)
    np.testing.assert_allclose(loss, 1 / 4 - pearson(DATA, SAMPLES) / 8, atol=1e-6)
    # And so does their C(G), which has data in the generator's objective too.
    objective = [
        LeastSquares().generator_loss(batch @ logits[:, None].astype(np.float32))
        for batch in (one_hot(DATA), one_hot(SAMPLES))
    ]
    np.testing.assert_allclose(sum(objective), 1 / 4 + pearson(DATA, SAMPLES) / 8, atol=1e-4)


def test_the_best_hinge_discriminator_measures_the_total_variation():
    """Lim and Ye, 2017: D = sign(p - q), where J_D = 2 sum min(p, q)."""
    logits, loss = train_discriminator(Hinge(), DATA, SAMPLES)
    np.testing.assert_allclose(logits, np.sign(DATA - SAMPLES), atol=0.02)
    variation = np.abs(DATA - SAMPLES).sum() / 2
    np.testing.assert_allclose(loss, 2 * (1 - variation), atol=0.02)


def expected_gradient(game, logits):
    """Returns the gradient of `E_q[J_G]` by the parameters of `q = softmax(theta)`, D constant.

    By enumeration of the outcomes: what the score function or, for continuous generators, the
    path through the discriminator estimates.
    """
    theta = tf.Variable(np.log(SAMPLES), dtype=tf.float32)
    losses = tf.stack([game.generator_loss(tf.fill([1, 1], logit)) for logit in np.float32(logits)])
    with tf.GradientTape() as tape:
        expectation = tf.reduce_sum(tf.nn.softmax(theta) * losses)
    return tape.gradient(expectation, theta)


def slope(divergence):
    """Returns a divergence's gradient by the parameters of `q = softmax(theta)`."""

    def shifted(index, step):
        theta = np.log(SAMPLES)
        theta[index] += step
        return divergence(np.exp(theta) / np.exp(theta).sum())

    return [(shifted(index, 1e-5) - shifted(index, -1e-5)) / 2e-5 for index in range(OUTCOMES)]


def divergence(first, second):
    return np.sum(rel_entr(first, second))


# What the generator descends where the discriminator is optimal, as a function of q.
DESCENDED = {
    # Goodfellow et al., 2014, theorem 1.
    Minimax(): lambda q: 2 * jensen_shannon(DATA, q),
    # Arjovsky and Bottou, 2017, theorem 2.5.
    NonSaturating(): lambda q: divergence(q, DATA) - 2 * jensen_shannon(DATA, q),
    # Goodfellow, 2014, "On distinguishability criteria".
    MaximumLikelihood(): lambda q: divergence(DATA, q),
    # Of D = p / (p + q): the generator's half alone is not Mao et al.'s chi squared.
    LeastSquares(): lambda q: divergence(DATA, (DATA + q) / 2) - pearson(DATA, q) / 8,
}


@pytest.mark.parametrize("game", DESCENDED, ids=lambda game: type(game).__name__)
def test_generators_descend_the_divergence_that_the_theory_names(game):
    optimum = RATIO if isinstance(game, LeastSquares) else np.log(DATA / SAMPLES)
    expected = slope(DESCENDED[game])
    assert np.abs(expected).max() > 0.02
    np.testing.assert_allclose(expected_gradient(game, optimum), expected, atol=1e-5)
    for other, wrong in DESCENDED.items():
        if other != game:
            assert np.abs(np.subtract(slope(wrong), expected)).max() > 0.01


def test_maximum_likelihood_is_exact_for_softmax():
    """The gradient of KL(p || softmax(theta)) is q - p."""
    found = expected_gradient(MaximumLikelihood(), np.log(DATA / SAMPLES))
    np.testing.assert_allclose(found, SAMPLES - DATA, atol=1e-6)


def test_a_trained_gan_has_the_best_discriminator():
    """End to end: a generator of known chances that stays as it is, and draws in `fit`."""
    cumulated = np.cumsum(SAMPLES)
    latents = keras.Input((1,))
    # A latent is uniform over [-1, 1]; the outcome is the first whose cumulated chance is above.
    above = keras.ops.cast((latents + 1) / 2 < cumulated, "float32")
    outcomes = above - keras.ops.pad(above[:, :-1], [[0, 0], [1, 0]])
    generator = keras.Model(latents, outcomes)
    discriminator = keras.Sequential([keras.Input((OUTCOMES,)), layers.Dense(1, use_bias=False)])
    gan = tfgen.GAN(generator, discriminator, distributions.Uniform(1))
    np.testing.assert_allclose(np.mean(gan.sample(20_000, seed=0), axis=0), SAMPLES, atol=0.01)
    rate = keras.optimizers.schedules.CosineDecay(0.3, 200)
    gan.compile("sgd", keras.optimizers.Adam(rate), steps_per_execution=10)
    gan.fit(np.tile(one_hot(DATA), [6400, 1]), batch_size=512, verbose=0)
    logits = discriminator.get_weights()[0][:, 0]
    np.testing.assert_allclose(expit(logits), RATIO, atol=0.02)


def earth_movers_distance(first, second):
    """Returns the least cost of moving equal weights at some points to others."""
    costs = cdist(first, second)
    rows, columns = costs.shape
    leaves = np.kron(np.eye(rows), np.ones(columns))
    arrives = np.kron(np.ones(rows), np.eye(columns))
    weights = np.concatenate([np.full(rows, 1 / rows), np.full(columns, 1 / columns)])
    plan = linprog(costs.ravel(), A_eq=np.vstack([leaves, arrives]), b_eq=weights)
    assert plan.success
    return plan.fun


def test_the_gap_of_a_penalized_critic_is_the_earth_movers_distance():
    """Gulrajani et al., 2017, proposition 1: the best critic's slope is 1 on the ways of mass."""
    random = np.random.default_rng(4)
    first, second = random.normal(size=(4, 2)), random.normal(size=(6, 2)) * [0.5, 2] + [3, 0]
    distance = earth_movers_distance(first, second)
    # Farther than the means are: the distance is not that of a linear critic.
    assert distance > np.linalg.norm(first.mean(axis=0) - second.mean(axis=0)) + 0.1
    # Every pair, so that the penalty is for all ways that there are.
    real = tf.constant(np.repeat(first, 6, axis=0), tf.float32)
    fake = tf.constant(np.tile(second, [4, 1]), tf.float32)
    keras.utils.set_random_seed(0)
    critic = keras.Sequential(
        [keras.Input((2,)), *(layers.Dense(64, "relu") for _ in range(2)), layers.Dense(1)]
    )
    penalty, game = GradientPenalty(100.0), Wasserstein()

    def gap():
        return game.discriminator_loss(critic(real), critic(fake))

    minimize(
        lambda step: gap() + penalty(critic, real, fake, noise_seed=(0, step)),
        critic.trainable_variables,
        steps=1000,
        learning_rate=0.01,
    )
    np.testing.assert_allclose(-gap(), distance, rtol=0.03)


def test_the_best_critic_of_fisher_gan_measures_a_chi_squared_distance():
    """Mroueh and Sercu, 2017: F^2 = sum (p - q)^2 / m of the mean m, lambda* = F / 2."""
    game, constraint = Wasserstein(), FisherConstraint(rho=0.05)
    real, fake = one_hot(DATA), one_hot(SAMPLES)

    def step(index, critic, state):
        with tf.GradientTape() as tape:
            tape.watch(critic)
            logits = real @ critic, fake @ critic
            loss = game.discriminator_loss(*logits) + constraint.loss(state, *logits)
        critic -= 0.3 * tape.gradient(loss, critic)
        return index + 1, critic, constraint.next_state(state, real @ critic, fake @ critic)

    @tf.function(autograph=False)
    def train():
        begin = 0, tf.zeros([OUTCOMES, 1]), {"multiplier": tf.constant(0.0)}
        return tf.while_loop(lambda index, *_: index < 4000, step, begin)

    _, critic, state = train()
    multiplier = float(state["multiplier"])
    distance = np.sqrt(np.sum((DATA - SAMPLES) ** 2 / ((DATA + SAMPLES) / 2)))
    found = -float(game.discriminator_loss(real @ critic, fake @ critic))
    assert found == pytest.approx(distance, abs=1e-3)
    assert multiplier == pytest.approx(distance / 2, abs=1e-3)
    expected = (DATA - SAMPLES) / ((DATA + SAMPLES) / 2) / distance
    np.testing.assert_allclose(critic[:, 0], expected, atol=2e-3)
