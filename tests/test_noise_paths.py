"""Paths, predictions and solvers of diffusion, against the papers' formulas and a Gaussian."""

import numpy as np
import pytest
import tensorflow as tf

from tfgen import noise_paths, predictions, solvers
from tfgen.models.diffusion import sampling

PATHS = [
    noise_paths.Linear(),
    noise_paths.VariancePreserving(),
    noise_paths.Cosine(),
    noise_paths.EDM(),
]
PREDICTIONS = [
    predictions.Epsilon(),
    predictions.Example(),
    predictions.V(),
    predictions.Velocity(),
    predictions.Preconditioned(0.7),
]
TIMES = tf.constant([0.02, 0.3, 0.77, 0.98])
every_path = pytest.mark.parametrize("path", PATHS, ids=repr)


def scales(path, time):
    return tuple(float(each) for each in path.scales(tf.constant(time, tf.float32)))


@every_path
def test_an_example_is_whole_at_time_0_and_the_rates_are_the_derivatives(path):
    assert scales(path, 0.0) == pytest.approx((1.0, 0.0), abs=1e-7)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(TIMES)
        parts = [tf.reduce_sum(each) for each in path.scales(TIMES)]
    for part, rate in zip(parts, path.rates(TIMES), strict=True):
        expected = tape.gradient(part, TIMES, unconnected_gradients="zero")
        np.testing.assert_allclose(rate, expected, rtol=2e-4, atol=1e-5)


@every_path
def test_a_time_is_found_by_the_ratio_of_noise_and_example(path):
    scale, deviation = path.scales(TIMES)
    np.testing.assert_allclose(path.time_at(deviation / scale), TIMES, rtol=1e-3)


@pytest.mark.parametrize("path", PATHS[1:3], ids=repr)
def test_the_variance_is_preserved(path):
    scale, deviation = path.scales(tf.linspace(0.0, 1.0, 50))
    np.testing.assert_allclose(scale**2 + deviation**2, 1, atol=1e-6)


def test_the_linear_schedule_is_ddpm_s_in_continuous_time():
    kept = np.cumprod(1 - np.linspace(1e-4, 0.02, 1000))
    times = np.arange(1, 1001, dtype=np.float32) / 1000
    scale, _ = noise_paths.VariancePreserving().scales(tf.constant(times))
    np.testing.assert_allclose(np.log(scale**2), np.log(kept), rtol=0.03, atol=2e-4)


def test_the_cosine_schedule_is_the_paper_s():
    def wave(time):
        return np.cos((time + 0.008) / 1.008 * np.pi / 2) ** 2

    scale, _ = noise_paths.Cosine().scales(TIMES)
    expected = wave(0.999 * TIMES.numpy().astype("d")) / wave(0.0)
    np.testing.assert_allclose(scale**2, expected, rtol=1e-4)


def test_edm_s_steps_are_the_paper_s():
    index, roots = np.arange(18), (80 ** (1 / 7), 0.002 ** (1 / 7))
    expected = [*(roots[0] + index / 17 * (roots[1] - roots[0])) ** 7, 0.0]
    path = noise_paths.EDM()
    found = [scales(path, float(path.time_of(step, 18)))[1] for step in range(19)]
    np.testing.assert_allclose(found, expected, rtol=1e-4)
    drawn = np.log(80 * path.training_times().sample(20_000, seed=(0, 1)))
    assert drawn.mean() == pytest.approx(-1.2, abs=0.03)
    assert drawn.std() == pytest.approx(1.2, abs=0.03)


def test_times_near_the_middle_are_drawn_more_often():
    drawn = noise_paths.LogitNormal(0.5, 0.8).training_times().sample(20_000, seed=(0, 1)).numpy()
    odds = np.log(drawn / (1 - drawn))
    assert (odds.mean(), odds.std()) == pytest.approx((0.5, 0.8), abs=0.03)


@pytest.mark.parametrize("prediction", PREDICTIONS, ids=repr)
@every_path
def test_a_prediction_tells_the_example_and_the_noise(path, prediction):
    random = np.random.default_rng(0)
    example, noise = (random.normal(size=(4, 5)).astype(np.float32) for _ in range(2))
    times = TIMES[:, tf.newaxis]
    scale, deviation = path.scales(times)
    of_data, of_noise = prediction.shares(path, times)
    noisy, predicted = scale * example + deviation * noise, of_data * example + of_noise * noise
    found = prediction.solve(path, times, noisy, predicted)
    # Where one of them is hardly there, rounding is large beside it.
    close = np.abs(np.array(found) - [example, noise]) < 1e-5 / np.minimum(scale, deviation) + 2e-4
    assert close.all()


def test_edm_s_prediction_is_the_paper_s():
    path, prediction, data = noise_paths.EDM(), predictions.Preconditioned(0.5), 0.5
    deviation = path.scales(TIMES)[1].numpy().astype("d")
    noisy, predicted = np.full(4, 3.0), np.full(4, 0.4)
    skip = data**2 / (deviation**2 + data**2)
    out = deviation * data / np.sqrt(deviation**2 + data**2)
    example, _ = prediction.solve(path, TIMES, tf.constant(noisy, tf.float32), predicted)
    np.testing.assert_allclose(example, skip * noisy + out * predicted, rtol=1e-4)
    expected = 1 / np.sqrt(deviation**2 + data**2)
    np.testing.assert_allclose(prediction.input_scale(path, TIMES), expected, rtol=1e-5)


# --- Solvers, of examples from N(MEAN, SPREAD^2), whose best denoiser has a closed form.

MEAN = 0.6
LATENTS = np.linspace(-2, 2, 9).astype(np.float32)[:, np.newaxis]


