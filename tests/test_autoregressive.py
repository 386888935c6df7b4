"""Autoregressive models: exact likelihoods, samples that follow them, completions, mistakes."""

import argparse
import dataclasses
import itertools
import json

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

import tfgen
from tests.specimens import SHAPE, compiled, each_of
from tfgen import callbacks, distributions, networks
from tfgen.distributions import Backwards, ColumnByColumn, RowByRow, Shuffled
from tfgen.engine import noise
from tfgen.models.autoregressive.ancestral import draw
from tfgen.models.autoregressive.passes import CachedPasses, PlainPasses, passes_of
from training.benchmarks import pixels as benchmark
from training.scoring.likelihood import arguments_of
from training.tables.pixels import pixels

ORDERS = [RowByRow(), ColumnByColumn(), Backwards(), Shuffled(seed=1)]


def shaken(network, strength=0.7, seed=0):
    """Returns a network whose outputs depend strongly on what it sees."""
    random = np.random.default_rng(seed)
    for variable in network.trainable_variables:
        spread = strength / np.sqrt(max(np.prod(variable.shape[:-1]), 1))
        variable.assign(spread * random.normal(size=variable.shape))
    return network


def binary(side, order=None, **options):
    network = shaken(networks.pixel_cnn((side, side, 1), width=8, blocks=1, **options))
    return tfgen.Autoregressive(network, distributions.Bernoulli(), order)


def all_images(side):
    values = list(itertools.product([0.0, 1.0], repeat=side * side))
    return np.array(values, np.float32).reshape(-1, side, side, 1)


@pytest.mark.parametrize("order", ORDERS)
def test_all_images_together_have_the_probability_1(order):
    probabilities = np.exp(binary(3, order).log_likelihood(all_images(3)))
    assert probabilities.sum() == pytest.approx(1.0, abs=1e-5)
    assert probabilities.max() > 10 * probabilities.min()


@pytest.mark.parametrize("order", ORDERS)
def test_samples_are_as_often_as_they_are_probable(order):
    model, count = binary(2, order), 4000
    expected = count * np.exp(model.log_likelihood(all_images(2)))
    places = tf.reshape(model.sample(count, seed=0), [count, 4]) @ [[8.0], [4.0], [2.0], [1.0]]
    found = np.bincount(np.asarray(places, int)[:, 0], minlength=16)
    # Chi square of 15 degrees of freedom is below 38 in 999 of 1,000.
    assert np.sum((found - expected) ** 2 / expected) < 38


def test_orders_are_permutations_that_are_undone():
    images = np.random.default_rng(0).random((2, 4, 4, 3), np.float32)
    for order in ORDERS:
        rows = order.to_rows(tf.constant(images))
        assert sorted(order.places(4, 4)) == list(range(16))
        np.testing.assert_array_equal(order.from_rows(rows), images)
    np.testing.assert_array_equal(
        ColumnByColumn().to_rows(tf.constant(images)), images.transpose(0, 2, 1, 3)
    )
    np.testing.assert_array_equal(Backwards().to_rows(tf.constant(images)), images[:, ::-1, ::-1])


GREY, COLOUR = (8, 8, 1), (8, 8, 3)
NETWORKS = {
    "pixel_cnn": lambda **options: networks.pixel_cnn(GREY, 8, 2, **options),
    "gated": lambda **options: networks.gated_pixel_cnn(GREY, 8, 2, **options),
    "plus_plus": lambda **options: networks.pixel_cnn_plus_plus(GREY, 8, (1, 2), **options),
}


def drawn(passes, likelihood, shape, compiled=False):
    @tf.function(jit_compile=compiled, autograph=False)
    def draw_all():
        noise_seed = noise.seed_from(7, "sample")
        return draw(passes, likelihood, tf.zeros([4, *shape]), None, noise_seed, 1.0, compiled)

    return draw_all()


@each_of(NETWORKS, {"plus_plus"})
def test_samples_of_kept_activations_are_those_of_whole_passes(name):
    network, likelihood = shaken(NETWORKS[name](outputs=4)), distributions.Categorical(4)
    passes = passes_of(network, [])
    assert type(passes) is CachedPasses
    cached = drawn(passes_of(network, []), likelihood, GREY)
    np.testing.assert_array_equal(cached, drawn(PlainPasses(network, []), likelihood, GREY))
    assert len(np.unique(cached)) == 4


