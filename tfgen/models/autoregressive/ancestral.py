"""Values drawn one after the other, each given those before it."""

import tensorflow as tf

from tfgen.models.autoregressive.maps import get, put


def draw(passes, likelihood, rows, seen, noise_seed, temperature=1.0, compiled=False):
    """Returns images whose missing values are drawn in their order; the seen ones stay.

        x_i ~ p(x_i | x_<i),   i = 1, 2, ...

    (van den Oord et al., 2016, section 2.) What is seen later has no say.

    Args:
        passes: see `tfgen.models.autoregressive.passes`.
        likelihood: a `tfgen.distributions.PixelLikelihood`.
        rows: float32 `[batch, height, width, channels]`; missing values may be anything finite.
        seen: booleans, shaped as `rows`; `None` where nothing is seen.
        noise_seed: int32 `[2]`.
        temperature: float32 scalar, of each draw.
        compiled: whether XLA compiles this.
    """
    height, width, channels = rows.shape[1:]
    groups = 1 if likelihood.joint else channels  # that are drawn at once at a place

    def draw_row(row, rows, *kept):
        kept, known = passes.begin_row(kept, row)

        def draw_value(index, rows, *kept):
            column, group = index // groups, index % groups
            outputs, kept, here = passes.outputs_at(kept, known, rows, row, column)
            outputs = likelihood.tempered(outputs, temperature)
            seed = tf.random.fold_in(noise_seed, (row * width * groups) + index)
            drawn = likelihood.distribution(outputs).sample(seed=seed)
            before = get(rows, row, column)
            if groups > 1:
                drawn = tf.where(tf.range(channels) == group, drawn, before)
            if seen is not None:
                drawn = tf.where(get(seen, row, column), before, drawn)
            rows = put(rows, drawn, row, column, compiled)
            kept = passes.end_place(kept, here, rows, row, column)
            return index + 1, rows, *kept

        _, rows, *kept = _loop(width * groups, draw_value, rows, kept)
        return row + 1, rows, *kept

    _, rows, *_ = _loop(height, draw_row, rows, passes.begin(rows))
    return rows


def _loop(count, step, rows, kept):
    return tf.while_loop(
        lambda index, *_: index < count, step, (0, rows, *kept), parallel_iterations=1
    )
