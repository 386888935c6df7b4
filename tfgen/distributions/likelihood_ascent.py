"""Steps that make a distribution's weights the most likely ones for vectors."""

import keras
import tensorflow as tf

from tfgen.engine import noise


def maximize_likelihood(distribution, weights, vectors, steps, batch_size, rate, seed):
    """Moves weights by Adam towards the largest mean log-density of vectors.

    Args:
        distribution: a function of weights, by their names, to a TFP distribution over vectors.
        weights: a dict of Keras variables, which are moved.
        vectors: float32 `[count, size]`.
        steps: how many steps to take. Adam's rate falls to 0 in a cosine.
        batch_size: vectors in a step, drawn anew.
        rate: Adam's first rate.
        seed: an integer, which decides the draws.
    """
    schedule = keras.optimizers.schedules.CosineDecay(rate, steps)
    optimizer = keras.optimizers.Adam(schedule, global_clipnorm=10.0)
    variables = list(weights.values())
    optimizer.build(variables)
    noise_seed = noise.seed_from(seed, "maximize_likelihood")
    count = tf.shape(vectors)[0]

    @tf.function(autograph=False)
    def step(index):
        own = tf.random.fold_in(noise_seed, index)
        rows = tf.random.stateless_uniform([batch_size], own, maxval=count, dtype=tf.int32)
        with tf.GradientTape() as tape:
            density = distribution(**{name: weight.value for name, weight in weights.items()})
            loss = -tf.reduce_mean(density.log_prob(tf.gather(vectors, rows)))
        optimizer.apply(tape.gradient(loss, [each.value for each in variables]), variables)

    for index in range(steps):
        step(tf.constant(index))
