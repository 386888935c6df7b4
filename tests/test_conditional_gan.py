"""The conditional GAN against matrices, on linear players of two inputs."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers
from scipy.special import expit

import tfgen
from tfgen import distributions

LATENTS, FEATURES, CLASSES = 2, 3, 4
RATE = 0.25
LABELS = np.array([2, 0, 3, 1, 1, 2, 0, 3])


def linear(outputs, *sizes):
    """Returns a network that is one matrix, and an offset, of all its inputs side by side."""
    inputs = [keras.Input((size,)) for size in sizes]
    joined = layers.Concatenate()(inputs) if len(inputs) > 1 else inputs[0]
    network = keras.Model(inputs, layers.Dense(outputs)(joined))
    random = np.random.default_rng(sum(sizes))
    network.set_weights([random.normal(size=weight.shape) for weight in network.weights])
    return network


def linear_cgan(num_classes=CLASSES, **options):
    return tfgen.ConditionalGAN(
        linear(FEATURES, LATENTS, CLASSES),
        linear(1, FEATURES, CLASSES),
        distributions.StandardNormal(LATENTS),
        num_classes,
        seed=3,
        **options,
    )


def showing_cgan():
    """Returns a GAN whose samples are (the class, the first latent, 0)."""
    gan = linear_cgan()
    matrix = np.zeros([LATENTS + CLASSES, FEATURES])
    matrix[0, 1] = 1
    matrix[LATENTS:, 0] = range(CLASSES)
    gan.generator.set_weights([matrix, np.zeros(FEATURES)])
    return gan


def points(count=8):
    return np.random.default_rng(0).normal(size=(count, FEATURES)).astype(np.float32)


def attributes(count=8):
    return np.random.default_rng(2).normal(size=(count, CLASSES)).astype(np.float32)


def by_hand(network, *inputs):
    matrix, offset = (weight.astype(float) for weight in network.get_weights())
    return np.concatenate(inputs, axis=1) @ matrix + offset


@pytest.mark.parametrize(
    ("num_classes", "labels"),
    [
        (CLASSES, LABELS),
        (CLASSES, LABELS[:, np.newaxis]),
        (CLASSES, LABELS.astype(np.int16)),
        (CLASSES, LABELS.astype(np.uint8)),
        (None, attributes()),
        (None, attributes().astype(float)),
    ],
    ids=["classes", "a column", "short", "bytes", "attributes", "double attributes"],
)
def test_both_players_see_the_condition(num_classes, labels):
    gan, real = linear_cgan(num_classes), points()
    conditions = np.eye(CLASSES)[LABELS] if num_classes else attributes()
    chances = {}
    for player in ("discriminator", "generator"):
        latents = gan.sample_latents(len(real), noise_seed=gan.noise.seed_of(f"{player} latents"))
        fakes = by_hand(gan.generator, latents, conditions)
        chances[player] = expit(by_hand(gan.discriminator, fakes, conditions))
    known = expit(by_hand(gan.discriminator, real, conditions))
    found = gan.compute_losses((real, labels), training=True)
    np.testing.assert_allclose(
        found["discriminator_loss"],
        -np.log(known).mean() - np.log(1 - chances["discriminator"]).mean(),
        rtol=1e-5,
    )
    expected = -np.log(chances["generator"]).mean()
    np.testing.assert_allclose(found["generator_loss"], expected, rtol=1e-5)
    logits = by_hand(gan.discriminator, real, conditions)
    np.testing.assert_allclose(gan.score(real, labels)["logits"], logits, rtol=1e-4, atol=1e-6)


def test_samples_are_of_the_classes_asked_for():
    gan = showing_cgan()
    latents = gan.sample_latents(4, seed=1)
    for labels in ([2, 0, 3, 1], np.array([[2], [0], [3], [1]]), tf.constant([2, 0, 3, 1])):
        samples = gan.sample(4, seed=1, labels=labels)
        np.testing.assert_array_equal(samples[:, 0], [2, 0, 3, 1])
        np.testing.assert_array_equal(samples[:, 1], latents[:, 0])
        np.testing.assert_array_equal(gan.generate(latents, labels), samples)
        np.testing.assert_array_equal(gan([latents, tf.constant(labels)]), samples)
    np.testing.assert_array_equal(gan.sample(4, labels=range(4))[:, 0], range(4))


def test_attributes_reach_the_samples():
    gan = linear_cgan(num_classes=None)
    latents = gan.sample_latents(8, seed=1)
    expected = by_hand(gan.generator, latents, attributes())
    samples = gan.sample(8, seed=1, labels=attributes())
    np.testing.assert_allclose(samples, expected, rtol=1e-4, atol=1e-6)


def test_classes_that_are_not_asked_for_are_drawn_evenly():
    classes, latents, _ = showing_cgan().sample(10_000, seed=0).numpy().T
    shares = np.bincount(classes.astype(int), minlength=CLASSES) / len(classes)
    np.testing.assert_allclose(shares, 1 / CLASSES, atol=0.02)
    assert abs(np.corrcoef(classes, latents)[0, 1]) < 0.04


def test_the_average_of_the_generator_takes_conditions():
    gan = linear_cgan(ema_momentum=0.5)
    gan.compile(keras.optimizers.SGD(RATE), keras.optimizers.SGD(RATE))
    before = gan.generator.get_weights()
    gan.train_step((points(), LABELS))
    # (1 + 0) / (10 + 0) of the average stays at the first step.
    average = [
        0.1 * old + 0.9 * new for old, new in zip(before, gan.generator.get_weights(), strict=True)
    ]
    assert np.abs(average[0] - before[0]).max() > 1e-3
    drawn = {"seed": 1, "labels": LABELS[:3]}
    plain = gan.sample(3, use_ema=False, **drawn)
    inputs = gan.sample_latents(3, seed=1), np.eye(CLASSES)[LABELS[:3]]
    np.testing.assert_allclose(plain, by_hand(gan.generator, *inputs), rtol=1e-4, atol=1e-6)
    gan.generator.set_weights(average)
    expected = by_hand(gan.generator, *inputs)
    np.testing.assert_allclose(gan.sample(3, **drawn), expected, rtol=1e-4, atol=1e-6)


def answers_of(gan, inputs):
    signatures = gan.signatures()
    assert set(signatures) == set(inputs)
    return {
        name: tf.function(function, input_signature=specs)(*inputs[name])
        for name, (function, specs) in signatures.items()
    }


@pytest.mark.parametrize("num_classes", [CLASSES, None])
def test_the_signatures_answer_as_the_model_does(num_classes):
    gan, real = linear_cgan(num_classes), tf.constant(points(3))
    seed, latents = tf.constant(7, tf.int64), gan.sample_latents(3, seed=7)
    labels = tf.constant(LABELS[:3], tf.int32) if num_classes else tf.constant(attributes(3))
    inputs = {
        "serving_default": [latents, labels],
        "sample_labels": [labels, seed],
        "score": [real, labels],
    }
    if num_classes:
        inputs["sample"] = [tf.constant(3), seed]
    answers = answers_of(gan, inputs)
    samples = gan.sample(3, seed=7, labels=labels)
    for name in ("serving_default", "sample_labels"):
        np.testing.assert_allclose(answers[name]["images"], samples, rtol=1e-5)
    logits = gan.score(real, labels)["logits"]
    np.testing.assert_allclose(answers["score"]["logits"], logits, rtol=1e-5)
    if num_classes:
        drawn = gan.sample(3, seed=7)
        np.testing.assert_allclose(answers["sample"]["images"], drawn, rtol=1e-5)


def test_batches_without_fitting_labels_are_refused():
    gan = linear_cgan()
    gan.compile("sgd", "sgd")
    with pytest.raises(
        ValueError, match=r"\(images, labels\), and its methods.*Received: images without labels"
    ):
        gan.fit(points(), verbose=0)
    with pytest.raises(TypeError, match="integers from 0 to 3. Received: labels of float64"):
        gan.fit(points(), LABELS.astype(float), verbose=0)
    with pytest.raises(ValueError, match=r"Received: labels of \[8, 4\]. For one-hot.*argmax"):
        gan.compute_losses((points(), np.eye(CLASSES, dtype=int)[LABELS]), training=True)


def test_labels_out_of_range_stop_training():
    gan = linear_cgan()
    gan.compile("sgd", "sgd")
    before = [weight.numpy() for weight in gan.trainable_variables]
    labels = np.array([3, 0, 3, 1, 1, 4, 0, 3])
    with pytest.raises(ValueError, match=r"from 0 to 3. Received: \[3 0 3 1 1 4 0 3\]"):
        gan.fit(points(), labels, shuffle=False, verbose=0)
    for weight, old in zip(gan.trainable_variables, before, strict=True):
        np.testing.assert_array_equal(weight, old)
    message = r"(?s)Labels must be from 0 to 3\..*\[1 4 0"
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):  # in the second batch
        gan.fit(points(), labels, batch_size=4, shuffle=False, verbose=0)
    with pytest.raises(ValueError, match=r"Labels must be from 0 to 3. Received: \[-1  0\]"):
        gan.generate(gan.sample_latents(2), [-1, 0])


def test_samples_of_labels_can_be_drawn_within_a_graph():
    gan = linear_cgan()
    drawn = tf.function(lambda labels: gan.sample(3, seed=1, labels=labels))
    np.testing.assert_allclose(drawn(tf.constant([2, 0, 3])), gan.sample(3, 1, labels=[2, 0, 3]))
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"from 0 to 3\."):
        drawn(tf.constant([2, 0, 4]))


@pytest.mark.slow
def test_labels_out_of_range_are_seen_in_the_losses_under_xla():
    """XLA drops the check, and a class that there is not would be taken for no class at all."""
    labels = np.array([3, 0, 3, 1, 1, 4, 0, 3])
    for wrong, last in ((False, 3), (True, 4)):
        gan = linear_cgan()
        gan.compile("sgd", "sgd", jit_compile=True)
        labels[5] = last
        losses = gan.fit(points(), labels, batch_size=4, shuffle=False, verbose=0).history
        assert np.isnan(list(losses.values())).all() == wrong
        assert np.isfinite(list(losses.values())).all() != wrong


@pytest.mark.parametrize(
    ("labels", "error", "message"),
    [
        ([0, 4], ValueError, r"Labels must be from 0 to 3. Received: \[0 4\]"),
        ([-1, 3], ValueError, r"Labels must be from 0 to 3. Received: \[-1  3\]"),
        ([0.0, 1.0], TypeError, "integers from 0 to 3. Received: labels of float32"),
        ([0, 1, 2], ValueError, r"as many labels.*Received: labels of \[3\] for 2 samples"),
        (1, ValueError, r"as many labels.*Received: labels of \[\] for 2 samples"),
        (np.eye(4, dtype=int)[:2], ValueError, r"Received: labels of \[2, 4\]. For one-hot"),
    ],
)
def test_labels_that_are_none_are_not_sampled(labels, error, message):
    with pytest.raises(error, match=message):
        linear_cgan().sample(2, labels=labels)


def test_attributes_are_not_drawn():
    with pytest.raises(ValueError, match="Pass `labels`, vectors of 4 numbers"):
        linear_cgan(num_classes=None).sample(2)


@pytest.mark.parametrize(
    ("generator", "discriminator", "num_classes", "message"),
    [
        ((2,), (3, 4), 4, r"\[latents, conditions\]. .*a generator of \[None, 2\].*_generator"),
        ((2, 4, 1), (3, 4), 4, r"a generator of \[\(None, 2\), \(None, 4\), \(None, 1\)\]"),
        ((2, 4), (3,), 4, r"\[examples, conditions\]. .*discriminator of \[None, 3\].*_discrim"),
        ((2, 4), (3, 4, 1), 4, r"a discriminator of \[\(None, 3\), \(None, 4\), \(None, 1\)\]"),
        ((5, 4), (3, 4), 4, r"of the prior's size, \[batch, 2\]. Received: .*\[None, 5\]"),
        ((2, 4), (6, 4), 4, r"to \[None, 3\] and a discriminator of \[None, 6\]"),
        ((2, 4), (3, 5), None, "generator of 4, a discriminator of 5 and num_classes=None"),
        ((2, 4), (3, 4), 5, "a generator of 4, a discriminator of 4 and num_classes=5"),
        ((2, 4), (3, 4), 0, "a generator of 4, a discriminator of 4 and num_classes=0"),
    ],
)
def test_players_that_do_not_fit_are_refused(generator, discriminator, num_classes, message):
    players = linear(FEATURES, *generator), linear(1, *discriminator)
    with pytest.raises(ValueError, match=message):
        tfgen.ConditionalGAN(*players, distributions.StandardNormal(LATENTS), num_classes)
