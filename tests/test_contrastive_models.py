"""SimCLR and CLIP: views, captions, what captions choose, and what is refused."""

import math

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

import tfgen
from tests.specimens import CAPTIONS, SHAPE, batch, compiled, images
from tfgen import augmentations, contrasts, networks
from tfgen.data import Vocabulary
from tfgen.serving.errors import ServingError
from tfgen.serving.servable import Servable
from tfgen.serving.verify import verify

WORDS = Vocabulary.of(CAPTIONS)


def encoder(size=3):
    return networks.mlp_encoder(SHAPE, size, hidden_sizes=(16,), heads=1)


def projector(size=3):
    return keras.Sequential([keras.Input((size,)), layers.Dense(4)])


def texts(words=WORDS, size=3):
    return networks.text_transformer(words.length, words.size, size, width=8, depth=1, heads=2)


# The vocabulary


def test_tokens_are_words_in_their_order():
    words = Vocabulary(("a", "dark", "t-shirt"), longest=3)
    tokens = words.tokens(["A dark, dark", "t-shirt.", ""])
    np.testing.assert_array_equal(tokens, [[1, 2, 3, 3], [1, 4, 0, 0], [1, 0, 0, 0]])
    assert tokens.dtype == tf.int32 and (words.length, words.size) == (4, 5)
    found = Vocabulary.of(["a dark coat", "A light coat!"])
    assert found == Vocabulary(("a", "coat", "dark", "light"), longest=3)


def test_unknown_words_and_long_captions_are_named():
    words = Vocabulary(("a", "dark", "coat"), longest=3)
    with pytest.raises(ValueError, match="does not have these words. Received: purple, hat.$"):
        words.tokens(["a purple coat", "a purple hat"])
    with pytest.raises(ValueError, match="at most 3 words. Received: a dark dark coat.$"):
        words.tokens(["a coat", "a dark dark coat"])
    graph = tf.function(words.tokens, input_signature=[tf.TensorSpec([None], tf.string)])
    np.testing.assert_array_equal(graph(["a coat"]), [[1, 2, 4, 0]])
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"these words.*\n?.*purple.*hat"):
        graph(["a purple coat", "a hat"])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "must hold a word"),
        (("a", "b", "a"), "Received twice: a"),
        (("ankle boot",), "Received: 'ankle boot'"),
        (("Coat", "no."), "Received: 'Coat', 'no.'"),
    ],
)
def test_odd_vocabularies_are_refused(words, message):
    with pytest.raises(ValueError, match=message):
        Vocabulary(words)


def test_captions_are_strings():
    with pytest.raises(ValueError, match=r"must be strings \[batch\]. Received: int32"):
        WORDS.tokens([1, 2])


# SimCLR


def simclr(**options):
    keras.utils.set_random_seed(0)
    options.setdefault("augmentation", augmentations.GaussianNoise(0.5))
    model = tfgen.SimCLR(encoder(), projector(), **options)
    model.compile(keras.optimizers.SGD(0.1))
    return model


def test_the_loss_is_that_of_two_views_of_each_image():
    model, found = simclr(), images(4)
    first, second = np.split(model.views_of(tf.constant(found)), 2)
    for one, other in ((first, second), (first, found), (second, found)):
        assert np.abs(one - other).max(axis=(1, 2, 3)).min() > 0.1
    embeddings = [model.projector(model.encoder(each)) for each in (first, second)]
    expected = contrasts.NTXent(0.5)(*embeddings)
    losses = model.compute_losses(found, training=False)
    np.testing.assert_allclose(losses["loss"], expected, rtol=1e-6)


def test_the_lecture_s_leaves_one_view_as_it_is():
    lecture = contrasts.InfoNCE(1.0, symmetric=False, normalize=False)
    model, found = simclr(contrast=lecture, disturb_both=False), images(4)
    first, second = np.split(model.views_of(tf.constant(found)), 2)
    np.testing.assert_array_equal(first, found)
    z, h = (model.projector(model.encoder(each)).numpy() for each in (found, second))
    scores = np.exp(z @ h.T)
    expected = -np.log(np.diag(scores) / scores.sum(axis=1)).mean()
    losses = model.compute_losses(found, training=False)
    np.testing.assert_allclose(losses["loss"], expected, rtol=1e-5)


