"""Transformers of texts and images by what they must and must not see."""

import keras
import numpy as np
import pytest

from tfgen import networks


def text_encoder(length=6, words=9):
    keras.utils.set_random_seed(0)
    return networks.text_transformer(length, words, latent_dim=5, width=16, heads=2)


TEXT = [1, 3, 4, 5, 0, 0]


def test_padding_changes_nothing():
    encoder = text_encoder()
    long = text_encoder(length=8)
    for mine, theirs in zip(encoder.weights, long.weights, strict=True):
        value = theirs.numpy()
        mine.assign(value[:6] if "positions" in theirs.path else value)
    padded, cut = long(np.array([[*TEXT, 0, 0]])), encoder(np.array([TEXT]))
    np.testing.assert_allclose(padded, cut, atol=1e-6)


def test_no_token_sees_padding():
    encoder = text_encoder()
    before = encoder(np.array([TEXT]))
    (embedding,) = [layer for layer in encoder.layers if isinstance(layer, keras.layers.Embedding)]
    vectors = embedding.embeddings.numpy()
    vectors[0] += 10.0
    embedding.embeddings.assign(vectors)
    np.testing.assert_array_equal(encoder(np.array([TEXT])), before)


def test_all_words_and_their_order_count():
    encoder = text_encoder()
    texts = np.array([TEXT, [1, 4, 3, 5, 0, 0], [1, 3, 4, 6, 0, 0], [1, 3, 4, 0, 0, 0]])
    found = encoder(texts).numpy()
    assert found.shape == (4, 5)
    for other in found[1:]:
        assert np.abs(other - found[0]).max() > 1e-3
    np.testing.assert_allclose(encoder(texts[:1]), found[:1], atol=1e-6)


@pytest.mark.parametrize("shape", [(28, 28, 1), (9, 6, 3)])
def test_images_of_any_size_have_vectors_that_know_where_things_are(shape):
    keras.utils.set_random_seed(0)
    encoder = networks.vision_transformer(shape, latent_dim=5, width=16, heads=2)
    image = np.zeros([1, *shape], np.float32)
    image[:, :2, :2] = 1.0
    moved = np.roll(image, 4, axis=1)
    first, second = encoder(image).numpy(), encoder(moved).numpy()
    assert first.shape == (1, 5) and np.abs(first - second).max() > 1e-3


def test_networks_save_themselves(tmp_path):
    for network, inputs in (
        (text_encoder(), np.array([TEXT])),
        (networks.vision_transformer((8, 8, 1), 3), np.ones([2, 8, 8, 1], np.float32)),
    ):
        network.save(tmp_path / "network.keras")
        loaded = keras.models.load_model(tmp_path / "network.keras")
        np.testing.assert_array_equal(loaded(inputs), network(inputs))


def test_wrong_sizes_are_refused():
    with pytest.raises(ValueError, match="`heads` must divide `width`. Received: heads=3"):
        networks.text_transformer(4, 5, 2, heads=3)
    with pytest.raises(ValueError, match="at least 1"):
        networks.text_transformer(0, 5, 2)
    with pytest.raises(ValueError, match="needs images"):
        networks.vision_transformer((32,), 2)
