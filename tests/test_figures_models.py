"""The lectures' figures of trained models: what their parts are, and what they claim."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

import tfgen
from tfgen import data
from training.figures import demo_manifold, interpolation, mode_collapse, pushed_gaussian

# --- The Gaussian that a generator pushes


@pytest.fixture(scope="module")
def pushing_gan():
    return pushed_gaussian.trained_gan(pushed_gaussian.moons(1000, seed=0), steps=100)


@pytest.mark.slow
def test_each_sample_is_made_of_the_latent_whose_angle_colours_it(pushing_gan):
    latents, angles, samples = pushed_gaussian.push(pushing_gan, 50)
    lengths = np.linalg.norm(latents, axis=1)
    directions = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    np.testing.assert_allclose(lengths[:, np.newaxis] * directions, latents, atol=1e-5)
    for latent, sample in zip(latents, samples, strict=True):
        alone = pushing_gan.generate(latent[np.newaxis]).numpy()[0]
        np.testing.assert_allclose(alone, sample, atol=1e-5)


def test_a_seed_gives_the_same_points_and_another_gives_others(pushing_gan):
    first, again = (pushed_gaussian.push(pushing_gan, 50, seed=3) for _ in range(2))
    np.testing.assert_array_equal(first.latents, again.latents)
    np.testing.assert_array_equal(first.samples, again.samples)
    assert not np.array_equal(first.latents, pushed_gaussian.push(pushing_gan, 50).latents)


def test_the_moons_lie_around_two_half_circles():
    source = pushed_gaussian.moons(2000, seed=0)
    for label, centre, upper in ((0, (0, 0), True), (1, (1, 0.5), False)):
        points = source.images[source.labels == label] - np.array(centre)
        radii = np.linalg.norm(points, axis=1)
        assert radii.mean() == pytest.approx(1, abs=0.02)
        assert radii.std() == pytest.approx(pushed_gaussian.WIDTH, rel=0.1)
        beyond = points[:, 1] < 0 if upper else points[:, 1] > 0
        assert np.all(np.abs(points[beyond, 1]) < 5 * pushed_gaussian.WIDTH)


# --- Mode collapse over time


@pytest.mark.slow
def test_snapshots_are_of_the_asked_steps():
    gan = mode_collapse.ring_gan()
    source = mode_collapse.RING.sample(1000)
    steps, samples = [], []
    for snapshot in mode_collapse.snapshots(gan, source, moments=(100, 300), count=20):
        steps.append(int(gan.step.numpy()))
        samples.append(snapshot)
        np.testing.assert_array_equal(snapshot, gan.sample(20, seed=0))
    assert steps == [100, 300]
    assert not np.array_equal(*samples)


@pytest.mark.slow
def test_snapshots_are_those_of_one_training_without_a_stop():
    source = mode_collapse.RING.sample(1000)
    (*_, stopped) = mode_collapse.snapshots(mode_collapse.ring_gan(), source, (100, 200), 20)
    (at_once,) = mode_collapse.snapshots(mode_collapse.ring_gan(), source, (200,), 20)
    np.testing.assert_allclose(stopped, at_once, atol=1e-4)


@pytest.mark.parametrize("modes", [1, 3, 8])
def test_modes_with_a_sample_are_counted(modes):
    centres = np.array(mode_collapse.RING.centres[:modes])
    far = 0.8 * np.array(mode_collapse.RING.centres)  # four deviations from each
    samples = np.concatenate([np.repeat(centres, 5, axis=0), far])
    assert mode_collapse.modes_of(samples) == modes


# --- A straight line between two images


@pytest.fixture(scope="module")
def vae():
    return tfgen.load(interpolation.MODEL)


@pytest.fixture(scope="module")
def pairs():
    return interpolation.pairs_of_classes(data.source("embedded", "test"), 50)


def test_a_pixel_line_goes_from_image_to_image_through_their_mean(pairs):
    first, last = pairs[0]
    line = interpolation.pixel_line(first, last, 5)
    np.testing.assert_array_equal(line[0], first)
    np.testing.assert_array_equal(line[4], last)
    np.testing.assert_allclose(line[2], (first + last) / 2, atol=1e-6)
    np.testing.assert_allclose(line[1], 0.75 * first + 0.25 * last, atol=1e-6)


def test_a_latent_line_goes_from_reconstruction_to_reconstruction(vae, pairs):
    line = interpolation.latent_line(vae, *pairs[0], 5)
    np.testing.assert_allclose(line[[0, 4]], vae.reconstruct(pairs[0]), atol=1e-5)
    middle = vae.encode(pairs[0]).mean().numpy().mean(axis=0, keepdims=True)
    np.testing.assert_allclose(line[2], vae.generate(middle)[0], atol=1e-5)


def test_pairs_are_of_different_classes_and_no_image_is_in_two(pairs):
    source = data.source("embedded", "test")
    images = source.floats().numpy()
    found = {image.tobytes(): label for image, label in zip(images, source.labels, strict=True)}
    labels = np.array([[found[image.tobytes()] for image in pair] for pair in pairs])
    assert labels.shape == (50, 2) and np.all(labels[:, 0] != labels[:, 1])
    assert len({image.tobytes() for pair in pairs for image in pair}) == 100


def test_validity_is_the_distance_to_the_nearest_training_image_and_the_bound(vae, pairs):
    images, training_images = pairs[:3, 0], pairs[:4, 1]
    differences = images[:, np.newaxis] - training_images
    nearest = np.sqrt((differences**2).sum(axis=(2, 3, 4))).min(axis=1)
    distance, bound = interpolation.validity(vae, images, training_images)
    assert distance == pytest.approx(nearest.mean(), rel=1e-4)
    assert bound == pytest.approx(vae.elbo(images).numpy().mean(), rel=1e-6)


@pytest.mark.slow
def test_the_middle_is_more_valid_in_latent_space_than_in_pixel_space(vae, pairs):
    train = data.source("embedded", "train").floats().numpy()
    measured = [
        interpolation.validity(vae, images, train)
        for images in interpolation.measured_images(vae, pairs).values()
    ]
    distances, bounds = np.transpose(measured)
    assert distances[0] < distances[1] < 0.9 * distances[2]
    assert bounds[0] > bounds[1] > bounds[2] + 50


# --- The demo's manifold


def test_the_plane_s_points_have_their_modes_and_are_those_that_the_demo_maps():
    plane, demo = data.four_modes_in_plane(), data.four_modes()
    assert plane.images.shape == (100, 2)
    np.testing.assert_array_equal(plane.labels, demo.labels)
    corners = np.array([[1, 1], [-1, 1], [-1, -1], [1, -1]])
    offsets = plane.images - corners[plane.labels]
    assert offsets.std() == pytest.approx(0.15, rel=0.15)
    assert np.abs(offsets).max() < 5 * 0.15
    # Where they are says nearly all of the demo's 32 dimensions, by a cubic function.
    powers = [np.ones([100, 1]), plane.images, plane.images**2, plane.images**3]
    powers = np.concatenate([*powers, plane.images.prod(axis=1, keepdims=True)], axis=1)
    missed = demo.images - powers @ np.linalg.lstsq(powers, demo.images, rcond=None)[0]
    assert missed.var() < 0.01 * demo.images.var(axis=0).mean()


def test_seed_and_spread_make_the_plane_s_points():
    points = data.four_modes_in_plane(count=8, spread=0.0).images
    np.testing.assert_array_equal(points, [[1, 1], [-1, 1], [-1, -1], [1, -1]] * 2)
    first, second = (data.four_modes_in_plane(seed=seed).images for seed in (0, 1))
    assert not np.array_equal(first, second)


@pytest.mark.slow
def test_the_trained_vae_s_latents_keep_the_four_modes_apart():
    demo, held_out = data.source("demo"), data.source("demo", "test")
    vae = demo_manifold.trained_vae(demo)
    classifier = LogisticRegression(C=100.0).fit(demo_manifold.latents_of(vae, demo), demo.labels)
    latents = demo_manifold.latents_of(vae, held_out)
    assert latents.shape == (len(held_out.labels), 2)
    assert classifier.score(latents, held_out.labels) > 0.9
