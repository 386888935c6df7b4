"""Causal layers: what their outputs see, at all places and at one."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from tfgen.engine.one_pass import treats_rows_alone
from tfgen.layers import (
    CausalAttention,
    DiagonalLSTM,
    Gate,
    MaskedConv2D,
    MaskedDense,
    OneHotLevels,
    Positions,
    RowLSTM,
    Shift,
    ShiftedConv2D,
)
from tfgen.layers.causal import Reach
from tfgen.layers.skew import skew, unskew

PLACED = {
    "mask A": lambda: MaskedConv2D(6, 5, sees_itself=False, activation="tanh"),
    "mask B": lambda: MaskedConv2D(6, (3, 1), sees_itself=True, use_bias=False),
    "colours": lambda: MaskedConv2D(6, (1, 3), sees_itself=False, channels=3),
    "larger than the image": lambda: MaskedConv2D(2, 13, sees_itself=True),
    "down": lambda: ShiftedConv2D(5, (2, 3), sees_right=True),
    "down right": lambda: ShiftedConv2D(5, 2, sees_right=False, activation="relu"),
    "down in strides": lambda: ShiftedConv2D(5, (2, 3), strides=2, sees_right=True),
    "down right in strides": lambda: ShiftedConv2D(5, (3, 2), strides=(2, 3), sees_right=False),
    "shift": lambda: Shift(rows=1, columns=2),
    "gate": lambda: Gate("tanh"),
    "gates of colours": lambda: Gate(channels=3),
    "positions": lambda: Positions(),
    "attention": lambda: CausalAttention(3),
}
EVERY_PLACE_ALONE = {"gate", "gates of colours", "positions", "attention"}
placed = pytest.mark.parametrize("name", PLACED)


def normals(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def randomize(network, seed=0):
    random = np.random.default_rng(seed)
    network.set_weights([random.normal(size=each.shape) for each in network.get_weights()])


def built(layer, *shape):
    layer.build((None, *shape))
    randomize(layer)
    return layer


def influence(layer, maps, row, column):
    """Returns which values of `maps` an output's features see: `[rows, columns, in, out]`."""
    maps = tf.constant(maps)
    with tf.GradientTape() as tape:
        tape.watch(maps)
        features = layer(maps)[0, row, column]
    return np.moveaxis(tape.jacobian(features, maps).numpy()[:, 0], 0, -1) != 0