def test_encodings_are_the_encoder_s_and_not_the_projector_s():
    model = simclr()
    np.testing.assert_allclose(model.encode(images(4)).mean(), model.encoder(images(4)), rtol=1e-6)


@pytest.mark.slow
def test_it_learns_to_find_the_other_view():
    model = simclr(augmentation=augmentations.GaussianNoise(0.1), contrast=contrasts.NTXent(0.2))
    losses = model.fit(images(16), batch_size=16, epochs=80, verbose=0).history["loss"]
    assert losses[-1] < 0.6 * losses[0]


def test_networks_that_do_not_fit_are_refused():
    noise = augmentations.GaussianNoise()
    with pytest.raises(ValueError, match="The encoder must have one output"):
        tfgen.SimCLR(networks.mlp_encoder(SHAPE, 3), projector(), noise)
    with pytest.raises(ValueError, match="The encoder must output what the projector takes"):
        tfgen.SimCLR(encoder(2), projector(), noise)
    with pytest.raises(TypeError, match=r"`augmentation` must be a function .*Received: None"):
        tfgen.SimCLR(encoder(), projector(), None)
    with pytest.raises(TypeError, match=r"`contrast` must be a `tfgen.contrasts.Contrast`"):
        tfgen.SimCLR(encoder(), projector(), noise, contrast=0.5)


@pytest.mark.parametrize("name", ["simclr", "clip"])
def test_batches_of_one_are_refused(name):
    with pytest.raises(ValueError, match="Received: a batch of one pair"):
        compiled(name).fit(*batch(name, 4), batch_size=1, verbose=0)


# CLIP


def clip(**options):
    keras.utils.set_random_seed(0)
    model = tfgen.CLIP(encoder(), texts(), WORDS, **options)
    model.compile(keras.optimizers.Adam(1e-2))
    return model


def test_clip_s_loss_is_that_of_its_embeddings_and_its_temperature():
    model = clip(contrast=contrasts.InfoNCE(0.3))
    first, second = model.encode_images(images(4)), model.encode_captions(CAPTIONS)
    np.testing.assert_allclose(np.linalg.norm(first, axis=1), 1, rtol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(second, axis=1), 1, rtol=1e-6)
    losses = model.compute_losses((images(4), tf.constant(CAPTIONS)), training=False)
    np.testing.assert_allclose(losses["loss"], contrasts.InfoNCE(0.3)(first, second), rtol=1e-5)
    assert float(losses["temperature"]) == pytest.approx(0.3)


def test_the_temperature_is_learnt_and_comes_back_from_its_limit():
    model = clip()
    model.fit(images(4), CAPTIONS, batch_size=4, epochs=3, verbose=0)
    assert float(model.temperature) != pytest.approx(0.07, abs=1e-4)
    (scale,) = [each for each in model.trainable_variables if "log_scale" in each.name]
    scale.assign(math.log(1000.0))
    assert float(model.temperature) == pytest.approx(0.01)
    with tf.GradientTape() as tape:
        loss = model.compute_losses((images(4), WORDS.tokens(CAPTIONS)), training=False)["loss"]
    assert tape.gradient(loss, scale.value) != 0
    with pytest.raises(ValueError, match=r"must begin at 0.01 or above.*InfoNCE"):
        clip(contrast=contrasts.InfoNCE(0.001))


@pytest.mark.slow
def test_captions_choose_and_are_chosen():
    model = clip()
    model.fit(images(4), CAPTIONS, batch_size=4, epochs=60, verbose=0)
    chances = model.zero_shot(images(4), CAPTIONS[::-1]).numpy()
    assert chances.shape == (4, 4)
    np.testing.assert_allclose(chances.sum(axis=1), 1, rtol=1e-5)
    np.testing.assert_array_equal(chances.argmax(axis=1), [3, 2, 1, 0])
    products = model.encode_images(images(4)).numpy() @ model.encode_captions(CAPTIONS).numpy().T
    places, values = model.find_images(CAPTIONS[:3], images(4), count=2)
    np.testing.assert_array_equal(places[:, 0], [0, 1, 2])
    np.testing.assert_allclose(values, -np.sort(-products.T[:3])[:, :2], rtol=1e-5)
    places, values = model.find_captions(images(2), CAPTIONS, count=4)
    np.testing.assert_array_equal(places, np.argsort(-products[:2]))
    with pytest.raises(ValueError, match="`count` must be at most 4. Received: count=5"):
        model.find_captions(images(2), CAPTIONS, count=5)


