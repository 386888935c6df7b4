"""VQ-VAE: whose gradient goes where, how the codebook moves, what codes stand for."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

import tfgen
from tests.specimens import SHAPE, assert_same, compiled, images, weights
from tfgen import distributions, evaluation, networks
from tfgen.distributions.codebook import perplexity, straight_through

SEED = tf.constant([3, 4])


def numbers(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def linear_vqvae(codebook=None, **options):
    """Networks without hidden layers, of examples `[batch, 4]` and one vector of two numbers."""
    keras.utils.set_random_seed(0)
    return tfgen.VQVAE(
        networks.mlp_encoder((4,), 2, hidden_sizes=(), heads=1),
        networks.mlp_decoder((4,), 2, hidden_sizes=()),
        codebook or distributions.Codebook(5, decay=0.9, revive_below=0),
        **options,
    )


# Which gradient goes where.


def test_straight_through_gives_the_quantized_and_the_gradient_to_the_outputs():
    outputs, quantized = tf.constant(numbers(6, 3)), tf.constant(numbers(6, 3, seed=1))
    with tf.GradientTape() as tape:
        tape.watch([outputs, quantized])
        passed = straight_through(outputs, quantized)
        loss = tf.reduce_sum(passed * tf.constant(numbers(6, 3, seed=2)))
    to_outputs, to_quantized = tape.gradient(loss, [outputs, quantized])
    np.testing.assert_array_equal(passed, quantized)
    np.testing.assert_array_equal(to_outputs, numbers(6, 3, seed=2))
    assert to_quantized is None


@pytest.mark.parametrize("commitment", [0.0, 0.7])
def test_the_encoder_gets_the_decoder_s_gradient_and_that_of_the_commitment(commitment):
    """Both layers are linear, so all gradients are products of matrices."""
    model = linear_vqvae(commitment=commitment)
    examples = numbers(8, 4)
    variables = model.encoder.trainable_variables + model.decoder.trainable_variables
    with tf.GradientTape() as tape:
        losses, outputs, codes = model.network_losses(examples, training=True)
    found = tape.gradient(losses["loss"], variables)
    (kernel, offset), (back, back_offset) = (
        [variable.numpy().astype(np.float64) for variable in network.trainable_variables]
        for network in (model.encoder, model.decoder)
    )
    encoded = examples @ kernel + offset
    chosen = model.vectors.numpy()[codes.numpy()]
    np.testing.assert_allclose(outputs, encoded, rtol=1e-5, atol=1e-6)
    to_decoded = 2 * (chosen @ back + back_offset - examples) / 8
    to_encoded = to_decoded @ back.T + commitment * 2 * (encoded - chosen) / 8
    expected = [
        examples.T @ to_encoded,
        to_encoded.sum(axis=0),
        chosen.T @ to_decoded,
        to_decoded.sum(axis=0),
    ]
    for gradient, wanted in zip(found, expected, strict=True):
        np.testing.assert_allclose(gradient, wanted, rtol=1e-4, atol=1e-5)
    distance = np.mean(np.sum((encoded - chosen) ** 2, axis=1))
    np.testing.assert_allclose(losses["commitment_error"], distance, rtol=1e-5)
    error = np.mean(np.sum((chosen @ back + back_offset - examples) ** 2, axis=1))
    np.testing.assert_allclose(losses["loss"], error + commitment * distance, rtol=1e-5)


def test_the_codebook_gets_no_gradient():
    model = linear_vqvae(commitment=0.7)
    state = [variable.value for variable in model._state.values()]
    with tf.GradientTape() as tape:
        tape.watch(state)
        losses = model.compute_losses(numbers(8, 4), training=True)
    assert tape.gradient(losses["loss"], state) == [None, None]
    trained = {id(variable) for variable in model.trainable_variables}
    assert not trained & {id(variable) for variable in model._state.values()}


# Which vector is nearest.


@pytest.mark.parametrize("offset", [0.0, 300.0])
def test_the_nearest_vector_is_that_of_a_search(offset):
    vectors, outputs = numbers(50, 7) + offset, numbers(4, 6, 7, seed=1) + np.float32(offset)
    found = distributions.Codebook(50).nearest(tf.constant(vectors), tf.constant(outputs))
    distances = ((outputs[..., None, :].astype(np.float64) - vectors) ** 2).sum(axis=-1)
    assert found.shape == (4, 6) and found.dtype == tf.int32
    np.testing.assert_array_equal(found, distances.argmin(axis=-1))


def test_of_equally_near_vectors_the_first_is_taken():
    vectors = tf.constant([[5.0], [1.0], [-1.0], [1.0]])
    found = distributions.Codebook(4).nearest(vectors, tf.constant([[1.0], [0.0], [3.0]]))
    np.testing.assert_array_equal(found, [1, 1, 0])


# How the codebook moves.


def test_vectors_are_the_averages_of_the_paper():
    """Counts and sums are averaged one by one in NumPy, as in appendix A.1."""
    codebook, decay = distributions.Codebook(6, decay=0.9, revive_below=0), 0.9
    vectors, usage = tf.constant(numbers(6, 3)), tf.constant(np.full(6, 1 / 6, np.float32))
    counts = np.full(6, 1 / 6)
    sums = counts[:, None] * vectors.numpy()
    for step in range(8):
        outputs = numbers(40, 3, seed=step + 1)
        codes = codebook.nearest(vectors, tf.constant(outputs)).numpy()
        vectors, usage = codebook.moved(vectors, usage, tf.constant(outputs), codes, SEED)
        near = np.eye(6)[codes]
        counts = decay * counts + (1 - decay) * near.sum(axis=0) / 40
        sums = decay * sums + (1 - decay) * near.T @ outputs / 40
        np.testing.assert_allclose(usage, counts, rtol=1e-5)
        np.testing.assert_allclose(vectors, sums / counts[:, None], rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(np.sum(usage), 1, rtol=1e-5)


def test_a_vector_that_nothing_is_near_to_stays_to_the_bit_for_ever():
    codebook = distributions.Codebook(3, decay=0.5, revive_below=0)
    vectors = tf.constant([[0.1, 0.2], [0.3, -0.7], [77.1, 0.9]])
    usage = tf.fill([3], 1 / 3)

    @tf.function(autograph=False)
    def step(vectors, usage, outputs):
        codes = codebook.nearest(vectors, outputs)
        return codebook.moved(vectors, usage, outputs, codes, SEED)

    for index in range(300):  # of which 2**-300 is no float32
        vectors, usage = step(vectors, usage, tf.constant(numbers(4, 2, seed=index)))
    np.testing.assert_array_equal(vectors[2], np.float32([77.1, 0.9]))
    assert 0 < usage[2] < 1e-10 and np.isfinite(vectors).all()
    # And comes back at once where something is near to it again.
    vectors, usage = step(vectors, usage, tf.constant([[70.0, 1.0]] * 4))
    np.testing.assert_allclose(vectors[2], [70, 1], rtol=1e-6)


def test_vectors_begin_at_outputs_of_the_first_batch():
    codebook, outputs = distributions.Codebook(4, revive_below=0), tf.constant(numbers(9, 2))
    state = codebook.initial_state(2, seed=0)
    codes = codebook.nearest(state["vectors"], outputs)
    vectors, usage = codebook.moved(**state, outputs=outputs, numbers=codes, noise_seed=SEED)
    found = [np.flatnonzero((outputs.numpy() == vector).all(axis=1)) for vector in vectors.numpy()]
    assert len({int(places[0]) for places in found}) == 4  # each another one
    np.testing.assert_array_equal(usage, [0.25] * 4)


def test_dead_vectors_are_put_at_outputs_of_the_batch_and_no_others_are():
    codebook = distributions.Codebook(4, decay=0.9, revive_below=0.2)
    vectors = tf.constant([[0.0], [1.0], [50.0], [60.0]])
    usage = tf.constant([0.4, 0.4, 0.07, 0.05])  # an equal share is 0.25, a fifth of it 0.05
    outputs = tf.constant([[0.1], [0.9], [1.1], [-0.1]])
    codes = codebook.nearest(vectors, outputs)
    after, shares = codebook.moved(vectors, usage, outputs, codes, SEED)
    assert float(after[3, 0]) in outputs.numpy() and float(shares[3]) == 0.25
    assert float(after[2, 0]) == 50 and float(shares[2]) == pytest.approx(0.063)
    np.testing.assert_allclose(after[:2, 0], [0.0, 1.0], atol=1e-6)
    again, _ = codebook.moved(vectors, usage, outputs, codes, SEED)
    np.testing.assert_array_equal(after, again)
    others = {
        float(codebook.moved(vectors, usage, outputs, codes, tf.constant([3, seed]))[0][3, 0])
        for seed in range(20)
    }
    assert others == set(outputs.numpy()[:, 0].tolist())
    never = distributions.Codebook(4, decay=0.9, revive_below=0)
    assert float(never.moved(vectors, usage, outputs, codes, SEED)[0][3, 0]) == 60


def test_a_codebook_larger_than_the_batch_begins_at_its_outputs_too():
    codebook, outputs = distributions.Codebook(5), tf.constant([[1.0], [2.0]])
    state = codebook.initial_state(1, seed=0)
    vectors, _ = codebook.moved(
        **state, outputs=outputs, numbers=tf.constant([0, 1]), noise_seed=SEED
    )
    assert sorted(vectors.numpy()[:, 0].tolist()) in ([1, 1, 1, 2, 2], [1, 1, 2, 2, 2])


def test_a_step_of_training_moves_the_codebook_by_its_own_batch():
    model = compiled("vq_vae")
    model.train_step(images(8))  # the first, which places the vectors
    model._state["usage"].assign(np.full(8, 1 / 8))
    model.codebook = distributions.Codebook(8, decay=0.5, revive_below=0)
    vectors, examples = model.vectors, images(8)
    outputs = model.encoder(examples).numpy().reshape(-1, 3)  # of the weights before the step
    codes = model.codebook.nearest(vectors, outputs).numpy()
    model.train_step(examples)
    share = 0.5 * np.bincount(codes, minlength=8) / len(codes)
    used = share > 0
    means = np.stack([outputs[codes == k].mean(axis=0) for k in np.flatnonzero(used)])
    part = (share / (share + 0.5 / 8))[used, None]
    expected = vectors.numpy()
    expected[used] += part * (means - expected[used])
    np.testing.assert_allclose(model.vectors, expected, rtol=1e-4, atol=1e-6)
    assert 1 < used.sum() < 8
    np.testing.assert_array_equal(model.vectors.numpy()[~used], vectors.numpy()[~used])


# How much of the codebook is used.


@pytest.mark.parametrize(
    ("shares", "expected"),
    [
        ([0.25] * 4, 4.0),
        ([1.0, 0.0, 0.0], 1.0),
        ([0.5, 0.5, 0.0], 2.0),
        ([0.5, 0.25, 0.25], 2**1.5),
    ],
)
def test_perplexity_in_closed_form(shares, expected):
    np.testing.assert_allclose(perplexity(tf.constant(shares)), expected, rtol=1e-6)


def test_the_logged_perplexity_is_that_of_the_batch_s_codes():
    model = compiled("vq_vae")
    counts = np.bincount(model.codes(images(), use_ema=False).numpy().ravel(), minlength=8)
    shares = counts[counts > 0] / counts.sum()
    expected = np.exp(-np.sum(shares * np.log(shares)))
    found = model.compute_losses(images(), training=False)["perplexity"]
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    assert 1 < expected < 8


# What codes stand for.


def test_codes_are_of_the_vectors_that_encode_gives_and_decode_to_the_reconstruction():
    model = compiled("vq_vae")
    model.fit(images(), batch_size=8, epochs=2, verbose=0)
    codes, encoded = model.codes(images(4)), model.encode(images(4))
    assert codes.shape == (4, 2, 2) and codes.dtype == tf.int32
    assert encoded.batch_shape == (4,) and encoded.event_shape == (2, 2, 3)
    np.testing.assert_array_equal(encoded.mean(), model.vectors.numpy()[codes.numpy()])
    rebuilt = model.reconstruct(images(4))
    np.testing.assert_allclose(model.decode_codes(codes), rebuilt, rtol=1e-6, atol=1e-6)
    errors = np.sum((rebuilt - images(4)) ** 2, axis=(1, 2, 3))
    np.testing.assert_allclose(model.score(images(4))["error"], errors, rtol=1e-5)


def test_codes_that_stand_for_nothing_are_refused():
    model = compiled("vq_vae")
    for wrong in (-1, 8):
        codes = np.full([3, 2, 2], wrong)
        with pytest.raises(ValueError, match=f"Codes must be from 0 to 7. Received: .*{wrong}"):
            model.decode_codes(codes)
        decode, _ = model.signatures()["decode_codes"]
        with pytest.raises(tf.errors.InvalidArgumentError, match="Codes must be from 0 to 7"):
            tf.function(decode, autograph=False)(tf.constant(codes))
    with pytest.raises(TypeError, match="Codes must be integers. Received: float32"):
        model.decode_codes(np.zeros([3, 2, 2], np.float32))
    with pytest.raises(ValueError, match=r"'batch', 2, 2\]. Received: \[3, 4\]"):
        model.decode_codes(np.zeros([3, 4], int))


def test_one_code_per_example():
    model = linear_vqvae()
    codes = model.codes(numbers(6, 4))
    assert codes.shape == (6,) and model.decode_codes(codes).shape == (6, 4)
    assert model.encode(numbers(6, 4)).event_shape == (2,)


@pytest.mark.slow
def test_clusters_are_found():
    """No vector stands for two of five tight clusters, and none is lost."""
    centres = 5 * numbers(5, 2) @ numbers(2, 4, seed=2)  # on a plane, for two numbers as a code
    examples = np.repeat(centres, 40, axis=0) + 0.01 * numbers(200, 4, seed=1)
    model = linear_vqvae(distributions.Codebook(16, decay=0.9), commitment=1.0)
    model.compile(keras.optimizers.Adam(0.02), jit_compile=True, steps_per_execution=100)
    batches = tf.data.Dataset.from_tensors(examples).repeat(600)
    model.fit(batches, steps_per_epoch=600, verbose=0)
    losses = model.evaluate(examples, batch_size=200, verbose=0, return_dict=True)
    assert losses["perplexity"] > 4.99
    assert losses["reconstruction"] < 0.01 * np.sum(np.var(examples, axis=0))
    assert len(set(model.codes(centres).numpy().tolist())) == 5


def test_encodings_of_maps_are_rows():
    model = compiled("vq_vae")
    found = evaluation.encodings(model, images(7), batch_size=4)
    np.testing.assert_array_equal(found, model.encode(images(7)).mean().numpy().reshape(7, 12))


@pytest.mark.parametrize("shape", [(28, 28, 1), (30, 21, 3), (1, 1, 1)])
def test_the_networks_take_any_shape(shape):
    encoder = networks.vq_encoder(shape, 5)
    decoder = networks.vq_decoder(shape, 5, heads=2)
    assert encoder.output_shape[1:] == tuple(-(-size // 4) for size in shape[:2]) + (5,)
    assert decoder.input_shape == encoder.output_shape
    assert decoder.output_shape == [(None, *shape)] * 2
    with pytest.raises(ValueError, match="needs images"):
        networks.vq_encoder((32,), 5)
    with pytest.raises(ValueError, match="`latent_dim` must be at least 1"):
        networks.vq_decoder(shape, 0)


# Priors of codes.


def test_independent_codes_are_as_frequent_at_each_place_as_in_the_data():
    codes = np.stack([np.arange(100) % 2, np.full(100, 3)], axis=1)  # [100, 2]
    prior = distributions.IndependentCodes(codes, size=4)
    drawn = prior.sample(4000, seed=1).numpy()
    assert drawn.shape == (4000, 2) and drawn.dtype == np.int32
    assert (drawn[:, 1] == 3).all() and set(drawn[:, 0].tolist()) == {0, 1}
    assert drawn[:, 0].mean() == pytest.approx(0.5, abs=0.03)
    np.testing.assert_array_equal(drawn, prior.sample(4000, seed=1))
    assert not np.array_equal(drawn, prior.sample(4000, seed=2))


def test_a_prior_s_codes_are_decoded():
    model = compiled("vq_vae")
    prior = distributions.IndependentCodes(model.codes(images()), model.codebook.size)
    samples = model.sample_with(prior, 5, seed=0)
    assert samples.shape == (5, *SHAPE)
    np.testing.assert_array_equal(samples, model.decode_codes(prior.sample(5, seed=0)))
    with pytest.raises(ValueError, match="at least 1 example"):
        distributions.IndependentCodes(np.zeros([0, 2, 2], int), 4)
    with pytest.raises(ValueError, match="Codes must be from 0 to 3"):
        distributions.IndependentCodes(np.full([1, 2, 2], 4), 4)


# What does not fit.


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"size": 1}, "`size` must be at least 2. Received: size=1"),
        ({"size": 8.0}, "`size` must be an integer"),
        ({"size": 8, "decay": 1.0}, "`decay` must be below 1. Received: decay=1.0"),
        ({"size": 8, "decay": -0.1}, "`decay` must be at least 0"),
        ({"size": 8, "revive_below": 1}, "`revive_below` must be below 1. Received"),
        ({"size": 8, "revive_below": np.nan}, "`revive_below` must be a finite number"),
    ],
)
def test_codebooks_that_make_no_sense_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        distributions.Codebook(**settings)


def test_what_does_not_fit_is_refused():
    encoder, codebook = networks.vq_encoder(SHAPE, 4), distributions.Codebook(8)
    with pytest.raises(ValueError, match=r"an encoder to \[None, 2, 2, 4\] and a decoder of"):
        tfgen.VQVAE(encoder, networks.vq_decoder(SHAPE, 3), codebook)
    with pytest.raises(TypeError, match="`codebook` must be a `tfgen.distributions.Codebook`"):
        tfgen.VQVAE(encoder, networks.vq_decoder(SHAPE, 4), 8)
    with pytest.raises(ValueError, match="`commitment` must be at least 0"):
        tfgen.VQVAE(encoder, networks.vq_decoder(SHAPE, 4), codebook, commitment=-1)
    two = networks.mlp_encoder(SHAPE, 4, heads=2)
    with pytest.raises(ValueError, match="must have one output, the codes"):
        tfgen.VQVAE(two, networks.mlp_decoder(SHAPE, 4), codebook)


def test_a_likelihood_takes_the_place_of_the_squared_error():
    bernoulli = distributions.Bernoulli()
    inputs = keras.Input(SHAPE)
    encoder = keras.Model(inputs, layers.Dense(3)(layers.Flatten()(inputs)))
    decoder = networks.mlp_decoder(SHAPE, 3, hidden_sizes=())
    model = tfgen.VQVAE(encoder, decoder, distributions.Codebook(4), likelihood=bernoulli)
    logits = decoder(model.encode(images(4)).mean())
    expected = -bernoulli.distribution(logits).log_prob(images(4))
    np.testing.assert_allclose(model.score(images(4))["error"], expected, rtol=1e-5)
    losses = model.compute_losses(images(4), training=False)
    np.testing.assert_allclose(losses["reconstruction"], np.mean(expected), rtol=1e-5)


# XLA, and training alike.


def test_xla_moves_the_codebook_as_eager_code_does():
    codebook = distributions.Codebook(16, decay=0.9, revive_below=0.3)
    usage = tf.nn.softmax(numbers(16))  # of which some are dead
    vectors, outputs = tf.constant(numbers(16, 3)), tf.constant(numbers(40, 3, seed=1))

    def step(vectors, usage, outputs):
        codes = codebook.nearest(vectors, outputs)
        return codes, *codebook.moved(vectors, usage, outputs, codes, SEED)

    plain = step(vectors, usage, outputs)
    by_xla = tf.function(step, jit_compile=True, autograph=False)(vectors, usage, outputs)
    dead = plain[2].numpy() == np.float32(1 / 16)
    assert 0 < dead.sum() < 16
    for value, other in zip(plain, by_xla, strict=True):  # XLA draws other outputs for the dead
        value, other = (each.numpy() for each in (value, other))
        rows = slice(None) if value.ndim == 1 else ~dead
        np.testing.assert_allclose(value[rows], other[rows], rtol=1e-5, atol=1e-7)
    put = by_xla[1].numpy()[dead]
    assert all((outputs.numpy() == vector).all(axis=1).any() for vector in put)


def test_the_codebook_is_saved(tmp_path):
    model = compiled("vq_vae")
    model.fit(images(), batch_size=8, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = tfgen.load(tmp_path / "model.keras")
    assert loaded.codebook == model.codebook
    assert_same(weights(loaded), weights(model))
    np.testing.assert_array_equal(loaded.vectors, model.vectors)
