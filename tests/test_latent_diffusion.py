"""Diffusion of an autoencoder's latents."""

import numpy as np
import pytest

import tfgen
from tests.specimens import compiled, images, mlp_vae
from tfgen import networks


def trained(steps=4):
    model = compiled("latent_diffusion")
    model.fit(images(8 * steps), batch_size=8, shuffle=False, verbose=0)
    return model


def test_latents_are_brought_to_mean_0_and_variance_1():
    model = trained()
    codes = model.autoencoder.encode(images(32)).mean().numpy()
    mean, deviation = (each.numpy() for each in model._scales())
    np.testing.assert_allclose(mean, codes.mean(axis=0), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(deviation, codes.std(axis=0), rtol=1e-3)
    seen = model.inward(images(32)).numpy()
    np.testing.assert_allclose(seen.mean(axis=0), 0, atol=1e-3)
    np.testing.assert_allclose(seen.std(axis=0), 1, atol=1e-3)
    rebuilt = model.autoencoder.generate(codes)
    np.testing.assert_allclose(model.outward(seen), rebuilt, atol=1e-5)


def test_the_autoencoder_does_not_learn():
    model = compiled("latent_diffusion")
    before = [weight.numpy() for weight in model.autoencoder.weights]
    model.fit(images(32), batch_size=8, verbose=0)
    for weight, old in zip(model.autoencoder.weights, before, strict=True):
        np.testing.assert_array_equal(weight, old)


def test_scales_are_saved(tmp_path):
    model = trained()
    model.save(tmp_path / "model.keras")
    loaded = tfgen.load(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded.sample(3, seed=0), model.sample(3, seed=0))
    np.testing.assert_array_equal(loaded._scales(), model._scales())


@pytest.mark.slow
def test_images_are_drawn_anew_by_their_latents():
    model = trained()
    assert model.sample(3, seed=0).shape == (3, 8, 8, 1)
    ways = model.sample_trajectories(3, seed=0)
    assert ways.shape == (4, 3, 8, 8, 1)
    np.testing.assert_allclose(ways[-1], model.sample(3, seed=0), atol=1e-6)
    rebuilt = model.autoencoder.reconstruct(images(3))
    np.testing.assert_allclose(model.vary(images(3), strength=0.0, seed=0), rebuilt, atol=1e-5)


def test_latents_of_another_size_and_models_without_are_refused():
    with pytest.raises(ValueError, match=r"latents, \[None, 3\].*None, 2"):
        tfgen.LatentDiffusion(networks.diffusion_mlp(2, (4,)), mlp_vae())
    with pytest.raises(ValueError, match="A latent diffusion needs a model that can encode"):
        tfgen.LatentDiffusion(networks.diffusion_mlp(3, (4,)), compiled("gan"))
    with pytest.raises(ValueError, match="knows no labels"):
        tfgen.LatentDiffusion(networks.diffusion_mlp(3, (4,)), compiled("cvae"))
