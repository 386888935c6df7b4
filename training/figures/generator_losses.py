"""The slide's comparison of two variants of J_G: log D against log(1 - D), with their slopes.

As functions of the logit `a` of `D = sig(a)`, on which the generator's gradient depends:

    minimax            J_G = log(1 - D),      dJ_G / da = -D
    non-saturating     J_G = -log D,          dJ_G / da = -(1 - D)
    maximum likelihood J_G = -exp(a),         dJ_G / da = -D / (1 - D)

Where D is near 0, as early in training, minimax saturates: its slope vanishes.
"""

import numpy as np
import tensorflow as tf

from tfgen.games import MaximumLikelihood, Minimax, NonSaturating
from training.figures.canvas import canvas, save

GAMES = {
    "minimax: log(1 - D)": Minimax(),
    "non-saturating: -log D": NonSaturating(),
    "maximum likelihood: -D / (1 - D)": MaximumLikelihood(),
}
SHOWN_BELOW = 0.9  # there the third loss leaves the picture


def losses_and_slopes(game, chances):
    """Returns a game's generator loss, and its slope by the logit, for each `D(G(z))`.

    Args:
        game: a `tfgen.games.Game`.
        chances: floats `[count]` in (0, 1).

    Returns:
        Two arrays `[count]`.
    """
    chances = np.asarray(chances)
    logits = tf.constant(np.log(chances / (1 - chances)), tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(logits)
        losses = tf.map_fn(lambda logit: game.generator_loss(logit[tf.newaxis]), logits)
    return losses.numpy(), tape.gradient(losses, logits).numpy()


def draw(path):
    """Draws losses at the left and slopes at the right, and prints the slopes at three places."""
    figure = canvas(10, 4.2)
    left, right = figure.subplots(1, 2)
    chances = np.linspace(0.005, 0.995, 199)
    asked = [0.01, 0.5, 0.99]
    print(f"{'slope by the logit where D(G(z)) is':36}" + "".join(f"{each:9}" for each in asked))
    for name, game in GAMES.items():
        losses, slopes = losses_and_slopes(game, chances)
        shown = chances < (SHOWN_BELOW if isinstance(game, MaximumLikelihood) else 1)
        left.plot(chances[shown], losses[shown], label=name)
        right.plot(chances[shown], slopes[shown], label=name)
        at = losses_and_slopes(game, asked)[1]
        print(f"{name:36}" + "".join(f"{each:9.2f}" for each in at))
    left.set(title="what the generator descends", xlabel="D(G(z))", ylabel="$J_G$", ylim=(-5, 5))
    right.set(
        title="how steep it is", xlabel="D(G(z))", ylabel="$dJ_G / da$, a the logit", ylim=(-1.6, 0)
    )
    left.legend()
    save(figure, path)
