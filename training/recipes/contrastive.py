"""Encoders that learn by telling pairs from others: views of images, images and captions."""

import keras

import tfgen
from tfgen import augmentations, contrasts, data, networks
from training.recipes.measures import caption_table, few_labels
from training.recipes.recipe import recipe


@recipe(data="embedded", batch_size=256, epochs=20, measure=few_labels)
def simclr_fashion(shape, steps):
    """SimCLR (Chen et al., 2020): features of garments, learnt without labels."""
    return _simclr(shape, steps)


@recipe(data="tfds:fashion_mnist", batch_size=256, epochs=60, measure=few_labels)
def simclr_fashion_mnist(shape, steps):
    """SimCLR (Chen et al., 2020) of all of Fashion-MNIST."""
    return _simclr(shape, steps)


@recipe(
    data="embedded",
    captions=data.GARMENTS,
    batch_size=256,
    epochs=20,
    measure=caption_table(data.GARMENTS),
)
def clip_fashion(shape, steps):
    """CLIP (Radford et al., 2021): garments and captions such as "a dark ankle boot"."""
    return _clip(shape, steps)


@recipe(
    data="tfds:fashion_mnist",
    captions=data.GARMENTS,
    batch_size=256,
    epochs=30,
    measure=caption_table(data.GARMENTS),
)
def clip_fashion_mnist(shape, steps):
    """CLIP (Radford et al., 2021) of all of Fashion-MNIST, some combinations kept out."""
    return _clip(shape, steps, filters=(64, 128), hidden_size=256)


def _simclr(shape, steps):
    """Returns SimCLR of a small convolutional encoder; of greys, brightness is all colour."""
    disturb = augmentations.Chain(
        (
            augmentations.RandomCrop(0.5),
            augmentations.RandomFlip(),
            augmentations.RandomBrightness(0.5),
        )
    )
    model = tfgen.SimCLR(
        networks.conv_encoder(shape, latent_dim=128, heads=1),
        networks.mlp_encoder((128,), latent_dim=64, hidden_sizes=(128,), heads=1),
        augmentation=disturb,
        contrast=contrasts.NTXent(0.2),
    )
    return _compiled(model, steps)


def _clip(shape, steps, **sizes):
    """Returns CLIP of a convolutional encoder of images and a transformer of captions."""
    words = data.GARMENTS.vocabulary
    model = tfgen.CLIP(
        networks.conv_encoder(shape, latent_dim=32, heads=1, **sizes),
        networks.text_transformer(words.length, words.size, latent_dim=32, width=32, depth=1),
        words,
        augmentation=augmentations.Chain(
            (augmentations.RandomFlip(), augmentations.RandomShift(0.07))
        ),
    )
    return _compiled(model, steps)


def _compiled(model, steps):
    model.compile(keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(1e-3, steps)))
    return model
