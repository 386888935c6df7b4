"""How likely a diffusion finds examples: along its flow, and by a variational bound."""

import math

import tensorflow as tf

_VALUES = 256  # of a pixel
_END = 0.999  # the last time of the bound: at 1 nothing may be left of an example


def flow_log_density(velocity, path, examples, steps, noise_seed):
    """Returns the log-density of examples by the probability flow, `[batch]` in nats.

        log p(x_0) = log N(x_1; 0, s_1^2) + int_0^1 div v(x_t, t) dt

    (Song et al., 2021, equation 39; Chen et al., 2018, "Neural ordinary differential equations",
    equation 8.) The divergence is estimated without bias by a probe of random signs `r` for each
    example, `r^T dv/dx r` (Hutchinson; Grathwohl et al., 2019, equation 7); Heun's method goes the
    way.

    Args:
        velocity: a function of states `[batch, ...]` and a time to `dx_t/dt`.
        path: a `tfgen.noise_paths.NoisePath`.
        examples: float32 `[batch, ...]`, as the network sees them.
        steps: how many steps the way has, an int32 scalar.
        noise_seed: int32 `[2]`, of the probes.
    """
    signs = tf.random.stateless_uniform(tf.shape(examples), noise_seed, 0, 2, tf.int32)
    probe, axes = tf.cast(2 * signs - 1, tf.float32), range(1, len(examples.shape))

    def slope(state, time):
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(state)
            speed = velocity(state, time)
        product = tape.gradient(speed, state, output_gradients=probe)
        return speed, tf.reduce_sum(probe * product, axis=axes)

    def step(index, state, total):
        time, following = (path.time_to(steps - each, steps) for each in (index, index + 1))
        length = following - time
        speed, divergence = slope(state, time)
        next_speed, next_divergence = slope(state + length * speed, following)
        state += 0.5 * length * (speed + next_speed)
        return index + 1, state, total + 0.5 * length * (divergence + next_divergence)

    _, noise, total = tf.while_loop(
        lambda index, *_: index < steps,
        step,
        (0, examples, tf.zeros([tf.shape(examples)[0]])),
        parallel_iterations=1,
    )
    _, deviation = path.scales(tf.constant(1.0))
    standard = tf.square(noise / deviation) + tf.math.log(2 * math.pi * deviation**2)
    return total - 0.5 * tf.reduce_sum(standard, axis=axes)


def variational_bound(denoise, path, examples, draws, noise_seed, reconstruction):
    """Returns a bound on the log-likelihood of examples, `[batch]` in nats.

        log p(x) >= E log p(x|x_0) - 1/2 int E|x - x^(x_t, t)|^2 dR - KL(q(x_1|x) || N(0, s_1^2))

    with the ratio of signal and noise `R = a(t)^2 / s(t)^2` (Kingma et al., 2021, "Variational
    diffusion models", equations 11 and 18): the bound of infinitely many steps, of which that of
    Ho et al., 2020, equation 5, has 1,000. The integral over `log R` is estimated by times drawn
    from equal parts of it, without bias.

    Args:
        denoise: a function of noisy examples and a time to the example and the noise in each.
        path: a `tfgen.noise_paths.NoisePath`.
        examples: float32 `[batch, ...]`, as the network sees them.
        draws: how many times are drawn, an int32 scalar.
        noise_seed: int32 `[2]`.
        reconstruction: a function of `x_0 / a_0` and of its deviation to `log p(x|x_0)`, `[batch]`.
    """
    axes = range(1, len(examples.shape))
    count = tf.cast(draws, tf.float32)

    def ratio(time):
        scale, deviation = path.scales(tf.constant(time))
        return deviation / scale

    def seen(time, index):
        drawn_seed = tf.random.fold_in(noise_seed, index)
        return examples + ratio(time) * tf.random.stateless_normal(tf.shape(examples), drawn_seed)

    first, last = (tf.math.log(ratio(time)) for time in (path.begin, _END))

    def add_draw(index, total):
        drawn_seed = tf.random.fold_in(noise_seed, -1 - index)
        share = (tf.cast(index, tf.float32) + tf.random.stateless_uniform([], drawn_seed)) / count
        noise_ratio = tf.exp(first + share * (last - first))
        time = path.time_at(noise_ratio)
        scale, _ = path.scales(time)
        noises = tf.random.stateless_normal(
            tf.shape(examples), tf.random.fold_in(noise_seed, index + 1)
        )
        example, _ = denoise(scale * (examples + noise_ratio * noises), time)
        square = tf.reduce_sum(tf.square((examples - example) / noise_ratio), axis=axes)
        return index + 1, total + square / count

    _, mean = tf.while_loop(
        lambda index, _: index < draws,
        add_draw,
        (0, tf.zeros([tf.shape(examples)[0]])),
        parallel_iterations=1,
    )
    # At the end both have the same deviation: what is left of the example is the difference.
    left = 0.5 * tf.reduce_sum(tf.square(examples / ratio(_END)), axis=axes)
    told = reconstruction(seen(path.begin, 0), ratio(path.begin))
    return told - (last - first) * mean - left


def pixel_log_probability(images, seen, deviation):
    """Returns how likely pixels are, given what is seen of them in a little noise, `[batch]`.

    Before it is seen, each of the 256 values is as likely as another (Kingma et al., 2021).

    Args:
        images: float32 `[batch, ...]`, values k/255.
        seen: float32, shaped as they are, in the network's range from -1 to 1.
        deviation: of the noise, a float32 scalar.
    """
    values = tf.linspace(-1.0, 1.0, _VALUES)
    true = tf.cast(tf.round(images * (_VALUES - 1)), tf.int32)

    def of_one(pair):
        seen, true = pair
        logits = -0.5 * tf.square((seen[..., tf.newaxis] - values) / deviation)
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(true, logits)
        return -tf.reduce_sum(losses)

    # One by one: 256 numbers for each pixel of a batch would be too many.
    return tf.map_fn(of_one, (seen, true), fn_output_signature=tf.float32)


def dequantized(images, noise_seed):
    """Returns images of values k/255, each value anywhere in its 256th of [0, 1].

        (255 x + u) / 256,   u ~ U(0, 1)

    The density of these, times the volume of a cell, is a bound on the probability of the image
    (Theis et al., 2016, section 3.1).
    """
    drawn = tf.random.stateless_uniform(tf.shape(images), noise_seed)
    return ((_VALUES - 1) * images + drawn) / _VALUES


def log_cell(shape):
    """Returns the logarithm of the volume that one image has in the network's range, a float."""
    return math.prod(shape) * math.log(2.0 / _VALUES)
