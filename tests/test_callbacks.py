"""Pictures pixel by pixel, and files that are whole."""

import keras
import numpy as np
import pytest
import tensorflow as tf
import tensorflow_probability as tfp
from PIL import Image

from tests.specimens import SHAPE, assert_same, compiled, fit, images, names_in, weights
from tests.strangers import Stranger
from tfgen import ConditionalGAN, InfoGAN, codes, distributions, latent_space, networks
from tfgen.callbacks import (
    Checkpoint,
    CodeTraversal,
    Interpolation,
    LatentMap,
    LatentTraversal,
    NearestNeighbours,
    Picture,
    ReconstructionGrid,
    SampleGrid,
    StopOnNonFinite,
    TranslationGrid,
    Truncation,
    checkpoint,
    picture,
)
from tfgen.data import Source
from tfgen.engine.replicas import is_chief
from tfgen.pictures import (
    arithmetic_grid,
    grid,
    neighbour_grid,
    principal_plane,
    reconstruction_grid,
    write_png,
)
from tfgen.utils import files
from tfgen.utils.files import atomic_write, check_writable


def still(name="mlp_vae"):
    """A model whose weights training does not move."""
    model = compiled(name)
    model.compile(keras.optimizers.SGD(0.0))
    return model


def with_two_latents():
    model = compiled("mlp_vae")
    values = {name: getattr(model, name) for name in ("posterior", "likelihood")}
    model = type(model)(
        networks.mlp_encoder(SHAPE, 2, hidden_sizes=(8,)),
        networks.mlp_decoder(SHAPE, 2, hidden_sizes=(8,)),
        prior=type(model.prior)(2),
        **values,
    )
    model.compile("adam")
    return model


def pixels_of(path):
    with Image.open(path) as image:
        return np.asarray(image)


def image_events(folder):
    """Returns (tag, step, pixels) of each image that TensorBoard would show."""
    found = []
    for path in sorted((folder / "tensorboard" / "pictures").iterdir()):
        for record in tf.data.TFRecordDataset(str(path)).as_numpy_iterator():
            event = tf.compat.v1.Event.FromString(record)
            for value in event.summary.value:
                assert value.metadata.plugin_data.plugin_name == "images"
                width, height, encoded = tf.make_ndarray(value.tensor)
                decoded = tf.io.decode_png(encoded).numpy()
                assert decoded.shape[:2] == (int(height), int(width))
                found.append((value.tag, event.step, decoded))
    return found


# --- Grids


def test_grid_lays_images_out_row_by_row_with_white_lines_between():
    # Three images of one row and two columns.
    three = np.array([[[0.0, 0.2]], [[0.4, 1.0]], [[0.6, 0.8]]])[..., np.newaxis]
    expected = [
        [0, 51, 255, 102, 255],
        [255, 255, 255, 255, 255],
        [153, 204, 255, 255, 255],
    ]
    picture = grid(three, columns=2)
    assert picture.dtype == tf.uint8
    np.testing.assert_array_equal(picture[..., 0], expected)


def test_grid_keeps_colours_apart():
    two = np.zeros([2, 1, 1, 3])
    two[0, 0, 0], two[1, 0, 0] = [1.0, 0.0, 0.2], [0.0, 0.4, 0.0]
    expected = [[[255, 0, 51], [255, 255, 255], [0, 102, 0]]]
    np.testing.assert_array_equal(grid(two), expected)


@pytest.mark.parametrize(("count", "shape"), [(1, (1, 1)), (4, (2, 2)), (5, (2, 3)), (7, (3, 3))])
def test_grid_is_about_square_unless_told_otherwise(count, shape):
    height, width = (side * (size + 1) - 1 for side, size in zip(shape, (4, 2), strict=True))
    assert grid(np.zeros([count, 4, 2, 1])).shape == (height, width, 1)


def test_grid_cuts_values_off_at_black_and_white():
    values = np.array([-3.0, 0.0, 1.0, 1.5]).reshape(1, 1, 4, 1)
    np.testing.assert_array_equal(grid(values)[0, :, 0], [0, 0, 255, 255])
    half = tf.constant(values, tf.bfloat16)
    np.testing.assert_array_equal(grid(half)[0, :, 0], [0, 0, 255, 255])


