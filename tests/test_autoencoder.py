"""Autoencoders against principal components, the best guess, and what their gradients must be."""

import keras
import numpy as np
import pytest
import scipy.linalg
import tensorflow as tf
from keras import layers
from sklearn.decomposition import PCA

import tfgen
from tests.specimens import compiled, images
from tfgen import augmentations, distributions, networks

SIZE, CODES = 6, 2


def points(count=512):
    """Points of six features, of which two directions hold most."""
    random = np.random.default_rng(0)
    spread = np.diag([3.0, 2.0, 0.3, 0.2, 0.1, 0.05])
    turn = np.linalg.qr(random.normal(size=[SIZE, SIZE]))[0]
    return (random.normal(size=[count, SIZE]) @ spread @ turn + 1.5).astype(np.float32)


def linear(**options):
    keras.utils.set_random_seed(3)
    return tfgen.Autoencoder(
        networks.mlp_encoder((SIZE,), CODES, hidden_sizes=(), heads=1),
        networks.mlp_decoder((SIZE,), CODES, hidden_sizes=()),
        **options,
    )


@pytest.fixture(scope="module")
def principal():
    """A linear autoencoder that was trained to its end."""
    model, examples = linear(), points()
    rate = keras.optimizers.schedules.CosineDecay(0.02, 3000)
    model.compile(keras.optimizers.Adam(rate), jit_compile=True, steps_per_execution=300)
    # As one epoch, whose end is dear.
    model.fit(tf.data.Dataset.from_tensors(examples).repeat(3000), verbose=0)
    return model, examples


def test_a_linear_autoencoder_spans_the_principal_components(principal):
    model, examples = principal
    (directions,) = (each for each in model.decoder.get_weights() if each.ndim == 2)
    components = PCA(CODES).fit(examples).components_
    angles = scipy.linalg.subspace_angles(directions.T, components.T)
    assert angles.max() < 1e-3


def test_its_error_is_the_sum_of_the_squared_singular_values_that_are_left_out(principal):
    model, examples = principal
    left_out = np.linalg.svd(examples - examples.mean(axis=0))[1][CODES:]
    errors = model.score(examples)["error"]
    assert float(tf.reduce_sum(errors)) == pytest.approx(np.sum(left_out**2), rel=1e-2)
    np.testing.assert_allclose(
        errors, np.sum((examples - model.reconstruct(examples)) ** 2, axis=1), rtol=1e-4
    )


@pytest.mark.slow
def test_a_denoiser_of_normal_data_learns_the_best_guess():
    """E[x | x~] = x~ s^2 / (s^2 + sigma^2), whatever the noise of a batch."""
    spread, noise = 2.0, 1.0
    encoder, decoder = (
        keras.Sequential([keras.Input((1,)), layers.Dense(1, use_bias=False)]) for _ in range(2)
    )
    model = tfgen.Autoencoder(encoder, decoder, corruption=augmentations.GaussianNoise(noise))
    examples = np.random.default_rng(0).normal(0, spread, [4000, 1]).astype(np.float32)
    model.compile(keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(0.05, 800)))
    model.fit(examples, batch_size=500, epochs=100, verbose=0)
    slope = float(model.reconstruct(np.ones([1, 1], np.float32))[0, 0])
    assert slope == pytest.approx(spread**2 / (spread**2 + noise**2), abs=0.02)


def test_the_error_is_that_of_the_clean_example():
    clean, noisy = linear(), linear(corruption=augmentations.GaussianNoise(1.0))
    noisy.set_weights(clean.get_weights())
    examples = tf.constant(points(64))
    corrupted = noisy.corruption(examples, noisy.noise.seed_of("corruption"))
    expected = tf.reduce_mean(
        tf.reduce_sum(tf.square(clean.reconstruct(corrupted) - examples), axis=1)
    )
    found = noisy.compute_losses(examples, training=False)["loss"]
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    assert abs(found - clean.compute_losses(examples, training=False)["loss"]) > 0.1


