"""DALL-E 2: what its parts learn from, and what is drawn of captions."""

import gc

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

import tfgen
from tests.specimens import CAPTIONS, SHAPE, batch, clip, compiled, denoiser_network, images
from tfgen import callbacks, networks, predictions

SIZE = 3


def repeats_its_condition():
    """Returns a prior that says that an image's embedding is the caption's."""
    inputs = [keras.Input((SIZE,)), keras.Input(()), keras.Input((SIZE,))]
    same = layers.Dense(SIZE, use_bias=False, kernel_initializer="identity")
    return keras.Model(inputs, same(inputs[2]))


def paints_its_condition():
    """Returns a decoder whose image is a linear function of the embedding."""
    inputs = [keras.Input(SHAPE), keras.Input(()), keras.Input((SIZE,))]
    painted = layers.Dense(64, kernel_initializer=keras.initializers.RandomNormal(0, 0.2, seed=1))
    return keras.Model(inputs, layers.Reshape(SHAPE)(painted(inputs[2])))


def known():
    """Returns a model whose drawings are known."""
    keras.utils.set_random_seed(0)
    values = {"prediction": predictions.Example(), "steps": 3}
    prior, decoder = repeats_its_condition(), paints_its_condition()
    return tfgen.DALLE2(
        clip(),
        tfgen.ConditionalDiffusion(prior, **values),
        tfgen.ConditionalDiffusion(decoder, **values),
    )


def length(vectors):
    return np.linalg.norm(vectors, axis=-1)


def test_the_parts_learn_from_embeddings_of_the_root_of_their_size():
    model, examples = compiled("dall_e_2"), batch("dall_e_2", 8)
    (embeddings, told), (pixels, conditions) = model._batches(examples)
    np.testing.assert_allclose(length(embeddings), SIZE**0.5, rtol=1e-5)
    np.testing.assert_allclose(length(told), SIZE**0.5, rtol=1e-5)
    np.testing.assert_array_equal(pixels, examples[0])
    np.testing.assert_array_equal(conditions, embeddings)
    found = model.clip.encode_images(examples[0]).numpy()
    np.testing.assert_allclose(embeddings / SIZE**0.5, found, atol=1e-5)


def test_a_drawing_is_what_the_decoder_makes_of_what_the_prior_says():
    model = known()
    drawn = model.draw(CAPTIONS, seed=0).numpy()
    told = SIZE**0.5 * model.clip.encode_captions(CAPTIONS).numpy()
    (paints,) = (each for each in model.decoder.network.layers if isinstance(each, layers.Dense))
    painted = told @ paints.kernel.numpy()
    expected = np.clip(0.5 * painted + 0.5, 0, 1).reshape(-1, *SHAPE)
    np.testing.assert_allclose(drawn, expected, atol=1e-4)
    np.testing.assert_allclose(model.draw(CAPTIONS, seed=1, use_prior=False), drawn, atol=1e-4)
    np.testing.assert_allclose(length(model.embed(CAPTIONS, seed=2)), 1, rtol=1e-5)


def test_tokens_are_captions_too():
    model = known()
    tokens = model.vocabulary.tokens(CAPTIONS)
    np.testing.assert_array_equal(model.draw(tokens, seed=0), model.draw(CAPTIONS, seed=0))


@pytest.mark.slow
def test_guidance_and_steps_change_what_is_drawn_and_a_seed_decides_it():
    model = compiled("dall_e_2")
    first = model.draw(CAPTIONS, seed=1)
    np.testing.assert_array_equal(first, model.draw(CAPTIONS, seed=1))
    for other in ({"guidance": 0.0}, {"steps": 5}, {"use_prior": False}):
        assert np.abs(first - model.draw(CAPTIONS, seed=1, **other)).max() > 1e-4, other
    assert not np.array_equal(first, model.draw(CAPTIONS, seed=2))


def test_clip_does_not_learn_and_the_parts_draw_other_noise_at_each_step():
    model = compiled("dall_e_2")
    before = [weight.numpy() for weight in model.clip.weights]
    tokens = model.vocabulary.tokens(batch("dall_e_2")[1])
    model.fit(images(), tokens, batch_size=8, verbose=0)
    for weight, old in zip(model.clip.weights, before, strict=True):
        np.testing.assert_array_equal(weight, old)
    examples, found = (images(8), tokens[:8]), []
    for step in (0, 0, 1):
        model.step.assign(step)
        found.append(float(model.compute_losses(examples, training=True)["loss"]))
    assert found[0] == found[1] != found[2]


