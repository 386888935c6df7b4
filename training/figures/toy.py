"""Draws the lectures' toy: one update of a generator of a line, and one of its discriminator.

    $ python -m training.toy --output runs/toy       # as python -m training.figures toy

Samples are `x = h v`, data `x = h w`, with `h ~ N(0, 1)` and `v`, `w` in the plane; the
discriminator is `y = sig(|x1| w1 + |x2| w2)`, with a `w` of its own. After their updates, which
leave them on the unit circle, `v` "might" be (0.39, 0.92) and the discriminator's `w`
(0.67, -0.74): the slide names no loss and no learning rate.

* The generator moves along the discriminator's `w` in every game, since all samples lie on a line
  through 0; the game decides how far. A step of 0.21, then put back on the circle, comes to the
  slide's figures.
* The discriminator is updated after the generator: by the samples of the first `v` it would stay
  where it is, for they mirror the data.
* In the lectures' game, minimax, with plain gradient descent on means over the batch, the figures
  come out to two digits for learning rates of the generator of 0.77 to 0.80, and of the
  discriminator of 0.93 to 1.21. (In the non-saturating game, the generator needs 0.40.)
"""

import argparse
import pathlib
import sys

from tfgen.utils.tensorflow_setup import import_tensorflow

GENERATOR_RATE = 0.79
DISCRIMINATOR_RATE = 1.0
EXAMPLES = 100_000
V = [0.2, 0.98]
W = [0.98, 0.2]
DISCRIMINATOR_W = [0.71, -0.71]


def main(arguments=None):
    """Runs the command."""
    parser = argparse.ArgumentParser(
        prog="python -m training.toy", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--output", default="runs/toy", help="the folder of the picture")
    options = parser.parse_args(arguments)
    import_tensorflow()
    try:
        from training.figures.__main__ import draw as draw_named

        draw_named("toy", pathlib.Path(options.output))
    except OSError as error:
        sys.exit(f"toy: {error}")


def draw(path):
    """Prints both vectors at each stage, and draws the stages into a file."""
    from training.figures.canvas import canvas, save

    figure = canvas(13, 4.6)
    print(f"{'':34}v of the generator   w of the discriminator")
    for axes, (title, gan, data) in zip(figure.subplots(1, 3), stages(), strict=True):
        v, w = vectors(gan)
        print(f"{title:34}({v[0]:.2f}, {v[1]:.2f})         ({w[0]:.2f}, {w[1]:.2f})")
        contour = _draw_stage(axes, title, gan, data)
    figure.colorbar(contour, ax=figure.axes, label="D(x): how likely it is that x is of the data")
    save(figure, path)


def stages():
    """Takes the updates of the slide, one after the other.

    Yields:
        Three times a title, the `tfgen.GAN` as it then is, and the data `[EXAMPLES, 2]`.
    """
    import numpy as np

    gan = slide_gan()
    data = np.random.default_rng(0).normal(size=[EXAMPLES, 1]).astype("float32") * np.float32(W)
    yield "at the start", gan, data
    _update(gan, "generator", data, GENERATOR_RATE)
    yield "after the generator's update", gan, data
    _update(gan, "discriminator", data, DISCRIMINATOR_RATE)
    yield "after the discriminator's update", gan, data


def slide_gan():
    """Returns the slide's players; their optimizers put them back on the unit circle."""
    import keras
    from keras import constraints, layers

    import tfgen

    v = layers.Dense(2, use_bias=False, kernel_constraint=constraints.UnitNorm(axis=1))
    generator = keras.Sequential([keras.Input((1,)), v])
    w = layers.Dense(1, use_bias=False, kernel_constraint=constraints.UnitNorm(axis=0))
    examples = keras.Input((2,))
    discriminator = keras.Model(examples, w(keras.ops.abs(examples)))
    v.kernel.assign([V])
    w.kernel.assign([[weight] for weight in DISCRIMINATOR_W])
    prior = tfgen.distributions.StandardNormal(1)
    return tfgen.GAN(generator, discriminator, prior, tfgen.games.Minimax())


def vectors(gan):
    """Returns the generator's `v` and the discriminator's `w`."""
    return [network.get_weights()[0].ravel() for network in (gan.generator, gan.discriminator)]


def _update(gan, player, data, learning_rate):
    import keras

    from tfgen.engine.optimizer_step import descend

    variables = getattr(gan, f"{player}_variables")
    optimizer = keras.optimizers.SGD(learning_rate)
    optimizer.build(variables)
    losses = getattr(gan, f"{player}_losses")

    def compute_losses():
        return losses(data, gan.make_fakes(data, player, training=True), training=True)

    descend(optimizer, variables, compute_losses, f"{player}_loss")


def _draw_stage(axes, title, gan, data, shown=60):
    import numpy as np
    from scipy.special import expit

    side = np.linspace(-3, 3, 101, dtype="float32")
    plane = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
    chances = expit(gan.discriminator(plane)).reshape(101, 101)
    levels = np.linspace(0, 1, 11)
    contour = axes.contourf(side, side, chances, levels, cmap="RdBu", alpha=0.6)
    axes.contour(side, side, chances, [0.5], colors="gray", linewidths=1)
    axes.scatter(*data[:shown].T, s=14, color="navy", label="data")
    before = gan.sample_latents(shown, seed=0) * np.float32(V)
    axes.scatter(*np.transpose(before), s=14, color="silver", label="samples at the start")
    samples = gan.sample(shown, seed=0)
    axes.scatter(*np.transpose(samples), s=14, color="darkred", label="samples")
    axes.set(title=title, xlim=(-3, 3), ylim=(-3, 3), xlabel="$x_1$", ylabel="$x_2$")
    axes.set_aspect("equal")
    axes.legend(loc="upper left", fontsize="small")
    return contour


if __name__ == "__main__":
    main()