def test_every_byte_survives_the_way_through_floats():
    pixels = np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1)
    np.testing.assert_array_equal(grid(pixels / np.float32(255)), pixels[0])


def test_png_files_hold_the_pixels(tmp_path):
    pixels = np.arange(4 * 3 * 3, dtype=np.uint8).reshape(4, 3, 3)
    write_png(tmp_path / "new" / "colour.png", pixels)
    np.testing.assert_array_equal(pixels_of(tmp_path / "new" / "colour.png"), pixels)
    assert names_in(tmp_path) == ["new/colour.png"]


class Darker:
    """Stands for a model: its reconstructions are half as bright."""

    def reconstruct(self, images):
        return images / 2


def one_pixel(*values):
    return tf.reshape(tf.constant(values), [-1, 1, 1, 1])


def test_reconstructions_stand_below_their_images():
    picture = reconstruction_grid(Darker(), one_pixel(0.2, 0.4, 0.8, 1.0), columns=2)
    seen = picture[::2, ::2, 0].numpy()  # without the lines
    np.testing.assert_array_equal(seen, [[51, 102], [25, 51], [204, 255], [102, 127]])


def test_few_reconstructions_make_one_pair_of_rows():
    picture = reconstruction_grid(Darker(), one_pixel(0.2, 0.4, 0.8))
    np.testing.assert_array_equal(picture[::2, ::2, 0], [[51, 102, 204], [25, 51, 102]])


def test_reconstructions_stand_below_their_images_in_a_last_row_that_is_not_full():
    picture = reconstruction_grid(Darker(), one_pixel(0.2, 0.4, 0.8), columns=2)
    seen = picture[::2, ::2, 0].numpy()
    np.testing.assert_array_equal(seen, [[51, 102], [25, 51], [204, 255], [102, 255]])


def test_the_nearest_images_stand_below_their_samples():
    source = Source(np.float32([0.0, 0.4, 0.8, 0.6]).reshape(4, 1, 1, 1))
    picture = neighbour_grid(one_pixel(0.92, 0.42, 0.55), source, columns=2)
    seen = picture[::2, ::2, 0].numpy()
    np.testing.assert_array_equal(seen, [[235, 107], [204, 102], [140, 255], [153, 255]])


# --- Pictures


def test_sample_grid_writes_png_files_and_tensorboard_images(tmp_path):
    model, callback = compiled("mlp_vae"), SampleGrid(tmp_path, count=5, seed=3)
    fit(model, callback, epochs=2)
    assert names_in(tmp_path / "pictures") == ["samples-0001.png", "samples-0002.png"]
    first, last = (pixels_of(path) for path in sorted((tmp_path / "pictures").iterdir()))
    assert first.shape == last.shape == (2 * 9 - 1, 3 * 9 - 1)
    assert not np.array_equal(first, last)
    np.testing.assert_array_equal(last, grid(model.sample(5, seed=3))[..., 0])
    events = image_events(tmp_path)
    assert [(tag, step) for tag, step, _ in events] == [("samples", 0), ("samples", 1)]
    for (_, _, pixels), png in zip(events, (first, last), strict=True):
        np.testing.assert_array_equal(pixels[..., 0], png)


def test_sample_grid_draws_the_same_latents_every_time(tmp_path):
    fit(still(), SampleGrid(tmp_path, count=4), epochs=2)
    first, last = sorted((tmp_path / "pictures").iterdir())
    np.testing.assert_array_equal(pixels_of(first), pixels_of(last))


def test_pictures_come_every_few_epochs(tmp_path):
    fit(still(), SampleGrid(tmp_path, count=1, every=2), epochs=5)
    assert names_in(tmp_path / "pictures") == ["samples-0002.png", "samples-0004.png"]
    assert [step for _, step, _ in image_events(tmp_path)] == [1, 3]


