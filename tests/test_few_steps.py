"""What needs few steps: rectified flows, and consistency models."""

import math

import keras
import numpy as np
import pytest
import tensorflow as tf

import tfgen
from tfgen import networks, noise_paths, predictions, solvers
from tfgen.models.diffusion.consistency_model import ConsistencyModel


def two_modes(count=4096):
    random = np.random.default_rng(0)
    return (random.normal(0, 0.2, [count, 2]) + random.choice([-1, 1], [count, 1])).astype("f")


def trained(model, data, epochs, rate=3e-3):
    model.compile(keras.optimizers.Adam(rate), jit_compile=True, steps_per_execution=16)
    model.fit(*data, batch_size=256, epochs=epochs, verbose=0)
    return model


def off(samples):
    """Returns how far samples are from the nearer of two modes on average."""
    return np.minimum(*(np.linalg.norm(samples - mode, axis=1) for mode in (-1, 1))).mean()


@pytest.mark.slow
def test_after_reflow_one_step_leads_where_many_do():
    keras.utils.set_random_seed(0)
    flow = tfgen.Diffusion(networks.diffusion_mlp(2, (64, 64)), ema_momentum=0.99, steps=20)
    trained(flow, [two_modes()], epochs=40)
    latents = flow.prior.distribution().sample(4096, seed=0)
    examples = flow.generate(latents)
    straight = tfgen.RectifiedFlow(
        keras.models.clone_model(flow.network), ema_momentum=0.99, solver=solvers.DDIM(), steps=1
    )
    straight.network.set_weights(flow.network.get_weights())
    trained(straight, [examples, latents], epochs=40)
    one = {
        model: model.sample(1000, seed=1, steps=1, solver=solvers.DDIM()).numpy()
        for model in (flow, straight)
    }
    assert off(one[flow]) > 0.6  # the mean of both modes
    assert off(one[straight]) < 0.4
    assert abs(np.sign(one[straight].sum(axis=1)).mean()) < 0.15


def test_pairs_are_mixed_as_they_come():
    network = networks.diffusion_mlp(2, (4,))
    network.layers[-1].kernel.assign(tf.zeros_like(network.layers[-1].kernel))
    straight = tfgen.RectifiedFlow(network)
    examples, latents = np.ones([4, 2], np.float32), np.full([4, 2], 3.0, np.float32)
    loss = straight.compute_losses((examples, latents), training=False)["loss"]
    assert float(loss) == pytest.approx((3.0 - 1.0) ** 2)  # |e - x|^2 of a network that says 0


@pytest.mark.parametrize(
    ("batch", "message"),
    [
        (np.zeros([4, 2], np.float32), "without latents"),
        ((np.zeros([4, 2], np.float32), np.zeros([4, 3], np.float32)), "4, 3"),
    ],
)
def test_a_rectified_flow_needs_the_latents_of_its_examples(batch, message):
    straight = tfgen.RectifiedFlow(networks.diffusion_mlp(2, (4,)))
    with pytest.raises(ValueError, match=message):
        straight.compute_losses(batch, training=False)


# --- Consistency models