def test_so_are_those_of_colours_one_after_the_other_and_at_once():
    for likelihood, options in (
        (distributions.Categorical(4), {"outputs": 12}),
        (distributions.DiscretizedLogistics(2, levels=4), {"outputs": 20, "colour_groups": False}),
    ):
        network = shaken(networks.pixel_cnn(COLOUR, 12, 1, **options))
        cached = drawn(passes_of(network, []), likelihood, COLOUR)
        np.testing.assert_array_equal(cached, drawn(PlainPasses(network, []), likelihood, COLOUR))


@each_of(NETWORKS, {"pixel_cnn"})
@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
def test_outputs_place_by_place_are_those_of_a_whole_pass(name, policy):
    keras.config.set_dtype_policy(policy)
    network = shaken(NETWORKS[name]())
    rows = tf.constant(np.random.default_rng(0).integers(0, 2, (3, *GREY)), tf.float32)
    passes = passes_of(network, [])
    kept = passes.begin(rows)

    @tf.function(autograph=False)
    def all_places(kept):
        found = []
        for row in range(3):
            kept, known = passes.begin_row(kept, tf.constant(row))
            for column in range(8):
                place = tf.constant(row), tf.constant(column)
                outputs, kept, here = passes.outputs_at(kept, known, rows, *place)
                found.append(outputs)
                kept = passes.end_place(kept, here, rows, *place)
        return tf.concat(found, axis=2)

    expected = tf.reshape(passes.whole(rows)[:, :3], [3, 1, 24, -1])
    tolerance = 1e-4 if policy == "float32" else 0.1
    np.testing.assert_allclose(all_places(kept), expected, rtol=tolerance, atol=tolerance)


def _strange(kind):
    """Returns a network that is causal, and that kept activations would not do."""
    inputs, condition = keras.Input(GREY), keras.Input(GREY)
    shifted = layers.Conv2D(4, 1)(tfgen.layers.Shift(columns=1)(inputs))
    told = layers.Conv2D(4, 1)(condition)
    if kind == "attention to a condition":
        hidden = tfgen.layers.CausalAttention()([shifted, told, told])
    elif kind == "unequal strides":
        hidden = tfgen.layers.ShiftedConv2D(4, (2, 2), strides=(2, 1), sees_right=False)(shifted)
        hidden = layers.UpSampling2D((2, 1))(hidden)
    elif kind == "a condition that is enlarged":
        small = layers.Conv2D(4, 2, strides=2)(told)
        hidden = layers.Add()([shifted, layers.UpSampling2D(2)(small)])
    elif kind == "a causal layer of a condition":
        hidden = tfgen.layers.ShiftedConv2D(4, (2, 3))(told)
        hidden = layers.Add()([shifted, hidden])
    else:
        along = layers.Activation(lambda maps: tf.cumsum(maps, axis=1))
        hidden = layers.Add()([along(shifted), told])
    return keras.Model([inputs, condition], layers.Conv2D(1, 1)(hidden))


@pytest.mark.parametrize(
    "kind",
    [
        "attention to a condition",
        "unequal strides",
        "a condition that is enlarged",
        "a causal layer of a condition",
        "an activation of a user's own",
    ],
)
def test_what_kept_activations_cannot_do_is_drawn_by_whole_passes(kind):
    network = shaken(_strange(kind), strength=1.5)
    condition = [tf.constant(np.random.default_rng(0).random((4, *GREY)), tf.float32)]
    likelihood = distributions.Bernoulli()
    np.testing.assert_array_equal(
        drawn(passes_of(network, condition), likelihood, GREY),
        drawn(PlainPasses(network, condition), likelihood, GREY),
    )


@pytest.mark.slow
def test_xla_draws_as_its_own_whole_passes_do():
    model = binary(8)
    whole = drawn(PlainPasses(model.network, []), model.likelihood, GREY, compiled=True)
    np.testing.assert_array_equal(model.sample(4, seed=7, jit_compile=True), whole)


def test_a_network_of_unknown_layers_is_sampled_by_whole_passes():
    @keras.saving.register_keras_serializable(package="tests")
    class Same(layers.Layer):
        def call(self, inputs):
            return inputs

    known = networks.pixel_cnn((4, 4, 1), width=8, blocks=1)
    network = keras.Model(known.inputs[0], Same()(known.outputs[0]))
    assert type(passes_of(network, [])) is PlainPasses
    model = tfgen.Autoregressive(network, distributions.Bernoulli())
    other = tfgen.Autoregressive(known, distributions.Bernoulli())
    np.testing.assert_array_equal(model.sample(5, seed=1), other.sample(5, seed=1))