@pytest.mark.slow
def test_the_prior_learns_which_embedding_goes_with_a_caption():
    keras.utils.set_random_seed(0)
    model = compiled("dall_e_2")
    model.compile(keras.optimizers.Adam(1e-2), jit_compile=True)
    pixels, captions = batch("dall_e_2", 64)
    tokens = model.vocabulary.tokens(captions)
    first = model.evaluate(pixels, tokens, verbose=0, return_dict=True)
    model.fit(pixels, tokens, batch_size=16, epochs=30, verbose=0)
    last = model.evaluate(pixels, tokens, verbose=0, return_dict=True)
    assert last["prior"] < 0.8 * first["prior"] and last["decoder"] < 0.9 * first["decoder"]


@pytest.mark.slow
def test_a_picture_begins_with_an_image_and_goes_on_with_drawings_of_its_caption(tmp_path):
    model = known()
    picture = callbacks.Drawings(tmp_path, images(2), CAPTIONS[:2], draws=3, seed=4)
    picture.set_model(model)
    drawn = model.draw(np.repeat(CAPTIONS[:2], 3), seed=4)
    rows = np.stack([images(2)[0], *drawn[:3], images(2)[1], *drawn[3:]])
    np.testing.assert_array_equal(picture.render(), tfgen.pictures.grid(rows, columns=4))


@pytest.mark.parametrize(
    ("captions", "options", "message"),
    [
        (["a green coat"], {}, "green"),
        (["a dark coat"], {"steps": 0}, "`steps` must be at least 1"),
        (["a dark coat"], {"guidance": -1.0}, "`guidance` must be at least 0"),
    ],
)
def test_what_cannot_be_drawn_is_refused(captions, options, message):
    with pytest.raises(ValueError, match=message):
        known().draw(captions, seed=0, **options)


def part(network, **options):
    return tfgen.ConditionalDiffusion(network, **options)


@pytest.mark.parametrize(
    ("prior", "decoder", "message"),
    [
        (lambda: part(networks.diffusion_mlp(4, (4,), condition_size=3)), None, "of embeddings"),
        (lambda: part(networks.diffusion_mlp(3, (4,), condition_size=4)), None, "told embeddings"),
        (None, lambda: part(denoiser_network(3), num_classes=3), "told embeddings"),
        (None, lambda: part(networks.diffusion_mlp(3, (4,), condition_size=3)), "CLIP's images"),
    ],
    ids=["another size", "other conditions", "classes", "vectors"],
)
def test_parts_that_do_not_fit_are_refused(prior, decoder, message):
    prior = prior() if prior else part(repeats_its_condition(), prediction=predictions.Example())
    decoder = decoder() if decoder else part(paints_its_condition())
    with pytest.raises(ValueError, match=message):
        tfgen.DALLE2(clip(), prior, decoder)


def test_a_part_of_another_kind_is_refused():
    whole = known()
    with pytest.raises(TypeError, match="prior"):
        tfgen.DALLE2(whole.clip, whole.clip, whole.decoder)
    with pytest.raises(ValueError, match="images alone"):
        whole.compute_losses(tf.zeros([4, *SHAPE]), training=False)


def test_the_parts_draw_noise_of_their_own():
    model = compiled("dall_e_2")
    seeds = [part.noise.seed_of("times") for part in (model, model.prior, model.decoder)]
    assert len({tuple(each.numpy()) for each in seeds}) == 3
    assert int(tfgen.noise.other_seed(3, "prior")) != 3
    assert int(tfgen.noise.other_seed(3, "prior")) == int(tfgen.noise.other_seed(3, "prior"))


def test_parts_outlive_their_whole():
    model = known()
    prior, seed = model.prior, model.prior.noise.seed_of("times").numpy()
    del model
    gc.collect()
    np.testing.assert_array_equal(prior.noise.seed_of("times"), seed)  # both have the seed 0
    assert np.isfinite(prior.compute_losses((np.ones([4, 3], "f"),) * 2, training=True)["loss"])


def test_no_captions_no_drawings():
    assert known().draw(np.array([], str), seed=0).shape == (0, *SHAPE)
    with pytest.raises(ValueError, match="those of the parts"):
        whole = known()
        tfgen.DALLE2(whole.clip, whole.prior, whole.decoder, ema_momentum=0.9)
