"""The way from noise to examples, as one loop of a graph."""

import tensorflow as tf


def go(denoise, path, solver, noisy, steps, noise_seed, begin=0):
    """Returns examples at time 0, float32 `[batch, ...]`, that begin as noisy ones.

    Args:
        denoise: a function of noisy examples and a time, a float32 scalar, to the example and the
            noise in each: see `tfgen.predictions.Prediction.solve`.
        path: a `tfgen.noise_paths.NoisePath`.
        solver: a `tfgen.solvers.Solver`.
        noisy: float32 `[batch, ...]`, at the time of the first step.
        steps: of the whole way, an int32 scalar.
        noise_seed: int32 `[2]`, of what the solver draws.
        begin: how many of the steps are left out, an int32 scalar.
    """
    take = _taker(denoise, path, solver, steps, noise_seed)
    _, examples = tf.while_loop(
        lambda index, _: index < steps,
        lambda index, noisy: (index + 1, take(noisy, index)),
        (tf.cast(begin, tf.int32), noisy),
        shape_invariants=(tf.TensorShape([]), noisy.shape),
        parallel_iterations=1,
    )
    return examples


def trajectory(denoise, path, solver, noisy, steps, noise_seed):
    """Returns all that noisy examples become on their way, float32 `[steps + 1, batch, ...]`.

    It begins with them and ends with what `go` returns, whose arguments it takes.
    """
    take = _taker(denoise, path, solver, steps, noise_seed)
    states = tf.scan(take, tf.range(steps), initializer=noisy, parallel_iterations=1)
    return tf.concat([noisy[tf.newaxis], states], axis=0)


def _taker(denoise, path, solver, steps, noise_seed):
    """Returns a function of noisy examples and a step's index to what the step makes of them."""

    def take(noisy, index):
        time, following = path.time_of(index, steps), path.time_of(index + 1, steps)
        return solver.step(
            denoise, path, noisy, time, following, tf.random.fold_in(noise_seed, index)
        )

    return take
