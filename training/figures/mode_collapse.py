"""The slides' mode collapse over time: the generator maps every latent to where D is highest.

A fixed discriminator is best answered by one point. It then learns that this point is generated,
and the generator moves on to another: samples jump from mode to mode, and never are at all of them.

The first row shows it on a ring of eight Gaussians, with players as in the experiment of Metz et
al. (2017, appendix A): two hidden layers in the generator, one in the discriminator, latents of
more dimensions than the data. They report collapse with such players. Here it comes from the
shallow discriminator: its slope is broad, and all samples follow it together. Two remedies, each of
them alone, at the same steps:

* R1 keeps the discriminator flat at the data (Mescheder et al., 2018). So samples that have
  reached a mode stay there.
* A second hidden layer: the discriminator rates each mode by itself.
"""

import keras
from keras import layers

import tfgen
from tfgen import data, distributions, evaluation, penalties
from training.figures.canvas import canvas, save

RING = data.gaussian_ring(radius=2.0, deviation=0.1)
MOMENTS = (200, 500, 1000, 2000, 3000, 5000)  # steps of the training
LATENTS = 16
COUNT = 2500  # samples that are counted, as in VEEGAN's protocol
SHOWN = 600


def ring_gan(hidden_layers=1, penalties=()):
    """Returns a GAN in the non-saturating game, compiled, with the weights of seed 0.

    Args:
        hidden_layers: how many the discriminator has, of 128 units each.
        penalties: as `tfgen.GAN` takes them.
    """
    keras.utils.set_random_seed(0)
    orthogonal = keras.initializers.Orthogonal(gain=0.8)
    hidden = [layers.Dense(128, "relu", kernel_initializer=orthogonal) for _ in range(2)]
    last = layers.Dense(2, kernel_initializer=orthogonal)
    generator = keras.Sequential([keras.Input((LATENTS,)), *hidden, last])
    judging = [layers.Dense(128, "relu") for _ in range(hidden_layers)]
    discriminator = keras.Sequential(
        [keras.Input((2,)), layers.Rescaling(0.25), *judging, layers.Dense(1)]
    )
    prior = distributions.StandardNormal(LATENTS)
    gan = tfgen.GAN(generator, discriminator, prior, penalties=list(penalties))
    optimizers = [keras.optimizers.Adam(1e-3, beta_1=0.5) for _ in range(2)]
    gan.compile(*optimizers, jit_compile=True, steps_per_execution=100)
    return gan


def snapshots(gan, source, moments, count):
    """Trains a GAN, and keeps what it makes of the same latents at moments of the training.

    Args:
        gan: a compiled model of points.
        source: the `tfgen.data.Source` of the data.
        moments: numbers of steps, ascending, the first above 0.
        count: the number of samples.

    Yields:
        For each moment an array `[count, 2]`.
    """
    done = 0
    for moment in moments:
        stream = data.batches(source, 256, repeat=True, first_step=done)
        gan.fit(stream, steps_per_epoch=moment - done, verbose=0)
        done = moment
        yield gan.sample(count, seed=0).numpy()


def modes_of(samples):
    """Returns how many of the ring's modes have a sample within three deviations."""
    return evaluation.mixture_coverage(samples, RING.centres, RING.deviation).modes


def draw(path):
    """Draws three trainings, a row each, and prints the modes covered at every moment."""
    runs = {
        "one hidden layer": ring_gan(),
        "one hidden layer, R1": ring_gan(penalties=[penalties.RealGradient(10.0)]),
        "two hidden layers": ring_gan(hidden_layers=2),
    }
    points = RING.sample(50_000)
    figure = canvas(12, 6.6)
    rows = figure.subplots(len(runs), len(MOMENTS), sharex=True, sharey=True)
    print(f"{'modes of 8, after steps':24}" + "".join(f"{moment:6}" for moment in MOMENTS))
    for axes, (name, gan) in zip(rows, runs.items(), strict=True):
        found = list(snapshots(gan, points, MOMENTS, COUNT))
        print(f"{name:24}" + "".join(f"{modes_of(samples):6}" for samples in found))
        axes[0].set_ylabel(name)
        for place, moment, samples in zip(axes, MOMENTS, found, strict=True):
            place.scatter(*points.images[:SHOWN].T, s=3, color="0.8")
            place.scatter(*samples[:SHOWN].T, s=3, color="darkred")
            title = f"step {moment}: {modes_of(samples)} of 8"
            place.set(title=title, xlim=(-3, 3), ylim=(-3, 3), aspect="equal")
    figure.suptitle(
        "how many of the eight modes (grey) the samples (red) cover, for three discriminators"
    )
    save(figure, path)
