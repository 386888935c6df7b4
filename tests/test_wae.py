"""The Wasserstein autoencoder, and the discrepancy that it is made of."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import tfgen
from tests.specimens import SHAPE, compiled, images
from tfgen import distributions, kernels, networks
from tfgen.evaluation.kernel import kernel_distance
from tfgen.objectives.kernels import maximum_mean_discrepancy


def draws(count, size=3, seed=0, scale=1.0, offset=0.0):
    values = offset + scale * np.random.default_rng(seed).normal(size=(count, size))
    return values.astype(np.float32)


# The discrepancy.


def by_loops(first, second, kernel):
    """The estimate of algorithm 2, pair by pair."""
    n, m = len(first), len(second)
    total = sum(kernel(first[i], first[j]) for i in range(n) for j in range(n) if i != j)
    other = sum(kernel(second[i], second[j]) for i in range(m) for j in range(m) if i != j)
    cross = sum(kernel(x, y) for x in first for y in second)
    return total / (n * (n - 1)) + other / (m * (m - 1)) - 2 * cross / (n * m)


@pytest.mark.parametrize("other_count", [7, 5])
def test_the_discrepancy_is_that_of_loops_over_pairs(other_count):
    scales, variance, size = (0.1, 1.0, 5.0), 4.0, 3

    def kernel(x, y):
        constants = [2 * size * variance * scale for scale in scales]
        return sum(each / (each + np.sum((x - y) ** 2)) for each in constants)

    first, second = draws(7), draws(other_count, seed=1, offset=0.5)
    found = maximum_mean_discrepancy(
        tf.constant(first), tf.constant(second), kernels.InverseMultiquadratics(scales, variance)
    )
    np.testing.assert_allclose(found, by_loops(first, second, kernel), rtol=1e-4, atol=1e-6)


def test_with_the_score_s_kernel_the_discrepancy_is_the_kernel_distance():
    """(x . y / size + 1)^3 of vectors of length 1, whose products their distances tell."""

    class Cubic(kernels.Kernel):
        def __call__(self, squares, size):
            return ((1 - squares / 2) / size + 1) ** 3

    first, second = draws(40), draws(40, seed=1, offset=1.0)
    first, second = (each / np.linalg.norm(each, axis=1, keepdims=True) for each in (first, second))
    found = maximum_mean_discrepancy(tf.constant(first), tf.constant(second), Cubic())
    np.testing.assert_allclose(found, kernel_distance(first, second).value, rtol=1e-4)


def test_the_discrepancy_of_equal_distributions_is_0_in_the_mean_and_of_others_is_not():
    kernel = kernels.InverseMultiquadratics()

    @tf.function(autograph=False)
    def estimates(first, second):
        pairs = tf.reshape(first, [-1, 8, 3]), tf.reshape(second, [-1, 8, 3])
        return tf.map_fn(
            lambda pair: maximum_mean_discrepancy(*pair, kernel),
            pairs,
            fn_output_signature=tf.float32,
        )

    same = estimates(draws(16_000), draws(16_000, seed=1)).numpy()
    error = same.std() / np.sqrt(len(same))
    assert abs(same.mean()) < 3 * error and (same < 0).mean() > 0.3
    biased = 2 * 7 / 8  # what leaving the diagonal in would add is some (7 - mean k) 2 / 8
    assert error < 0.01 * biased
    for other in (draws(16_000, seed=1, offset=0.5), draws(16_000, seed=1, scale=2.0)):
        apart = estimates(draws(16_000), other).numpy()
        assert apart.mean() > 10 * apart.std() / np.sqrt(len(apart))


def test_a_single_draw_has_no_pair():
    kernel = kernels.InverseMultiquadratics()
    message = "pairs: a batch must have at least 2 examples. Received: 1"
    with pytest.raises(ValueError, match=message):
        maximum_mean_discrepancy(tf.constant(draws(1)), tf.constant(draws(8)), kernel)
    model = compiled("wae")
    with pytest.raises((ValueError, tf.errors.InvalidArgumentError), match="at least 2 examples"):
        model.fit(images(9), batch_size=8, shuffle=False, verbose=0)
    spec = [tf.TensorSpec([None, 3]), tf.TensorSpec([None, 3])]
    by_xla = tf.function(
        lambda first, second: maximum_mean_discrepancy(first, second, kernel),
        input_signature=spec,
        jit_compile=True,
        autograph=False,
    )
    assert np.isnan(by_xla(draws(1), draws(8)))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"scales": ()}, "`scales` must hold a number"),
        ({"scales": (1.0, 0.0)}, "`scales` must be positive. Received: scales=0.0"),
        ({"variance": -1.0}, "`variance` must be positive. Received: variance=-1.0"),
        ({"variance": np.inf}, "`variance` must be a finite number"),
    ],
)
def test_kernels_that_make_no_sense_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        kernels.InverseMultiquadratics(**settings)


# The model.


def test_the_loss_is_the_error_and_the_weighted_discrepancy():
    model = compiled("wae")
    codes = model.encoder(images(8))
    prior = distributions.StandardNormal(3).distribution()
    latents = prior.sample(8, seed=model.noise.seed_of("latents"))
    expected = maximum_mean_discrepancy(codes, latents, model.kernel)
    error = -model.likelihood.distribution(model.decoder(codes)).log_prob(images(8))
    losses = model.compute_losses(images(8), training=False)
    np.testing.assert_allclose(losses["discrepancy"], expected, rtol=1e-5)
    np.testing.assert_allclose(losses["reconstruction"], np.mean(error), rtol=1e-5)
    np.testing.assert_allclose(losses["loss"], np.mean(error) + 20 * expected, rtol=1e-5)


def test_the_discrepancy_moves_the_encoder_alone_and_towards_the_prior():
    model = compiled("wae")
    with tf.GradientTape(persistent=True) as tape:
        losses = model.compute_losses(images(8), training=True)
    to_decoder = tape.gradient(losses["discrepancy"], model.decoder.trainable_variables)
    assert all(each is None for each in to_decoder)
    to_encoder = tape.gradient(losses["discrepancy"], model.encoder.trainable_variables)
    assert all(np.abs(each).max() > 1e-6 for each in to_encoder)
    codes = tf.constant(draws(64, offset=3.0))
    with tf.GradientTape() as tape:
        tape.watch(codes)
        discrepancy = model.discrepancy(codes)
    assert (np.mean(tape.gradient(discrepancy, codes), axis=0) > 0).all()  # down is to 0


def test_each_step_draws_other_latents():
    model = compiled("wae")
    found = []
    for _ in range(2):
        found.append(float(model.discrepancy(tf.constant(draws(8)))))
        model.step.assign_add(1)
    assert found[0] != found[1]


@pytest.mark.slow
def test_with_a_large_weight_the_codes_are_distributed_as_the_prior():
    """Of a linear encoder and normal data, which can be so exactly."""
    keras.utils.set_random_seed(0)
    mixing = np.float32([[3.0, 1.0, 0.5], [0.0, 0.5, 2.0]])
    examples = draws(4000, size=2) @ mixing + np.float32([1.0, -2.0, 4.0])
    model = tfgen.WassersteinAutoencoder(
        networks.mlp_encoder((3,), 2, hidden_sizes=(), heads=1),
        networks.mlp_decoder((3,), 2, hidden_sizes=()),
        distributions.StandardNormal(2),
        weight=1000.0,
    )
    steps = 500
    rate = keras.optimizers.schedules.CosineDecay(0.03, steps)
    model.compile(keras.optimizers.Adam(rate), jit_compile=True, steps_per_execution=50)
    batches = tf.data.Dataset.from_tensor_slices(examples).repeat().batch(100, drop_remainder=True)
    model.fit(batches, steps_per_epoch=steps, verbose=0)
    codes = model.encode(examples).mean().numpy()
    np.testing.assert_allclose(codes.mean(axis=0), [0, 0], atol=0.1)
    np.testing.assert_allclose(np.cov(codes.T), np.eye(2), atol=0.15)
    assert model.evaluate(examples, batch_size=200, verbose=0)[1] < 0.5  # of 15 of the data
    samples = model.sample(4000, seed=0).numpy()
    np.testing.assert_allclose(samples.mean(axis=0), examples.mean(axis=0), atol=0.4)
    np.testing.assert_allclose(np.cov(samples.T), np.cov(examples.T), atol=1.0)


def test_samples_are_decoded_draws_of_the_prior():
    model = compiled("wae")
    latents = draws(4)
    np.testing.assert_array_equal(model.generate(latents), model.decode(latents))
    paths = tf.reshape(tf.constant(latents), [2, 2, 3])
    np.testing.assert_allclose(model.generate_paths(paths), model.decode(latents), rtol=1e-6)
    assert model.sample(5, seed=1).shape == (5, *SHAPE)
    assert {"sample", "generate", "encode", "reconstruct", "average"} == model.abilities
    assert {"serving_default", "sample", "encode", "reconstruct", "score"} == set(
        model.signatures()
    )
    with pytest.raises(ValueError, match="knows no labels"):
        model.generate(latents, labels=[1, 2, 3, 4])


class LearntPrior(distributions.StandardNormal):
    def initial_weights(self, example_shape):
        return {"mean": np.zeros(self.size, np.float32)}


@pytest.mark.parametrize(
    ("changed", "error", "message"),
    [
        ({"prior": distributions.StandardNormal(4)}, ValueError, "latents of the prior's size"),
        ({"prior": LearntPrior(3)}, ValueError, "is fixed. Received: prior=.*which learns"),
        ({"prior": 3}, TypeError, "`prior` must be a `tfgen.distributions.Prior`"),
        ({"kernel": len}, TypeError, "`kernel` must be a `tfgen.kernels.Kernel`"),
        ({"weight": -1}, ValueError, "`weight` must be at least 0. Received: weight=-1"),
    ],
)
def test_what_does_not_fit_is_refused(changed, error, message):
    model = compiled("wae")
    arguments = {"encoder": model.encoder, "decoder": model.decoder, "prior": model.prior}
    with pytest.raises(error, match=message):
        tfgen.WassersteinAutoencoder(**arguments | changed)
