"""Outliers used in training: images that are rare in latent space are seen more often.

One class of clothes is rare. Drawn by the rarity of a VAE's latents, without labels, it may come
more often, and an autoencoder that is trained so makes smaller errors there. That is so for bags,
which lie by themselves. It is not so for sneakers, which lie among other shoes. Three seeds, the
same networks and steps.
"""

import numpy as np

from tfgen import evaluation
from training.figures.canvas import canvas, save
from training.figures.small_autoencoders import EPOCHS, autoencoder, clothes, vae

RARE = {"bags": 8, "sneakers": 7}  # the classes that are made rare, one at a time
KEPT = 50  # of them to train with, of a thousand
LATENTS = 10
SEEDS = 3


def with_rare_class(source, label, kept, seed):
    """Returns a source in which only some images of a class are left.

    Args:
        source: a labelled `tfgen.data.Source`.
        label: the class.
        kept: how many of its images are left.
        seed: an integer, of the choice.
    """
    others = np.flatnonzero(source.labels != label)
    rare = np.flatnonzero(source.labels == label)
    chosen = np.random.default_rng(seed).choice(rare, kept, replace=False)
    return source.take(np.sort(np.concatenate([others, chosen])))


def errors_by_training(train, held_out, label, epochs, seed):
    """Returns errors of the rare class and of the others, trained plainly and by rarity.

    Args:
        train: images with a rare class.
        held_out: others, with as many images of each class.
        label: the rare class.
        epochs: passes over the images.
        seed: an integer, of the draw by rarity.

    Returns:
        A dict from the way of training to a dict of `rare` and `others`, squared errors summed over
        an image's pixels, and of `share`, that of the rare class among the images.
    """
    weights = evaluation.rarity(evaluation.encodings(vae(train, LATENTS, epochs), train))
    drawn = train.resample(weights, epochs * len(train), seed)  # each epoch anew
    trained = {
        "plain": (train, autoencoder(train, LATENTS, epochs)),
        "by rarity": (drawn, autoencoder(drawn, LATENTS, epochs=1)),
    }
    found = {}
    for name, (source, model) in trained.items():
        errors = evaluation.reconstruction_errors(model, held_out)
        is_rare = held_out.labels == label
        found[name] = {
            "rare": errors[is_rare].mean(),
            "others": errors[~is_rare].mean(),
            "share": np.mean(source.labels == label),
        }
    return found


def draw(path):
    """Draws and prints the errors of both ways of training."""
    train, held_out = clothes("train"), clothes("test")
    figure = canvas(9, 3.8)
    for axes, (garment, label) in zip(
        figure.subplots(1, 2, sharey=True), RARE.items(), strict=True
    ):
        runs = [
            errors_by_training(
                with_rare_class(train, label, KEPT, seed), held_out, label, EPOCHS, seed
            )
            for seed in range(SEEDS)
        ]
        for place, (name, colour) in enumerate((("plain", "0.6"), ("by rarity", "C0"))):
            errors = np.array([[run[name][kind] for kind in ("rare", "others")] for run in runs])
            across = np.arange(2) + 0.35 * place
            axes.bar(across, errors.mean(axis=0), 0.33, color=colour, label=name)
            axes.plot(across, errors.T, "k.", markersize=4)
            share = np.mean([run[name]["share"] for run in runs])
            means = ", ".join(f"{each:.1f}" for each in errors.mean(axis=0))
            print(
                f"{garment}, {name}: {share:.2%} of the images; errors on them, on others {means}"
            )
        axes.set(xticks=[0.175, 1.175], xticklabels=[f"rare {garment}", "the others"])
    figure.axes[0].set(ylabel="squared error of an image")
    figure.axes[0].legend()
    save(figure, path)