def test_a_denoiser_scores_examples_as_they_are():
    model = compiled("autoencoder")
    expected = tf.reduce_sum(tf.square(images(4) - model.reconstruct(images(4))), axis=[1, 2, 3])
    np.testing.assert_allclose(model.score(images(4))["error"], expected, rtol=1e-5)


def test_with_a_likelihood_the_error_is_its_negative_logarithm():
    model = tfgen.Autoencoder(
        networks.mlp_encoder((8, 8, 1), 3, (16,), heads=1),
        networks.mlp_decoder((8, 8, 1), 3, (16,)),
        likelihood=distributions.Bernoulli(),
    )
    pictures = images(4)
    logits = model.decoder(model.encoder(pictures))
    expected = tf.nn.sigmoid_cross_entropy_with_logits(pictures, logits)
    np.testing.assert_allclose(
        model.score(pictures)["error"], tf.reduce_sum(expected, axis=[1, 2, 3]), rtol=1e-5
    )
    np.testing.assert_allclose(model.reconstruct(pictures), tf.sigmoid(logits), rtol=1e-5)


def test_a_stack_encodes_the_codes_of_one_by_the_next(tmp_path):
    first = tfgen.Autoencoder(
        networks.mlp_encoder((8, 8, 1), 5, (), heads=1), networks.mlp_decoder((8, 8, 1), 5, ())
    )
    second = tfgen.Autoencoder(
        networks.mlp_encoder((5,), 2, (), heads=1), networks.mlp_decoder((5,), 2, ())
    )
    whole = tfgen.Autoencoder.stacked([first, second])
    codes = first.encode(images(3)).mean()
    np.testing.assert_allclose(
        whole.encode(images(3)).mean(), second.encode(codes).mean(), rtol=1e-5
    )
    expected = first.decode(second.reconstruct(codes))
    np.testing.assert_allclose(whole.reconstruct(images(3)), expected, rtol=1e-4, atol=1e-5)
    whole.compile("adam")
    whole.fit(images(), batch_size=8, verbose=0)  # which trains the layers of both
    np.testing.assert_allclose(
        first.decode(second.reconstruct(first.encode(images(3)).mean())),
        whole.reconstruct(images(3)),
        rtol=1e-4,
        atol=1e-5,
    )
    whole.save(tmp_path / "stacked.keras")
    loaded = tfgen.load(tmp_path / "stacked.keras")
    np.testing.assert_array_equal(loaded.reconstruct(images(3)), whole.reconstruct(images(3)))
    with pytest.raises(ValueError, match="The encoder must output what the next encoder takes"):
        tfgen.Autoencoder.stacked([second, first])
    with pytest.raises(ValueError, match="A stack needs an autoencoder"):
        tfgen.Autoencoder.stacked([])


def test_a_stack_has_the_first_one_s_likelihood():
    first, second = (
        tfgen.Autoencoder(
            networks.mlp_encoder((size,), 3, (), heads=1),
            networks.mlp_decoder((size,), 3, ()),
            likelihood=distributions.Bernoulli(),
        )
        for size in (4, 3)
    )
    plain = tfgen.Autoencoder(second.encoder, second.decoder)
    whole = tfgen.Autoencoder.stacked([first, plain])
    assert whole.likelihood == distributions.Bernoulli()
    assert 0 < whole.reconstruct(np.ones([2, 4], np.float32)).numpy().min()
    with pytest.raises(ValueError, match="Only the first autoencoder of a stack may have"):
        tfgen.Autoencoder.stacked([first, second])


