"""Checks of the shapes that networks are asked for."""


def check_latent_dim(latent_dim):
    """Raises a ValueError for a number of latent dimensions that no network can have."""
    if latent_dim < 1:
        raise ValueError(f"`latent_dim` must be at least 1. Received: latent_dim={latent_dim}.")


def head_sizes(latent_dim, heads):
    """Returns the size of each output: `latent_dim` of so many heads, or what a tuple tells."""
    sizes = [latent_dim] * heads if isinstance(heads, int) else list(heads)
    if not all(isinstance(size, int) and size >= 1 for size in sizes):
        raise ValueError(
            "`heads` must be a number of outputs, or a tuple of their sizes, each at least 1. "
            f"Received: heads={heads!r}."
        )
    return sizes


def check_hidden_sizes(sizes):
    """Raises a ValueError where a hidden layer would have no units: Keras 3.12 builds it."""
    if not all(size >= 1 for size in sizes):
        raise ValueError(f"The units of a hidden layer must be at least 1. Received: {sizes}.")


def check_shape(shape):
    """Raises a ValueError unless every axis of an example's shape has a positive length."""
    if not shape or not all(isinstance(size, int) and size > 0 for size in shape):
        raise ValueError(
            "A shape is a tuple of positive integers without the batch axis, such as (32,) or "
            f"(28, 28, 1). Received: {shape!r}."
        )


def check_image_shape(shape):
    """Raises a ValueError unless a shape is (height, width, channels)."""
    check_shape(shape)
    if len(shape) != 3:
        raise ValueError(
            "A convolutional network needs images, (height, width, channels). "
            f"Received: {tuple(shape)}. For vectors take `mlp_encoder` and `mlp_decoder`."
        )
