"""The CycleGAN: its losses by hand, its pool against a second implementation, its promises."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

import tfgen
from tests.specimens import assert_same, weights
from tfgen.engine.abilities import require
from tfgen.engine.weight_average import WeightAverage
from tfgen.models.translation.cycle_gan import CycleGAN
from tfgen.models.translation.image_pool import ImagePool, swap
from tfgen.objectives.games import Wasserstein
from tfgen.pictures import translation_grid

SHAPE = (2, 2, 1)


def affine(scale, shift=0.0, shape=SHAPE, **options):
    """A network that does the same to every pixel."""
    constant = keras.initializers.Constant
    inputs = keras.Input(shape)
    convolution = layers.Conv2D(
        1, 1, kernel_initializer=constant(scale), bias_initializer=constant(shift), **options
    )
    return keras.Model(inputs, convolution(inputs))


def by_hand(**options):
    generators = affine(0.5, 0.1), affine(2.0, -0.3)
    return CycleGAN(*generators, affine(3.0, -1.0), affine(-2.0, 0.5), seed=5, **options)


def small(pool_size=3, **options):
    """A model whose weights are drawn, compiled."""
    keras.utils.set_random_seed(0)

    def network(activation, strides=1):
        inputs = keras.Input(SHAPE)
        return keras.Model(
            inputs, layers.Conv2D(1, 2, strides, "same", activation=activation)(inputs)
        )

    generators = network("sigmoid"), network("sigmoid")
    model = CycleGAN(
        *generators, network(None, 2), network(None, 2), pool_size=pool_size, seed=5, **options
    )
    model.compile(keras.optimizers.Adam(1e-2), keras.optimizers.Adam(1e-2))
    return model


def domains(count=16):
    draw = np.random.default_rng(0).random((2, count, *SHAPE), np.float32)
    return draw[0], draw[1]


def fit(model, count=16, epochs=2):
    history = model.fit(*domains(count), batch_size=4, epochs=epochs, shuffle=False, verbose=0)
    return history.history


def pools(model):
    return {name: value for name, value in weights(model) if name.startswith("pool")}


def pixels(*values):
    return np.stack([np.full(SHAPE, value, np.float32) for value in values])


def test_the_losses_are_the_papers():
    """G_AB makes 0.3, 0.2 of A, which return as 0.3, 0.1; G_BA makes 0.9 of B, which returns 0.55.

    D_A says 0.2, -0.4 of A and 1.7 of its fakes, D_B -0.7 of B and -0.1, 0.1 of its fakes.
    """
    batch = pixels(0.4, 0.2), pixels(0.6, 0.6)

    def losses(**options):
        model = by_hand(**options)
        values = model.compute_losses(batch, training=True)
        assert set(values) == set(model.log_names)
        return {name: pytest.approx(float(value), abs=1e-6) for name, value in values.items()}

    # 1/2 (0.64 + 1.96)/2 + 1/2 1.7^2 + 1/2 1.7^2 + 1/2 0.1^2; 1/2 0.7^2 + 1/2 (1.1^2 + 0.9^2)/2
    players = {"discriminator_loss": 3.545, "generator_loss": 0.75 + 10 * 0.15}
    assert {**players, "cycle_loss": 0.1 + 0.05} == losses()
    # |2 a - 0.3 - a| = 0.1 for both, |0.5 b + 0.1 - b| = 0.2
    players["generator_loss"] = 0.75 + 4 * (0.15 + 0.5 * 0.3)
    expected = {**players, "cycle_loss": 0.15, "identity_loss": 0.3}
    assert expected == losses(cycle_weight=4.0, identity_weight=0.5)
    players["generator_loss"] = 0.75 + 10 * (0.0125 + 0.5 * 0.05)
    expected = {**players, "cycle_loss": 0.0125, "identity_loss": 0.05}
    assert expected == losses(cycle_loss="mean_squared_error", identity_weight=0.5)
    players = {"discriminator_loss": 1.7 + 0.1 + 0.7, "generator_loss": -1.7 + 10 * 0.15}
    assert {**players, "cycle_loss": 0.15} == losses(game=Wasserstein())


def test_regularizers_count_for_their_player():
    def model(**options):
        networks = [affine(scale, **options) for scale in (1.0, 2.0, 3.0, 4.0)]
        return CycleGAN(*networks).compute_losses(domains(), training=False)

    plain, regularized = model(), model(kernel_regularizer=keras.regularizers.L2(0.1))
    difference = {name: float(regularized[name] - plain[name]) for name in plain}
    expected = {"generator_loss": 0.5, "discriminator_loss": 2.5, "cycle_loss": 0.0}
    assert difference == pytest.approx(expected, abs=1e-5)


def test_generators_that_change_nothing_are_consistent():
    model = CycleGAN(affine(1.0), affine(1.0), affine(1.0), affine(1.0), identity_weight=0.5)
    losses = model.compute_losses(domains(), training=False)
    assert losses["cycle_loss"] == 0 and losses["identity_loss"] == 0
    np.testing.assert_array_equal(model.cycle_a(domains()[0]), domains()[0])


def test_translations():
    model = by_hand()
    images = domains()[0]
    np.testing.assert_allclose(model.translate_a_to_b(images), 0.5 * images + 0.1, atol=1e-6)
    np.testing.assert_allclose(model.translate_b_to_a(images), 2 * images - 0.3, atol=1e-6)
    np.testing.assert_allclose(model.cycle_a(images), images - 0.1, atol=1e-6)
    np.testing.assert_allclose(model.cycle_b(images), images - 0.05, atol=1e-6)
    np.testing.assert_array_equal(model(images), model.translate_a_to_b(images))
    np.testing.assert_allclose(model.score_a(images)["logits"], 3 * images - 1, atol=1e-6)
    np.testing.assert_allclose(model.score_b(images)["logits"], 0.5 - 2 * images, atol=1e-6)


def swap_one_by_one(pool, size, images, draws):
    """The pool as a list that grows; returns what comes back."""
    returned = []
    for image, draw in zip(images, draws, strict=True):
        if len(pool) < size:
            pool.append(image)
        elif draw < size:
            pool[draw], image = image, pool[draw]
        returned.append(image)
    return returned


@pytest.mark.parametrize("size", [1, 3, 5])
def test_the_pool_swaps_as_if_one_by_one(size):
    generator = np.random.default_rng(size)
    expected, pool, count, new = [], tf.zeros([size, 1]), tf.constant(0, tf.int64), 0
    for batch in [1, 0, 3, 1, 4, 9, 12, 2] * 5:
        images = np.arange(new, new + batch, dtype=np.float32)
        new += batch
        draws = generator.integers(2 * size, size=batch)
        back, pool, count = swap(pool, count, tf.reshape(images, [-1, 1]), draws)
        np.testing.assert_array_equal(back[:, 0], swap_one_by_one(expected, size, images, draws))
        assert count == len(expected)
        np.testing.assert_array_equal(pool[:count, 0], expected)


def test_the_pool_returns_past_images_half_the_time_and_all_of_them():
    pool = ImagePool(keras.Model(), "pool", size=50, shape=(1,))
    images = np.arange(2050, dtype=np.float32)[:, np.newaxis]
    first = pool.exchange(tf.constant(images[:50]), [0, 0])
    np.testing.assert_array_equal(first, images[:50])
    returned = pool.exchange(tf.constant(images[50:]), [0, 1]).numpy()
    assert 0.46 < np.mean(returned == images[50:]) < 0.54
    kept = pool.images.numpy()
    np.testing.assert_array_equal(np.sort(np.concatenate([returned, kept]), axis=0), images)
    assert kept.min() >= 50  # about 1,000 draws find every place


def test_the_discriminators_see_the_pool_in_training_only():
    model = by_hand(pool_size=2)
    model.compile(keras.optimizers.SGD(0.0), keras.optimizers.SGD(0.0), run_eagerly=True)
    judges = {"a": lambda images: 3 * images - 1, "b": lambda images: 0.5 - 2 * images}
    held = {"a": [], "b": []}
    drawn = []
    for step in range(6):
        images = pixels(0.1 * step, 0.1 * step + 0.05, 0.03 * step)
        fakes = {"a": 2 * images - 0.3, "b": 0.5 * images + 0.1}
        expected = 0.0
        for domain, judge in judges.items():
            seed = model.noise.seed_of(f"pool {domain}")
            draws = tf.random.stateless_uniform([3], seed, maxval=4, dtype=tf.int64).numpy()
            drawn.append(tuple(draws))
            judged = np.stack(swap_one_by_one(held[domain], 2, fakes[domain], draws))
            expected += 0.5 * np.mean((judge(images) - 1) ** 2 + judge(judged) ** 2)
        model.reset_metrics()  # not every Keras does it at every step
        losses = model.train_on_batch(images, images, return_dict=True)
        assert losses["discriminator_loss"] == pytest.approx(expected, rel=1e-5)
        for domain, past in held.items():
            np.testing.assert_allclose(pools(model)[f"pool_{domain}"], past, atol=1e-6)
            assert pools(model)[f"pool_{domain}_count"] == 2
    assert len(set(drawn)) > 8  # other ones in every step and domain
    before = pools(model)
    fresh = sum(
        0.5 * np.mean((judge(images) - 1) ** 2 + judge(fakes[domain]) ** 2)
        for domain, judge in judges.items()
    )
    assert fresh != pytest.approx(expected, rel=1e-3)
    losses = model.evaluate(images, images, verbose=0, return_dict=True)
    assert losses["discriminator_loss"] == pytest.approx(fresh, rel=1e-5)
    model.compute_losses((images, images), training=True)
    for name, value in pools(model).items():
        np.testing.assert_array_equal(value, before[name])


def test_without_a_pool_fakes_are_fresh():
    model = by_hand(pool_size=0)
    model.compile(keras.optimizers.SGD(0.0), keras.optimizers.SGD(0.0), run_eagerly=True)
    assert not pools(model)
    for images in (pixels(0.1, 0.3), pixels(0.5, 0.9)):
        fresh = model.compute_losses((images, images), training=True)["discriminator_loss"]
        model.reset_metrics()  # not every Keras does it at every step
        losses = model.train_on_batch(images, images, return_dict=True)
        assert losses["discriminator_loss"] == pytest.approx(float(fresh), rel=1e-5)


@pytest.mark.slow
def test_training_moves_every_network_and_improves_the_cycle():
    model = small(identity_weight=0.5)
    networks = (
        model.generator_ab,
        model.generator_ba,
        model.discriminator_a,
        model.discriminator_b,
    )
    before = [network.get_weights() for network in networks]
    model.compile(keras.optimizers.Adam(0.05), keras.optimizers.Adam(1e-3))
    history = fit(model, epochs=20)
    assert set(history) == set(model.log_names)
    assert history["cycle_loss"][-1] < 0.8 * history["cycle_loss"][0]
    for network, old in zip(networks, before, strict=True):
        for new, value in zip(network.get_weights(), old, strict=True):
            assert not np.array_equal(new, value)


def test_a_players_step_moves_the_player_alone():
    model = small()
    for player in ("generator", "discriminator"):
        rates = {"generator": 0.0, "discriminator": 0.0, player: 0.1}
        model.compile(*map(keras.optimizers.SGD, rates.values()), run_eagerly=True)
        own = {id(variable) for variable in getattr(model, f"{player}_variables")}
        assert len(own) == 4
        before = [variable.numpy() for variable in model.trainable_variables]
        fit(model, epochs=1)
        for variable, old in zip(model.trainable_variables, before, strict=True):
            assert np.array_equal(variable.numpy(), old) == (id(variable) not in own)


def test_a_saved_model_goes_on_as_if_never_saved(tmp_path):
    model = small(ema_momentum=0.9, identity_weight=0.5, cycle_loss="mean_squared_error")
    fit(model, epochs=1)
    model.save(tmp_path / "model.keras")
    loaded = tfgen.load(tmp_path / "model.keras")
    assert loaded.get_config().keys() == model.get_config().keys()
    assert (loaded.cycle_loss, loaded.pool_size) == ("mean_squared_error", 3)
    assert_same(weights(loaded), weights(model))
    before = pools(model)
    fit(model), fit(loaded)
    assert_same(weights(loaded), weights(model))
    assert all(
        not np.array_equal(before[name], pools(model)[name]) for name in ("pool_a", "pool_b")
    )


def test_images_are_translated_with_the_average():
    model = small(ema_momentum=0.5)
    # Linear in its weights, so that outputs are averaged as these are.
    for network in (model.generator_ab, model.generator_ba):
        network.layers[-1].activation = keras.activations.linear
    images = domains()[0]
    translations = (model.translate_a_to_b, model.translate_b_to_a)
    before = [translate(images).numpy() for translate in translations]
    fit(model, count=4, epochs=1)
    for translate, old in zip(translations, before, strict=True):
        new = translate(images, use_ema=False).numpy()
        assert np.abs(new - old).max() > 1e-3
        np.testing.assert_allclose(translate(images), 0.1 * old + 0.9 * new, atol=1e-6)


def test_an_export_answers_as_the_model_does(tmp_path):
    model = small()
    fit(model, count=4, epochs=1)
    loaded = tf.saved_model.load(str(tfgen.export(model, tmp_path)))
    images = domains(5)[0]
    expected = {
        "serving_default": {"images": model.translate_a_to_b(images)},
        "translate_a_to_b": {"images": model.translate_a_to_b(images)},
        "translate_b_to_a": {"images": model.translate_b_to_a(images)},
        "score_a": model.score_a(images),
        "score_b": model.score_b(images),
    }
    assert set(loaded.signatures) == set(expected)
    for name, outputs in expected.items():
        answer = loaded.signatures[name](images=tf.constant(images))
        assert answer.keys() == outputs.keys()
        for key, value in outputs.items():
            np.testing.assert_allclose(answer[key], value, rtol=1e-5, atol=1e-6, err_msg=name)


def test_the_grid_shows_images_their_translations_and_these_translated_back():
    shape = (2, 3, 1)
    model = CycleGAN(*(affine(scale, shape=shape) for scale in (0.5, 1.5, 1.0, 1.0)))
    images = np.stack([np.full(shape, value, np.float32) for value in (0.2, 0.4)])
    picture = translation_grid(images, model.translate_a_to_b, model.translate_b_to_a)
    assert picture.shape == (3 * 3 - 1, 2 * 4 - 1, 1)
    expected = [[51, 102], [25.5, 51], [38.25, 76.5]]
    np.testing.assert_allclose(picture[::3, ::4, 0], expected, atol=1)
    below = translation_grid(images, model.translate_a_to_b, model.translate_b_to_a, columns=1)
    np.testing.assert_array_equal(below[::3, 0, 0], np.transpose(picture[::3, ::4, 0]).reshape(-1))


@pytest.mark.parametrize(
    ("data", "error", "message"),
    [
        ((domains()[0],), ValueError, "must be pairs.*one array of shape .*2, 2, 1"),
        ((domains()[0], np.zeros((16, *SHAPE), np.uint8)), TypeError, "floating-point.*uint8"),
        ((np.zeros((16, *SHAPE), np.uint8), domains()[0]), TypeError, "floating-point.*uint8"),
        ((np.zeros((4, 3, 3, 1)), np.zeros((4, *SHAPE))), ValueError, "`images_a`.*3, 3, 1"),
        ((np.zeros((4, *SHAPE)), np.zeros((4, 2, 2, 3))), ValueError, "`images_b`.*2, 2, 3"),
        ((*domains(), np.ones(16)), ValueError, "Sample weights"),
    ],
)
def test_wrong_batches_are_refused(data, error, message):
    model = small()
    with pytest.raises(error, match=message):
        model.fit(*data[:2], sample_weight=data[2] if len(data) == 3 else None, verbose=0)
    with pytest.raises(error, match=message):
        model.evaluate(*data[:2], sample_weight=data[2] if len(data) == 3 else None, verbose=0)


def test_domains_of_other_counts_are_refused():
    with pytest.raises(ValueError, match="as many images of A as of B. Received: 4 and 3"):
        small().compute_losses((domains(4)[0], domains(3)[1]), training=False)


def test_integers_are_not_translated():
    model = small()
    for method in (model.translate_a_to_b, model.cycle_b, model.score_a, model.score_b):
        with pytest.raises(TypeError, match="floating-point.*uint8"):
            method(np.zeros((1, *SHAPE), np.uint8))


def test_each_generators_average_follows_it_on_its_own_domain(monkeypatch):
    model, batch, followed = small(ema_momentum=0.9), domains(), []
    monkeypatch.setattr(WeightAverage, "follow", lambda *arguments: followed.append(arguments))
    model.train_step(batch)
    expected = [(model.generator_ab, batch[0]), (model.generator_ba, batch[1])]
    for (average, momentum, _, seen), (own, images) in zip(followed, expected, strict=True):
        assert average.network is own and momentum == 0.9
        np.testing.assert_array_equal(seen, images)
        shapes = [each.shape for each in own.variables]
        assert [each.shape for each in average.variables] == shapes


def test_there_are_no_samples_out_of_nothing():
    assert not hasattr(small(), "sample")
    assert "sample" not in small().abilities
    with pytest.raises(ValueError, match="A sample needs a model that can make new.*translate im"):
        require(small(), "sample", "A sample")


WIDE, FREE = (2, 4, 1), (None, None, 1)


@pytest.mark.parametrize(
    ("shapes", "options", "message"),
    [
        ((SHAPE, SHAPE, SHAPE, WIDE), {}, "must output what the discriminator takes.*2, 4"),
        ((SHAPE, SHAPE, WIDE, SHAPE), {}, "must output what the discriminator takes.*2, 4"),
        ((SHAPE, WIDE, WIDE, SHAPE), {}, "must take what the other makes.*`generator_ab`.*2, 4"),
        ((FREE,) * 4, {}, "keeps images of one size.*set pool_size=0"),
        ((SHAPE,) * 4, {"pool_size": -1}, "`pool_size` must be at least 0.*pool_size=-1"),
        ((SHAPE,) * 4, {"cycle_weight": -1.0}, "`cycle_weight` must be at least 0"),
        ((SHAPE,) * 4, {"identity_weight": -0.5}, "`identity_weight` must be at least 0"),
        ((SHAPE,) * 4, {"ema_momentum": 1.0}, "`ema_momentum` must be between 0 and 1"),
        ((SHAPE,) * 4, {"cycle_loss": "absolut"}, "absolut"),
    ],
)
def test_networks_and_numbers_that_do_not_fit_are_refused(shapes, options, message):
    with pytest.raises(ValueError, match=message):
        CycleGAN(*(affine(1.0, shape=shape) for shape in shapes), **options)


def test_one_network_in_two_places_is_refused():
    first, second, third = (affine(1.0) for _ in range(3))
    with pytest.raises(ValueError, match="two generators. Received: one network twice"):
        CycleGAN(first, first, second, third)
    with pytest.raises(ValueError, match="two discriminators. Received: one network twice"):
        CycleGAN(first, second, third, third)


def test_the_identity_loss_needs_one_shape():
    def network(shape, channels):
        inputs = keras.Input(shape)
        return keras.Model(inputs, layers.Conv2D(channels, 1)(inputs))

    colour = (2, 2, 3)
    networks = network(SHAPE, 3), network(colour, 1), network(SHAPE, 1), network(colour, 1)
    model = CycleGAN(*networks)
    model.compute_losses((np.zeros((1, *SHAPE)), np.zeros((1, *colour))), training=False)
    rows = translation_grid(domains(2)[0], model.translate_a_to_b, model.translate_b_to_a)
    assert rows.shape == (8, 5, 3)
    with pytest.raises(ValueError, match="domains of one shape.*Set identity_weight=0"):
        CycleGAN(*networks, identity_weight=0.5)


def test_a_loss_that_scales_itself_is_refused():
    with pytest.raises(TypeError, match="must be a function.*Received: a MeanAbsoluteError"):
        by_hand(cycle_loss=keras.losses.MeanAbsoluteError())


@pytest.mark.slow
def test_the_callback_writes_the_grid(tmp_path):
    model, (a, b) = small(), domains()
    pictures = tfgen.callbacks.TranslationGrid(tmp_path, a[:3], every=2)
    model.fit(a, b, batch_size=8, epochs=2, verbose=0, callbacks=[pictures])
    (path,) = (tmp_path / "pictures").iterdir()
    assert path.name == "translations-0002.png"
    picture = tf.io.decode_png(tf.io.read_file(str(path)))
    expected = translation_grid(a[:3], model.translate_a_to_b, model.translate_b_to_a)
    np.testing.assert_array_equal(picture, expected)
