"""What autoencoders refuse, before the first step and in plain words."""

import re

import keras
import numpy as np
import pytest
import tensorflow as tf

import tfgen
from tests.specimens import SHAPE, compiled, images
from tfgen import augmentations, data, networks
from training.scoring import pretraining


def encoder(heads=1):
    return networks.mlp_encoder(SHAPE, 3, (16,), heads=heads)


def decoder():
    return networks.mlp_decoder(SHAPE, 3, (16,))


def autoencoder(**options):
    return tfgen.Autoencoder(encoder(), decoder(), **options)


def swap_autoencoder(**options):
    return tfgen.SwapAutoencoder(encoder(), decoder(), decoder(), **options)


@pytest.mark.parametrize("build", [autoencoder, swap_autoencoder])
@pytest.mark.parametrize(
    "corruption",
    [0.3, "noise", keras.layers.GaussianNoise(0.3), augmentations.RandomAffine, images],
    ids=["number", "name", "layer", "class", "function"],
)
def test_what_cannot_corrupt_is_refused(build, corruption):
    with pytest.raises(
        TypeError, match=r"function of \(images, noise_seed\).*`tfgen.augmentations`"
    ):
        build(corruption=corruption)


def test_functions_and_values_of_one_s_own_corrupt():
    for corruption in (lambda images, noise_seed: images, augmentations.MaskingNoise(), None):
        autoencoder(corruption=corruption)


def test_an_encoder_of_two_heads_is_refused_with_the_mend():
    message = r"The encoder must have one output.*Received: 2.*`heads=1`"
    with pytest.raises(ValueError, match=message):
        tfgen.Autoencoder(encoder(heads=2), decoder())
    with pytest.raises(ValueError, match=message):
        tfgen.SwapAutoencoder(encoder(heads=2), decoder(), decoder())


def test_one_decoder_for_both_domains_is_refused():
    shared = decoder()
    with pytest.raises(ValueError, match="Each domain must have a decoder of its own"):
        tfgen.SwapAutoencoder(encoder(), shared, shared)


def test_who_knows_no_labels_names_the_models_that_do():
    with pytest.raises(
        ValueError, match=r"`tfgen.ConditionalGAN`, .*`tfgen.ConditionalDiffusion` make"
    ):
        compiled("mlp_vae").generate(np.zeros([1, 3], np.float32), labels=[1])


@pytest.mark.parametrize("scale", [np.nan, np.inf, "0.3", None])
def test_noise_of_no_scale_is_refused(scale):
    with pytest.raises(ValueError, match="`scale` must be a finite number. Received: scale="):
        augmentations.GaussianNoise(scale)


def test_noise_is_not_added_to_pixels_of_8_bits():
    """Sums beyond 255 would begin anew at 0."""
    for pixels in (np.uint8(255 * images(2)), tf.zeros([2, *SHAPE], tf.uint8)):
        with pytest.raises(TypeError, match="Received: uint8. Divide pixels by 255."):
            augmentations.GaussianNoise(0.3)(pixels)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("--labels abc", "expected a positive integer, received 'abc'"),
        ("--labels 100,0", "expected a positive integer, received '0'"),
        ("--seeds 0", "expected a positive integer, received '0'"),
        ("--labels 15", "multiple of the 10 classes, and at most .*Received: 15"),
        ("--labels 10000000", "multiple of the 10 classes, and at most .*Received: 10000000"),
    ],
)
def test_pretraining_looks_at_what_it_is_given_before_it_trains(arguments, message, capsys):
    with pytest.raises(SystemExit) as stop:
        pretraining.main(arguments.split())
    assert re.search(message, f"{stop.value}{capsys.readouterr().err}")


def test_pretraining_needs_classes():
    with pytest.raises(ValueError, match="A classifier learns from classes. Received: Source"):
        pretraining.check_counts(data.sprites(20, size=8), [10])
