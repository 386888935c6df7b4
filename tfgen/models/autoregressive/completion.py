"""What is missing in an image, drawn given all that is seen, also what comes later in the order."""

import tensorflow as tf

from tfgen.models.autoregressive.ancestral import draw


def complete(passes, likelihood, rows, seen, steps, noise_seed):
    """Draws missing values from `p(x_m | x_o)`, by Metropolis within Gibbs.

    A value that is drawn as `x_i' ~ p(x_i | x_<i)` knows nothing of the seen values after it. So it
    takes the old one's place with the chance

        min(1, prod_(j > i) p(x_j | x_<j, x_i') / p(x_j | x_<j, x_i))

    (Metropolis et al., 1953, with Hastings' correction for the proposal, which leaves these terms.)
    The product ends at the last seen value `l`: those after it are missing and sum to 1. So they
    are drawn at the very end, one after the other, which is exact. Where nothing is missing before
    `l`, that is all.

    Args:
        passes: see `tfgen.models.autoregressive.passes`.
        likelihood: a `tfgen.distributions.PixelLikelihood`.
        rows: float32 `[batch, height, width, channels]`; missing values may be anything finite.
        seen: booleans, shaped as `rows`.
        steps: how many times each value is proposed anew, an int32 scalar tensor.
        noise_seed: int32 `[2]`.
    """
    seeds = [tf.random.fold_in(noise_seed, part) for part in range(3)]
    early, last = _before_seen(seen, likelihood.joint)
    proposed = tf.reshape(tf.where(tf.reduce_any(early, axis=0)), [-1])
    count = steps * tf.size(proposed, tf.int32)

    def step(turn, rows, outputs, terms):
        index = tf.cast(proposed[turn % tf.size(proposed)], tf.int32)
        # Of each sweep and value its own, so that other images' masks do not matter.
        sweep_seed = tf.random.fold_in(seeds[1], turn // tf.size(proposed))
        draws = [tf.random.fold_in(sweep_seed, 2 * index + part) for part in range(2)]
        changed = _proposal(likelihood, rows, outputs, early, index, draws[0])
        outputs_then = passes.whole(changed)
        terms_then = log_probs(likelihood, outputs_then, changed)
        places = tf.range(tf.shape(terms)[1])[tf.newaxis]
        counted = (places > index) & (places <= last[:, tf.newaxis])
        gain = tf.reduce_sum(tf.where(counted, terms_then - terms, 0.0), axis=1)
        uniform = tf.random.stateless_uniform(tf.shape(gain), draws[1])
        accepted = early[:, index] & (tf.math.log(uniform) < gain)
        of_maps = accepted[:, tf.newaxis, tf.newaxis, tf.newaxis]
        return (
            turn + 1,
            tf.where(of_maps, changed, rows),
            tf.where(of_maps, outputs_then, outputs),
            tf.where(accepted[:, tf.newaxis], terms_then, terms),
        )

    rows = draw(passes, likelihood, rows, seen, seeds[0])
    outputs = passes.whole(rows)
    begin = 0, rows, outputs, log_probs(likelihood, outputs, rows)
    _, rows, *_ = tf.while_loop(lambda turn, *_: turn < count, step, begin, parallel_iterations=1)
    places = tf.range(tf.shape(early)[1])[tf.newaxis]
    kept = _as_maps(places <= last[:, tf.newaxis], rows)
    return draw(passes, likelihood, rows, seen | kept, seeds[2])


def is_exact(seen, joint):
    """Returns whether all that is missing comes after all that is seen, booleans `[batch]`.

    Args:
        seen: booleans `[batch, height, width, channels]`.
        joint: whether a pixel's channels are drawn at once.
    """
    early, _ = _before_seen(seen, joint)
    return ~tf.reduce_any(early, axis=1)


def _before_seen(seen, joint):
    """Returns which values are missing before a seen one, and the last seen one, -1 of none.

    Returns:
        Booleans `[batch, values]`, and int32 `[batch]`.
    """
    flat = tf.reshape(seen[..., :1] if joint else seen, [tf.shape(seen)[0], -1])
    places = tf.range(tf.shape(flat)[1])[tf.newaxis]
    last = tf.reduce_max(tf.where(flat, places, -1), axis=1)
    return ~flat & (places < last[:, tf.newaxis]), last


def _proposal(likelihood, rows, outputs, early, index, noise_seed):
    """Returns the images with the value of this number drawn anew, where it is early."""
    values, channels = tf.shape(early)[1], rows.shape[-1]
    groups = 1 if likelihood.joint else channels
    here = tf.reshape(outputs, [-1, values, outputs.shape[-1] // groups])[:, index]
    drawn = likelihood.distribution(here[:, tf.newaxis, tf.newaxis]).sample(seed=noise_seed)[:, 0]
    flat = tf.reshape(rows, [-1, values, channels // groups])
    chosen = (tf.range(values) == index)[tf.newaxis] & early
    return tf.reshape(tf.where(chosen[..., tf.newaxis], drawn, flat), tf.shape(rows))


def log_probs(likelihood, outputs, rows):
    """Returns the terms of `log p(x)`, `[batch, values]`: of pixels, if these are drawn at once."""
    count, channels = tf.shape(rows)[0], rows.shape[-1]
    groups = 1 if likelihood.joint else channels
    each_alone = likelihood.distribution(
        tf.reshape(outputs, [-1, 1, 1, outputs.shape[-1] // groups])
    )
    terms = each_alone.log_prob(tf.reshape(rows, [-1, 1, 1, channels // groups]))
    return tf.reshape(terms, [count, -1])


def _as_maps(chosen, rows):
    """Returns booleans of values, `[batch, values]`, shaped as the images."""
    height, width = rows.shape[1:3]
    maps = tf.reshape(chosen, [-1, height, width, tf.shape(chosen)[1] // (height * width)])
    return tf.broadcast_to(maps, tf.shape(rows))
