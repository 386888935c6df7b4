"""Transformers that encode texts and images into vectors."""

import math

import keras
from keras import layers, ops

from tfgen.layers import Positions
from tfgen.networks.shapes import check_hidden_sizes, check_image_shape, check_latent_dim


def text_transformer(length, words, latent_dim, width=64, depth=2, heads=4):
    """A small encoder of texts, in which each word sees all others (Devlin et al., 2019, "BERT").

    The text's vector is that of its first token. Tokens 0 are padding: no other token sees them.

    Args:
        length: the tokens of a text, padding included.
        words: how many different tokens there are, padding included. Both are a
            `tfgen.data.Vocabulary`'s `length` and `size`.
        latent_dim: the size of the output.
        width: the size of a token's vector, a multiple of `heads`.
        depth: how many blocks of attention and a perceptron there are.
        heads: of each attention.

    Returns:
        A model from integers `[batch, length]` to `[batch, latent_dim]`, linear at the end.

    Raises:
        ValueError: a size is not positive, or `heads` does not divide `width`.

    Example:
        >>> text_transformer(vocabulary.length, vocabulary.size, latent_dim=32)
    """
    check_latent_dim(latent_dim)
    check_hidden_sizes([length, words, width])
    tokens = keras.Input((length,), dtype="int32", name="tokens")
    seen = ops.expand_dims(ops.not_equal(tokens, 0), 1)
    hidden = Positions()(layers.Embedding(words, width)(tokens))
    hidden = _blocks(hidden, depth, heads, seen)
    first = layers.Flatten()(layers.Cropping1D((0, length - 1))(hidden))
    return keras.Model(tokens, _linear(first, latent_dim), name="text_encoder")


def vision_transformer(input_shape, latent_dim, patch=4, width=64, depth=3, heads=4):
    """A small transformer of an image's patches (Dosovitskiy et al., 2021).

    The image's vector is the mean of its patches' (Zhai et al., 2022, section 3.3).

    Args:
        input_shape: `(height, width, channels)`, of any size: patches may reach beyond the image.
        latent_dim: the size of the output.
        patch: the pixels of a patch's side.
        width: the size of a patch's vector, a multiple of `heads`.
        depth: how many blocks of attention and a perceptron there are.
        heads: of each attention.

    Returns:
        A model from `[batch, *input_shape]` to `[batch, latent_dim]`, linear at the end.

    Raises:
        ValueError: the shape is not that of an image, a size is not positive, or `heads` does not
            divide `width`.

    Example:
        >>> vision_transformer((28, 28, 1), latent_dim=32)
    """
    check_image_shape(input_shape)
    check_latent_dim(latent_dim)
    check_hidden_sizes([patch, width])
    images = keras.Input(input_shape, name="images")
    hidden = layers.Conv2D(width, patch, strides=patch, padding="same")(images)
    patches = [math.ceil(side / patch) for side in input_shape[:2]]
    hidden = Positions()(layers.Reshape((math.prod(patches), width))(hidden))
    mean = layers.GlobalAveragePooling1D()(_blocks(hidden, depth, heads))
    return keras.Model(images, _linear(mean, latent_dim), name="image_encoder")


def _blocks(hidden, depth, heads, seen=None):
    """Returns a sequence's vectors after blocks that normalize first (Dosovitskiy, eq. 2 to 4)."""
    width = hidden.shape[-1]
    if heads < 1 or width % heads:
        raise ValueError(f"`heads` must divide `width`. Received: heads={heads} and width={width}.")
    for _ in range(depth):
        normal = layers.LayerNormalization(epsilon=1e-6)(hidden)
        attention = layers.MultiHeadAttention(heads, width // heads)
        hidden = layers.Add()([hidden, attention(normal, normal, attention_mask=seen)])
        normal = layers.LayerNormalization(epsilon=1e-6)(hidden)
        inner = layers.Dense(4 * width, "gelu")(normal)
        hidden = layers.Add()([hidden, layers.Dense(width)(inner)])
    return layers.LayerNormalization(epsilon=1e-6)(hidden)


def _linear(hidden, latent_dim):
    return layers.Dense(latent_dim, use_bias=False)(hidden)
