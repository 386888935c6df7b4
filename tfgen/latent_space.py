"""Latent space: paths from latent to latent, sums of latents, latents near the middle.

All return latents as a model's `prior` draws them; the model's `generate` makes examples of these.
Where a generator takes more (labels, the codes of an InfoGAN), `generate_paths` adds it.
"""

import math

import tensorflow as tf
import tensorflow_probability as tfp

from tfgen.engine import noise

tfd = tfp.distributions


def interpolate(start, end, steps):
    """Goes from one latent to another on a straight line, `(1 - t) start + t end`.

    Between uniform latents this is what Radford et al. (2016, figure 4) do. Between normal latents
    of many dimensions the line passes nearer to the origin than any latent of the prior lies: see
    `interpolate_spherical`.

    Args:
        start: latents `[..., size]`.
        end: as many others, of the same shape.
        steps: the number of latents on the path, both ends included, at least 2.

    Returns:
        A float32 tensor `[..., steps, size]`.

    Raises:
        ValueError: the shapes differ, or there are fewer than two steps.

    Example:
        >>> first, last = model.prior.distribution().sample(2, seed=(0, 1))
        >>> model.generate_paths([interpolate(first, last, steps=10)], seed=0)
    """
    start, end, shares = _prepare(start, end, steps)
    return tf.cast((1 - shares) * start + shares * end, tf.float32)


def interpolate_spherical(start, end, steps):
    """Goes from one latent to another at a constant angular speed (Shoemake, 1985; White, 2016).

    The direction moves on the great circle by the shorter arc, of angle `w`,

        slerp(u, v; t) = sin((1 - t) w) / sin w u + sin(t w) / sin w v;

    the length goes linearly. For latents of equal lengths this is White's formula. He mixes the
    latents themselves; between opposite latents of different lengths such a sum has no bound.
    Between exactly opposite latents all arcs are equally short: one is chosen, always the same. A
    latent that is zero has no direction; the path to it is finite, and ends in it.

    Args:
        start: latents `[..., size]`.
        end: as many others, of the same shape.
        steps: the number of latents on the path, both ends included, at least 2.

    Returns:
        A float32 tensor `[..., steps, size]`.

    Raises:
        ValueError: the shapes differ, or there are fewer than two steps.

    Example:
        >>> interpolate_spherical([1.0, 0.0], [0.0, 1.0], steps=3)[1]  # sqrt(1/2) twice
    """
    start, end, shares = _prepare(start, end, steps)
    lengths = (1 - shares) * tf.norm(start, axis=-1, keepdims=True)
    lengths += shares * tf.norm(end, axis=-1, keepdims=True)
    start, end = _unit(start), _unit(end)
    # Unlike the arc cosine of their product, this is exact for small angles and near pi.
    angles = 2 * tf.atan2(
        tf.norm(end - start, axis=-1, keepdims=True), tf.norm(end + start, axis=-1, keepdims=True)
    )
    directions = tf.cos(shares * angles) * start + tf.sin(shares * angles) * _across(start, end)
    return tf.cast(lengths * directions, tf.float32)


def arithmetic(add, subtract=()):
    """Adds and subtracts the mean latents of groups (Radford et al., 2016, section 6.3.2).

    Sums of single latents are unstable, the paper says; means of three are not.

    Args:
        add: groups of latents, each `[count, size]`; counts may differ.
        subtract: other groups, of the same size.

    Returns:
        A float32 tensor `[size]`: the sum of the groups' means, less those of `subtract`.

    Raises:
        ValueError: there is no group to add, a group is empty or no matrix, or sizes differ.

    Example:
        >>> latent = arithmetic(add=[men_with_glasses, women], subtract=[men])
        >>> model.generate(latent[tf.newaxis])
    """
    if not len(add):
        raise ValueError("Expected groups of latents to add. Received: none.")
    added, subtracted = ([_floats(group) for group in groups] for groups in (add, subtract))
    _check_groups([*added, *subtracted])
    total = tf.add_n([tf.reduce_mean(group, axis=0) for group in added])
    for group in subtracted:
        total -= tf.reduce_mean(group, axis=0)
    return tf.cast(total, tf.float32)


