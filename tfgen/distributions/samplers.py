"""The classical ways to draw from a density that is given as a function.

They answer in NumPy's arrays, and are meant for one or two dimensions.
"""

import dataclasses
from collections.abc import Callable

import numpy as np
import scipy.stats.sampling
import tensorflow as tf
import tensorflow_probability as tfp

from tfgen.engine import noise

# At so many points of an interval a density is looked at.
_NODES = 1000


def inverse_transform(quantile, count, seed=None):
    """Draws from a one-dimensional distribution: `u ~ U(0, 1), x = F^-1(u)`.

    Args:
        quantile: the inverse `F^-1` of the cumulative distribution, from a float64 array in (0, 1)
            to one of the same shape, such as `scipy.stats.norm.ppf`. `numerical_quantile` finds the
            one of a density.
        count: the number of samples, at least 1.
        seed: a 64-bit integer: the same seed gives the same samples. `None`: new ones.

    Returns:
        A float64 array `[count]`.

    Raises:
        ValueError: `count` is less than 1, or the quantile function changes the array's shape.

    Example:
        >>> inverse_transform(lambda u: -np.log(1 - u), 1000, seed=0).mean()  # exponential: about 1
    """
    _check_at_least(1, count=count)
    uniform = _uniform([count], seed, "inverse_transform")
    samples = np.asarray(quantile(uniform), np.float64)
    if samples.shape != uniform.shape:
        raise ValueError(
            "`quantile` must map an array to one of its shape. "
            f"Received: from {uniform.shape} to {samples.shape}."
        )
    return samples


def numerical_quantile(density, interval):
    """Returns the quantile function of a density, by SciPy's polynomial interpolation.

    The method is that of Derflinger, Hoermann and Leydold, 2010; for smooth densities the error of
    `F(F^-1(u))` is about 1e-10.

    Args:
        density: a function from a float to a float that is not negative; it need not be normalized.
        interval: `(low, high)`, finite: where the density is looked at. Outside it is taken as 0.

    Returns:
        A function from float64 arrays in (0, 1) to arrays of the same shape.

    Raises:
        ValueError: the interval is empty or infinite, the density negative or not finite somewhere
            or 0 everywhere, or SciPy cannot integrate it.

    Example:
        >>> triangle = numerical_quantile(lambda x: x, (0, 2))
        >>> triangle(np.array([0.25]))  # F(x) = x^2 / 4
        array([1.])
    """
    points = _centres(*_check_interval(interval), _NODES)
    values = _check_density(np.array([density(point) for point in points]))
    try:
        method = scipy.stats.sampling.NumericalInversePolynomial(
            _WithDensity(density), domain=interval, center=points[np.argmax(values)]
        )
    except scipy.stats.sampling.UNURANError as error:
        raise ValueError(
            f"SciPy cannot integrate the density on {interval}: {error}. It must be smooth there, "
            "and not 0 at both ends of a gap. Choose a smaller interval."
        ) from error
    return method.ppf


@dataclasses.dataclass(frozen=True)
class _WithDensity:
    """A distribution as SciPy's samplers take it."""

    pdf: Callable


def inverse_transform_plane(density, intervals, count, seed=None, nodes=_NODES):
    """Draws from a two-dimensional density: `x` from its marginal, then `y` given `x`.

    The chain rule `f(x, y) = f(x) f(y|x)` makes two inverse transforms of it. The density is
    computed on a grid once, and taken as constant in each of its cells.

    Args:
        density: a function of two float64 arrays of one shape, to an array of that shape whose
            values are not negative; it need not be normalized.
        intervals: `((x_low, x_high), (y_low, y_high))`, finite: where the density is looked at.
            Outside it is taken as 0.
        count: the number of samples, at least 1.
        seed: a 64-bit integer: the same seed gives the same samples. `None`: new ones.
        nodes: the number of cells along each axis, at least 1.

    Returns:
        A float64 array `[count, 2]`.

    Raises:
        ValueError: an interval is empty or infinite, the density negative or not finite somewhere
            or 0 everywhere, or a number less than 1.

    Example:
        >>> hills = lambda x, y: np.sin(x) ** 2 * np.sin(y) ** 2
        >>> inverse_transform_plane(hills, ((0, 6.28), (0, 6.28)), 1000, seed=0).shape
        (1000, 2)
    """
    _check_at_least(1, count=count, nodes=nodes)
    x, y = (_centres(*_check_interval(interval), nodes) for interval in intervals)
    values = density(*np.meshgrid(x, y, indexing="ij"))
    masses = _check_density(np.broadcast_to(values, [nodes, nodes]))
    u_x, u_y = _uniform([2, count], seed, "inverse_transform_plane")
    # The running sum over all cells holds both steps: that of a row is the marginal of its x, and
    # between the row's begin and end is the conditional of y.
    sums = np.concatenate([[0.0], np.cumsum(masses)])
    row, x_within = _find(sums[::nodes], u_x * sums[-1])
    begin, end = sums[row * nodes], sums[(row + 1) * nodes]
    cell, y_within = _find(sums, begin + u_y * (end - begin))
    cells = np.stack([row + x_within, cell - row * nodes + y_within], axis=1)
    lows, highs = np.transpose(intervals)
    return lows + cells / nodes * (highs - lows)


