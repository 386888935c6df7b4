import keras
import numpy as np
import pytest
import tensorflow as tf
import tensorflow_probability as tfp

from tests.specimens import compiled
from tfgen.engine import noise

tfd = tfp.distributions


def test_a_seed_is_a_function_of_seed_step_and_name():
    seeds = {
        tuple(noise.Noise(seed, step).seed_of(name).numpy())
        for seed in range(3)
        for step in range(3)
        for name in ("latents", "codes")
    }
    assert len(seeds) == 18
    again = noise.Noise(2, tf.constant(1, tf.int64)).seed_of("codes").numpy()
    assert tuple(again) in seeds


def test_seeds_of_64_bits_are_all_different():
    seeds = [0, 1, -1, 2**32, 2**62, -(2**62)]
    made = {tuple(noise.seed_from(seed, "sample").numpy()) for seed in seeds}
    made |= {tuple(noise.seed_from(seed, "elbo").numpy()) for seed in seeds}
    assert len(made) == 12
    assert tuple(noise.seed_from(tf.constant(2**32, tf.int64), "sample").numpy()) in made


def test_without_a_seed_draws_differ():
    first, second = (noise.seed_from(None, "sample").numpy() for _ in range(2))
    assert not np.array_equal(first, second)


def test_samples_are_of_the_distribution():
    distribution = tfd.Independent(tfd.Normal(tf.fill([50, 40], 3.0), 0.5), 1)
    draws = noise.sample(distribution, 10, noise_seed=[1, 2])
    assert draws.shape == (10, 50, 40)
    np.testing.assert_allclose(np.mean(draws), 3.0, atol=0.02)
    np.testing.assert_allclose(np.std(draws), 0.5, atol=0.02)
    assert len(np.unique(draws)) > 0.99 * draws.numpy().size  # none is used twice


@pytest.mark.parametrize("row", [(7,), (28, 28, 1), (5, 5, 3), (1,)])
def test_a_part_of_the_bytes_is_that_of_the_whole(row):
    seed = [3, -7]
    bits = tf.random.stateless_uniform([5 * int(np.prod(row))], seed, None, None, tf.uint32)
    whole = bits.numpy().view(np.uint8).reshape(20, *row)
    for first, count in ((0, 20), (1, 4), (5, 1), (13, 7), (20, 0)):
        part = noise.bytes_from(first * np.prod(row), tf.constant([count, *row]), seed)
        np.testing.assert_array_equal(part, whole[first : first + count])


def test_bytes_are_equally_likely_and_independent_of_their_neighbours():
    drawn = noise.bytes_from(3, [400_000], [1, 2]).numpy()
    counts = np.bincount(drawn, minlength=256)
    # The sum of squared deviations has mean 255 and standard deviation 22.6.
    assert 180 < np.sum((counts - drawn.size / 256) ** 2 / (drawn.size / 256)) < 345
    for distance in (1, 2, 8):
        correlation = np.corrcoef(drawn[distance:], drawn[:-distance])[0, 1]
        assert abs(correlation) < 0.008  # five standard deviations


def test_random_layers_follow_the_step_and_nothing_else():
    model = compiled("dropout_vae")
    dropout = next(
        layer for layer in model.encoder.layers if isinstance(layer, keras.layers.Dropout)
    )

    def mask():
        return dropout(tf.ones([4, 100]), training=True).numpy()

    first = mask()
    np.testing.assert_array_equal(mask(), first)
    model.step.assign(1)
    assert 0.3 < np.mean(mask() == first) < 0.7
    model.step.assign(0)
    np.testing.assert_array_equal(mask(), first)


def test_random_layers_differ_from_each_other():
    model = compiled("dropout_vae")
    generators = [
        layer.seed_generator for layer in model.encoder.layers if hasattr(layer, "seed_generator")
    ]
    seeds = {tuple(generator.next().numpy()) for generator in generators}
    assert len(generators) == len(seeds) == 2


class Host(keras.Model):
    """A model of random layers."""

    def __init__(self, *layers):
        super().__init__()
        self.parts = list(layers)
        self.noise = noise.Noise(seed=0, step=0)
        noise.seed_layers(self)


def test_draws_of_a_layer_in_one_call_differ_from_each_other():
    shift = keras.layers.RandomTranslation(0.4, 0.4, fill_mode="constant")
    Host(shift)
    points = np.zeros([200, 11, 11, 1], np.float32)
    points[:, 5, 5] = 1
    moved = shift(points, training=True).numpy()
    places = np.einsum("nyxc,yxd->nd", moved, np.stack(np.mgrid[:11, :11], axis=-1))
    assert abs(np.corrcoef(places.T)[0, 1]) < 0.25  # were they the same: 1
    np.testing.assert_array_equal(shift(points, training=True), moved)
