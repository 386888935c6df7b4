"""Attributes that split the latent cloud: sprites, whose attributes are known.

For each attribute stand the two latents that tell most of it, in the attribute's colours. How far a
line, or a plane in all latents, splits the cloud is measured: shapes by a linear classifier, sizes
and places by a linear regression, on held-out sprites.
"""

import keras
import numpy as np
from sklearn.linear_model import LinearRegression, LogisticRegression

from tfgen import data, evaluation
from tfgen.evaluation.disentanglement import mutual_information
from training.figures.canvas import canvas, save
from training.recipes.vaes import beta_tcvae_sprites

EPOCHS = 20
COUNT = 20_000  # of sprites to train with
SHOWN = 3000


def most_telling(codes, attribute):
    """Returns the places of the two latents that tell most of an attribute, the first first.

    Args:
        codes: `[count, latents]`.
        attribute: integers `[count]`.
    """
    return np.argsort(-mutual_information(codes, attribute[:, np.newaxis])[:, 0])[:2]


def split(codes, attribute, is_kind):
    """Returns how well a linear model tells an attribute from codes, on the second half of them.

    Args:
        codes: `[count, latents]`.
        attribute: integers `[count]`.
        is_kind: whether its values have no order, such as shapes.

    Returns:
        The accuracy for kinds, else the share of the variance that is told (R^2).
    """
    half = len(codes) // 2
    model = LogisticRegression(max_iter=2000) if is_kind else LinearRegression()
    return model.fit(codes[:half], attribute[:half]).score(codes[half:], attribute[half:])


def draw(path):
    """Draws a cloud for each attribute, and prints how well it is split."""
    train, held_out = data.sprites(COUNT, size=32), data.sprites(SHOWN, size=32, seed=1)
    keras.utils.set_random_seed(0)
    model = beta_tcvae_sprites(train.shape, EPOCHS * (len(train) // 64))
    model.jit_compile, model.steps_per_execution = True, 52
    model.fit(train.floats(), batch_size=64, epochs=EPOCHS, verbose=0)
    codes = evaluation.encodings(model, held_out)
    figure = canvas(17, 3.8)
    row = figure.subplots(1, len(data.SPRITE_FACTORS))
    for axes, name, attribute in zip(row, data.SPRITE_FACTORS, held_out.labels.T, strict=True):
        across, up = most_telling(codes, attribute)
        drawn = axes.scatter(codes[:, across], codes[:, up], s=4, c=attribute, cmap="viridis")
        figure.colorbar(drawn, ax=axes)
        axes.set(title=name, xlabel=f"$z_{{{across + 1}}}$", ylabel=f"$z_{{{up + 1}}}$")
        kind = name == "shape"
        told = split(codes, attribute, kind)
        print(f"{name:8}{'accuracy' if kind else 'R^2':9}{told:.2f}")
    save(figure, path)