def test_reconstruction_grid_is_drawn_of_the_model(tmp_path):
    model = compiled("mlp_vae")
    fit(model, ReconstructionGrid(tmp_path, images(6), columns=3))
    (path,) = (tmp_path / "pictures").iterdir()
    assert path.name == "reconstructions-0001.png"
    pixels = pixels_of(path)
    assert pixels.shape == (4 * 9 - 1, 3 * 9 - 1)
    np.testing.assert_array_equal(pixels, reconstruction_grid(model, images(6), 3)[..., 0])
    ((tag, step, shown),) = image_events(tmp_path)
    assert (tag, step) == ("reconstructions", 0)
    np.testing.assert_array_equal(shown[..., 0], pixels)


def test_latent_traversal_has_a_row_per_latent(tmp_path):
    fit(compiled("mlp_vae"), LatentTraversal(tmp_path, images(1)[0], rows=2))
    assert pixels_of(tmp_path / "pictures" / "traversal-0001.png").shape == (2 * 9 - 1, 11 * 9 - 1)
    ((tag, step, shown),) = image_events(tmp_path)
    assert (tag, step, shown.shape) == ("traversal", 0, (2 * 9 - 1, 11 * 9 - 1, 1))


def test_latent_traversal_shows_no_more_latents_than_there_are(tmp_path):
    fit(compiled("mlp_vae"), LatentTraversal(tmp_path, images(1)[0], rows=10))
    assert pixels_of(tmp_path / "pictures" / "traversal-0001.png").shape == (3 * 9 - 1, 11 * 9 - 1)


class Recorder:
    """Stands for a model with a known encoding, and keeps the latents it is asked to decode."""

    abilities = frozenset({"encode", "generate"})
    prior = distributions.StandardNormal(2)
    distribute_strategy = tf.distribute.get_strategy()

    def prior_distribution(self):
        return self.prior.distribution()

    def encode(self, images):
        return tfp.distributions.MultivariateNormalDiag([[0.1, 0.2, 0.3]], [[0.5, 0.9, 0.1]])

    def generate(self, latents):
        self.latents = latents.numpy()
        return tf.zeros([len(latents), 1, 1, 1])

    def generate_paths(self, ways, seed, **labels):
        return self.generate(tf.reshape(ways, [-1, ways.shape[-1]]))


def test_latent_traversal_moves_the_surest_latents_one_by_one(tmp_path):
    callback = LatentTraversal(tmp_path, images(1)[0], rows=2, span=2.0)
    callback.set_model(Recorder())
    assert callback.render().shape == (3, 21, 1)
    rows = callback.model.latents.reshape(2, 11, 3)
    steps = np.linspace(-2, 2, 11)
    for row, moved in zip(rows, (2, 0), strict=True):
        expected = np.tile([0.1, 0.2, 0.3], [11, 1])
        expected[:, moved] = steps
        np.testing.assert_allclose(row, expected, atol=1e-6)


def test_latent_map_goes_over_the_plane_by_equal_steps_of_probability(tmp_path):
    callback = LatentMap(tmp_path, side=4)
    callback.set_model(Recorder())
    assert callback.render().shape == (7, 7, 1)
    plane = callback.model.latents.reshape(4, 4, 2)
    quantiles = [-1.1503494, -0.31863937, 0.31863937, 1.1503494]  # at 1/8, 3/8, 5/8, 7/8
    np.testing.assert_allclose(plane[..., 0], np.tile(quantiles, [4, 1]), atol=1e-5)
    np.testing.assert_allclose(plane[..., 1], np.tile(quantiles[::-1], [4, 1]).T, atol=1e-5)


def test_latent_map_writes_the_whole_plane(tmp_path):
    fit(with_two_latents(), LatentMap(tmp_path, side=3))
    assert pixels_of(tmp_path / "pictures" / "map-0001.png").shape == (3 * 9 - 1, 3 * 9 - 1)
    ((tag, step, shown),) = image_events(tmp_path)
    assert (tag, step, shown.shape) == ("map", 0, (3 * 9 - 1, 3 * 9 - 1, 1))