def completed(model, side, patterns, copies, **options):
    """Returns how far completions' means are from the true ones, in standard errors, squared."""
    every = all_images(side)
    probabilities = np.exp(np.asarray(model.log_likelihood(every), np.float64))
    random, squares = np.random.default_rng(3), []
    chosen = every[random.choice(len(every), len(patterns), p=probabilities / probabilities.sum())]
    images, masks = (np.repeat(each, copies, axis=0) for each in (chosen, patterns))
    made = np.asarray(model.impute(np.where(masks, images, 0), masks, seed=5, **options))
    np.testing.assert_array_equal(made[masks], images[masks])
    made = made.reshape(len(patterns), copies, -1)
    for image, pattern, found in zip(chosen, patterns, made, strict=True):
        fits = (every == image)[:, pattern].all(axis=-1)
        weights = probabilities * fits / np.sum(probabilities * fits)
        expected = weights @ every.reshape(len(every), -1)
        missing = ~pattern.reshape(-1)
        errors = np.sqrt(np.maximum(expected * (1 - expected), 1e-3) / copies)
        squares.extend((((found.mean(axis=0) - expected) / errors) ** 2)[missing])
    return np.array(squares)


def patterns(side):
    return all_images(side)[:-1].astype(bool)


@pytest.mark.parametrize("order", [RowByRow(), pytest.param(Backwards(), marks=pytest.mark.slow)])
def test_completions_follow_the_distribution_given_all_that_is_seen(order):
    squares = completed(binary(2, order), 2, patterns(2), copies=500, steps=20)
    assert np.mean(squares) < 1.6


@pytest.mark.slow
def test_completions_of_every_pattern_of_nine_pixels_follow_it():
    squares = completed(binary(3), 3, patterns(3), copies=100, steps=30)
    assert len(squares) == 512 * 9 / 2 and np.mean(squares) < 1.15


def test_pixels_after_the_last_seen_one_follow_the_completion():
    """The first pixel is missing, the second is seen, and the third is equal to the first."""
    inputs = keras.Input((1, 3, 1))
    first = tfgen.layers.Shift(columns=2)(layers.Rescaling(2.0, -1.0)(inputs))
    network = keras.Model(inputs, layers.Conv2D(1, 1, use_bias=False)(first))
    network.layers[-1].kernel.assign([[[[10.0]]]])
    model = tfgen.Autoregressive(network, distributions.Bernoulli())
    mask = np.array([False, True, False]).reshape(1, 3, 1)
    made = np.asarray(model.impute(np.ones((200, 1, 3, 1), np.float32), mask, seed=0))[:, 0, :, 0]
    assert np.mean(made[:, 0] == made[:, 2]) > 0.98 and 0.3 < made[:, 0].mean() < 0.7


def colours():
    network = shaken(networks.pixel_cnn((1, 2, 3), width=12, blocks=1), strength=1.2)
    return tfgen.Autoregressive(network, distributions.Bernoulli())


def all_colours():
    values = list(itertools.product([0.0, 1.0], repeat=6))
    return np.array(values, np.float32).reshape(-1, 1, 2, 3)


def test_colours_are_drawn_and_completed_given_the_channels_before():
    model, count = colours(), 4000
    probabilities = np.exp(model.log_likelihood(all_colours()))
    bits = -np.log2(probabilities) / 6
    np.testing.assert_allclose(model.bits_per_dimension(all_colours()), bits, rtol=1e-4)
    flat = tf.reshape(model.sample(count, seed=0), [count, 6])
    places = np.asarray(flat @ [[32.0], [16.0], [8.0], [4.0], [2.0], [1.0]], int)[:, 0]
    found = np.bincount(places, minlength=64)
    # Chi square of 63 degrees of freedom is below 104 in 999 of 1,000.
    assert np.sum((found - count * probabilities) ** 2 / (count * probabilities)) < 104
    seen = np.array([[[False, True, False], [False, False, True]]])
    image = all_colours()[19]
    made = model.impute(np.repeat(image[np.newaxis], count, axis=0), seen, seed=0, steps=30)
    fits = (all_colours() == image)[:, seen].all(axis=-1)
    weights = probabilities * fits / np.sum(probabilities * fits)
    expected = np.einsum("i,ihwc->hwc", weights, all_colours())
    np.testing.assert_allclose(np.mean(made, axis=0), expected, atol=0.04)


def test_keeping_what_is_seen_is_not_enough():
    """Of two pixels that are equal in 9 cases of 10, the first follows the second."""
    inputs = keras.Input((1, 2, 1))
    shifted = tfgen.layers.Shift(columns=1)(layers.Rescaling(2.0, -1.0)(inputs))
    outputs = layers.Conv2D(1, 1, use_bias=False)(shifted)
    network = keras.Model(inputs, outputs)
    network.layers[-1].kernel.assign([[[[np.log(9.0)]]]])
    model = tfgen.Autoregressive(network, distributions.Bernoulli())
    second_seen = np.array([False, True]).reshape(1, 2, 1)
    images = np.ones((4000, 1, 2, 1), np.float32)
    found = model.impute(images, second_seen, seed=0, steps=10)
    assert np.mean(found[:, 0, 0]) == pytest.approx(0.9, abs=0.03)
    assert not model.imputes_exactly(images, second_seen).numpy().any()
    assert model.imputes_exactly(images, ~second_seen).numpy().all()