def truncate(prior, count, threshold, seed=None):
    """Draws latents that keep near the middle of a prior: fewer kinds of samples, better ones.

    The truncation trick (Brock et al., 2019, section 3.1): every value that is farther than the
    threshold from its mean is drawn again until it is not. That is the prior's distribution given
    the interval, and is drawn at once, from its inverse distribution function `F^-1`:

        z = F^-1(u),   u uniform from F(mean - threshold) to F(mean + threshold).

    A normal prior becomes a truncated normal one; a uniform prior's range shrinks to the threshold.

    Args:
        prior: a `tfgen.distributions.Prior` of independent values.
        count: how many latents, an integer or int32 scalar tensor.
        threshold: the largest distance from the mean, positive, in the latents' own units: for the
            standard normal prior, standard deviations.
        seed: a 64-bit integer: the same seed gives the same latents. `None`: new ones.

    Returns:
        A float32 tensor `[count, size]`.

    Raises:
        ValueError: the threshold is not positive and finite, or the prior's values depend on each
            other, so that there is no such function.

    Example:
        >>> model.generate(truncate(model.prior, 64, threshold=0.5, seed=0))
    """
    if not 0 < threshold < math.inf:
        raise ValueError(
            f"`threshold` must be positive and finite. Received: threshold={threshold}. "
            "`prior.distribution().sample` draws without one."
        )
    values = _values_of(prior)
    low, high = values.mean() - threshold, values.mean() + threshold
    least, most = values.cdf(low), values.cdf(high)
    uniform = tf.random.stateless_uniform(
        [count, prior.size], noise.seed_from(seed, "truncate"), dtype=least.dtype
    )
    drawn = values.quantile(least + uniform * (most - least))
    return tf.clip_by_value(drawn, low, high)  # rounding leads out of it, at worst to infinity


def quantiles(prior, probabilities):
    """Returns the latents below which a prior's values lie with given probabilities.

    Args:
        prior: a `tfgen.distributions.Prior` of independent values.
        probabilities: `[count]`, between 0 and 1.

    Returns:
        A float32 tensor `[count, size]`.

    Raises:
        ValueError: the prior's values depend on each other.

    Example:
        >>> quantiles(tfgen.distributions.Uniform(2), [0.5, 0.75])  # [[0, 0], [0.5, 0.5]]
    """
    probabilities = tf.convert_to_tensor(probabilities, tf.float32)
    return _values_of(prior).quantile(probabilities[:, tf.newaxis])


def path_of(prior):
    """Returns how to go between a prior's latents: `interpolate` or `interpolate_spherical`.

    Args:
        prior: a `tfgen.distributions.Prior`; its `description` tells whether paths are straight, as
            in a cube, or arcs, as suits normal latents.

    Example:
        >>> path_of(model.prior)(first, last, steps=10)
    """
    return {"straight": interpolate, "spherical": interpolate_spherical}[prior.description["path"]]


def _values_of(prior):
    """Returns the distribution of each of a prior's values, which are independent."""
    learns = prior.needs_encoder or prior.initial_weights(())
    joint = None if learns else prior.distribution()
    if not isinstance(joint, tfd.Independent):
        raise ValueError(
            "The values of the prior must be independent, as those of StandardNormal and Uniform "
            f"are. Received: {prior}."
        )
    return joint.distribution


def _prepare(start, end, steps):
    """Returns the checked ends as float64 `[..., 1, size]`, and the shares `[steps, 1]` of end."""
    if steps < 2:
        raise ValueError(f"`steps` must be at least 2, the ends. Received: steps={steps}.")
    start, end = _floats(start), _floats(end)
    if start.shape != end.shape:
        raise ValueError(
            "`start` and `end` must have one shape. "
            f"Received: {list(start.shape)} and {list(end.shape)}."
        )
    shares = tf.linspace(tf.constant(0.0, tf.float64), 1.0, steps)
    return start[..., tf.newaxis, :], end[..., tf.newaxis, :], shares[:, tf.newaxis]


def _floats(latents):
    """Returns latents in float64, in which float32's nearly opposite directions are far apart."""
    return tf.cast(tf.convert_to_tensor(latents), tf.float64)


def _unit(vectors):
    """Scales vectors to length 1, and leaves zero as it is."""
    return tf.math.divide_no_nan(vectors, tf.norm(vectors, axis=-1, keepdims=True))


def _across(start, end):
    """Returns the unit vectors at right angles to `start`, on the side of `end`.

    Where the two are parallel there are many; one is made of the axis that `start` is farthest
    from.
    """
    towards = _orthogonal(end, start)
    axis = tf.one_hot(tf.argmin(tf.abs(start), axis=-1), start.shape[-1], dtype=start.dtype)
    parallel = tf.norm(towards, axis=-1, keepdims=True) < 1e-9
    return _unit(tf.where(parallel, _orthogonal(axis, start), towards))


def _orthogonal(vectors, directions):
    """Returns what is left of vectors without their parts along unit vectors."""
    return vectors - tf.reduce_sum(vectors * directions, axis=-1, keepdims=True) * directions


def _check_groups(groups):
    shapes = [list(group.shape) for group in groups]
    if any(len(shape) != 2 or shape[0] < 1 or shape[1] != shapes[0][1] for shape in shapes):
        raise ValueError(
            "Every group must hold latents of one size, [count, size], at least one. "
            f"Received: groups of shapes {shapes}."
        )