def test_latent_map_refuses_a_model_without_two_latents(tmp_path):
    model = compiled("mlp_vae")
    with pytest.raises(ValueError, match="two latents. Received: 3. `LatentTraversal` shows any"):
        fit(model, LatentMap(tmp_path))
    assert int(model.step) == 0
    assert names_in(tmp_path) == []


def test_interpolations_go_from_latent_to_latent_of_the_prior(tmp_path):
    callback = Interpolation(tmp_path, rows=50, steps=3, seed=4)
    callback.set_model(Recorder())
    callback.model.prior = distributions.StandardNormal(20)
    assert callback.render().shape == (2 * 50 - 1, 2 * 3 - 1, 1)
    start, middle, end = callback.model.latents.reshape(50, 3, 20).transpose(1, 0, 2)
    assert np.mean(np.square([start, end])) == pytest.approx(1, abs=0.1)
    assert np.mean(start * end) == pytest.approx(0, abs=0.1)
    # A straight way's middle has half of their mean square.
    assert np.mean(middle**2) == pytest.approx(1, abs=0.1)
    first = callback.model.latents
    callback.render()
    np.testing.assert_array_equal(callback.model.latents, first)
    callback.path = latent_space.interpolate
    callback.render()
    straight = callback.model.latents.reshape(50, 3, 20)
    np.testing.assert_allclose(straight[:, 1], (start + end) / 2, atol=1e-6)
    callback.seed = 5
    callback.render()
    assert not np.array_equal(callback.model.latents, straight.reshape(-1, 20))


def test_truncation_moves_each_rows_latents_from_the_middle_outwards(tmp_path):
    callback = Truncation(tmp_path, rows=200, thresholds=(0.5, 1.0, 3.0), seed=4)
    callback.set_model(Recorder())
    callback.model.prior = distributions.StandardNormal(5)
    assert callback.render().shape == (2 * 200 - 1, 2 * 3 - 1, 1)
    drawn = callback.model.latents.reshape(200, 3, 5)
    assert (np.diff(np.abs(drawn), axis=1) > 0).all()
    largest = np.abs(drawn).max(axis=(0, 2))
    assert (largest <= [0.5, 1.0, 3.0]).all() and (largest > [0.49, 0.98, 2.0]).all()
    assert (np.sign(drawn) == np.sign(drawn[:, :1])).all()
    refused = Truncation(tmp_path, thresholds=(0.0,))
    refused.set_model(callback.model)
    with pytest.raises(ValueError, match="`threshold` must be positive"):
        refused.on_train_begin()


def test_sums_of_codes_stand_below_the_means_of_their_groups():
    class Shown:
        def generate(self, latents):
            return tf.reshape(tf.cast(latents, tf.float32), [-1, 1, 1, 1])

    picture = arithmetic_grid(Shown(), [[[0.2], [0.4], [0.6]], [[0.8]]], [[[0.1], [0.5]]])
    shares = picture[::2, ::2, 0] / 255
    white = 1.0
    np.testing.assert_allclose(
        shares,
        [
            [0.2, 0.4, 0.6, 0.4],
            [0.8, white, white, 0.8],
            [0.1, 0.5, white, 0.3],
            [white, white, white, 0.4 + 0.8 - 0.3],
        ],
        atol=1 / 255,
    )


def test_interpolations_and_neighbours_are_drawn_of_the_model(tmp_path):
    model, known = compiled("mlp_vae"), (255 * images(6)).astype(np.uint8)
    fit(
        model,
        Interpolation(tmp_path, rows=2, steps=3),
        NearestNeighbours(tmp_path, known, count=4, columns=2, seed=3),
        NearestNeighbours(tmp_path / "source", Source(known), count=4, columns=2, seed=3),
    )
    assert pixels_of(tmp_path / "pictures/interpolation-0001.png").shape == (2 * 9 - 1, 3 * 9 - 1)
    pixels = pixels_of(tmp_path / "pictures/neighbours-0001.png")
    expected = neighbour_grid(model.sample(4, seed=3), Source(known), columns=2)
    np.testing.assert_array_equal(pixels, expected[..., 0])
    np.testing.assert_array_equal(
        pixels, pixels_of(tmp_path / "source/pictures/neighbours-0001.png")
    )