@pytest.mark.parametrize("name", [name for name in PLACED if name not in EVERY_PLACE_ALONE])
def test_a_window_makes_what_is_made_at_its_place(name):
    layer = built(PLACED[name](), 6, 5, 6)
    maps = normals(3, 6, 5, 6)
    whole = layer(maps)
    assert whole.shape[1:] == layer(keras.Input((6, 5, 6))).shape[1:]
    padded = np.pad(maps, [(0, 0), *layer.margins, (0, 0)])
    (height, width), (down, right) = layer.window, layer.strides
    for row, column in np.ndindex(*whole.shape[1:3]):
        first_row, first_column = row * down, column * right
        part = padded[:, first_row : first_row + height, first_column : first_column + width]
        expected = whole[:, row : row + 1, column : column + 1]
        np.testing.assert_allclose(layer.of_windows(part), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", [name for name in PLACED if name not in EVERY_PLACE_ALONE])
def test_a_layer_s_reach_says_what_it_sees(name):
    layer = built(PLACED[name](), 6, 5, 6)
    down, right = layer.strides
    row, column = 1 + (down == 1), 1 + (right == 1)
    found = influence(layer, normals(1, 6, 5, 6), row, column).any(axis=(2, 3))
    own_row, own_column = row * down, column * right
    assert found[:own_row].any() or layer.window[0] == 1
    assert not found[own_row + 1 :].any()
    seen = {Reach.ABOVE: 0, Reach.EARLIER: own_column, Reach.ITSELF: own_column + 1, Reach.ROW: 5}
    # At its own place a colour sees those before it.
    last = own_column + 1 if getattr(layer, "channels", 1) > 1 else seen[layer.reach]
    assert not found[own_row, last:].any()
    assert layer.reach in (Reach.ABOVE, Reach.ROW) or found[own_row, :last].any()


@placed
def test_layers_are_saved_and_treat_images_alone(name, tmp_path):
    if name == "attention":
        inputs = [keras.Input((6, 5, 6)) for _ in range(3)]
        network = keras.Model(inputs, CausalAttention(3)(inputs))
        maps = [normals(2, 6, 5, 6, seed=seed) for seed in range(3)]
    else:
        inputs = keras.Input((6, 5, 6))
        network = keras.Model(inputs, PLACED[name]()(inputs))
        maps = normals(2, 6, 5, 6)
    randomize(network)
    assert treats_rows_alone(network)
    network.save(tmp_path / "network.keras")
    loaded = keras.models.load_model(tmp_path / "network.keras")
    np.testing.assert_array_equal(loaded(maps), network(maps))


def test_attention_of_one_place_is_that_of_all():
    layer = CausalAttention(heads=3)
    queries, keys, values = (normals(3, 6, 5, 6, seed=seed) for seed in range(3))
    whole = layer([queries, keys, values])
    for row, column in ((0, 0), (2, 3), (5, 4)):
        later = np.arange(30).reshape(6, 5, 1) >= 5 * row + column
        changed = (np.where(later, 100.0, each).astype(np.float32) for each in (keys, values))
        query = queries[:, row : row + 1, column : column + 1]
        found = layer.of_place(query, *changed, tf.constant(row), tf.constant(column))
        expected = whole[:, row : row + 1, column : column + 1]
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def test_positions_of_a_part_are_those_of_the_whole():
    layer = built(Positions(), 6, 5, 6)
    maps = normals(3, 6, 5, 6)
    found = layer.of_part(tf.constant(maps[:, 2:3]), tf.constant(2), tf.constant(0))
    np.testing.assert_allclose(found, layer(maps)[:, 2:3], rtol=1e-6)


@pytest.mark.parametrize("sees_itself", [False, True])
def test_a_masked_convolution_sees_rows_above_and_what_is_left(sees_itself):
    layer = built(MaskedConv2D(2, (5, 3), sees_itself), 6, 7, 2)
    expected = np.zeros([6, 7], bool)
    expected[1:3, 2:5] = True  # rows above, columns on both sides
    expected[3, 2] = True
    expected[3, 3] = sees_itself
    found = influence(layer, normals(1, 6, 7, 2), 3, 3)
    np.testing.assert_array_equal(found, np.broadcast_to(expected[..., None, None], found.shape))


def test_a_masked_convolution_is_that_of_a_masked_kernel():
    layer = built(MaskedConv2D(4, 3, sees_itself=True), 6, 5, 3)
    kernel, bias = layer.get_weights()
    assert kernel.shape == (2, 3, 3, 4)  # below, there are no weights to mask
    whole = np.concatenate([kernel, normals(1, 3, 3, 4)])
    whole[1, 2] = 0
    whole[2] = 0
    expected = tf.nn.conv2d(normals(2, 6, 5, 3), whole, 1, "SAME") + bias
    np.testing.assert_allclose(layer(normals(2, 6, 5, 3)), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("sees_itself", [False, True])
def test_colours_see_those_before_them_at_their_own_place(sees_itself):
    layer = built(MaskedConv2D(6, 1, sees_itself, channels=3), 2, 2, 9)
    found = influence(layer, normals(1, 2, 2, 9), 1, 0)
    assert not found[0].any() and not found[1, 1].any()
    colours_in, colours_out = np.arange(9) // 3, np.arange(6) // 2
    compare = np.less_equal if sees_itself else np.less
    np.testing.assert_array_equal(found[1, 0], compare(colours_in[:, None], colours_out))


@pytest.mark.parametrize("sees_right", [False, True])
def test_a_shifted_convolution_sees_what_it_has_weights_for(sees_right):
    layer = built(ShiftedConv2D(2, (2, 3), strides=2, sees_right=sees_right), 8, 8, 1)
    expected = np.zeros([8, 8], bool)
    expected[3:5, (3 if sees_right else 2) : (6 if sees_right else 5)] = True
    found = influence(layer, normals(1, 8, 8, 1), 2, 2)
    np.testing.assert_array_equal(found, np.broadcast_to(expected[..., None, None], found.shape))


def test_a_shift_moves_zeros_in():
    maps = normals(2, 3, 4, 1)
    moved = Shift(1, 2)(maps).numpy()
    np.testing.assert_array_equal(moved[:, 1:, 2:], maps[:, :-1, :-2])
    assert not moved[:, 0].any() and not moved[:, :, :2].any()


def test_attention_is_a_mean_of_earlier_values_by_their_scores():
    queries, keys, values = (normals(2, 3, 4, size, seed=size) for size in (6, 6, 4))
    keys = normals(2, 3, 4, 6, seed=9)
    found = CausalAttention(heads=2)([queries, keys, values]).numpy().reshape(2, 12, 2, 2)
    q, k, v = (each.reshape(2, 12, 2, -1).astype(np.float64) for each in (queries, keys, values))
    assert not found[:, 0].any()
    for image, place, head in np.ndindex(2, 12, 2):
        if place:
            scores = k[image, :place, head] @ q[image, place, head] / np.sqrt(3)
            weights = np.exp(scores) / np.exp(scores).sum()
            expected = weights @ v[image, :place, head]
            np.testing.assert_allclose(found[image, place, head], expected, rtol=1e-4)


def test_attention_never_sees_its_own_place_nor_later_ones():
    keys = tf.constant(normals(1, 3, 3, 2))
    with tf.GradientTape() as tape:
        tape.watch(keys)
        seen = CausalAttention()([normals(1, 3, 3, 2, seed=1), keys, keys])
    slopes = tape.jacobian(seen, keys).numpy()
    slopes = np.abs(slopes).sum(axis=(0, 3, 4, 7)).reshape(9, 9)
    np.testing.assert_array_equal(slopes > 0, np.tri(9, k=-1, dtype=bool))


def test_gates_multiply_halves_of_each_block():
    features = normals(2, 2, 3, 8)
    first, second = (features[..., [a, b, a + 4, b + 4]] for a, b in ((0, 1), (2, 3)))
    gate = 1 / (1 + np.exp(-second))
    np.testing.assert_allclose(Gate("tanh", channels=2)(features), np.tanh(first) * gate, rtol=1e-5)
    np.testing.assert_allclose(Gate(channels=2)(features), first * gate, rtol=1e-5)


def test_levels_become_one_hot_whatever_the_precision():
    keras.config.set_dtype_policy("mixed_bfloat16")
    levels = np.arange(256)
    images = np.float32(np.stack([levels, levels[::-1]], axis=-1) / 255)[None, None]
    hot = OneHotLevels(256)(images)
    assert hot.dtype == tf.bfloat16
    expected = np.concatenate([np.eye(256), np.eye(256)[::-1]], axis=-1)
    np.testing.assert_array_equal(tf.cast(hot[0, 0], tf.float32), expected)


@pytest.mark.parametrize("shape", [(4, 3), (1, 5), (5, 1), (3, 6)])
def test_skew_makes_columns_of_diagonals_and_unskew_undoes_it(shape):
    maps = normals(2, *shape, 3)
    height, width = shape
    skewed = skew(maps).numpy()
    expected = np.zeros([2, height, width + height - 1, 3], np.float32)
    for row in range(height):
        expected[:, row, row : row + width] = maps[:, row]
    np.testing.assert_array_equal(skewed, expected)
    np.testing.assert_array_equal(unskew(skewed), maps)


def cell(gates, before):
    """An LSTM's cell and state (van den Oord et al., 2016, equation 3)."""
    output, forget, take, new = np.split(gates, 4)
    cells = sigmoid(forget) * before + sigmoid(take) * np.tanh(new)
    return cells, sigmoid(output) * np.tanh(cells)


def sigmoid(values):
    return 1 / (1 + np.exp(-values))


def test_the_row_lstm_is_its_cell_at_each_place():
    layer = built(RowLSTM(2), 4, 3, 3)
    kernel, state_kernel, bias = layer.get_weights()
    maps = normals(1, 4, 3, 3)
    states, cells = np.zeros([2, 5, 5, 2])  # a frame of zeros, but below
    for row, column in np.ndindex(4, 3):
        gates = bias + maps[0, row, column] @ kernel[0, 1]
        if column:
            gates = gates + maps[0, row, column - 1] @ kernel[0, 0]
        gates = gates + states[row, column : column + 3].ravel() @ state_kernel
        found = cell(gates, cells[row, column + 1])
        cells[row + 1, column + 1], states[row + 1, column + 1] = found
    np.testing.assert_allclose(layer(maps)[0], states[1:, 1:4], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("backward", [False, True])
def test_the_diagonal_lstm_is_its_cell_at_each_place(backward):
    layer = built(DiagonalLSTM(2, backward=backward), 4, 3, 3)
    kernel, state_kernel, bias = layer.get_weights()
    maps = normals(1, 4, 3, 3)
    given = maps[:, :, ::-1] if backward else maps
    states, cells = np.zeros([2, 5, 4, 2])  # zeros above and on the left
    for row, column in np.ndindex(4, 3):
        gates = bias + given[0, row, column] @ kernel[0, 0]
        above, left = states[row, column + 1], states[row + 1, column]
        gates = gates + np.concatenate([above, left]) @ state_kernel
        # The cell that is forgotten is the one on the left: of the same row of the diagonal before.
        found = cell(gates, cells[row + 1, column])
        cells[row + 1, column + 1], states[row + 1, column + 1] = found
    expected = states[:-1, :0:-1] if backward else states[1:, 1:]
    np.testing.assert_allclose(layer(maps)[0], expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("layer", [RowLSTM(6, 3), DiagonalLSTM(6, 3)])
def test_recurrent_colours_see_those_before_them_at_their_own_place(layer):
    found = influence(built(layer, 2, 3, 9), normals(1, 2, 3, 9), 1, 1)
    expected = np.arange(9)[:, np.newaxis] // 3 <= np.arange(6) // 2
    np.testing.assert_array_equal(found[1, 1], expected)
    assert not found[1, 2].any() and found[1, 0].all() and found[0, 1].all()


def test_masked_units_hear_degrees_up_to_their_own():
    layer = built(MaskedDense([1, 2, 3], [3, 1, 2, 2], activation="tanh"), 3)
    kernel, bias = layer.get_weights()
    mask = np.array([[1, 1, 1, 1], [1, 0, 1, 1], [1, 0, 0, 0]])
    np.testing.assert_array_equal(layer.mask, mask)
    inputs = normals(5, 3)
    np.testing.assert_allclose(layer(inputs), np.tanh(inputs @ (kernel * mask) + bias), rtol=1e-5)
    strict = MaskedDense([1, 2, 3], [3, 1, 2, 2], strict=True)
    np.testing.assert_array_equal(strict.mask, [[1, 0, 1, 1], [1, 0, 0, 0], [0, 0, 0, 0]])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: MaskedConv2D(4, 4, True), "must be odd. Received: kernel_size=4"),
        (lambda: MaskedConv2D(4, 3, True, channels=3), "filters must be a multiple of channels=3"),
        (
            lambda: MaskedConv2D(3, 3, True, channels=3)(keras.Input((4, 4, 2))),
            "features that come in must be a multiple of channels=3.*Received: 2",
        ),
        (lambda: ShiftedConv2D(4, (2, 2)), r"odd. Received: kernel_size=\(2, 2\)"),
        (lambda: RowLSTM(4, channels=3), "multiple of channels=3.*Received: filters=4"),
        (
            lambda: DiagonalLSTM(6, channels=3)(keras.Input((4, 4, 4))),
            "features that come in must be a multiple of channels=3. Received: 4",
        ),
        (
            lambda: MaskedDense([1, 2], [1])(keras.Input((3,))),
            "degree for each input. Received: 2 degrees for 3 inputs",
        ),
        (lambda: Shift(rows=-1), "Received: rows=-1, columns=0"),
        (lambda: Gate(channels=3)(keras.Input((4, 4, 8))), "multiple of 6. Received: 8 features"),
        (lambda: OneHotLevels(1), "`levels` must be at least 2. Received: levels=1."),
        (
            lambda: CausalAttention(2)([keras.Input((4, 4, size)) for size in (4, 4, 3)]),
            "multiple of heads=2. Received: 4 of queries, 4 of keys and 3 of values",
        ),
    ],
)
def test_what_does_not_fit_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_padding_is_settled():
    with pytest.raises(TypeError, match="padding"):
        MaskedConv2D(4, 3, True, padding="same")
    assert isinstance(MaskedConv2D(4, 3, True), layers.Conv2D)
