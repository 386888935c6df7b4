"""The networks of a ladder VAE: perceptrons of several layers of latents."""

import itertools

import keras
from keras import layers

from tfgen.networks.perceptron import apply_layers, dense_layers, mlp_decoder
from tfgen.networks.shapes import check_hidden_sizes, check_latent_dim, check_shape


def ladder_networks(
    shape,
    latent_sizes=(4, 8, 16, 32, 64),
    hidden_sizes=(64, 64, 128, 256, 512),
    depth=2,
    activation="leaky_relu",
    normalization=layers.BatchNormalization,
    heads=1,
):
    """The networks of `tfgen.HierarchicalVAE` for a ladder (Sonderby et al., 2016, section 3).

    Bottom up a perceptron goes through all hidden sizes, and each posterior reads its features off
    it by linear layers. Top down there is a perceptron between two layers of latents, of the lower
    one's hidden size. The defaults are the paper's sizes for digits.

    Args:
        shape: the shape of an example, `(features,)` or `(height, width, channels)`.
        latent_sizes: the number of latents of each layer, the top one's first.
        hidden_sizes: the units of each layer's hidden layers, the top one's first.
        depth: how many hidden layers there are at each layer of latents.
        activation: that of the hidden layers.
        normalization: a function without arguments that makes a layer, which comes between each
            hidden layer and its activation; `None` for none.
        heads: the number of the decoder's outputs; 2 for a likelihood that learns its scale.

    Returns:
        A dict of the arguments `bottom_up`, `posteriors`, `priors`, `merges` and `decoder` of
        `tfgen.HierarchicalVAE`.

    Raises:
        ValueError: a size is not positive, or there are not as many hidden sizes as latent sizes.

    Example:
        >>> parts = ladder_networks((28, 28, 1), latent_sizes=(8, 32), hidden_sizes=(128, 256))
        >>> tfgen.HierarchicalVAE(
        ...     **parts, likelihood=Bernoulli(), inference=PrecisionWeighted()
        ... )
    """
    check_shape(shape)
    check_hidden_sizes(hidden_sizes)
    if len(hidden_sizes) != len(latent_sizes):
        raise ValueError(
            "There must be as many `hidden_sizes` as `latent_sizes`, the top layer's first. "
            f"Received: {tuple(hidden_sizes)} and {tuple(latent_sizes)}."
        )
    for size in latent_sizes:
        check_latent_dim(size)

    sizes = list(zip(latent_sizes, hidden_sizes, strict=True))
    options = {"activation": activation, "normalization": normalization}
    merges = [
        _perceptron(f"merge_{index}", latents, [hidden] * depth, options)
        for index, (latents, hidden) in enumerate(sizes)
    ]
    return {
        "bottom_up": _bottom_up(shape, hidden_sizes, depth, options),
        "posteriors": [
            _linear(f"posterior_{index}", hidden, latents)
            for index, (latents, hidden) in enumerate(sizes)
        ],
        "priors": [
            _linear(f"prior_{index}", above, latents)
            for index, ((_, above), (latents, _)) in enumerate(itertools.pairwise(sizes))
        ],
        "merges": merges,
        # Linear: the last merge has the hidden layers.
        "decoder": mlp_decoder(shape, hidden_sizes[-1], hidden_sizes=(), heads=heads),
    }


def _bottom_up(shape, hidden_sizes, depth, options):
    """Returns the network from examples to the features of all layers, the top one's first."""
    images = keras.Input(shape, name="images")
    hidden, features = layers.Flatten()(images), []
    for size in reversed(hidden_sizes):
        hidden = apply_layers(dense_layers([size] * depth, **options), hidden)
        features.insert(0, hidden)
    return keras.Model(images, features, name="bottom_up")


def _perceptron(name, size, hidden_sizes, options):
    inputs = keras.Input((size,), name="latents")
    return keras.Model(
        inputs, apply_layers(dense_layers(hidden_sizes, **options), inputs), name=name
    )


def _linear(name, size, latents):
    """Returns a network to the location and the scale of as many latents."""
    inputs = keras.Input((size,), name="hidden")
    return keras.Model(inputs, [layers.Dense(latents)(inputs) for _ in range(2)], name=name)