@pytest.mark.slow
def test_pixels_after_the_last_seen_one_are_drawn_exactly_in_one_step():
    first_row = np.array([[True, True], [False, False]])[..., np.newaxis]
    model = binary(2)
    squares = completed(model, 2, first_row[np.newaxis], copies=4000, steps=1)
    assert np.max(squares) < 9
    assert (
        tfgen.Autoregressive(model.network, model.likelihood, Backwards())
        .imputes_exactly(all_images(2), ~first_row)
        .numpy()
        .all()
    )


@pytest.mark.parametrize(
    ("likelihood", "outputs", "channels"),
    [
        (distributions.Categorical(4), 4, 1),
        pytest.param(distributions.Categorical(4), 8, 2, marks=pytest.mark.slow),
        (distributions.DiscretizedLogistics(2, levels=4), 20, 3),
    ],
    ids=repr,
)
def test_a_graph_completes_images_of_any_likelihood_as_the_model_does(
    likelihood, outputs, channels
):
    options = {"outputs": outputs, "colour_groups": not likelihood.joint}
    network = shaken(networks.pixel_cnn((4, 4, channels), 4 * channels, 1, **options))
    model = tfgen.Autoregressive(network, likelihood)
    images = np.random.default_rng(0).integers(0, 4, (3, 4, 4, channels)) / np.float32(3)
    mask = np.zeros((3, 4, 4, 1), np.float32)
    mask[0, :, 2:] = mask[1, 0] = 1
    impute, specs = model.signatures()["impute"]
    answer = tf.function(impute, input_signature=specs)(
        images, np.broadcast_to(mask, images.shape), np.int64(3)
    )
    np.testing.assert_array_equal(answer["exact"], [False, True, True])
    np.testing.assert_array_equal(answer["images"], model.impute(images, mask, seed=3))
    assert set(np.unique(np.round(3 * answer["images"], 4))) == {0, 1, 2, 3}


def test_a_low_temperature_takes_the_likeliest_value_each_time():
    model = binary(3)
    cold = model.sample(20, seed=0, temperature=1e-3)
    assert len(np.unique(np.asarray(cold).reshape(20, -1), axis=0)) == 1
    assert len(np.unique(np.asarray(model.sample(20, seed=0)).reshape(20, -1), axis=0)) > 10


@pytest.mark.slow
def test_scales_take_a_temperature_and_xla():
    model = two_scales(6)
    cold = model.sample_scales(20, seed=0, temperature=1e-3)
    for each in cold:
        assert len(np.unique(np.asarray(each).reshape(20, -1), axis=0)) == 1
    # Nothing is left to chance, so XLA draws the same.
    by_xla = model.sample_scales(20, seed=3, temperature=1e-3, jit_compile=True)
    for each, other in zip(cold, by_xla, strict=True):
        np.testing.assert_array_equal(each, other)
    assert len(np.unique(np.asarray(model.sample(20, seed=0)).reshape(20, -1), axis=0)) > 10


def test_bits_are_nats_over_values():
    model = binary(3)
    images = all_images(3)[:4]
    nats = -np.asarray(model.log_likelihood(images))
    np.testing.assert_allclose(model.bits_per_dimension(images), nats / 9 / np.log(2), rtol=1e-6)
    model.compile("adam")
    found = model.evaluate(images, verbose=0, return_dict=True)
    assert found["loss"] == pytest.approx(nats.mean(), rel=1e-5)
    assert found["bits_per_dimension"] == pytest.approx(nats.mean() / 9 / np.log(2), rel=1e-5)


@pytest.mark.slow
def test_many_images_are_taken_in_parts():
    model = binary(2)
    images = np.resize(all_images(2), (700, 2, 2, 1))
    expected = np.resize(model.log_likelihood(images[:16]), 700)
    np.testing.assert_allclose(model.log_likelihood(images), expected, rtol=1e-5)


