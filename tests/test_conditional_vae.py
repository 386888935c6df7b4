"""A conditional VAE knows its labels: when it draws, when it encodes, and when it is asked."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import tfgen
from tests.specimens import SHAPE, compiled, images
from tfgen import distributions, evaluation, networks

CLASSES = 10


def test_permuting_labels_permutes_samples():
    model = compiled("cvae")
    latents = np.repeat(np.random.default_rng(0).normal(size=[1, 3]).astype("f"), CLASSES, axis=0)
    order = np.random.default_rng(1).permutation(CLASSES)
    straight = model.generate(latents, np.arange(CLASSES)).numpy()
    np.testing.assert_allclose(model.generate(latents, order), straight[order], rtol=1e-6)
    assert np.abs(straight - straight[order]).max() > 1e-3


def test_samples_of_labels_share_their_latents_with_the_seed():
    model = compiled("cvae")
    first = model.sample(2, seed=4, labels=[3, 7])
    again = model.sample(2, seed=4, labels=[3, 8])
    np.testing.assert_array_equal(first[0], again[0])
    assert np.abs(first[1] - again[1]).max() > 0
    assert model.sample(5, seed=0).shape == (5, *SHAPE)  # of drawn classes


def test_a_path_has_one_label():
    model, paths = compiled("cvae"), np.random.default_rng(0).normal(size=[2, 4, 3]).astype("f")
    found = model.generate_paths(paths, labels=[3, 7])
    expected = model.generate(paths.reshape(8, 3), [3, 3, 3, 3, 7, 7, 7, 7])
    np.testing.assert_allclose(found, expected, rtol=1e-6)


@pytest.mark.parametrize("network", ["encoder", "decoder"])
def test_both_networks_see_the_condition(network):
    """One that does not is the usual mistake: its gradient to the condition would be 0."""
    model = compiled("cvae")
    first = {"encoder": images(3), "decoder": np.ones([3, 3], np.float32)}[network]
    condition = tf.one_hot([1, 2, 3], CLASSES)
    with tf.GradientTape() as tape:
        tape.watch(condition)
        outputs = tf.reduce_sum(
            tf.square(tf.nest.flatten(getattr(model, network)([tf.constant(first), condition]))[0])
        )
    assert np.abs(tape.gradient(outputs, condition)).max() > 0


def linear_gaussian(means):
    """`x = mean_y + z + noise`, with an exact encoder: `p(x|y) = N(mean_y, 1 + 1/4)`."""
    classes = len(means)
    inputs, condition = keras.Input((1,)), keras.Input((classes,))
    both = keras.layers.Concatenate()([inputs, condition])
    location, scale = keras.layers.Dense(1), keras.layers.Dense(1)
    encoder = keras.Model([inputs, condition], [location(both), scale(both)])
    precision = 1 + 4.0
    location.set_weights([4 / precision * np.append([1.0], -means)[:, np.newaxis], np.zeros(1)])
    scale.set_weights([np.zeros([classes + 1, 1]), np.log([1 / precision])])
    latents, condition = keras.Input((1,)), keras.Input((classes,))
    decoding = keras.layers.Dense(1, use_bias=False)
    made = decoding(keras.layers.Concatenate()([latents, condition]))
    decoder = keras.Model([latents, condition], made)
    decoding.set_weights([np.append([1.0], means)[:, np.newaxis]])
    return tfgen.ConditionalVAE(
        encoder,
        decoder,
        distributions.StandardNormal(1),
        distributions.LogVarianceNormal(),
        distributions.Gaussian(scale=0.5),
        num_classes=classes,
    )


@pytest.mark.parametrize("samples", [1, 200])
def test_the_probability_of_a_label_is_bayes(samples):
    means = np.array([-2.0, 0.0, 1.0])
    model, examples = linear_gaussian(means), np.array([[-1.5], [0.4], [3.0]], np.float32)
    log_densities = -((examples - means) ** 2) / (2 * 1.25) - 0.5 * np.log(2 * np.pi * 1.25)
    expected = np.exp(log_densities) / np.exp(log_densities).sum(axis=1, keepdims=True)
    found = model.label_probabilities(examples, samples=samples)
    np.testing.assert_allclose(found, expected, atol=0.35 if samples == 1 else 1e-3)
    labels = np.array([0, 2, 1])
    likelihood = model.log_likelihood(examples, labels, samples=200)
    np.testing.assert_allclose(likelihood, log_densities[np.arange(3), labels], atol=1e-3)
    marginal = np.log(np.mean(np.exp(log_densities), axis=1))
    np.testing.assert_allclose(model.log_likelihood(examples, samples=200), marginal, atol=1e-3)


def test_what_is_missing_is_drawn_of_the_label():
    """`N(mean_y, 1 + 1/4)`, as nothing is seen."""
    means, count = np.array([-2.0, 0.0, 5.0]), 3000
    labels = np.arange(count) % 3
    rows, mask = np.zeros([count, 1], np.float32), np.zeros([count, 1])
    drawn = linear_gaussian(means).impute(rows, mask, seed=0, steps=20, labels=labels).numpy()
    for label, mean in enumerate(means):
        assert drawn[labels == label].mean() == pytest.approx(mean, abs=0.15)
        assert drawn[labels == label].var() == pytest.approx(1.25, rel=0.15)


def test_images_without_labels_get_the_most_probable_ones():
    model = compiled("cvae")
    labels = tf.argmax(model.label_probabilities(images(4)), axis=1)
    np.testing.assert_allclose(
        model.encode(images(4)).mean(), model.encode(images(4), labels).mean(), rtol=1e-6
    )
    np.testing.assert_allclose(
        model.reconstruct(images(4)), model.reconstruct(images(4), labels), rtol=1e-6
    )


def test_the_bound_without_labels_is_that_of_all():
    model = compiled("cvae")
    each = [model.elbo(images(3), np.full(3, label)) for label in range(CLASSES)]
    expected = np.logaddexp.reduce(np.array(each)) - np.log(CLASSES)
    np.testing.assert_allclose(model.elbo(images(3)), expected, rtol=1e-5)


@pytest.mark.parametrize(
    ("labels", "error", "message"),
    [
        (np.full(32, 10), ValueError, "Labels must be from 0 to 9"),
        (np.full(32, -1), ValueError, "Labels must be from 0 to 9"),
        (np.full(32, 0.5), TypeError, "Classes must be integers from 0 to 9"),
        (None, ValueError, "A conditional VAE learns from batches of .images, labels."),
    ],
)
def test_labels_that_it_was_not_told_of_are_refused(labels, error, message):
    with pytest.raises(error, match=message):
        compiled("cvae").fit(images(), labels, batch_size=8, verbose=0)


def attributed():
    keras.utils.set_random_seed(0)
    return tfgen.ConditionalVAE(
        networks.condition_encoder(networks.mlp_encoder((8, 8, 1 + 2), 3, (16,)), 2),
        networks.condition_decoder(networks.mlp_decoder(SHAPE, 3 + 2, (16,)), 2),
        distributions.StandardNormal(3),
        distributions.DiagonalNormal(),
        distributions.Bernoulli(),
    )


def test_attributes_are_vectors(tmp_path):
    model = attributed()
    model.compile("adam")
    attributes = np.random.default_rng(0).random([32, 2]).astype("f")
    model.fit(images(), attributes, batch_size=8, verbose=0)
    assert model.sample(2, seed=0, labels=attributes[:2]).shape == (2, *SHAPE)
    assert "sample" not in model.abilities and "sample" not in model.signatures()
    with pytest.raises(ValueError, match="Attributes are not drawn"):
        model.sample(2, seed=0)
    with pytest.raises(ValueError, match="`label_probabilities` compares classes"):
        model.label_probabilities(images(2))
    tfgen.export(model, tmp_path / "attributed")


def test_networks_that_do_not_fit_are_refused():
    model = compiled("cvae")
    values = model.prior, model.posterior, model.likelihood
    with pytest.raises(ValueError, match="must take conditions of the same size"):
        tfgen.ConditionalVAE(model.encoder, model.decoder, *values, num_classes=9)
    with pytest.raises(ValueError, match="A conditional encoder must take .examples, conditions."):
        tfgen.ConditionalVAE(networks.mlp_encoder(SHAPE, 3), model.decoder, *values, num_classes=10)


@pytest.mark.slow
def test_images_without_labels_are_scored_batch_by_batch():
    model = compiled("cvae")
    examples = images(5)
    found = evaluation.elbos(model, examples, batch_size=5, seed=3)
    seed = np.random.default_rng(3).integers(2**63)
    np.testing.assert_allclose(found, model.elbo(examples, seed=seed), rtol=1e-5)
    alone = model.score(tf.cast(examples, tf.float64))["elbo"]
    np.testing.assert_allclose(alone, model.score(examples)["elbo"], rtol=1e-5)
    labels = np.arange(5) % model.num_classes
    pair = model.score((examples, labels))["elbo"]
    np.testing.assert_allclose(pair, model.score(examples, labels)["elbo"], rtol=1e-5)


METHODS = ("encode", "reconstruct", "elbo", "score")


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    ("labels", "error", "message"),
    [
        ([1, 10], ValueError, r"Labels must be from 0 to 9. Received: \[.*10\]"),
        ([1, 2, 3], ValueError, r"as many labels as images. Received: labels of \[3\] for 2"),
        (1, ValueError, r"as many labels as images. Received: labels of \[\] for 2"),
    ],
)
def test_a_method_refuses_labels_that_do_not_fit(method, labels, error, message):
    with pytest.raises(error, match=message):
        getattr(compiled("cvae"), method)(images(2), labels)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    ("labels", "error", "message"),
    [
        (np.zeros([2, 3]), ValueError, r"vectors of 2 numbers, \[batch, 2\].*of \[[12], 3\]"),
        (np.zeros(2), ValueError, r"vectors of 2 numbers, \[batch, 2\].*of \[[12]\]"),
        (np.zeros([3, 2]), ValueError, r"as many labels as images.*of \[3, 2\] for 2 images"),
        ([["a", "b"]] * 2, TypeError, "Attributes must be numbers. Received: labels of string"),
        (None, ValueError, r"its methods take `labels=`. Received: images without labels"),
    ],
)
def test_a_method_refuses_attributes_that_do_not_fit(method, labels, error, message):
    with pytest.raises(error, match=message):
        getattr(attributed(), method)(images(2), labels)


def test_labels_must_fit_what_is_drawn_of_them():
    latents, mask = np.zeros([2, 3], np.float32), np.zeros([2, *SHAPE])
    model = compiled("cvae")
    with pytest.raises(ValueError, match=r"as many labels as latents.*of \[3\] for 2 latents"):
        model.generate(latents, [1, 2, 3])
    with pytest.raises(ValueError, match=r"from 0 to 9. Received: \[-1  3\]"):
        model.generate(latents, [-1, 3])
    with pytest.raises(ValueError, match=r"as many labels as images.*of \[3\] for 2 images"):
        model.impute(images(2), mask, labels=[1, 2, 3])
    with pytest.raises(ValueError, match="its methods take `labels=`"):
        model.impute(images(2), mask)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_attributes_that_are_not_finite_are_refused(value):
    model, attributes = attributed(), np.zeros([32, 2], np.float32)
    attributes[1] = value
    model.compile("adam")
    message = "Attributes must be finite. Received: 2 of {} values that are NaN or infinite"
    with pytest.raises(ValueError, match=message.format(16)):
        model.fit(images(), attributes, batch_size=8, verbose=0)
    with pytest.raises(ValueError, match=message.format(4)):
        model.sample(2, labels=attributes[:2])


def test_no_classes_are_refused():
    model = compiled("cvae")
    values = model.encoder, model.decoder, model.prior, model.posterior, model.likelihood
    with pytest.raises(ValueError, match="`num_classes` must be at least 1.*num_classes=0"):
        tfgen.ConditionalVAE(*values, num_classes=0)
