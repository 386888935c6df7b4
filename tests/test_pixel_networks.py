"""Autoregressive networks: what each output sees, and what comes of that."""

import functools
import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfgen.distributions import Bernoulli, Categorical
from tfgen.engine.one_pass import treats_rows_alone
from tfgen.layers import MaskedDense
from tfgen.models.autoregressive.causality import check_causal
from tfgen.networks import (
    diagonal_bilstm,
    gated_pixel_cnn,
    made,
    pixel_cnn,
    pixel_cnn_plus_plus,
    pixel_snail,
    row_lstm,
)

SMALL = {
    "pixel_cnn": functools.partial(pixel_cnn, width=6, blocks=2),
    "gated_pixel_cnn": functools.partial(gated_pixel_cnn, width=6, blocks=2, kernel_size=3),
    "pixel_cnn_plus_plus": functools.partial(pixel_cnn_plus_plus, width=4, multiples=(1, 2)),
    "row_lstm": functools.partial(row_lstm, width=6, blocks=2),
    "diagonal_bilstm": functools.partial(diagonal_bilstm, width=6, blocks=2),
    "made": functools.partial(made, hidden_sizes=(20, 30)),
    "pixel_snail": functools.partial(
        pixel_snail, width=4, blocks=1, convolutions=1, heads=2, key_size=3
    ),
}
OF_COLOURS = ["pixel_cnn", "gated_pixel_cnn", "row_lstm", "diagonal_bilstm"]
SEES_ALL = ["made", "pixel_snail"]
each_network = pytest.mark.parametrize("name", SMALL)
each_of_colours = pytest.mark.parametrize("name", OF_COLOURS)


def randomize(network, seed):
    """Gives weights of a size that keeps signals; biases too, so that no unit is off for all."""
    random = np.random.default_rng(seed)
    network.set_weights(
        [
            random.normal(size=each.shape) / np.sqrt(max(1, np.prod(each.shape[:-1])))
            for each in network.get_weights()
        ]
    )


@pytest.fixture
def exact():
    """Computes in 64 bits, in which a change that is none stays below all others."""
    keras.config.set_dtype_policy("float64")


def influence(network, seeds=6):
    """Returns which outputs move with which values: `[rows, columns, out, rows, columns, in]`."""
    shape = network.inputs[0].shape[1:]
    count = np.prod(shape)
    found = False
    for seed in range(seeds):
        randomize(network, seed)
        random = np.random.default_rng(seed)
        image, change = random.random(shape), random.normal(size=count)
        images = np.concatenate([[image], image + np.diag(change).reshape(count, *shape)])
        conditions = [np.full((count + 1, each.shape[1]), 0.5) for each in network.inputs[1:]]
        outputs = network([images, *conditions] if conditions else images).numpy()
        found |= np.abs(outputs[1:] - outputs[0]) > 1e-12
    return np.moveaxis(found, 0, -1).reshape(*outputs.shape[1:], *shape)


def seen_by_places(network, **kwargs):
    """Returns which pixels the outputs of each place see, `[places, places]`."""
    found = influence(network, **kwargs).any(axis=(2, 5))
    return found.reshape(np.prod(found.shape[:2]), -1)


def stated(height, width, sees):
    """Returns what the places see if `sees(rows up, columns to the right)` tells."""
    places = list(itertools.product(range(height), range(width)))
    return np.array(
        [[sees(row - above, at - column) for above, at in places] for row, column in places]
    )


def earlier(places):
    return np.tri(places, k=-1, dtype=bool)


def log_probs(network, likelihood, images, conditions=None):
    outputs = network(images if conditions is None else [images, conditions])
    return likelihood.distribution(outputs).log_prob(images)


@each_network
@pytest.mark.parametrize("channels", [1, 3])
def test_no_output_sees_the_future(name, channels, exact):
    if name == "made" and channels == 3:
        pytest.skip("of grey images")
    groups = {"colour_groups": False} if name in OF_COLOURS else {}
    network = SMALL[name]((6, 6, channels), outputs=4, **groups)
    assert network.output_shape == (None, 6, 6, 4)
    assert not (seen_by_places(network) & ~earlier(36)).any()


