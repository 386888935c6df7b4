"""The slide's landscape of data generation methods.

What is known of the distribution decides which method can draw from it:

    the inverse F^-1     inverse transform: u ~ U(0, 1), x = F^-1(u)
    the density f        Metropolis-Hastings: propose a step, accept it by the ratio of f
    data, and a family   maximum likelihood: estimate a Gaussian, draw from it
    data alone           kernel density: choose an example, add noise of the bandwidth
"""

import numpy as np
import sklearn.datasets
import tensorflow as tf
from scipy.stats import norm

import tfgen
from tfgen import densities, samplers
from training.figures.canvas import canvas, save

WEIGHTS, MEANS, DEVIATIONS = (0.4, 0.6), (-1.5, 1.2), (0.5, 0.8)  # of two normals on a line
INTERVAL = (-6.0, 6.0)
CHAINS, STEPS, PROPOSAL = 2000, 400, 1.2
BANDWIDTH = 0.12
SEED = 0


def hills(x):
    """Returns the density of the mixture of two normals at `x`, a float or an array."""
    parts = zip(WEIGHTS, MEANS, DEVIATIONS, strict=True)
    return sum(weight * norm.pdf(x, mean, deviation) for weight, mean, deviation in parts)


def draw_hills(count):
    """Draws from `hills` by the inverse transform; returns a float64 array `[count]`."""
    return samplers.inverse_transform(samplers.numerical_quantile(hills, INTERVAL), count, SEED)


def banana_log_density(points):
    """Returns `log f`, not normalized, of a bent hill: float `[count, 2]` to `[count]`."""
    x, y = points[:, 0], points[:, 1]
    return -0.5 * x**2 - 0.5 * ((y - 0.5 * x**2) / 0.5) ** 2


def walk_on_banana():
    """Draws from the bent hill by Metropolis-Hastings; returns `tfgen.samplers.Chains`."""
    start = np.zeros([CHAINS, 2])
    return samplers.metropolis_hastings(banana_log_density, start, PROPOSAL, STEPS, seed=SEED)


def moons():
    """Returns the points that two densities are estimated from: float32 `[150, 2]`."""
    points, _ = sklearn.datasets.make_moons(150, noise=0.08, random_state=SEED)
    return np.float32(points)


def fitted(density, points):
    """Returns the `tfgen.DensityModel` of a density, estimated from points `[count, 2]`."""
    model = tfgen.DensityModel((2,), density)
    model.fit(points, verbose=0)
    return model


def draw(path):
    """Draws a panel for each method, and prints what was measured for each."""
    figure = canvas(10, 8.4)
    (first, second), (third, fourth) = figure.subplots(2, 2)
    _draw_inverse_transform(first)
    _draw_metropolis_hastings(second)
    points = moons()
    _draw_estimate(third, "maximum likelihood of a Gaussian", densities.Gaussian(), points)
    kernels = densities.KernelDensity(BANDWIDTH)
    _draw_estimate(fourth, f"kernel density, bandwidth h = {BANDWIDTH}", kernels, points)
    save(figure, path)


def _draw_inverse_transform(axes):
    samples = draw_hills(5000)
    print(f"inverse transform: mean {samples.mean():.2f}, exactly {np.dot(WEIGHTS, MEANS):.2f}")
    x = np.linspace(-4, 4, 400)
    axes.hist(samples, bins=60, density=True, color="C1", alpha=0.5, label="5,000 samples")
    axes.plot(x, hills(x), color="C0", label="density f")
    axes.set(title="inverse transform", xlabel="x", ylabel="density", xlim=(-4, 4), ylim=(0, 0.42))
    axes.legend(loc="upper left")


def _draw_metropolis_hastings(axes, shown=400, steps=60):
    chains = walk_on_banana()
    accepted = f"{chains.acceptance_rate:.0%} of steps accepted"
    print(f"Metropolis-Hastings: {accepted}")
    intervals = (-3.2, 3.2), (-1.6, 5.2)
    _draw_contours(axes, lambda plane: np.exp(banana_log_density(plane)), intervals)
    _scatter(axes, chains.samples[-1, :shown], "C1", "samples, one of each chain")
    axes.plot(
        *chains.samples[:steps, 0].T, color="black", lw=0.8, label=f"{steps} steps of one chain"
    )
    axes.set(title=f"Metropolis-Hastings: {accepted}", xlabel="$x_1$", ylabel="$x_2$")
    axes.legend(loc="upper center")


def _draw_estimate(axes, title, density, points, count=300):
    model = fitted(density, points)
    likelihood = np.mean(model.log_likelihood(points))
    print(f"{title}: {likelihood:.2f} nats of log-density a point")
    intervals = (-2.2, 3.2), (-1.5, 2.1)
    _draw_contours(axes, lambda plane: np.exp(model.log_likelihood(tf.constant(plane))), intervals)
    _scatter(axes, model.sample(count, seed=SEED).numpy(), "C1", "samples")
    _scatter(axes, points, "C0", "data")
    axes.set(title=title, xlabel="$x_1$", ylabel="$x_2$")
    axes.legend(loc="upper left", ncols=2)


def _draw_contours(axes, density, intervals, side=120):
    x, y = (np.linspace(*interval, side, dtype=np.float32) for interval in intervals)
    plane = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
    heights = density(plane).reshape(side, side)
    levels = np.max(heights) * np.linspace(0.1, 0.9, 5)
    axes.contour(x, y, heights, levels, colors="silver", linewidths=0.9)
    axes.set(xlim=intervals[0], ylim=intervals[1])


def _scatter(axes, points, colour, label):
    axes.scatter(*points.T, s=9, color=colour, label=label)