@dataclasses.dataclass(frozen=True, eq=False)
class Chains:
    """What Metropolis and Hastings' algorithm found.

    Args:
        samples: a float32 array `[count, chains, dimensions]`.
        acceptance_rate: the share of proposals that were accepted. Far from 0.2 to 0.5, `scale` is
            badly chosen: small steps are accepted but lead nowhere, large ones are rejected.
    """

    samples: np.ndarray
    acceptance_rate: float


def metropolis_hastings(log_density, start, scale, count, burn_in=1000, thin=1, seed=None):
    """Draws from a density by walks that dwell where it is large (Metropolis et al., 1953).

    Each chain proposes `x* ~ N(x[t-1], scale^2 I)` and moves there with probability
    `min(1, f(x*) / f(x[t-1]))`, else stays. Samples that follow each other are alike, and a chain
    rarely crosses wide valleys: take many chains, from starts all over the space.

    Args:
        log_density: a TensorFlow function from float32 `[chains, dimensions]` to `[chains]`,
            `log f`; it need not be normalized.
        start: floats `[chains, dimensions]`, where the density is positive.
        scale: the proposal's standard deviation, positive; one number, or one per dimension.
        count: the number of samples of each chain, at least 1.
        burn_in: first steps to forget, at least 0.
        thin: every how many steps a sample is kept, at least 1.
        seed: a 64-bit integer: the same seed gives the same samples. `None`: new ones.

    Returns:
        `Chains`.

    Raises:
        ValueError: a number is too small, or `log_density` is not one finite number per chain at
            the start.

    Example:
        >>> normal = lambda x: -0.5 * tf.reduce_sum(x**2, axis=1)
        >>> chains = metropolis_hastings(normal, np.zeros([100, 2]), 1.0, count=1000, seed=0)
        >>> chains.samples.shape
        (1000, 100, 2)
    """
    _check_at_least(1, count=count, thin=thin)
    _check_at_least(0, burn_in=burn_in)
    if not np.all(np.asarray(scale) > 0):
        raise ValueError(f"`scale` must be positive. Received: scale={scale}.")
    start = tf.convert_to_tensor(start, tf.float32)
    _check_start(log_density, start)
    kernel = tfp.mcmc.RandomWalkMetropolis(
        log_density, new_state_fn=tfp.mcmc.random_walk_normal_fn(tf.constant(scale, tf.float32))
    )

    @tf.function(autograph=False)
    def walk(seed):
        return tfp.mcmc.sample_chain(
            count,
            start,
            kernel=kernel,
            num_burnin_steps=burn_in,
            num_steps_between_results=thin - 1,
            trace_fn=lambda _, results: results.is_accepted,
            seed=seed,
        )

    samples, accepted = walk(noise.seed_from(seed, "metropolis_hastings"))
    return Chains(samples.numpy(), float(np.mean(accepted)))


def _uniform(shape, seed, name):
    """Returns float64 numbers in (0, 1): at 0 itself, many quantiles are infinite."""
    return tf.random.stateless_uniform(
        shape, noise.seed_from(seed, name), np.finfo(np.float64).tiny, dtype=tf.float64
    ).numpy()


def _centres(low, high, cells):
    """Returns the centres of equal cells between two ends."""
    return low + (np.arange(cells) + 0.5) / cells * (high - low)


def _find(sums, values):
    """Returns between which two of the rising `sums` each value is, and how far, from 0 to 1."""
    cell = np.searchsorted(sums, values, side="right") - 1
    return cell, (values - sums[cell]) / (sums[cell + 1] - sums[cell])


def _check_at_least(least, **numbers):
    for name, number in numbers.items():
        if number < least:
            raise ValueError(f"`{name}` must be at least {least}. Received: {name}={number}.")


def _check_interval(interval):
    low, high = interval
    if not (np.isfinite([low, high]).all() and low < high):
        raise ValueError(
            f"An interval must go from a finite number to a larger one. Received: {interval}."
        )
    return low, high


def _check_density(values):
    if not np.isfinite(values).all() or np.min(values) < 0 or not np.any(values):
        raise ValueError(
            "A density must be finite, nowhere negative and somewhere positive. Received: values "
            f"from {np.min(values)} to {np.max(values)}."
        )
    return values


def _check_start(log_density, start):
    if len(start.shape) != 2:
        raise ValueError(f"`start` must be [chains, dimensions]. Received: {list(start.shape)}.")
    values = log_density(start)
    if values.shape != start.shape[:1]:
        raise ValueError(
            f"`log_density` must return one number per chain, {list(start.shape[:1])}. "
            f"Received: {list(values.shape)}."
        )
    if not np.isfinite(values).all():
        raise ValueError(
            "Every chain must start where the density is positive and finite. Received: a start "
            f"with log-densities {values.numpy()}."
        )