@each_network
def test_conditions_reach_every_place_and_change_nothing_of_what_is_seen(name, exact):
    network = SMALL[name]((6, 6, 1), condition_size=3)
    assert not (seen_by_places(network) & ~earlier(36)).any()
    images = np.random.default_rng(0).random((20, 6, 6, 1))
    one, other = (network([images, np.tile([each], [20, 1])]) for each in np.eye(3)[:2])
    assert (np.abs(one - other).max(axis=0) > 1e-6).all()


@pytest.mark.parametrize(("blocks", "kernel_size"), [(1, 3), (2, 3), (2, 5)])
def test_pixel_cnn_sees_what_it_states(blocks, kernel_size, exact):
    half = kernel_size // 2
    reach = 3 + blocks * half

    def sees(up, right):
        if up == 0:
            return -reach <= right < 0
        return 0 < up <= reach and -reach <= right <= 3 + half * min(blocks, up - 1)

    network = pixel_cnn((9, 8, 1), width=4, blocks=blocks, kernel_size=kernel_size)
    np.testing.assert_array_equal(seen_by_places(network), stated(9, 8, sees))


@pytest.mark.parametrize(("blocks", "kernel_size"), [(1, 3), (2, 3), (1, 5)])
def test_gated_pixel_cnn_sees_what_it_states(blocks, kernel_size, exact):
    reach = 3 + blocks * (kernel_size // 2)

    def sees(up, right):
        if up == 0:
            return -reach <= right < 0
        return 0 < up <= reach and abs(right) <= reach

    network = gated_pixel_cnn((9, 8, 1), width=4, blocks=blocks, kernel_size=kernel_size)
    np.testing.assert_array_equal(seen_by_places(network), stated(9, 8, sees))


@pytest.mark.parametrize("blocks", [1, 2])
def test_row_lstm_sees_a_triangle(blocks, exact):
    def sees(up, right):
        if up == 0:
            return -3 - blocks <= right < 0
        return 0 < up and -3 - blocks - up <= right <= 2 + up

    network = row_lstm((5, 12, 1), width=4, blocks=blocks)
    np.testing.assert_array_equal(seen_by_places(network), stated(5, 12, sees))


@pytest.mark.parametrize("name", SEES_ALL)
def test_some_networks_see_all_that_is_earlier(name, exact):
    np.testing.assert_array_equal(seen_by_places(SMALL[name]((6, 7, 1))), earlier(42))


def test_the_diagonal_bilstm_sees_all_but_the_end_of_the_row_above(exact):
    places = list(itertools.product(range(6), range(7)))
    expected = earlier(42)
    for index, (row, column) in enumerate(places):
        if row and column + 3 < 6:
            expected[index, places.index((row - 1, 6))] = False
    np.testing.assert_array_equal(seen_by_places(SMALL["diagonal_bilstm"]((6, 7, 1))), expected)


def test_the_masks_of_made_leave_a_strictly_triangular_matrix():
    network = made((3, 4, 1), hidden_sizes=(5, 40), outputs=2)
    masks = [each.mask for each in network.layers if isinstance(each, MaskedDense)]
    *hidden, last, direct = masks
    paths = np.linalg.multi_dot([*hidden, last])
    pixel_out = np.arange(24) // 2
    later = np.arange(12)[:, np.newaxis] >= pixel_out
    assert not paths[later].any() and not direct[later].any()
    assert (paths + direct)[~later].all()


@pytest.mark.parametrize(
    ("build", "count"), [(pixel_cnn, 309), (gated_pixel_cnn, 405), (pixel_cnn_plus_plus, 405)]
)
def test_in_the_middle_of_an_image_all_is_seen_but_the_blind_spot(build, count):
    assert seen_from(build((28, 28, 1), width=8), 14, 13).sum() == count


def seen_from(network, row, column):
    """Returns which pixels the outputs of one place see, `[rows, columns]`."""
    images = tf.random.stateless_uniform([4, *network.input_shape[1:]], seed=(0, 0))
    seen = False
    for seed in range(2):
        randomize(network, seed)
        with tf.GradientTape() as tape:
            tape.watch(images)
            outputs = network(images)[:, row, column]
        seen |= np.any(tape.gradient(outputs, images) != 0, axis=(0, 3))
    return seen


@pytest.mark.parametrize("place", [(0, 27), (13, 0), (27, 27), (22, 6), (16, 13)])
def test_the_u_sees_what_it_states(place):
    seen = seen_from(pixel_cnn_plus_plus((28, 28, 1), width=4), *place)
    rows, columns = np.mgrid[:28, :28]
    before = rows * 28 + columns < place[0] * 28 + place[1]
    stated = (rows < place[0] // 4 * 4) | (np.abs(columns - place[1]) <= 6)
    assert not (seen & ~before).any() and not (before & stated & ~seen).any()


@each_of_colours
def test_colours_see_those_before_them_in_their_own_pixel(name, exact):
    network = SMALL[name]((3, 3, 3), outputs=6)
    found = influence(network, seeds=20)
    colour_in, colour_out = np.arange(3), np.arange(6) // 2
    for place, other in itertools.product(itertools.product(range(3), repeat=2), repeat=2):
        if other == place:
            expected = colour_in < colour_out[:, np.newaxis]
        else:
            expected = np.full([6, 3], other < place)
        np.testing.assert_array_equal(found[(*place, slice(None), *other)], expected)


@each_network
def test_all_small_images_have_a_probability_of_one_together(name):
    shape = (2, 4) if name == "pixel_cnn_plus_plus" else (3, 3)
    network = SMALL[name]((*shape, 1))
    randomize(network, 0)
    count = shape[0] * shape[1]
    images = np.float32(list(itertools.product([0, 1], repeat=count))).reshape(-1, *shape, 1)
    found = log_probs(network, Bernoulli(), images)
    np.testing.assert_allclose(np.exp(found).sum(), 1.0, rtol=1e-4)
    assert np.std(found) > 0.1


@each_of_colours
def test_all_small_images_in_colour_have_a_probability_of_one_together(name):
    network = SMALL[name]((1, 3, 3))
    randomize(network, 0)
    images = np.float32(list(itertools.product([0, 1], repeat=9))).reshape(-1, 1, 3, 3)
    found = log_probs(network, Bernoulli(), images)
    np.testing.assert_allclose(np.exp(found).sum(), 1.0, rtol=1e-4)


@each_network
def test_all_images_of_numbers_have_a_probability_of_one_together(name):
    network = SMALL[name]((2, 2, 1), outputs=4, one_hot_levels=4, condition_size=2)
    randomize(network, 0)
    images = np.float32(list(itertools.product(range(4), repeat=4))).reshape(-1, 2, 2, 1) / 3
    conditions = np.tile(np.float32([[1.0, 0.0]]), [len(images), 1])
    found = log_probs(network, Categorical(4), images, conditions)
    np.testing.assert_allclose(np.exp(found).sum(), 1.0, rtol=1e-4)


def test_of_many_levels_each_becomes_a_vector():
    network = SMALL["gated_pixel_cnn"]((1, 2, 1), outputs=40, one_hot_levels=40)
    randomize(network, 0)
    images = np.float32(list(itertools.product(range(40), repeat=2))).reshape(-1, 1, 2, 1) / 39
    found = log_probs(network, Categorical(40), images)
    np.testing.assert_allclose(np.exp(found).sum(), 1.0, rtol=1e-4)
    assert {32} == {
        each.input.shape[-1] for each in network.layers if getattr(each, "kernel_size", 0) == (1, 7)
    }


def test_of_colours_of_many_levels_none_sees_later_ones():
    network = SMALL["gated_pixel_cnn"]((2, 2, 3), outputs=120, one_hot_levels=40)
    randomize(network, 0)
    check_causal(network, True)


@pytest.mark.slow
@each_network
def test_steps_lower_the_loss_under_xla_and_in_half_precision(name):
    keras.config.set_dtype_policy("mixed_bfloat16")
    keras.utils.set_random_seed(0)
    network = SMALL[name]((4, 4, 1), condition_size=2)
    optimizer = keras.optimizers.SGD(0.005)
    optimizer.build(network.trainable_variables)
    images = np.random.default_rng(0).integers(2, size=(8, 4, 4, 1)).astype(np.float32)

    @tf.function(jit_compile=True)
    def step():
        with tf.GradientTape() as tape:
            found = log_probs(network, Bernoulli(), tf.constant(images), tf.ones([8, 2]))
            loss = -tf.reduce_mean(found)
        slopes = tape.gradient(loss, network.trainable_variables)
        optimizer.apply(slopes, network.trainable_variables)
        return loss

    losses = [float(step()) for _ in range(5)]
    assert np.isfinite(losses).all() and losses[-1] < losses[0]


@each_network
def test_half_precision_is_near(name):
    keras.config.set_dtype_policy("mixed_float16")
    half = SMALL[name]((4, 4, 1))
    keras.config.set_dtype_policy("float32")
    full = SMALL[name]((4, 4, 1))
    randomize(full, 0)
    half.set_weights(full.get_weights())
    images = np.random.default_rng(0).random((2, 4, 4, 1), np.float32)
    assert half(images).dtype == tf.float16
    np.testing.assert_allclose(half(images), full(images), atol=0.05)


@each_network
def test_networks_are_saved_and_treat_images_alone(name, tmp_path):
    channels = 1 if name == "made" else 3
    network = SMALL[name]((4, 4, channels), outputs=6, condition_size=2)
    randomize(network, 0)
    assert treats_rows_alone(network)
    network.save(tmp_path / "network.keras")
    loaded = keras.models.load_model(tmp_path / "network.keras")
    images = np.random.default_rng(0).random((2, 4, 4, channels), np.float32)
    given = [images, np.ones([2, 2], np.float32)]
    np.testing.assert_array_equal(loaded(given), network(given))


def test_dropout_is_where_it_is_asked_for():
    for build in (functools.partial(pixel_cnn_plus_plus, multiples=(1,)), pixel_snail):
        for dropout in (0.0, 0.5):
            network = build((4, 4, 1), width=4, dropout=dropout)
            found = any(isinstance(each, keras.layers.Dropout) for each in network.layers)
            assert found == bool(dropout)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: pixel_cnn_plus_plus((14, 14, 1)),
            r"multiples of 4. Received: images \(14, 14, 1\). Take fewer",
        ),
        (
            lambda: pixel_cnn((4, 4, 3), width=4),
            "`width` must be a multiple of the channels, 3.*Received: width=4",
        ),
        (lambda: gated_pixel_cnn((4, 4, 3), width=6, outputs=4), "Received: outputs=4"),
        (lambda: gated_pixel_cnn((4, 4, 1), blocks=0), "must be at least 1"),
        (lambda: pixel_cnn((4, 4)), "needs images"),
        (lambda: made((4, 4, 3)), r"of grey images.*Received: \(4, 4, 3\)"),
        (lambda: row_lstm((4, 4, 3), width=4), "`width` must be a multiple of the channels, 3"),
        (lambda: pixel_snail((4, 4, 1), heads=0), "must be at least 1"),
        (lambda: pixel_cnn((4, 4, 1), kernel_size=2), "must be odd. Received: kernel_size=2"),
        (lambda: gated_pixel_cnn((4, 4, 1), kernel_size=2), "must be odd"),
    ],
)
def test_what_does_not_fit_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
