"""The GAN with an auxiliary classifier, against matrices."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers
from scipy.special import log_expit, log_softmax, softmax

import tfgen
from tests.test_conditional_gan import CLASSES, FEATURES, LABELS, LATENTS, by_hand, linear, points
from tfgen import distributions


def linear_judge(classes=CLASSES):
    """Returns a network from features to a logit and the logits of classes, a matrix each."""
    inputs = keras.Input((FEATURES,))
    network = keras.Model(inputs, [layers.Dense(1)(inputs), layers.Dense(classes)(inputs)])
    random = np.random.default_rng(7)
    network.set_weights([random.normal(size=weight.shape) for weight in network.weights])
    return network


def acgan(**options):
    generator = linear(FEATURES, LATENTS, CLASSES)
    prior = distributions.StandardNormal(LATENTS)
    return tfgen.AuxiliaryClassifierGAN(
        generator, linear_judge(), prior, CLASSES, seed=3, **options
    )


def judged(gan, examples):
    """Returns the logits of examples and the log-probabilities of classes, by NumPy."""
    matrix, offset, of_classes, class_offset = gan.discriminator.get_weights()
    told = log_softmax(examples @ of_classes + class_offset, axis=1)
    return examples @ matrix + offset, told[np.arange(len(examples)), LABELS]


@pytest.mark.parametrize("weight", [0.0, 1.0, 2.5])
def test_both_players_want_classes_told(weight):
    """Odena et al., 2017, equations 2 and 3: D ascends L_S + L_C, G descends L_S - L_C."""
    gan, images = acgan(class_weight=weight), points()
    latents = np.random.default_rng(1).normal(size=(8, LATENTS)).astype("f")
    fakes = by_hand(gan.generator, latents, np.eye(CLASSES)[LABELS])
    gan.sample_latents = lambda *_, **__: tf.constant(latents)
    labels = LABELS.astype(np.uint8)  # as data sets have them
    losses = gan.compute_losses((images, labels), training=True)
    (real, told), (fake, told_of_fakes) = judged(gan, images), judged(gan, fakes)
    sources = -log_expit(real).mean() - log_expit(-fake).mean()
    classes = -weight * (told.mean() + told_of_fakes.mean())
    assert float(losses["class_loss"]) == pytest.approx(classes, rel=1e-4)
    assert float(losses["discriminator_loss"]) == pytest.approx(sources + classes, rel=1e-4)
    of_samples = -weight * told_of_fakes.mean()
    assert float(losses["sample_class_loss"]) == pytest.approx(of_samples, rel=1e-4)
    expected = of_samples - log_expit(fake).mean()
    assert float(losses["generator_loss"]) == pytest.approx(expected, rel=1e-4)


def test_it_tells_classes():
    gan, images = acgan(), points()
    _, _, matrix, offset = gan.discriminator.get_weights()
    expected = softmax(images @ matrix + offset, axis=1)
    np.testing.assert_allclose(gan.classify(images), expected, rtol=1e-4)
    scores = gan.score(images)
    np.testing.assert_allclose(scores["probabilities"], expected, rtol=1e-4)
    np.testing.assert_allclose(scores["logits"], judged(gan, images)[0], rtol=1e-4)


def test_samples_come_to_look_like_their_classes():
    """Of a classifier that is right already, the generator alone learns."""
    gan = acgan(class_weight=10.0)
    gan.compile(keras.optimizers.Adam(0.03), keras.optimizers.SGD(0.0))
    before, _ = class_of_samples(gan), gan.fit(points(), LABELS, epochs=300, verbose=0)
    assert class_of_samples(gan) > max(0.95, before + 0.2)


def class_of_samples(gan):
    labels = np.arange(400) % CLASSES
    told = np.argmax(gan.classify(gan.sample(400, seed=0, labels=labels)), axis=1)
    return np.mean(told == labels)


@pytest.mark.parametrize(
    ("judge", "options", "message"),
    [
        (lambda: keras.Sequential([layers.Dense(1)]), {}, "discriminator"),
        (lambda: linear(1, FEATURES), {}, "must output logits and the logits of `num_classes`"),
        (lambda: linear_judge(3), {}, r"\[None, 3\]\] and num_classes=4"),
        (linear_judge, {"class_weight": -1.0}, "`class_weight` must be at least 0"),
    ],
)
def test_what_does_not_fit_is_refused(judge, options, message):
    generator, prior = linear(FEATURES, LATENTS, CLASSES), distributions.StandardNormal(LATENTS)
    with pytest.raises(ValueError, match=message):
        tfgen.AuxiliaryClassifierGAN(generator, judge(), prior, CLASSES, **options)


def test_a_generator_of_other_conditions_is_refused():
    generator, prior = linear(FEATURES, LATENTS, 3), distributions.StandardNormal(LATENTS)
    with pytest.raises(ValueError, match="a generator of 3 and num_classes=4"):
        tfgen.AuxiliaryClassifierGAN(generator, linear_judge(), prior, CLASSES)