def infogan_that_shows_its_latents():
    """A noise, a class of three and two values: six latents, that are a sample's six pixels."""
    inputs, shape = keras.Input((6,)), (1, 6, 1)
    pixels = keras.Input(shape)
    heads = [keras.layers.Dense(size)(keras.layers.Flatten()(pixels)) for size in (1, 3, 2)]
    model = InfoGAN(
        keras.Model(inputs, keras.layers.Reshape(shape)(keras.layers.Dense(6)(inputs))),
        keras.Model(pixels, heads),
        None,
        distributions.Uniform(1),
        [codes.Categorical(3), codes.UniformCode(2)],
    )
    model.generator.set_weights([np.eye(6) / 4, np.full(6, 0.5)])  # from -2 to 2
    return model


def neighbours_of_nothing(folder):
    return NearestNeighbours(folder, np.zeros([1, 1, 4, 1], np.uint8))


def test_ways_of_an_infogan_keep_their_codes():
    model = infogan_that_shows_its_latents()
    ways = tf.constant([[[-1.0], [0.0], [1.0]], [[1.0], [0.5], [0.0]]])
    shown = 4 * model.generate_paths(ways, seed=3).numpy().reshape(2, 3, 6) - 2
    drawn = model.sample_latents(2, seed=3).numpy()[:, np.newaxis]
    np.testing.assert_allclose(shown[..., :1], ways, atol=1e-6)
    np.testing.assert_allclose(shown[..., 1:], np.tile(drawn[..., 1:], [1, 3, 1]), atol=1e-6)


def cgan_that_shows_what_it_takes(num_classes):
    """A latent and a condition of three: four pixels."""
    latents, conditions = keras.Input((1,)), keras.Input((3,))
    made = keras.layers.Reshape((1, 4, 1))(keras.layers.Concatenate()([latents, conditions]))
    images = keras.Input((1, 4, 1))
    both = keras.layers.Concatenate()([keras.layers.Flatten()(images), conditions])
    return ConditionalGAN(
        keras.Model([latents, conditions], made),
        keras.Model([images, conditions], keras.layers.Dense(1)(both)),
        distributions.Uniform(1),
        num_classes,
    )


def test_ways_of_a_conditional_gan_have_a_label_each(tmp_path):
    ways = tf.constant([[[0.0], [1.0]], [[0.5], [0.25]], [[0.75], [0.125]]])
    model = cgan_that_shows_what_it_takes(num_classes=3)
    shown = model.generate_paths(ways, labels=[2, 0, 1]).numpy().reshape(3, 2, 4)
    np.testing.assert_array_equal(shown[..., :1], ways)
    np.testing.assert_array_equal(shown[..., 1:], np.eye(3)[[[2, 2], [0, 0], [1, 1]]])
    drawn = model.generate_paths(tf.zeros([30, 2, 1]), seed=4).numpy().reshape(30, 2, 4)[..., 1:]
    np.testing.assert_array_equal(drawn[:, 0], drawn[:, 1])
    assert (drawn.sum(axis=(0, 1)) > 0).all()
    with pytest.raises(ValueError, match="as many labels as samples"):
        model.generate_paths(ways, labels=[0, 1])
    callback = Interpolation(tmp_path, rows=2, steps=3, labels=[1, 2])
    callback.set_model(model)
    pixels = callback.render().numpy()[[0, 2], :, 0].reshape(2, -1)  # a line between rows
    columns = np.pad(pixels, [(0, 0), (0, 1)]).reshape(2, 3, 5)[..., 1:4]
    np.testing.assert_array_equal(columns, 255 * np.eye(3)[[[1, 1, 1], [2, 2, 2]]])


