"""How rare examples are in latent space, so that training can see the rare ones more often."""

import numpy as np
from sklearn.neighbors import NearestNeighbors

from tfgen.evaluation.checks import check_vectors


def rarity(latents, smoothing=0.1, neighbours=20):
    """Returns weights of examples by how rare their latents are (Amini et al., 2019).

        w_n ~ 1 / (q(z_n) / median(q) + smoothing),   q(z) ~ r(z)^-d,

    where `r` is the distance to the neighbour of that number and `d` the size of a latent
    (Loftsgaarden and Quesenberry, 1965). Data that are drawn with these weights fill latent space
    more evenly, without any label. The paper multiplies histograms of single latents in the place
    of `q`; of clothes by ten latents that leaves the weight of some tens of extreme examples.

    Args:
        latents: `[count, size]`, such as `encodings` gives them.
        smoothing: how far rare examples may be preferred: no example weighs more than
            `1 / smoothing` times what one of median density weighs, about.
        neighbours: which neighbour tells the density.

    Returns:
        A float array `[count]`, positive, whose sum is 1.

    Raises:
        ValueError: `smoothing` is not positive and finite, there are not as many neighbours, or
            most latents are the same.

    Example:
        >>> weights = evaluation.rarity(evaluation.encodings(vae, train))
        >>> drawn = train.resample(weights, 10 * len(train))  # ten epochs, each with other draws
        >>> autoencoder.fit(data.batches(drawn, 64))
    """
    latents = check_vectors("latents", latents)
    if not 0 < smoothing < np.inf:
        raise ValueError(
            f"`smoothing` must be positive and finite. Received: smoothing={smoothing}."
        )
    if not 1 <= neighbours < len(latents):
        raise ValueError(
            f"`neighbours` must be from 1 to {len(latents) - 1}, the number of other examples. "
            f"Received: neighbours={neighbours}."
        )
    distances, _ = NearestNeighbors(n_neighbors=neighbours).fit(latents).kneighbors()
    with np.errstate(divide="ignore"):  # of examples that are there many times: no weight
        log_volumes = latents.shape[1] * np.log(distances[:, -1])
    if not np.isfinite(np.median(log_volumes)):
        raise ValueError(
            "Most latents must differ, or none is rare. Received: latents of which "
            f"{np.sum(np.isneginf(log_volumes))} of {len(latents)} have {neighbours} neighbours "
            "in the same place."
        )
    ratios = np.exp(np.minimum(np.median(log_volumes) - log_volumes, 700.0))
    weights = 1 / (ratios + smoothing)
    return weights / weights.sum()
