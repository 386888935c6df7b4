"""The networks of a small top-down VAE: residual convolutions at several resolutions."""

import math

import keras
from keras import layers

from tfgen.layers import ImageConv2DTranspose
from tfgen.networks.shapes import check_hidden_sizes, check_image_shape, check_latent_dim


def top_down_networks(
    shape,
    resolutions=(1, 4, 7, 14),
    channels=(16, 8, 4, 2),
    width=64,
    bottleneck=32,
    heads=1,
):
    """The networks of `tfgen.HierarchicalVAE` for a top-down VAE of square images (Child, 2021).

    Each layer of latents has a resolution. Bottom up, residual blocks lead from one to the next
    smaller one. Top down, a layer's latents are added to the state, a residual block follows, and
    the state is enlarged where the next layer's resolution is larger. As in the paper the last
    convolution of a residual branch is scaled by `1 / sqrt(layers)`, and that of a prior begins
    at 0.

    Args:
        shape: `(size, size, channels)` of an image; its size is 2, 4, 8, ... times the last
            resolution.
        resolutions: height and width of each layer's latents, the top one's first, none smaller
            than the one before.
        channels: the channels of each layer's latents.
        width: the channels of the state.
        bottleneck: the channels within a residual branch.
        heads: the number of the decoder's outputs; 2 for a likelihood that learns its scale.

    Returns:
        A dict of the arguments `bottom_up`, `posteriors`, `priors`, `merges` and `decoder` of
        `tfgen.HierarchicalVAE`.

    Raises:
        ValueError: the sizes do not fit each other or the images.

    Example:
        >>> parts = top_down_networks((28, 28, 1))
        >>> tfgen.HierarchicalVAE(**parts, likelihood=Bernoulli(), normal=LogVarianceNormal())
    """
    _check(shape, resolutions, channels, [width, bottleneck])
    build = _Builder(width, bottleneck, len(resolutions))
    count = range(len(resolutions))
    following = [*resolutions[1:], resolutions[-1]]
    return {
        "bottom_up": build.bottom_up(shape, resolutions),
        "posteriors": [
            build.normal(f"posterior_{i}", resolutions[i], channels[i], 2 if i else 1)
            for i in count
        ],
        "priors": [
            build.normal(f"prior_{i - 1}", resolutions[i], channels[i], 1, begin="zeros")
            for i in count[1:]
        ],
        "merges": [build.merge(i, resolutions[i], channels[i], following[i]) for i in count],
        "decoder": build.decoder(shape, resolutions[-1], heads),
    }


class _Builder:
    """Builds the parts of a hierarchy.

    Args:
        width: the channels of the state.
        bottleneck: the channels within a residual branch.
        count: the number of layers of latents.
    """

    def __init__(self, width, bottleneck, count):
        self._width, self._bottleneck = width, bottleneck
        # Of the last convolution of a branch: Keras' default variance, by the number of branches.
        self._scaled = keras.initializers.VarianceScaling(1.0 / count, "fan_avg", "uniform")

    def bottom_up(self, shape, resolutions):
        images = keras.Input(shape, name="images")
        hidden, features, reached = images, [], resolutions[-1]
        for count in _halvings(self._width, shape[0] // reached):
            hidden = layers.Conv2D(count, 4, strides=2, padding="same")(hidden)
        for resolution in reversed(resolutions):
            hidden = self._block(_resized(hidden, reached, resolution), resolution)
            features.insert(0, hidden)
            reached = resolution
        return keras.Model(images, features, name="bottom_up")

    def normal(self, name, resolution, channels, inputs, begin="glorot_uniform"):
        """Returns a network to the location and the scale of a layer's latents."""
        taken = [keras.Input((resolution, resolution, self._width)) for _ in range(inputs)]
        hidden = layers.Concatenate()(taken) if inputs > 1 else taken[0]
        hidden = self._convolved(hidden, resolution)
        outputs = [layers.Conv2D(channels, 1, kernel_initializer=begin)(hidden) for _ in range(2)]
        return keras.Model(taken if inputs > 1 else taken[0], outputs, name=name)

    def merge(self, index, resolution, channels, following):
        """Returns a network from a layer's latents, and the state from above, to the next state."""
        latents = keras.Input((resolution, resolution, channels), name="latents")
        hidden, inputs = layers.Conv2D(self._width, 1)(latents), latents
        if index:
            state = keras.Input((resolution, resolution, self._width), name="state")
            hidden, inputs = layers.Add()([hidden, state]), [latents, state]
        hidden = self._block(hidden, resolution)
        return keras.Model(inputs, _resized(hidden, resolution, following), name=f"merge_{index}")

    def decoder(self, shape, resolution, heads):
        state = keras.Input((resolution, resolution, self._width), name="state")
        hidden = layers.Activation("silu")(self._block(state, resolution))
        for count in reversed(_halvings(self._width, shape[0] // resolution)[:-1]):
            hidden = layers.Conv2DTranspose(count, 4, strides=2, padding="same")(hidden)
            hidden = layers.Activation("silu")(hidden)
        outputs = [
            ImageConv2DTranspose(shape[-1], 4, strides=2, padding="same")(hidden)
            for _ in range(heads)
        ]
        return keras.Model(state, outputs, name="decoder")

    def _block(self, hidden, resolution):
        """Adds a residual branch."""
        branch = self._convolved(hidden, resolution)
        branch = layers.Conv2D(self._width, 1, kernel_initializer=self._scaled)(branch)
        return layers.Add()([hidden, branch])

    def _convolved(self, hidden, resolution):
        """Goes through the bottleneck; of a single pixel a larger kernel sees its padding only."""
        kernel = min(3, 2 * resolution - 1)
        hidden = layers.Activation("silu")(hidden)
        hidden = layers.Conv2D(self._bottleneck, 1)(hidden)
        hidden = layers.Activation("silu")(hidden)
        hidden = layers.Conv2D(self._bottleneck, kernel, padding="same")(hidden)
        return layers.Activation("silu")(hidden)


def _halvings(width, scale):
    """Returns the channels after each convolution of stride 2 from images to the state."""
    steps = scale.bit_length() - 1
    return [width // 2**step for step in reversed(range(steps))]


def _resized(hidden, size, wanted):
    """Returns maps of another size: means of the smaller ones, or the nearest of the larger."""
    if wanted == size:
        return hidden
    if wanted < size:
        return layers.AveragePooling2D(math.ceil(size / wanted), padding="same")(hidden)
    hidden = layers.UpSampling2D(math.ceil(wanted / size))(hidden)
    return layers.Cropping2D(((0, hidden.shape[1] - wanted), (0, hidden.shape[2] - wanted)))(hidden)


def _check(shape, resolutions, channels, sizes):
    check_image_shape(shape)
    check_hidden_sizes(sizes)
    for size in channels:
        check_latent_dim(size)
    if len(resolutions) != len(channels) or list(resolutions) != sorted(resolutions):
        raise ValueError(
            "There must be a resolution for each number of channels, none smaller than the one "
            f"before. Received: resolutions={resolutions} and channels={channels}."
        )
    scale, rest = divmod(shape[0], resolutions[-1])
    if rest or shape[0] != shape[1] or scale < 2 or scale & (scale - 1):
        raise ValueError(
            "Images must be square, of 2, 4, 8, ... times the last resolution. Received: "
            f"resolutions={resolutions} for images {tuple(shape)}."
        )
