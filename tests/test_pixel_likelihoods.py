"""Likelihoods of pixels: masses against formulas in NumPy, draws against masses."""

import itertools

import numpy as np
import pytest
import tensorflow as tf

from tfgen.distributions import Bernoulli, Categorical, DiscretizedLogistics, PixelLikelihood

EACH = [Bernoulli(), Categorical(4), DiscretizedLogistics(3, 4)]
each_likelihood = pytest.mark.parametrize("likelihood", EACH, ids=repr)


def normals(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def size_of(likelihood, channels):
    ((_, _, size),) = likelihood.parameters((1, 1, channels)).values()
    return size


def every_pixel(levels, channels):
    """Returns all pixels there are, `[levels ** channels, 1, 1, channels]`."""
    pixels = itertools.product(range(levels), repeat=channels)
    return np.reshape(np.float32(list(pixels)) / (levels - 1), [-1, 1, 1, channels])


def masses(likelihood, outputs, channels):
    """Returns the probability of each pixel, of the outputs `[size]` of one place."""
    pixels = every_pixel(likelihood.levels, channels)
    whole = np.broadcast_to(np.float32(outputs), [len(pixels), 1, 1, len(outputs)])
    return np.exp(likelihood.distribution(whole).log_prob(pixels).numpy().astype(np.float64))


def test_a_pixel_likelihood_says_what_it_is_of():
    assert [each.levels for each in EACH] == [2, 4, 4]
    assert [each.joint for each in EACH] == [False, False, True]
    for each in EACH:
        assert isinstance(each, PixelLikelihood) and each.limits == (0.0, 1.0) and each.takes_logits
    assert Bernoulli().parameters((5, 4, 3)) == {"logits": (5, 4, 3)}
    assert Categorical(6).parameters((5, 4, 3)) == {"logits": (5, 4, 18)}
    assert DiscretizedLogistics(2).parameters((5, 4, 1)) == {"logistics": (5, 4, 6)}
    assert DiscretizedLogistics(2).parameters((5, 4, 3)) == {"logistics": (5, 4, 20)}


@each_likelihood
@pytest.mark.parametrize("channels", [1, 3])
def test_all_pixels_have_a_probability_of_one_together(likelihood, channels):
    outputs = 2 * normals(size_of(likelihood, channels))
    np.testing.assert_allclose(masses(likelihood, outputs, channels).sum(), 1.0, rtol=1e-5)


@each_likelihood
@pytest.mark.parametrize("channels", [1, 3])
def test_an_image_has_the_product_of_its_pixels_probabilities(likelihood, channels):
    outputs = normals(2, 3, 4, size_of(likelihood, channels))
    random = np.random.default_rng(1)
    images = random.integers(likelihood.levels, size=(2, 3, 4, channels)) / (likelihood.levels - 1)
    distribution = likelihood.distribution(outputs)
    assert (distribution.batch_shape, distribution.event_shape) == ([2], [3, 4, channels])
    places = outputs.reshape(-1, 1, 1, outputs.shape[-1])
    each = likelihood.distribution(places).log_prob(np.float32(images).reshape(-1, 1, 1, channels))
    whole = distribution.log_prob(np.float32(images))
    np.testing.assert_allclose(whole, np.sum(np.reshape(each, [2, 12]), axis=1), rtol=1e-5)


def test_the_logits_of_a_channel_lie_together():
    logits = normals(1, 1, 1, 3 * 5)
    levels = np.array([4, 0, 2])
    found = Categorical(5).distribution(logits).log_prob(np.float32(levels / 4)[None, None, None])
    by_channel = logits.reshape(3, 5).astype(np.float64)
    expected = by_channel[np.arange(3), levels] - np.log(np.exp(by_channel).sum(axis=1))
    np.testing.assert_allclose(found, [expected.sum()], rtol=1e-5)


def logistic_mixture(outputs, pixel, components, levels):
    """Salimans et al., 2017, equations 1 to 3, in 128 bits with plain differences of sigmoids."""
    channels = 1 if outputs.size == 3 * components else 3
    parts = np.reshape(outputs, [-1, components]).astype(np.longdouble)
    means, scales = parts[1 : 1 + channels], np.exp(parts[1 + channels : 1 + 2 * channels])
    by = np.tanh(parts[1 + 2 * channels :])
    values = 2 * np.asarray(pixel, np.longdouble) - 1
    if channels == 3:
        red, green, _ = values
        means = [means[0], means[1] + by[0] * red, means[2] + by[1] * red + by[2] * green]
    product = np.exp(parts[0]) / np.exp(parts[0]).sum()
    half = np.longdouble(1) / (levels - 1)
    for value, mean, scale in zip(values, means, scales, strict=True):
        above = 1 / (1 + np.exp(-(value + half - mean) / scale)) if value < 1 else 1.0
        below = 1 / (1 + np.exp(-(value - half - mean) / scale)) if value > -1 else 0.0
        product = product * (above - below)
    return float(np.log(product.sum()))


@pytest.mark.parametrize("channels", [1, 3])
def test_logistics_are_the_papers(channels):
    likelihood = DiscretizedLogistics(3, 16)
    random = np.random.default_rng(2)
    for _ in range(20):
        outputs = random.normal(size=size_of(likelihood, channels)).astype(np.float32)
        pixel = np.float32(random.integers(16, size=channels) / 15)
        found = likelihood.distribution(outputs[None, None, None]).log_prob(pixel[None, None, None])
        expected = logistic_mixture(outputs, pixel, 3, 16)
        np.testing.assert_allclose(found[0], expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("log_scale", range(-7, 4))
@pytest.mark.parametrize("mean", [-3.0, -1.0, 0.1234, 0.9])
def test_levels_take_all_mass_at_any_scale(log_scale, mean):
    likelihood = DiscretizedLogistics(1)
    probabilities = masses(likelihood, [0.0, mean, log_scale], 1)
    np.testing.assert_allclose(probabilities.sum(), 1.0, rtol=1e-4)


@pytest.mark.parametrize("coefficients", [(0.0, 0.0, 0.0), (3.0, -0.4, 0.8), (-9.0, 9.0, 9.0)])
def test_the_levels_of_a_colour_take_all_mass_whatever_those_before_it(coefficients):
    likelihood = DiscretizedLogistics(1)
    outputs = np.float32([0.0, 0.3, -0.2, 0.1, -2.0, -1.0, -3.0, *coefficients])
    levels = np.float32(np.arange(256) / 255)
    red, green = 0.8, 51 / 255
    pixels = np.stack([np.full(256, red), np.full(256, green), levels], axis=-1)
    whole = np.broadcast_to(outputs, [256, 1, 1, 10])
    together = likelihood.distribution(whole).log_prob(np.float32(pixels)[:, None, None])
    grey = DiscretizedLogistics(1)
    by = np.tanh(coefficients)
    of_red = grey.distribution(np.float32([[[[0.0, 0.3, -2.0]]]])).log_prob([[[[red]]]])
    moved = np.float32([[[[0.0, -0.2 + by[0] * (2 * red - 1), -1.0]]]])
    of_green = grey.distribution(moved).log_prob([[[[green]]]])
    expected = of_red + of_green
    np.testing.assert_allclose(tf.reduce_logsumexp(together), expected[0], atol=1e-4)


def test_far_values_and_extreme_outputs_have_finite_probabilities_and_slopes():
    likelihood = DiscretizedLogistics(2)
    extreme = np.float32(list(itertools.product([-1e4, 0.0, 1e4], repeat=6)))[:, None, None]
    for value in (0.0, 0.5019608, 1.0):
        outputs = tf.constant(extreme)
        with tf.GradientTape() as tape:
            tape.watch(outputs)
            log_prob = likelihood.distribution(outputs).log_prob(
                tf.fill([len(extreme), 1, 1, 1], value)
            )
        assert np.isfinite(log_prob).all()
        assert np.isfinite(tape.gradient(log_prob, outputs)).all()


@each_likelihood
@pytest.mark.parametrize("channels", [1, 3])
def test_draws_follow_the_probabilities(likelihood, channels):
    outputs = normals(size_of(likelihood, channels), seed=3)
    expected = masses(likelihood, outputs, channels)
    count = 20_000
    draw = tf.function(
        lambda: likelihood.distribution(
            tf.broadcast_to(outputs, [count, 1, 1, len(outputs)])
        ).sample(seed=(4, 5)),
        jit_compile=True,
    )
    drawn = draw().numpy()
    assert drawn.shape == (count, 1, 1, channels) and drawn.dtype == np.float32
    levels = likelihood.levels
    steps = drawn[:, 0, 0] * (levels - 1)
    np.testing.assert_array_equal(
        drawn[:, 0, 0], np.round(steps).astype(np.float32) / np.float32(levels - 1)
    )
    index = np.round(steps).astype(int) @ levels ** np.arange(channels)[::-1]
    found = np.bincount(index, minlength=levels**channels) / count
    deviation = np.sqrt(expected * (1 - expected) / count)
    assert (np.abs(found - expected) < 5 * deviation + 1e-3 / levels**channels).all()


@each_likelihood
def test_draws_are_a_function_of_their_seed(likelihood):
    distribution = likelihood.distribution(normals(3, 4, 4, size_of(likelihood, 1)))
    first, again, other = (distribution.sample(seed=(1, each)) for each in (2, 2, 3))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)
    many = distribution.sample(2, seed=(1, 2))
    assert many.shape == (2, 3, 4, 4, 1)
    beside = np.stack([distribution.log_prob(each) for each in many])
    np.testing.assert_allclose(distribution.log_prob(many), beside, rtol=1e-5)


@each_likelihood
def test_half_precision_is_rounding_of_outputs_only(likelihood):
    outputs = normals(2, 3, 3, size_of(likelihood, 3)).astype(np.float16)
    half, full = (
        likelihood.distribution(tf.constant(each)).sample(seed=(0, 0))
        for each in (outputs, outputs.astype(np.float32))
    )
    assert half.dtype == tf.float32
    np.testing.assert_array_equal(half, full)
    assert likelihood.tempered(tf.constant(outputs), 0.5).dtype == tf.float32


@pytest.mark.parametrize("temperature", [0.5, 3.0])
def test_tempered_logits_are_the_probabilities_power(temperature):
    for likelihood in (Bernoulli(), Categorical(4)):
        outputs = normals(size_of(likelihood, 1))
        powers = masses(likelihood, outputs, 1) ** (1 / temperature)
        found = masses(likelihood, likelihood.tempered(outputs, temperature), 1)
        np.testing.assert_allclose(found, powers / powers.sum(), rtol=1e-5)


@pytest.mark.parametrize("channels", [1, 3])
def test_tempered_logistics_have_other_logits_and_scales_alone(channels):
    likelihood = DiscretizedLogistics(3, 16)
    outputs = normals(2, 1, 1, size_of(likelihood, channels))
    np.testing.assert_allclose(likelihood.tempered(outputs, 1.0), outputs, rtol=1e-6)
    changed = outputs.reshape(2, -1, 3).copy()
    changed[:, 0] /= 0.5
    changed[:, 1 + channels : 1 + 2 * channels] += np.log(0.5)
    found = likelihood.tempered(outputs, 0.5)
    np.testing.assert_allclose(found, changed.reshape(outputs.shape), rtol=1e-5)


def test_a_low_temperature_draws_the_most_probable_level():
    bernoulli, categorical, logistics = EACH
    for likelihood, outputs, best in (
        (bernoulli, [0.5], 1.0),
        (categorical, [0.1, 1.0, 0.8, -2.0], 1 / 3),
        (logistics, [0.1, 0.0, 0.9, -1.0, -1.0, 0.3, 2.0, 2.0, 2.0], 2 / 3),
    ):
        cold = likelihood.tempered(np.float32(outputs)[None, None, None], 0.001)
        drawn = likelihood.distribution(cold).sample(50, seed=(0, 0))
        np.testing.assert_allclose(drawn, np.full(drawn.shape, best), rtol=1e-6)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Categorical(1), "`levels` must be at least 2. Received: levels=1."),
        (lambda: DiscretizedLogistics(levels=1), "`levels` must be at least 2."),
        (
            lambda: DiscretizedLogistics(0),
            "`components` must be at least 1. Received: components=0",
        ),
        (
            lambda: DiscretizedLogistics().parameters((4, 4, 2)),
            r"1 channel, or of colours, 3. Received: examples \(4, 4, 2\)",
        ),
        (lambda: Categorical(3).parameters((4,)), r"is of images.*Received: examples \(4,\)"),
        (
            lambda: DiscretizedLogistics(5).distribution(tf.zeros([1, 1, 1, 25])),
            "need 15 outputs for each pixel of grey images, 50 of colours",
        ),
    ],
)
def test_what_does_not_fit_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
