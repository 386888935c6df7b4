"""The slide's figure of the VAE's demo: N = 100, p = 32, "four modes in 2-D space".

Points of the plane are mapped to 32 dimensions by one smooth function. A VAE with two latents, the
recipe `vae_demo`, sees the 32 dimensions only. The latents that it finds have the four modes again.
Their plane may be turned, mirrored and stretched: nothing in the bound says which way up it is.
"""

import keras
import numpy as np
from sklearn.metrics import silhouette_score

from tfgen import data
from tfgen.pictures import principal_plane
from training.figures.canvas import canvas, save
from training.recipes.vaes import vae_demo

STEPS = 1000  # the recipe's 500 epochs of two batches


def trained_vae(source):
    """Returns the recipe's VAE, trained on the demo's data from seed 0.

    Args:
        source: the `tfgen.data.Source` of vectors `[100, 32]`.
    """
    keras.utils.set_random_seed(0)
    vae = vae_demo(source.shape, STEPS)
    vae.jit_compile, vae.steps_per_execution = True, 50
    vae.fit(data.batches(source, batch_size=50, repeat=True), steps_per_epoch=STEPS, verbose=0)
    return vae


def latents_of(vae, source):
    """Returns the posteriors' means of all examples, an array `[count, 2]`."""
    return vae.encode(source.floats()).mean().numpy()


def draw(path):
    """Draws the plane, the latents, and data with samples; prints how apart the modes are."""
    plane, demo = data.four_modes_in_plane(), data.four_modes()
    vae = trained_vae(demo)
    latents, samples = latents_of(vae, demo), vae.sample(100, seed=0).numpy()
    project = principal_plane(demo.images)
    figure = canvas(12, 4.4)
    left, middle, right = figure.subplots(1, 3)
    _draw_modes(left, plane.images, demo.labels)
    left.set(title="the points in the plane", xlabel="$h_1$", ylabel="$h_2$")
    _draw_modes(middle, latents, demo.labels)
    middle.set(title="the latents that the VAE finds", xlabel="$z_1$", ylabel="$z_2$")
    right.scatter(*project(samples).T, s=24, color="0.75", label="samples of the VAE")
    _draw_modes(right, project(demo.images), demo.labels)
    right.set(title="data and samples", xlabel="first component", ylabel="second component")
    for axes in figure.axes:
        axes.set_aspect("equal", adjustable="datalim")
    figure.legend(*right.get_legend_handles_labels(), loc="outside lower center", ncols=5)
    save(figure, path)
    for name, points in {"plane": plane.images, "data": demo.images, "latents": latents}.items():
        print(f"silhouette of the modes, {name:8}{silhouette_score(points, demo.labels):.2f}")


def _draw_modes(axes, points, modes):
    for mode in np.unique(modes):
        axes.scatter(*points[modes == mode].T, s=14, color=f"C{mode}", label=f"mode {mode}")