def gaussian(path, spread):
    """Returns what the best network sees: the means of the example and the noise, given `x_t`."""

    def denoise(noisy, time):
        scale, deviation = path.scales(time)
        gain = (noisy - scale * MEAN) / (scale**2 * spread**2 + deviation**2)
        return MEAN + scale * spread**2 * gain, deviation * gain

    return denoise


def solved(path, solver, steps, spread, latents=LATENTS, denoise=None):
    begin = scales(path, 1.0)[1] * tf.constant(latents)
    denoise = denoise or gaussian(path, spread)
    return sampling.go(denoise, path, solver, begin, steps, tf.constant([0, 1])).numpy()


def flowed(path, spread):
    """Returns where the probability flow ends: all quantiles stay what they are."""
    scale, deviation = scales(path, 1.0)
    total = np.sqrt(scale**2 * spread**2 + deviation**2)
    return MEAN + spread * (deviation * LATENTS - scale * MEAN) / total


@pytest.mark.parametrize("solver", [solvers.DDIM(), solvers.DDIM(1.0), solvers.Heun()], ids=repr)
@every_path
def test_a_point_is_met_exactly(path, solver):
    """As where the last step leaves no noise, and the first one begins with nothing else."""
    for steps in (1, 3, 20):
        found = solved(path, solver, steps, spread=0.0)
        np.testing.assert_allclose(found, np.full_like(LATENTS, MEAN), atol=2e-5)


@pytest.mark.parametrize(
    ("path", "solver", "order"),
    [
        *(pytest.param(path, solvers.DDIM(), 1, marks=pytest.mark.slow) for path in PATHS[1:3]),
        *((path, solvers.DDIM(), 1) for path in (noise_paths.Linear(), noise_paths.EDM())),
        *((path, solvers.Heun(), 2) for path in (noise_paths.Linear(), noise_paths.EDM())),
        # The last step, of first order, spoils it where noise begins like the root of time.
        *(pytest.param(path, solvers.Heun(), 1.5, marks=pytest.mark.slow) for path in PATHS[1:3]),
    ],
    ids=repr,
)
def test_solvers_come_to_the_flow_s_end_with_their_order(path, solver, order):
    expected = flowed(path, 0.5)
    few, many = (
        np.abs(solved(path, solver, steps, spread=0.5) - expected).max() for steps in (40, 80)
    )
    assert many < 0.05
    assert np.log2(few / many) == pytest.approx(order, abs=0.35)


@pytest.mark.parametrize(
    "path",
    [
        PATHS[0],
        *(pytest.param(path, marks=pytest.mark.slow) for path in PATHS[1:3]),
        PATHS[3],
    ],
    ids=repr,
)
def test_ancestral_steps_draw_the_data_s_distribution(path):
    latents = np.random.default_rng(0).normal(size=(20_000, 1)).astype(np.float32)
    found = solved(path, solvers.DDIM(1.0), 200, spread=0.5, latents=latents)
    assert found.mean() == pytest.approx(MEAN, abs=0.02)
    assert found.std() == pytest.approx(0.5, abs=0.02)


def test_an_ancestral_step_is_drawn_from_the_posterior():
    """`q(x_s | x_t, x)` of Ho et al., 2020, equations 6 and 7, by Bayes' theorem."""
    path, time, following, example = noise_paths.VariancePreserving(), 0.5, 0.4, 0.3
    (scale, deviation), (next_scale, next_deviation) = scales(path, time), scales(path, following)
    noisy = tf.ones([200_000])
    step = solvers.DDIM(1.0).step(
        lambda noisy, _: (example * tf.ones_like(noisy), (noisy - scale * example) / deviation),
        path, noisy, tf.constant(time), tf.constant(following), tf.constant([0, 1]),
    )  # fmt: skip
    ratio = scale / next_scale
    added = deviation**2 - ratio**2 * next_deviation**2
    variance = 1 / (1 / next_deviation**2 + ratio**2 / added)
    mean = variance * (next_scale * example / next_deviation**2 + ratio / added)
    assert step.numpy().mean() == pytest.approx(mean, abs=2e-3)
    assert step.numpy().std() == pytest.approx(np.sqrt(variance), rel=5e-3)


@every_path
def test_the_network_is_asked_at_the_first_time_and_never_at_the_last(path):
    asked = []

    def denoise(noisy, time):
        asked.append(float(time))
        return gaussian(path, 0.5)(noisy, time)

    for solver, calls in ((solvers.DDIM(), 4), (solvers.Heun(), 7)):
        asked.clear()
        solved(path, solver, 4, spread=0.5, denoise=denoise)
        assert len(asked) == calls and asked[0] == pytest.approx(1.0) and min(asked) > 0
        steps = {float(path.time_of(index, 4)) for index in range(4)}
        assert set(asked) == steps  # a second look is at the following time


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: noise_paths.VariancePreserving(0.0), "`least` must be positive"),
        (lambda: noise_paths.VariancePreserving(3.0, 2.0), "at most `largest`"),
        (lambda: noise_paths.Cosine(-0.1), "`offset` must be at least 0"),
        (lambda: noise_paths.EDM(1.0, 0.5), "`least` below `largest`"),
        (lambda: noise_paths.LogitNormal(0.0, 0.0), "`deviation` must be positive"),
        (lambda: predictions.Preconditioned(0.0), "`data_deviation` must be positive"),
        (lambda: solvers.DDIM(1.5), "`eta` must be from 0 to 1"),
        (lambda: solvers.DDIM(-0.5), "`eta` must be at least 0"),
    ],
)
def test_values_that_make_no_sense_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
