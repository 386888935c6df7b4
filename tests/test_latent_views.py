"""Views of latent space, and the figures of autoencoders: what they are made of and claim."""

import numpy as np
import pytest

from tests.specimens import SHAPE, compiled, images
from tfgen import data, evaluation
from tfgen.latent_views import VIEWS, view
from tfgen.pictures import principal_plane
from training.figures import (
    attributes,
    holes,
    latent_sizes,
    latent_views,
    rare_class,
    sampled_codes,
    small_autoencoders,
    walk,
)
from training.runs.views import VIEW_TITLES, views_of


def groups(count=40, size=8):
    """Three groups of vectors far from each other, and which each is of."""
    labels = np.arange(3 * count) % 3
    centres = 20 * np.eye(size)[:3]
    return centres[labels] + np.random.default_rng(0).normal(size=[len(labels), size]), labels


# Those that look at neighbours take many seconds at first.
every_view = pytest.mark.parametrize(
    "method",
    [each if each == "pca" else pytest.param(each, marks=pytest.mark.slow) for each in VIEWS],
)


@every_view
def test_neighbours_stay_neighbours_and_a_seed_gives_one_view(method):
    vectors, labels = groups()
    points = view(vectors, method)
    assert points.shape == (len(vectors), 2)
    assert evaluation.retrieval_precision(points, labels, count=5).mean() > 0.99
    assert np.array_equal(points, view(vectors, method))


def test_principal_components_are_those_of_pictures():
    vectors, _ = groups()
    expected = principal_plane(vectors.astype(np.float32))(vectors.astype(np.float32))
    assert np.array_equal(view(vectors), expected)


@pytest.mark.slow
@pytest.mark.parametrize("method", ["tsne", "umap"])
def test_few_vectors_have_no_neighbours(method):
    assert view(np.random.default_rng(0).normal(size=[10, 4]), method).shape == (10, 2)
    with pytest.raises(
        ValueError, match=f"'{method}' looks at neighbours.*10 vectors. Received: 9"
    ):
        view(np.zeros([9, 4]), method)


@every_view
def test_codes_without_spread_and_codes_of_one_number_have_views(method):
    assert np.array_equal(view(np.ones([30, 3]), method), np.zeros([30, 2]))
    assert np.all(np.isfinite(view(np.random.default_rng(0).normal(size=[30, 1]), method)))


def test_codes_that_are_not_finite_have_no_view():
    with pytest.raises(ValueError, match="1 of 20 rows in `vectors` hold NaN or infinity"):
        view(np.where(np.arange(20) == 3, np.nan, 1.0)[:, np.newaxis])


def test_unknown_views_are_refused():
    with pytest.raises(ValueError, match=r"one of \['pca', 'tsne', 'umap'\]. Received: method='t'"):
        view(np.zeros([20, 4]), "t")


def test_each_view_has_a_title():
    assert VIEW_TITLES.keys() == VIEWS.keys()


# --- The figures


@pytest.fixture(scope="module")
def some_clothes():
    return small_autoencoders.clothes("train").subset(500), small_autoencoders.clothes("test")


@pytest.mark.slow
def test_larger_codes_leave_smaller_errors(some_clothes):
    train, held_out = some_clothes
    found = latent_sizes.errors_by_size(train, held_out.subset(200), (1, 20), epochs=30)
    assert found[20][1] < 0.8 * found[1][1]
    model, error = found[20]
    assert model.encoder.output_shape == (None, 20)
    assert error == evaluation.reconstruction_errors(model, held_out.subset(200)).mean()


def test_guessed_codes_have_the_moments_of_codes():
    codes = groups(count=300, size=4)[0]
    drawn = sampled_codes.guess_codes(codes, 200_000)
    assert drawn.mean(axis=0) == pytest.approx(codes.mean(axis=0), abs=0.1)
    np.testing.assert_allclose(np.cov(drawn.T), np.cov(codes.T), atol=1.5)


def test_the_nearest_training_image_of_a_training_image_is_itself(some_clothes):
    train, _ = some_clothes
    found = sampled_codes.distances(train.floats(5).numpy(), train)
    assert found == pytest.approx(np.zeros(5), abs=1e-3)


def test_a_try_of_few_steps_waits_for_no_neighbours():
    assert list(views_of(100, 5, steps=999)) == ["pca"]
    assert list(views_of(100, 5, steps=1000)) == ["pca", "tsne", "umap"]
    assert list(views_of(9, 5)) == list(views_of(100, 2)) == ["pca"]


@pytest.mark.slow
def test_views_say_how_well_they_keep_classes_apart():
    vectors, labels = groups()
    found = latent_views.neighbours_by_view(vectors, labels)
    assert list(found) == ["pca", "tsne", "umap"]
    assert all(points.shape == (120, 2) and share > 0.99 for points, share in found.values())


@pytest.mark.slow
def test_holes_are_emptier_than_the_prior(some_clothes):
    train, held_out = some_clothes
    model = small_autoencoders.vae(train, 2, epochs=10)
    whole, found, prior = holes.gaps(model, held_out.subset(500))
    densities = [
        whole.log_prob(each) - model.prior_distribution().log_prob(each).numpy()
        for each in (found, prior)
    ]
    assert densities[0].max() < np.median(densities[1])


def test_the_latents_of_an_attribute_are_those_that_tell_it():
    random = np.random.default_rng(0)
    attribute = random.integers(5, size=2000)
    codes = random.normal(size=[2000, 4])
    codes[:, 2] = attribute + 0.1 * codes[:, 2]
    codes[:, 1] = attribute + 2.0 * codes[:, 1]
    assert attributes.most_telling(codes, attribute).tolist() == [2, 1]
    assert attributes.split(codes, attribute, is_kind=False) > 0.98
    assert attributes.split(codes, attribute, is_kind=True) > 0.8
    assert attributes.split(random.normal(size=[2000, 4]), attribute, is_kind=False) < 0.02


def test_walks_begin_at_noise_and_at_images_and_take_their_steps():
    pictures = images(3)
    found = walk.walk(compiled("autoencoder"), pictures, steps=5)
    assert found.shape == (6, 6, *SHAPE)
    assert 0 <= found[0, :3].min() < 0.1 and 0.9 < found[0, :3].max() <= 1
    assert np.array_equal(found[0, 3:], pictures)
    assert np.array_equal(found, walk.walk(compiled("autoencoder"), pictures, steps=5))


@pytest.mark.slow
def test_a_class_becomes_rare_and_is_drawn_by_the_rarity_of_its_latents(some_clothes, monkeypatch):
    train, held_out = some_clothes
    rare = rare_class.with_rare_class(train, 8, 5, seed=0)
    assert np.sum(rare.labels == 8) == 5
    assert len(rare) == 5 + np.sum(train.labels != 8)
    weights = np.where(rare.labels == 8, 20.0, 1.0)
    monkeypatch.setattr(evaluation, "rarity", lambda latents: weights[: len(latents)])
    found = rare_class.errors_by_training(rare, held_out.subset(300), 8, 10, 0)
    assert found["plain"]["share"] == 5 / len(rare)
    expected = 100 / (100 + len(rare) - 5)
    assert found["by rarity"]["share"] == pytest.approx(expected, abs=0.02)
    assert found["by rarity"]["rare"] < found["plain"]["rare"]


def test_all_readings_come_by_name():
    train, test = data.source("plant", "train"), data.source("plant", "test")
    assert train.shape == test.shape == (12,)
    assert set(train.labels) == {0} and set(test.labels) == set(range(len(data.FAULTS)))