def test_at_the_least_noise_what_is_seen_is_the_example():
    path, prediction = noise_paths.EDM(), predictions.Consistent(0.7)
    noisy, said = (np.random.default_rng(each).normal(size=[5, 3]) for each in (0, 1))
    noisy, said = noisy.astype("f"), said.astype("f")
    example, _ = prediction.solve(path, tf.constant(path.first), noisy, said)
    np.testing.assert_allclose(example, noisy, atol=1e-6)
    deviation = 2.0  # Song et al., 2023, appendix C
    skip = 0.7**2 / ((deviation - 0.002) ** 2 + 0.7**2)
    out = 0.7 * (deviation - 0.002) / np.sqrt(0.7**2 + deviation**2)
    example, noises = prediction.solve(path, tf.constant(deviation / 80), noisy, said)
    np.testing.assert_allclose(example, skip * noisy + out * said, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(example + deviation * noises, noisy, rtol=1e-4, atol=1e-5)


def test_what_is_predicted_is_what_is_solved():
    path, prediction = noise_paths.EDM(), predictions.Consistent(0.5)
    example, noises = np.array([[0.3, -0.8]], "f"), np.array([[1.1, 0.2]], "f")
    time = tf.constant(0.01)
    of_data, of_noise = prediction.shares(path, time)
    said = of_data * example + of_noise * noises
    solved = prediction.solve(path, time, example + 0.8 * noises, said)
    np.testing.assert_allclose(solved[0], example, atol=1e-5)
    np.testing.assert_allclose(solved[1], noises, atol=1e-5)


def consistency(**options):
    settings = {"total_steps": 800, "prediction": predictions.Consistent(1.0), **options}
    return ConsistencyModel(networks.diffusion_mlp(2, (64, 64)), **settings)


def test_levels_double_until_there_are_enough():
    model, found = consistency(total_steps=800, least_levels=10, most_levels=1280), []
    for step in (0, 99, 100, 350, 700, 799, 5000):  # 8 stages of 100 steps
        model.step.assign(step)
        found.append(int(model.levels()))
    assert found == [11, 11, 21, 81, 1281, 1281, 1281]  # Song and Dhariwal, 2024, section 3.4


def test_neighbours_are_those_of_the_schedule_and_near_the_middle_more_often():
    model = consistency(least_levels=10)
    index = np.arange(11)
    first, last = 0.002 ** (1 / 7), 80.0 ** (1 / 7)
    deviations = (first + index / 10 * (last - first)) ** 7
    less, more = (np.ravel(each) for each in model.neighbours(20_000))
    places = np.abs(less[:, np.newaxis] - deviations).argmin(axis=1)
    np.testing.assert_allclose(less, deviations[places], rtol=1e-4)
    np.testing.assert_allclose(more, deviations[places + 1], rtol=1e-4)
    edges = [0.5 * (1 + math.erf((np.log(each) + 1.1) / 2 / 2**0.5)) for each in deviations]
    expected = np.diff(edges) / (edges[-1] - edges[0])
    np.testing.assert_allclose(np.bincount(places, minlength=10) / 20_000, expected, atol=0.015)


@pytest.mark.slow
def test_a_consistency_model_makes_points_in_one_step():
    keras.utils.set_random_seed(0)
    model = consistency(total_steps=1600, ema_momentum=0.99)
    rate = keras.optimizers.schedules.CosineDecay(2e-3, 1600)
    adam = keras.optimizers.Adam(rate, global_clipnorm=1.0)
    model.compile(adam, jit_compile=True, steps_per_execution=16)
    model.fit(two_modes(), batch_size=256, epochs=100, verbose=0)
    samples = model.sample(1000, seed=0).numpy()
    assert off(samples) < 0.7  # 0.25 of the data, 1.3 of their mean
    assert abs(np.sign(samples.sum(axis=1)).mean()) < 0.2


def test_the_second_of_two_steps_begins_well_above_the_least_noise():
    path = noise_paths.FewSteps()
    middle = (0.5 * (80 ** (1 / 7) + 0.002 ** (1 / 7))) ** 7
    found = [80 * float(path.time_of(index, 2)) for index in range(3)]
    np.testing.assert_allclose(found, [80, middle, 0], rtol=1e-4)
    assert float(path.time_of(0, 1)) == 1.0


def test_fresh_noise_keeps_nothing_of_the_old():
    path, solver = noise_paths.Linear(), solvers.FreshNoise()
    seen = np.full([20_000, 1], 2.0, "f")
    noisy = np.full([20_000, 1], 5.0, "f")
    made = solver.step(lambda *_: (seen, noisy), path, noisy, tf.constant(0.9), 0.5, (1, 2))
    assert np.mean(made) == pytest.approx(1.0, abs=0.02) and np.std(made) == pytest.approx(
        0.5, 0.02
    )
    assert solver.without_draws() == solvers.DDIM()


def test_deviations_are_those_of_the_path():
    model = consistency(noise_path=noise_paths.FewSteps(least=0.05, largest=10.0))
    less, more = (np.ravel(each) for each in model.neighbours(2000))
    assert less.min() == pytest.approx(0.05, rel=1e-4) and more.max() <= 10.001
    with pytest.raises(TypeError, match="noise_path"):
        consistency(noise_path=noise_paths.Linear())


def test_one_step_is_too_few_to_fill_in():
    model = consistency(steps=1)
    assert int(model.several_steps(None)) == 10 and int(model.several_steps(3)) == 3
