"""Games of f-divergences: conjugates on grids, and what the best discriminator measures."""

import numpy as np
import pytest
import tensorflow as tf

from tests.test_gan_theory import DATA, SAMPLES
from tfgen import games, penalties

# Independent of the code: what each divergence of P from Q is, of six outcomes or of any number.
DIVERGENCES = {
    "total_variation": lambda p, q: np.abs(p - q).sum() / 2,
    "kullback_leibler": lambda p, q: np.sum(p * np.log(p / q)),
    "reverse_kullback_leibler": lambda p, q: np.sum(q * np.log(q / p)),
    "pearson": lambda p, q: np.sum((p - q) ** 2 / q),
    "neyman": lambda p, q: np.sum((p - q) ** 2 / p),
    "squared_hellinger": lambda p, q: np.sum((np.sqrt(p) - np.sqrt(q)) ** 2),
    "jeffreys": lambda p, q: np.sum((p - q) * np.log(p / q)),
    "jensen_shannon": lambda p, q: (
        np.sum(p * np.log(2 * p / (p + q))) + np.sum(q * np.log(2 * q / (p + q)))
    ),
    "gan": lambda p, q: np.sum(p * np.log(p / (p + q))) + np.sum(q * np.log(q / (p + q))),
}
every_divergence = pytest.mark.parametrize("name", DIVERGENCES)
OUTPUTS = np.linspace(-20, 20, 400_001)
# No ratio has an answer below it: f'(0). The paper's conjugate rises again there.
LEAST = {"pearson": -2.0}


def of_one(game, outputs):
    """Returns `g(v)` and `f*(g(v))` of outputs, from the losses of single ones."""
    outputs = tf.constant(np.reshape(outputs, [-1, 1]), tf.float32)
    nothing = tf.zeros([1, 1])
    at_zero = game.discriminator_loss(nothing, nothing)
    activations = game.activation(outputs)[:, 0].numpy().astype("d")
    losses = tf.vectorized_map(lambda one: game.discriminator_loss(nothing, one[None]), outputs)
    conjugate_at_zero = float(at_zero) + float(game.activation(nothing)[0, 0])
    return activations, losses.numpy().astype("d") - float(at_zero) + conjugate_at_zero


@every_divergence
def test_the_best_discriminator_measures_the_divergence(name):
    """Nowozin et al., 2016, equation 4: the supremum of F is D(P, Q)."""
    activations, conjugates = of_one(games.FDivergence(name), OUTPUTS)
    best = [np.max(p * activations - q * conjugates) for p, q in zip(DATA, SAMPLES, strict=True)]
    assert np.sum(best) == pytest.approx(DIVERGENCES[name](DATA, SAMPLES), abs=2e-4)
    assert np.sum(best) != pytest.approx(DIVERGENCES[name](SAMPLES, SAMPLES), abs=0.05)


@every_divergence
def test_the_divergence_is_the_mean_of_f(name):
    found = SAMPLES @ games.FDivergence(name).between(tf.constant(DATA / SAMPLES)).numpy()
    assert found == pytest.approx(DIVERGENCES[name](DATA, SAMPLES), abs=1e-6)


@every_divergence
def test_conjugates_are_those_of_a_grid(name):
    """f*(t) is the supremum of u t - f(u), over ratios u of 0 to infinity."""
    game, outputs = games.FDivergence(name), np.linspace(LEAST.get(name, -3), 2.5, 12)
    activations, conjugates = of_one(game, outputs)
    ratios = np.geomspace(1e-9, 1e4, 1_000_000)
    values = game.between(tf.constant(ratios)).numpy()
    expected = [np.max(ratios * each - values) for each in activations]
    np.testing.assert_allclose(conjugates, expected, atol=2e-4, rtol=1e-4)


@every_divergence
def test_a_larger_output_means_that_an_example_looks_more_real(name):
    activations, conjugates = of_one(
        games.FDivergence(name), np.linspace(LEAST.get(name, -5), 5, 50)
    )
    assert (np.diff(activations) > 0).all() and (np.diff(conjugates) > 0).all()


@every_divergence
def test_losses_and_gradients_are_finite_where_the_discriminator_is_sure(name):
    logits = tf.constant([[-1e4], [-90.0], [90.0], [1e4]])
    game = games.FDivergence(name, saturating=True)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(logits)
        losses = [game.discriminator_loss(logits, logits), game.generator_loss(logits)]
    for loss in losses:
        assert np.isfinite(loss) and np.isfinite(tape.gradient(loss, logits)).all()


@every_divergence
def test_the_generator_s_gradient_is_that_of_its_loss(name):
    logits = np.array([[-3.0], [-0.4], [0.3], [2.0]], np.float32)
    for saturating in (True, False):
        game = games.FDivergence(name, saturating)
        with tf.GradientTape() as tape:
            tape.watch(variable := tf.constant(logits))
            loss = game.generator_loss(variable)
        activations, conjugates = of_one(game, np.concatenate([logits + 0.01, logits - 0.01]))
        descended = conjugates if saturating else activations
        slopes = -(descended[:4] - descended[4:]) / 0.02 / 4
        np.testing.assert_allclose(tape.gradient(loss, variable)[:, 0], slopes, rtol=5e-3)


def test_another_name_is_refused_with_a_near_one():
    with pytest.raises(ValueError, match="'hellinger'. Did you mean 'squared_hellinger'?"):
        games.FDivergence("hellinger")
    with pytest.raises(ValueError, match="'pearson'.*Received: divergence='zzz'.$"):
        games.FDivergence("zzz")
    with pytest.raises(ValueError, match="must be one of"):
        games.FDivergence(["pearson"])


@pytest.mark.parametrize("rho", [0, -1.0, "x"])
def test_fisher_s_rho_is_a_positive_number(rho):
    with pytest.raises(ValueError, match="`rho` must be"):
        penalties.FisherConstraint(rho)