@pytest.mark.parametrize("picture", [SampleGrid, Interpolation, Truncation, neighbours_of_nothing])
def test_pictures_of_attributes_need_them_before_training(picture, tmp_path):
    model = cgan_that_shows_what_it_takes(num_classes=None)
    callback = picture(tmp_path)
    callback.set_model(model)
    with pytest.raises(ValueError, match=r"cannot draw its labels.*Pass \w+\(..., labels=...\)"):
        callback.on_train_begin()
    wanted = np.linspace(0, 1, 12, dtype=np.float32).reshape(4, 3)
    callback = SampleGrid(tmp_path, count=4, labels=wanted)
    callback.set_model(model)
    callback.on_train_begin()
    callback.on_epoch_end(0)
    callback.on_train_end()
    pixels = pixels_of(tmp_path / "pictures/samples-0001.png") / 255
    assert pixels.shape == (3, 9)  # two by two, with lines between
    np.testing.assert_allclose(pixels[0, 1:4], wanted[0], atol=1 / 255)
    np.testing.assert_allclose(pixels[2, 6:9], wanted[3], atol=1 / 255)


def test_code_traversals_have_a_column_per_value_and_rows_that_share_the_rest(tmp_path):
    callback = CodeTraversal(tmp_path, rows=2, columns=5, span=2, seed=4)
    callback.set_model(infogan_that_shows_its_latents())
    picture = callback.render().numpy()
    # One picture of the classes and one of each value: two rows, a line between, a white end.
    assert picture.shape == (3 * (3 + 4), 5 * 7 - 1, 1)
    parts = picture[..., 0].reshape(3, 7, 34)
    assert (parts[:, [1, 3, 4, 5, 6]] == 255).all() and (parts[:, :, 6::7] == 255).all()
    assert (parts[0, :, 3 * 7 - 1 :] == 255).all()  # there are but three classes
    padded = np.pad(parts, [(0, 0), (0, 0), (0, 1)])
    latents = padded[:, [0, 2]].reshape(3, 2, 5, 7)[..., :6] / 255 * 4 - 2
    drawn = callback.model.sample_latents(2, seed=4)[:, np.newaxis]
    expected = np.tile(drawn, [3, 1, 5, 1])
    expected[0, :, :3, 1:4] = np.eye(3)
    expected[1:, :, :, 4:] = 0  # in the middle
    expected[1, :, :, 4] = expected[2, :, :, 5] = np.linspace(-2, 2, 5)
    np.testing.assert_allclose(latents[0, :, :3], expected[0, :, :3], atol=4 / 255)
    np.testing.assert_allclose(latents[1:], expected[1:], atol=4 / 255)
    callback.on_train_begin(), callback.on_epoch_end(0), callback.on_train_end()
    np.testing.assert_array_equal(
        pixels_of(tmp_path / "pictures" / "codes-0001.png"), picture[..., 0]
    )


def test_code_traversals_refuse_a_model_without_codes(tmp_path):
    model = compiled("mlp_vae")
    with pytest.raises(ValueError, match="`CodeTraversal` needs .* given codes.*Received: a VAE"):
        fit(model, CodeTraversal(tmp_path))
    assert int(model.step) == 0


@pytest.mark.parametrize("make", [SampleGrid, LatentMap])
def test_a_folder_that_cannot_be_written_is_refused_at_once(tmp_path, make):
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match=f"Nothing can be written to the folder {tmp_path}/file"):
        make(tmp_path / "file")


def test_a_latent_map_is_drawn_of_what_has_codes_besides_and_of_uniform_latents(tmp_path):
    values, inputs = keras.Input((1, 4, 1)), keras.Input((4,))
    heads = [keras.layers.Dense(size)(keras.layers.Flatten()(values)) for size in (1, 2)]
    model = InfoGAN(
        keras.Model(inputs, keras.layers.Reshape((1, 4, 1))(inputs / 2 + 0.5)),
        keras.Model(values, heads),
        None,
        distributions.Uniform(2),
        [codes.Categorical(2)],
    )
    callback = LatentMap(tmp_path, side=2)
    callback.set_model(model)
    callback.check()
    shown = callback.render().numpy()[[0, 2], :, 0] / 255 * 2 - 1  # a line between rows
    shown = np.pad(shown, [(0, 0), (0, 1)]).reshape(2, 2, 5)[..., :4]
    across = [[[-0.5, 0.5], [0.5, 0.5]], [[-0.5, -0.5], [0.5, -0.5]]]
    np.testing.assert_allclose(shown[..., :2], across, atol=2 / 255)
    assert (shown[..., 2:] == shown[0, 0, 2:]).all()