def test_a_walk_goes_through_decoder_and_encoder_again_and_again():
    model = compiled("autoencoder")
    steps = model.walk(images(3), 4, seed=1)
    assert steps.shape == (5, 3, 8, 8, 1)
    np.testing.assert_array_equal(steps[0], images(3))
    np.testing.assert_array_equal(steps, model.walk(images(3), 4, seed=1))
    assert np.abs(steps - model.walk(images(3), 4, seed=2)).max() > 0
    still = tfgen.Autoencoder(model.encoder, model.decoder)
    expected = still.reconstruct(still.reconstruct(images(3)))
    np.testing.assert_allclose(still.walk(images(3), 2)[2], expected, rtol=1e-5)
    with pytest.raises(ValueError, match="`steps` must be at least 0. Received: steps=-1"):
        still.walk(images(3), -1)


def test_every_step_of_a_walk_begins_where_the_last_one_ended_with_noise_of_its_own():
    model, given = compiled("autoencoder"), []

    def corrupt(examples, noise_seed):
        given.append((examples, tuple(noise_seed.numpy())))
        return examples

    model.corruption = corrupt
    steps = model.walk(images(2), 4, seed=1)
    assert len({noise_seed for _, noise_seed in given}) == 4
    for (examples, _), begun in zip(given, steps, strict=False):
        np.testing.assert_array_equal(examples, begun)


@pytest.mark.slow
def test_a_denoiser_s_walk_goes_to_the_data():
    """Of normal data with a spread of 0.1 in one direction, from far away."""
    random = np.random.default_rng(0)
    examples = (random.normal(size=[2000, 2]) * [2.0, 0.1]).astype(np.float32)
    model = tfgen.Autoencoder(
        networks.mlp_encoder((2,), 2, (), heads=1),
        networks.mlp_decoder((2,), 2, ()),
        corruption=augmentations.GaussianNoise(0.3),
    )
    model.compile(keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(0.02, 800)))
    model.fit(examples, batch_size=250, epochs=100, verbose=0)
    away = model.walk(random.normal(size=[200, 2]).astype("f") * 2, 10, seed=0)
    spread = away.numpy().std(axis=1)
    assert spread[0, 1] > 1.5 and spread[-1, 1] < 0.2 and spread[-1, 0] > 1.0


def test_the_other_domain_s_decoder_learns_nothing_from_this_one():
    model = compiled("swap_autoencoder")
    pair = images(4), 1 - images(4)
    variables = {
        name: [each.value for each in getattr(model, name).trainable_variables]
        for name in ("decoder_a", "decoder_b")
    }
    with tf.GradientTape() as tape:
        loss = model.compute_losses(pair, training=True)["reconstruction_a"]
    gradients = tape.gradient(loss, variables)
    assert all(np.abs(each).max() > 0 for each in gradients["decoder_a"][:2])
    assert not any(gradients["decoder_b"])  # all are None


def test_a_swap_s_error_is_that_of_clean_examples_that_the_encoder_sees_disturbed():
    model = compiled("swap_autoencoder")
    model.corruption = lambda examples, noise_seed: 0 * examples
    pair = images(4), 1 - images(4)
    codes, losses = model.encoder(np.zeros_like(pair[0])), model.compute_losses(pair, True)
    for side, clean, decoder in zip("ab", pair, (model.decoder_a, model.decoder_b), strict=True):
        errors = tf.nn.sigmoid_cross_entropy_with_logits(clean, decoder(codes))
        expected = tf.reduce_mean(tf.reduce_sum(errors, axis=[1, 2, 3]))
        np.testing.assert_allclose(losses[f"reconstruction_{side}"], expected, rtol=1e-5)
    both = losses["reconstruction_a"] + losses["reconstruction_b"]
    np.testing.assert_allclose(losses["loss"], both, rtol=1e-6)


def with_dropout(size, outputs):
    dense = layers.Dense(outputs, kernel_regularizer="l2")
    return keras.Sequential([keras.Input((size,)), dense, layers.Dropout(0.5, seed=1)])