@pytest.mark.slow
def test_it_learns_which_pixels_are_alike():
    """Columns of one colour: 2 ** 3 images, each as likely: log 8 nats."""
    keras.utils.set_random_seed(0)
    columns = np.random.default_rng(0).integers(0, 2, (512, 1, 3, 1))
    images = np.broadcast_to(columns, (512, 3, 3, 1)).astype(np.float32)
    model = tfgen.Autoregressive(
        networks.pixel_cnn((3, 3, 1), width=16, blocks=1), distributions.Bernoulli()
    )
    model.compile(keras.optimizers.Adam(1e-2))
    model.fit(images, batch_size=64, epochs=15, verbose=0)
    assert -np.mean(model.log_likelihood(images)) == pytest.approx(np.log(8), abs=0.1)
    made = np.asarray(model.sample(100, seed=0))
    assert np.mean((made == made[:, :1]).all(axis=(1, 2, 3))) > 0.9


def test_labels_change_what_is_drawn():
    network = shaken(networks.gated_pixel_cnn((3, 3, 1), 8, 1, condition_size=2), strength=2.0)
    model = tfgen.ConditionalAutoregressive(network, distributions.Bernoulli(), num_classes=2)
    images = all_images(3)
    both = [np.exp(model.log_likelihood(images, np.full(512, label))) for label in (0, 1)]
    np.testing.assert_allclose([each.sum() for each in both], 1.0, atol=1e-5)
    assert np.abs(both[0] - both[1]).sum() > 0.1
    made = model.sample(2000, seed=0, labels=np.repeat([0, 1], 1000))
    for each, expected in zip(np.split(np.asarray(made), 2), both, strict=True):
        frequencies = each.mean(axis=0)[..., 0]
        means = np.einsum("i,ihw->hw", expected, images[..., 0])
        np.testing.assert_allclose(frequencies, means, atol=0.07)
    nothing, labels = np.zeros((3, 3, 1)), np.repeat([0, 1], 1000)
    filled = model.impute(np.zeros((2000, 3, 3, 1), np.float32), nothing, seed=0, labels=labels)
    for each, expected in zip(np.split(np.asarray(filled), 2), both, strict=True):
        means = np.einsum("i,ihw->hw", expected, images[..., 0])
        np.testing.assert_allclose(each.mean(axis=0)[..., 0], means, atol=0.07)
    with pytest.raises(ValueError, match="Labels must be from 0 to 1"):
        model.log_likelihood(images[:1], [7])


def test_the_average_of_weights_answers():
    model = compiled("autoregressive")
    before = model.sample(3, seed=0)
    for variable in model.network.trainable_variables:
        variable.assign(variable + 1.0)
    np.testing.assert_array_equal(model.sample(3, seed=0), before)
    assert np.any(model.sample(3, seed=0, use_ema=False) != before)
    images = np.zeros((1, *model.example_shape), np.float32)
    likelihood = model.log_likelihood(images)
    assert likelihood != model.log_likelihood(images, use_ema=False)
    assert model.score(images)["log_likelihood"] == likelihood
    nothing = np.zeros(model.example_shape)
    found = [model.impute(images, nothing, seed=0, use_ema=each) for each in (True, False)]
    assert np.any(found[0] != found[1])