SOME = np.float32(np.random.default_rng(0).random([2, 4, 4, 1]))
NEEDS = {
    "sample": lambda folder: SampleGrid(folder, count=4),
    "reconstruct": lambda folder: ReconstructionGrid(folder, SOME),
    "translate": lambda folder: TranslationGrid(folder, SOME),
    "generate": Interpolation,
    "encode": lambda folder: LatentTraversal(folder, SOME[0]),
    "choose_codes": CodeTraversal,
}


@pytest.mark.parametrize("needed", NEEDS)
@pytest.mark.parametrize("able", ["sample", "reconstruct", "translate"])
def test_a_stranger_is_drawn_by_what_it_can_do_and_refused_before_training(able, needed, tmp_path):
    callback = NEEDS[needed](tmp_path)
    callback.set_model(Stranger(able))
    if able != needed:
        who = f"`{type(callback).__name__}` needs a model that can .*Received: a Stranger, which"
        with pytest.raises(ValueError, match=who):
            callback.on_train_begin()
        assert names_in(tmp_path) == []
    else:
        callback.on_train_begin(), callback.on_epoch_end(0), callback.on_train_end()
        (name,) = names_in(tmp_path / "pictures")
        assert name == f"{callback.name}-0001.png"


def test_samples_that_are_vectors_are_shown_as_points(tmp_path):
    callback = SampleGrid(tmp_path, count=50)
    callback.set_model(Stranger("sample", shape=(7,)))
    callback.on_train_begin(), callback.on_epoch_end(0), callback.on_train_end()
    pixels = pixels_of(tmp_path / "pictures/samples-0001.png")
    assert pixels.shape[0] > 100 and pixels.shape[2] == 3
    assert (pixels.max(axis=2) > pixels.min(axis=2)).any()  # there are coloured points


def test_vectors_are_seen_from_where_they_differ_most():
    random = np.random.default_rng(0)
    vectors = random.normal(size=[500, 6]) * [0.1, 5.0, 0.1, 2.0, 0.1, 0.1] + 3
    seen = principal_plane(vectors)(vectors)
    np.testing.assert_allclose(seen, (vectors - vectors.mean(axis=0))[:, [1, 3]], atol=0.5)
    points = vectors[:, :2]
    assert principal_plane(points)(points) is points
    assert principal_plane(vectors[:1])(vectors).shape == (500, 2)
    assert principal_plane(vectors[:, :1])(vectors[:, :1]).shape == (500, 2)


@pytest.mark.parametrize(
    ("callback", "model"),
    [
        (SampleGrid, Stranger("sample", shape=(3, 5))),
        (neighbours_of_nothing, Stranger("sample", shape=(7,))),
        (lambda folder: ReconstructionGrid(folder, SOME[:, 0, :, 0]), Stranger("reconstruct")),
    ],
)
def test_what_cannot_be_drawn_is_refused_before_training(callback, model, tmp_path):
    callback = callback(tmp_path)
    callback.set_model(model)
    with pytest.raises(ValueError, match="A picture needs images.* Vectors are shown by `SampleG"):
        callback.on_train_begin()
    assert names_in(tmp_path) == []


def test_a_picture_of_the_release_before_that_has_draw_is_drawn(tmp_path):
    with pytest.warns(FutureWarning, match="`Old.draw` is now called `Old.render`"):

        class Old(Picture):
            name = "old"

            def draw(self):
                return np.zeros([2, 3, 1], np.uint8)

    callback = Old(tmp_path)
    callback.set_model(Stranger())
    callback.on_train_begin(), callback.on_epoch_end(0), callback.on_train_end()
    assert pixels_of(tmp_path / "pictures/old-0001.png").shape == (2, 3)


def test_a_stop_at_nan_needs_no_checkpoint():
    callback = StopOnNonFinite()
    callback.set_model(compiled("mlp_vae"))
    callback.on_train_batch_end(0, {"loss": 1.0})
    with pytest.raises(FloatingPointError, match="`loss` became nan by step 0. Lower the learning"):
        callback.on_train_batch_end(0, {"loss": np.nan})


