"""The slides' theory of the GAN, on two Gaussians: the best discriminator, and what it measures.

Of data `p = N(0, 1)` and samples `q = N(d, 1)`, with the distance `d` between their means:

    D*(x) = p(x) / (p(x) + q(x)),    J(G, D*) = -log 4 + 2 JSD(p || q)

(Goodfellow et al., 2014, proposition 1 and theorem 1). `J(G, D) = E_p[log D] + E_q[log(1 - D)]` is
the value that the discriminator ascends. A small one comes close to the best in training.
"""

import keras
import numpy as np
from scipy.integrate import quad
from scipy.special import expit
from scipy.stats import norm

import tfgen
from tfgen.games import Minimax
from training.figures.canvas import canvas, save

SHOWN = (0.0, 1.0, 3.0)
TRAINED = (0.0, 1.0, 2.0, 3.0, 5.0)
LARGEST = 6.0
EXAMPLES, UNSEEN = 20_000, 100_000  # of the data, in training and after
SEED = 0


def optimal_discriminator(x, distance):
    """Returns `D*(x)`, in [0, 1], of a float or an array."""
    return expit(norm.logpdf(x) - norm.logpdf(x, distance))


def jensen_shannon(distance):
    """Returns `JSD(p || q)`, from 0 to log 2, by quadrature.

    It is the mean of two divergences from the mixture, of `p` and of `q`. Here both are equal,
    because `p` and `q` mirror each other.
    """

    def integrand(x):
        mixture = np.logaddexp(norm.logpdf(x), norm.logpdf(x, distance)) - np.log(2)
        return norm.pdf(x) * (norm.logpdf(x) - mixture)

    return quad(integrand, -12, 12)[0]


def optimal_value(distance):
    """Returns `J(G, D*)`, from -log 4 to 0."""
    return -np.log(4) + 2 * jensen_shannon(distance)


def trained_values(distances):
    """Trains a small discriminator at each distance, starting from what it learned at the last.

    Its value is measured on data and samples that are new to it.

    Args:
        distances: how far the samples' mean is from the data's, one after the other.

    Returns:
        A list of floats, `J(G, D)` at each distance.
    """
    keras.utils.set_random_seed(SEED)
    gan = shifting_gan()
    data = np.random.default_rng(SEED).normal(size=[EXAMPLES + UNSEEN, 1])
    values = []
    for distance in distances:
        gan.generator.set_weights([np.array([[1.0]]), np.array([distance])])
        gan.fit(data[:EXAMPLES], batch_size=500, epochs=4, verbose=0)
        real, fake = data[EXAMPLES:], gan.sample(UNSEEN, seed=SEED)
        loss = gan.game.discriminator_loss(gan.discriminator(real), gan.discriminator(fake))
        values.append(-float(loss))
    return values


def shifting_gan():
    """Returns a `tfgen.GAN` whose generator is `z + bias` and does not learn."""
    generator = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    discriminator = keras.Sequential(
        [keras.Input((1,)), keras.layers.Dense(16, "tanh"), keras.layers.Dense(1)]
    )
    prior = tfgen.distributions.StandardNormal(1)
    gan = tfgen.GAN(generator, discriminator, prior, Minimax())
    gan.compile(keras.optimizers.SGD(0.0), keras.optimizers.Adam(0.005))
    return gan


def draw(path):
    """Draws densities and `D*` above, the value against the distance below; prints both values."""
    figure = canvas(10, 7.4)
    panels = figure.subplot_mosaic([[*"abc"], [*"JJJ"]], height_ratios=(1, 1.1))
    for name, distance in zip("abc", SHOWN, strict=True):
        _draw_densities(panels[name], distance)
    panels["a"].set(ylabel="density, and D*")
    panels["a"].legend(loc="upper left", fontsize="small")
    _draw_values(panels["J"])
    save(figure, path)


def _draw_densities(axes, distance):
    x = np.linspace(-4, 7, 300)
    axes.fill_between(x, norm.pdf(x), alpha=0.4, label="data p")
    axes.fill_between(x, norm.pdf(x, distance), alpha=0.4, label="samples q")
    axes.plot(x, optimal_discriminator(x, distance), color="black", label="D* = p / (p + q)")
    axes.set(title=f"distance d = {distance:g}", xlabel="x", ylim=(0, 1.45), xlim=(-4, 7))
    axes.set_yticks([0, 0.5, 1])


def _draw_values(axes):
    distances = np.linspace(0, LARGEST, 121)
    axes.plot(distances, [optimal_value(each) for each in distances], label="of D*: -log 4 + 2 JSD")
    print("distance   value of D*   of a trained discriminator")
    trained = trained_values(TRAINED)
    for distance, value in zip(TRAINED, trained, strict=True):
        print(f"{distance:8g} {optimal_value(distance):13.3f} {value:28.3f}")
    axes.plot(TRAINED, trained, "o", color="C3", label="of a trained discriminator")
    axes.axhline(0, color="gray", linestyle=":")
    axes.axhline(-np.log(4), color="gray", linestyle=":")
    axes.text(0.05, -0.02, "0: D* makes no mistake", color="dimgray", va="top")
    axes.text(LARGEST, -np.log(4) + 0.02, "-log 4: D* = 1/2", color="dimgray", ha="right")
    axes.set(title="what the best discriminator measures", xlabel="distance d", ylabel="J(G, D)")
    axes.legend(loc="center right")