def two_scales(side, strength=0.7):
    coarse = networks.gated_pixel_cnn((side // 2, side // 2, 1), 8, 1, 3)
    fine = networks.gated_pixel_cnn((side, side, 1), 8, 1, 3, condition_size=(side, side, 1))
    both = [shaken(each, strength, seed) for seed, each in enumerate((coarse, fine))]
    return tfgen.MultiScaleAutoregressive(both, distributions.Bernoulli())


def test_the_scales_parts_add_up_to_the_whole():
    model = two_scales(2)
    nats = model.log_likelihood(all_images(2))
    np.testing.assert_allclose(
        model.bits_per_dimension(all_images(2)), -nats / 4 / np.log(2), rtol=1e-6
    )
    with pytest.raises(ValueError, match="values between them"):
        model.log_likelihood(all_images(2) / 2)
    probabilities = np.exp(nats)
    assert probabilities.sum() == pytest.approx(1.0, abs=1e-5)
    first = np.exp(
        tfgen.Autoregressive(model.networks[0], model.likelihood).log_likelihood(all_images(1))
    )
    white = all_images(2)[:, 0, 0, 0] == 1
    assert probabilities[white].sum() == pytest.approx(first[1], abs=1e-5)
    count = 4000
    expected = count * probabilities
    made = model.sample(count, seed=0)
    places = np.asarray(tf.reshape(made, [count, 4]) @ [[8.0], [4.0], [2.0], [1.0]], int)[:, 0]
    assert np.sum((np.bincount(places, minlength=16) - expected) ** 2 / expected) < 38


def test_a_finer_image_has_the_coarser_one_s_pixels_and_sees_all_of_it():
    model = two_scales(8, strength=1.5)
    coarse, fine = model.sample_scales(6, seed=1)
    np.testing.assert_array_equal(fine[:, ::2, ::2], coarse)
    assert set(np.unique(fine)) == {0.0, 1.0}
    images = tf.constant(np.round(np.random.default_rng(0).random((2, 8, 8, 1))), tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(images)
        output = model.networks[1]([tf.zeros_like(images), images])[:, 3, 3]
    assert np.any(tape.gradient(output, images)[:, 4:] != 0)  # what is below, too


def test_scales_are_drawn_with_kept_activations_as_with_whole_passes():
    network = two_scales(8).networks[1]
    condition = [tf.round(tf.random.stateless_uniform([4, 8, 8, 1], [0, 1]))]
    likelihood = distributions.Bernoulli()
    assert type(passes_of(network, condition)) is CachedPasses
    np.testing.assert_array_equal(
        drawn(passes_of(network, condition), likelihood, GREY),
        drawn(PlainPasses(network, condition), likelihood, GREY),
    )


def test_scales_that_do_not_fit_are_refused():
    fine, coarse = reversed(two_scales(8).networks)
    for wrong in ([fine], [coarse, coarse], [fine, coarse]):
        with pytest.raises(ValueError, match="The coarsest network must take images"):
            tfgen.MultiScaleAutoregressive(wrong, distributions.Bernoulli())


def test_a_picture_shows_halves_and_what_completes_them(tmp_path):
    images = np.round(np.random.default_rng(0).random((3, 8, 8, 1)))
    callback = callbacks.Completions(tmp_path, images, draws=2)
    callback.set_model(compiled("autoregressive"))
    callback.check()
    drawn = np.pad(callback.render()[..., 0], [(0, 1), (0, 1)])  # a line after each image
    tiles = drawn.reshape(3, 9, 4, 9).transpose(0, 2, 1, 3)[:, :, :8, :8]
    for image, (whole, hidden, *completed) in zip(images, tiles, strict=True):
        np.testing.assert_array_equal(whole, 255 * image[..., 0])
        assert set(np.unique(hidden[4:])) <= {127, 128} and np.all(hidden[:4] == whole[:4])
        for each in completed:
            np.testing.assert_array_equal(each[:4], whole[:4])
            assert set(np.unique(each)) <= {0, 255}
        assert np.any(completed[0] != completed[1])
    callback.set_model(compiled("gated_autoregressive"))
    with pytest.raises(ValueError, match="`Completions` has no labels to tell"):
        callback.check()


def test_the_benchmark_refuses_a_size_before_it_measures(capsys):
    with pytest.raises(SystemExit, match="must be multiples of 4. Received: images"):
        benchmark.main(["--side=14"])
    assert not capsys.readouterr().out


def test_a_shuffled_order_stays_for_good():
    """A saved model keeps the seed alone."""
    np.testing.assert_array_equal(Shuffled(seed=0).places(2, 3), [5, 2, 1, 3, 0, 4])


@pytest.mark.slow
def test_the_benchmark_compares_images_before_their_times(tmp_path, capsys):
    output = tmp_path / "result.json"
    benchmark.main(["--count=2", "--turns=2", "--side=4", f"--output={output}"])
    result = json.loads(output.read_text())
    assert "pixel_cnn_plus_plus: whole passes" in capsys.readouterr().out
    measured = result["pixels_benchmark"]["pixel_cnn"]
    assert [len(each) for each in measured["seconds"].values()] == [2, 2, 2]
    assert "python -m training.benchmark_pixels --count 2" in pixels("pixels.json", result)


def sees(kind):
    """Returns a network that sees more than it may."""
    inputs = keras.Input((6, 6, 1))
    hidden = {
        "itself": lambda: layers.Conv2D(4, 1)(inputs),
        "all": lambda: layers.Conv2D(4, 3, padding="same")(inputs),
        "the last row": lambda: layers.Dense(36)(layers.Flatten()(inputs)),
    }[kind]()
    if kind == "the last row":
        hidden = layers.Reshape((6, 6, 1))(hidden)
    return keras.Model(inputs, layers.Conv2D(1, 1, kernel_initializer="zeros")(hidden), name="seer")


@pytest.mark.parametrize("kind", ["itself", "all", "the last row"])
def test_a_network_that_sees_the_future_is_refused(kind):
    with pytest.raises(ValueError, match="see earlier pixels only.*'seer', whose output at row"):
        tfgen.Autoregressive(sees(kind), distributions.Bernoulli())


def test_a_channel_that_sees_a_later_one_is_refused():
    inputs = keras.Input((4, 4, 2))
    outputs = layers.Concatenate()(
        [
            layers.Conv2D(1, 1)(inputs[..., 1:]),
            layers.Conv2D(1, 1)(inputs[..., :1]),
        ]
    )
    network = keras.Model(inputs, outputs)
    with pytest.raises(ValueError, match="channel 0 changes with pixels from"):
        tfgen.Autoregressive(network, distributions.Bernoulli())


def test_batch_normalization_is_refused():
    inputs = keras.Input((4, 4, 1))
    hidden = layers.BatchNormalization()(tfgen.layers.Shift(rows=1)(inputs))
    with pytest.raises(ValueError, match="lets a pixel see later ones.*LayerNormalization"):
        network = keras.Model(inputs, layers.Conv2D(1, 1)(hidden))
        tfgen.Autoregressive(network, distributions.Bernoulli())


def test_colours_that_see_each_other_and_are_drawn_at_once_are_refused():
    network = networks.pixel_cnn((4, 4, 3), 12, 1, outputs=30)
    with pytest.raises(ValueError, match="colour_groups=False"):
        tfgen.Autoregressive(network, distributions.DiscretizedLogistics(3, levels=4))


def test_an_order_has_each_pixel_once():
    @dataclasses.dataclass(frozen=True)
    class Stuck(distributions.PixelOrder):
        def places(self, height, width):
            return np.zeros(height * width, int)

    with pytest.raises(ValueError, match="must have each of 16 pixels once"):
        tfgen.Autoregressive(binary(4).network, distributions.Bernoulli(), Stuck())


def test_nothing_is_drawn_of_nothing():
    assert binary(4).sample(0).shape == two_scales(4).sample(0).shape == (0, 4, 4, 1)
    network = networks.pixel_cnn((4, 4, 1), 8, 1, outputs=6)
    model = tfgen.Autoregressive(network, distributions.DiscretizedLogistics(2, levels=4))
    assert model.sample(0).shape == (0, 4, 4, 1)
    with pytest.raises(ValueError, match="`count` must be an integer"):
        model.sample(2.5, jit_compile=True)


def test_mistakes_are_told():
    model = binary(4)
    model.compile("adam")
    grey = np.full((2, 4, 4, 1), 0.3, np.float32)
    with pytest.raises(ValueError, match="2 levels.*such as 0.3.*binarized='stochastic'"):
        model.fit(grey, verbose=0)
    with pytest.raises(ValueError, match="32 of 32 values between them"):
        model.log_likelihood(grey)
    with pytest.raises(ValueError, match=r"must be in \[0, 1\].*Divide pixels by 255"):
        model.fit(255 * np.ones((2, 4, 4, 1), np.float32), verbose=0)
    with pytest.raises(ValueError, match="`mask` must be shaped as the images"):
        model.impute(np.zeros((2, 4, 4, 1), np.float32), np.ones((3, 3, 1)))
    with pytest.raises(ValueError, match="`temperature` must be positive"):
        model.sample(2, temperature=0.0)
    with pytest.raises(ValueError, match="`steps` must be at least 1"):
        model.impute(np.zeros((2, 4, 4, 1), np.float32), np.ones((4, 4, 1)), steps=0)
    with pytest.raises(ValueError, match="Images must be shaped as what the model takes"):
        model.log_likelihood(np.zeros((2, 5, 5, 1), np.float32))
    with pytest.raises(ValueError, match="needs the network to have one output"):
        tfgen.Autoregressive(model.network, distributions.Categorical(4))
    with pytest.raises(TypeError, match="`likelihood` must be"):
        tfgen.Autoregressive(model.network, "bernoulli")
    with pytest.raises(ValueError, match="must take images"):
        tfgen.Autoregressive(
            keras.Sequential([keras.Input((4,)), layers.Dense(4)]), model.likelihood
        )
    with pytest.raises(ValueError, match="Only square images can come column by column"):
        network = networks.pixel_cnn((2, 4, 1), width=8, blocks=1)
        tfgen.Autoregressive(network, distributions.Bernoulli(), ColumnByColumn())


def test_levels_out_of_range_are_told():
    network = networks.pixel_cnn((4, 4, 1), width=8, blocks=1, outputs=4)
    model = tfgen.Autoregressive(network, distributions.Categorical(4))
    model.compile("adam")
    with pytest.raises(ValueError, match=r"4 levels, k/3.*such as 0.5.*levels=\.\.\."):
        model.fit(np.full((2, 4, 4, 1), 0.5, np.float32), verbose=0)
    model.fit(np.full((2, 4, 4, 1), 1 / 3, np.float32), verbose=0)


def test_channels_that_are_drawn_at_once_are_hidden_at_once():
    network = networks.pixel_cnn((4, 4, 3), 12, 1, outputs=20, colour_groups=False)
    model = tfgen.Autoregressive(network, distributions.DiscretizedLogistics(2, levels=4))
    red = np.array([True, False, False])
    with pytest.raises(ValueError, match="draws all channels of a pixel at once"):
        model.impute(np.zeros((1, 4, 4, 3), np.float32), np.broadcast_to(red, (4, 4, 3)))


def test_samples_of_codes_are_decoded():
    model = compiled("latent_autoregressive")
    vqvae = model.autoencoder
    assert model.example_shape == SHAPE and model.map_shape == (2, 2, 1)
    made = np.asarray(model.sample(50, seed=0))
    codes = np.array(list(itertools.product(range(8), repeat=4))).reshape(-1, 2, 2)
    decoded = np.asarray(vqvae.decode_codes(codes)).reshape(len(codes), -1)
    distances = np.abs(made.reshape(50, 1, -1) - decoded).max(axis=-1).min(axis=-1)
    np.testing.assert_allclose(distances, 0, atol=1e-5)


@pytest.mark.slow
def test_codes_that_go_together_are_learnt_and_the_autoencoder_stays():
    """Of images of one colour all codes are equal: a prior of places alone cannot know it."""
    images = np.random.default_rng(0).random((256, 1, 1, 1)) * np.ones((1, *SHAPE))
    model = compiled("latent_autoregressive")
    before = [weight.numpy() for weight in model.autoencoder.weights]
    codes = np.asarray(model.autoencoder.codes(images)).reshape(256, -1)
    frequencies = np.unique(codes, axis=0, return_counts=True)[1] / 256
    model.compile(keras.optimizers.Adam(1e-2))
    model.fit(images.astype(np.float32), batch_size=64, epochs=80, verbose=0)
    found = model.evaluate(images.astype(np.float32), verbose=0, return_dict=True)
    entropy = -np.sum(frequencies * np.log(frequencies))
    assert found["loss"] == pytest.approx(entropy, abs=0.3)
    for weight, value in zip(model.autoencoder.weights, before, strict=True):
        np.testing.assert_array_equal(weight, value)


@pytest.mark.slow
def test_an_autoencoder_that_was_trained_is_loaded_without_a_warning(tmp_path):
    """Warnings are errors here: Keras warned of an optimizer that had nothing to train."""
    whole = compiled("latent_autoregressive")
    vqvae = compiled("vq_vae")
    images = np.random.default_rng(0).random((8, *SHAPE), np.float32)
    vqvae.fit(images, batch_size=8, verbose=0)
    model = tfgen.LatentAutoregressive(whole.network, whole.likelihood, vqvae)
    model.compile("adam")
    model.fit(images, batch_size=8, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = tfgen.load(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded.sample(3, seed=0), model.sample(3, seed=0))


def test_the_command_tells_likelihoods_that_are_exact_or_estimated_by_latents():
    options = argparse.Namespace(samples=7, seed=3)
    assert arguments_of(compiled("mlp_vae"), options) == {"samples": 7, "seed": 3}
    assert arguments_of(compiled("autoregressive"), options) == {}
    with pytest.raises(ValueError, match="needs a model that can tell .* exactly"):
        arguments_of(compiled("diffusion"), options)


def test_a_prior_of_codes_fits_its_autoencoder():
    model = compiled("latent_autoregressive")
    network, likelihood, vqvae = model.network, model.likelihood, model.autoencoder
    with pytest.raises(TypeError, match="`autoencoder` must be a `tfgen.VQVAE`"):
        tfgen.LatentAutoregressive(network, likelihood, compiled("autoencoder"))
    with pytest.raises(ValueError, match=r"must take the autoencoder's codes, \[None, 2, 2, 1\]"):
        other = networks.gated_pixel_cnn((3, 3, 1), 4, 1, outputs=8)
        tfgen.LatentAutoregressive(other, likelihood, vqvae)
    with pytest.raises(ValueError, match="as many levels as there are codes, 8. Received: Cat"):
        other = networks.gated_pixel_cnn((2, 2, 1), 4, 1, outputs=7)
        tfgen.LatentAutoregressive(other, distributions.Categorical(7), vqvae)


def test_a_score_is_that_of_the_nearest_levels():
    model = binary(3)
    images = all_images(3)[:5]
    grey = np.abs(images - 0.4)
    np.testing.assert_allclose(
        model.score(grey)["log_likelihood"], model.log_likelihood(images), rtol=1e-5
    )