def everything(folder):
    return [
        StopOnNonFinite(Checkpoint(folder / "checkpoints")),
        SampleGrid(folder, count=3),
        ReconstructionGrid(folder, images(4)),
        LatentTraversal(folder, images(1)[0]),
        Checkpoint(folder / "checkpoints"),
    ]


def test_training_with_callbacks_is_bit_for_bit_training_without(tmp_path):
    watched, alone = compiled("dropout_vae"), compiled("dropout_vae")
    options = {"epochs": 2, "eager": False, "validation_data": (images(8),)}
    logs = fit(watched, *everything(tmp_path), **options).history
    assert fit(alone, **options).history == logs
    assert_same(weights(watched), weights(alone))


def test_only_the_chief_writes(tmp_path, monkeypatch):
    for module in (checkpoint, picture):
        monkeypatch.setattr(module, "is_chief", lambda strategy: False)
    fit(compiled("mlp_vae"), *everything(tmp_path))
    assert names_in(tmp_path) == []


def test_a_process_of_its_own_is_chief():
    assert is_chief(compiled("mlp_vae").distribute_strategy)


# --- Files


def test_a_file_is_the_old_one_until_the_new_one_is_whole(tmp_path):
    path = tmp_path / "results.json"
    path.write_text("old")
    with atomic_write(path) as temporary:
        assert (temporary.suffix, temporary.exists()) == (".json", False)
        temporary.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert [entry.name for entry in tmp_path.iterdir()] == ["results.json"]


def test_a_file_is_made_with_its_folders(tmp_path):
    with atomic_write(str(tmp_path / "a" / "b" / "c.txt")) as temporary:
        temporary.write_text("new")
    assert (tmp_path / "a" / "b" / "c.txt").read_text() == "new"


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_a_file_that_fails_halfway_leaves_the_old_one_and_nothing_else(tmp_path, error):
    path = tmp_path / "results.json"
    path.write_text("old")
    with pytest.raises(error), atomic_write(path) as temporary:
        temporary.write_text("ne")
        raise error
    assert path.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["results.json"]


def test_a_file_that_was_never_written_leaves_the_old_one(tmp_path):
    path = tmp_path / "results.json"
    path.write_text("old")
    with pytest.raises(FileNotFoundError), atomic_write(path):
        pass
    assert path.read_text() == "old"


def test_a_file_is_on_the_disk_before_it_takes_its_name(tmp_path, monkeypatch):
    path = tmp_path / "results.json"
    flushed = []
    monkeypatch.setattr(files, "flush", lambda what: flushed.append((what.name, path.exists())))
    with atomic_write(path) as temporary:
        temporary.write_text("new")
    assert flushed == [("results.json", False), (tmp_path.name, True)]


def test_check_writable_makes_the_folder_and_leaves_it_empty(tmp_path):
    check_writable(tmp_path / "a" / "b")
    check_writable(str(tmp_path / "a" / "b"))
    assert list((tmp_path / "a" / "b").iterdir()) == []


@pytest.mark.parametrize("below", ["file", "file/folder"])
def test_check_writable_names_a_folder_that_cannot_be_made(tmp_path, below):
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match=f"written to the folder {tmp_path / below} .*Choose another"):
        check_writable(tmp_path / below)


def test_check_writable_names_a_folder_that_is_read_only(tmp_path, monkeypatch):
    def refuse(dir):
        raise PermissionError(13, "Permission denied", dir)

    # The super-user may write anywhere: permissions alone would not do.
    monkeypatch.setattr(files.tempfile, "TemporaryFile", refuse)
    with pytest.raises(OSError, match=rf"folder {tmp_path} \(Permission denied\)\. Choose another"):
        check_writable(tmp_path)


def test_code_traversal_needs_a_row(tmp_path):
    with pytest.raises(ValueError, match="`rows` must be at least 1. Received: rows=0."):
        CodeTraversal(tmp_path, rows=0)