@pytest.mark.slow
def test_strings_and_their_tokens_teach_the_same():
    tokens = WORDS.tokens(CAPTIONS).numpy()
    as_dataset = tf.data.Dataset.from_tensor_slices((images(4), CAPTIONS)).batch(4)
    as_dicts = as_dataset.map(lambda images, captions: {"image": images, "label": captions})
    losses = []
    for data in ((images(4), CAPTIONS), (images(4), tokens), (as_dataset,), (as_dicts,)):
        model = clip()
        validation = data if len(data) > 1 else data[0]
        options = {"batch_size": 4} if len(data) > 1 else {}
        history = model.fit(*data, **options, validation_data=validation, verbose=0).history
        losses.append([history["loss"][0], history["val_loss"][0]])
        assert model.evaluate(*data, verbose=0)[0] == pytest.approx(losses[-1][1], rel=1e-5)
    np.testing.assert_allclose(losses, [losses[0]] * 4, rtol=1e-6)
    iterator = iter(as_dataset.repeat())  # of which strings reach the step
    model = clip()
    model.compile(keras.optimizers.Adam(1e-2), jit_compile=False)
    history = model.fit(iterator, steps_per_epoch=1, verbose=0).history
    assert history["loss"] == pytest.approx(losses[0][:1])


def test_what_is_no_caption_of_the_vocabulary_is_refused():
    model = clip()
    with pytest.raises(ValueError, match="does not have these words. Received: purple"):
        model.zero_shot(images(2), ["a purple coat"])
    with pytest.raises(ValueError, match="does not have these words. Received: purple"):
        model.fit(images(4), [*CAPTIONS[:3], "purple"], verbose=0)
    with pytest.raises(ValueError, match="Received: images alone"):
        model.fit(images(4), verbose=0)
    with pytest.raises(ValueError, match="Captions must be strings .*Received: float32"):
        model.fit(images(4), np.zeros([4, 3], np.float32), verbose=0)
    with pytest.raises(ValueError, match="from 0 to 8, .*Received: tokens from 99 to 99"):
        model.fit(images(4), np.full([4, WORDS.length], 99), verbose=0)


def test_encoders_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match=r"one output of the same size.*\(None, 2\).*\(None, 3\)"):
        tfgen.CLIP(encoder(2), texts(), WORDS)
    with pytest.raises(ValueError, match="must take 8 tokens"):
        tfgen.CLIP(encoder(), texts(), Vocabulary(("a",), longest=7))
    with pytest.raises(TypeError, match="`vocabulary` must be a `tfgen.data.Vocabulary`"):
        tfgen.CLIP(encoder(), texts(), CAPTIONS)


def test_a_loaded_model_knows_its_words(tmp_path):
    model = clip()
    model.save(tmp_path / "clip.keras")
    loaded = keras.models.load_model(tmp_path / "clip.keras")
    assert loaded.vocabulary == WORDS
    expected = model.zero_shot(images(2), CAPTIONS)
    np.testing.assert_allclose(loaded.zero_shot(images(2), CAPTIONS), expected, rtol=1e-5)


def test_an_export_takes_strings_and_names_words_that_it_does_not_know(tmp_path):
    model = clip()
    path = tfgen.export(model, tmp_path / "clip")
    model.save(tmp_path / "clip.keras")
    verify(path, tmp_path / "clip.keras")
    servable = Servable(path)
    choices = np.array([CAPTIONS[:2], CAPTIONS[2:]], object)
    found = servable.signature("zero_shot")({"images": images(2), "choices": choices})
    for row in range(2):
        expected = model.zero_shot(images(2)[row : row + 1], choices[row])
        np.testing.assert_allclose(found["probabilities"][row : row + 1], expected, rtol=1e-5)
    message = "does not have these words. Received: purple"
    with pytest.raises(ServingError, match=message):
        servable.signature("encode_captions")({"captions": np.array(["purple coat"], object)})
