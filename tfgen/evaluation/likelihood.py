"""Scores of models that know how likely an example is, or reconstruct it."""

import numpy as np

from tfgen.evaluation.features import batches_of


def elbos(model, images, batch_size=500, seed=0):
    """Returns the evidence lower bound of each image, batch by batch.

    Args:
        model: a model that can "bound", such as a `tfgen.VAE`.
        images: what `Features` takes.
        batch_size: images at a time.
        seed: an integer, of the one latent that is drawn for each image.

    Returns:
        A float array `[count]`, in nats.
    """
    # Each batch has a seed of its own, lest all draw the same latents; and not the next integer,
    # with which a batch would draw what its neighbour draws for the next seed.
    random = np.random.default_rng(seed)
    return np.concatenate(
        [
            model.elbo(batch, seed=random.integers(2**63)).numpy()
            for batch in batches_of(images, batch_size)
        ]
    )


def reconstruction_errors(model, images, batch_size=500):
    """Returns the squared error of each image's reconstruction, summed over its pixels.

    This is the lecture's `sum_j (x_j - d(e(x))_j)^2`, the loss of an autoencoder.

    Args:
        model: a model that can "reconstruct".
        images: what `Features` takes.
        batch_size: images at a time.

    Returns:
        A float array `[count]`, at least 0.
    """
    errors = []
    for batch in batches_of(images, batch_size):
        difference = (batch - model.reconstruct(batch)).numpy()
        errors.append(np.square(difference).reshape(len(difference), -1).sum(axis=1))
    return np.concatenate(errors)


def encodings(model, images, batch_size=500):
    """Returns the mean of each image's encoding, batch by batch.

    Args:
        model: a model that can "encode".
        images: what `Features` takes.
        batch_size: images at a time.

    Returns:
        A float array `[count, latents]`; of maps of latents, all their values side by side.
    """
    batches = batches_of(images, batch_size)
    means = [model.encode(batch).mean().numpy() for batch in batches]
    return np.concatenate([each.reshape(len(each), -1) for each in means])


def active_units(model, images, threshold=0.01, batch_size=500):
    """Returns which latents are used (Burda et al., 2016, section 5.1).

    A latent is active if its posterior mean moves with the example: `Var_x(E_q[z|x]) > 0.01`.

    Args:
        model: a model that can "encode".
        images: what `Features` takes, at least two.
        threshold: the variance above which a latent counts as active.
        batch_size: images at a time.

    Returns:
        A boolean array `[latents]`; its sum is the number of active units.

    Raises:
        ValueError: there are fewer than two images.

    Example:
        >>> evaluation.active_units(vae, test_images).sum()
        13
    """
    means = encodings(model, images, batch_size)
    if len(means) < 2:
        raise ValueError(f"A variance needs at least 2 images. Received: {len(means)}.")
    return means.var(axis=0, ddof=1) > threshold