@pytest.mark.parametrize("random", ["encoder", "decoder"])
@pytest.mark.parametrize("swap", [False, True])
def test_layers_behave_as_in_training_and_their_regularizers_count(random, swap):
    sizes = {"encoder": (SIZE, CODES), "decoder": (CODES, SIZE)}
    players = [*sizes, "decoder"] if swap else sizes
    built = [
        with_dropout(*sizes[player])
        if player == random
        else keras.Sequential([keras.Input(sizes[player][:1]), layers.Dense(sizes[player][1])])
        for player in players
    ]
    model = (tfgen.SwapAutoencoder if swap else tfgen.Autoencoder)(*built)
    batch = (points(64), points(64)) if swap else points(64)
    trained, still = (model.compute_losses(batch, training) for training in (True, False))
    regular = [network.layers[0] for network in built if network.layers[0].kernel_regularizer]
    penalty = sum(0.01 * np.sum(layer.kernel**2) for layer in regular)
    errors = sum(value for name, value in still.items() if name != "loss")
    np.testing.assert_allclose(still["loss"], errors + penalty, rtol=1e-5)
    assert all(abs(trained[name] - still[name]) > 1e-3 for name in still)


def test_a_swap_is_the_other_decoder_s():
    model = compiled("swap_autoencoder")
    codes = model.encoder(images(3))
    for translate, decoder in (
        (model.translate_a_to_b, model.decoder_b),
        (model.translate_b_to_a, model.decoder_a),
    ):
        np.testing.assert_allclose(translate(images(3)), tf.sigmoid(decoder(codes)), rtol=1e-5)


def test_domains_of_two_shapes_are_refused():
    model = compiled("swap_autoencoder")
    with pytest.raises(ValueError, match="Examples must be shaped as what the encoder takes"):
        model.fit(images(4), np.zeros([4, 8, 9, 1], np.float32), verbose=0)


def test_networks_that_do_not_fit_are_refused():
    encoder = networks.mlp_encoder((8, 8, 1), 3, (16,), heads=1)
    with pytest.raises(
        ValueError,
        match=r"The encoder must output what the decoder takes.*an encoder to \[None, 3\]",
    ):
        tfgen.Autoencoder(encoder, networks.mlp_decoder((8, 8, 1), 4))
    with pytest.raises(ValueError, match="The decoder must output what the encoder takes"):
        tfgen.Autoencoder(encoder, networks.mlp_decoder((8, 8, 2), 3))
    with pytest.raises(TypeError, match="`likelihood` must be a `tfgen.distributions.Likelihood`"):
        tfgen.Autoencoder(encoder, networks.mlp_decoder((8, 8, 1), 3), likelihood="bernoulli")


def test_masking_sets_a_share_of_values_to_0():
    masked = augmentations.MaskingNoise(0.25)(tf.ones([50, 8, 8, 1]), noise_seed=(0, 1)).numpy()
    assert set(np.unique(masked)) == {0.0, 1.0}
    assert 1 - masked.mean() == pytest.approx(0.25, abs=0.03)


@pytest.mark.parametrize(
    "corruption", [augmentations.MaskingNoise(0.5), augmentations.GaussianNoise(1.0)]
)
def test_the_seed_decides_the_noise_and_each_example_has_its_own(corruption):
    found = [corruption(tf.ones([2, 8, 8, 1]), noise_seed=(0, seed)) for seed in (1, 1, 2)]
    np.testing.assert_array_equal(found[0], found[1])
    assert np.mean(found[0] != found[2]) > 0.3
    assert np.mean(found[0][0] != found[0][1]) > 0.3


def test_noise_out_of_range_is_refused():
    with pytest.raises(ValueError, match="`share` must be from 0 to 1. Received: share=1.5"):
        augmentations.MaskingNoise(1.5)
    with pytest.raises(ValueError, match="`scale` must be at least 0. Received: scale=-1"):
        augmentations.GaussianNoise(-1)


def test_noise_has_its_scale():
    noisy = augmentations.GaussianNoise(0.3)(tf.zeros([50, 8, 8, 1]), noise_seed=(0, 1))
    assert np.std(noisy) == pytest.approx(0.3, rel=0.05)
