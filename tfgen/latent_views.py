"""Views of latent space: many dimensions on a plane, by principal components, t-SNE or UMAP."""

import numpy as np

from tfgen.evaluation.checks import check_vectors
from tfgen.pictures import principal_plane

FEWEST = 10  # vectors that have neighbours to speak of


def view(vectors, method="pca", seed=0):
    """Puts vectors on a plane, so that a picture can show how they lie.

    * "pca": the first two principal components. Distances keep their meaning; what lies in other
      directions is not seen.
    * "tsne": t-SNE (van der Maaten and Hinton, 2008), by scikit-learn. Neighbours stay neighbours;
      distances between groups and the sizes of groups mean nothing.
    * "umap": UMAP (McInnes et al., 2018), by umap-learn. Neighbours stay neighbours; groups are
      tighter, and how they lie to each other is kept somewhat better.

    Args:
        vectors: float `[count, size]`, such as `tfgen.evaluation.encodings` gives them.
        method: "pca", "tsne" or "umap".
        seed: an integer; the same seed gives the same view. It does not matter to "pca".

    Returns:
        A float array `[count, 2]`.

    Raises:
        ValueError: there is no such method, the vectors hold NaN or infinity, or there are fewer
            than 10 of them for a method that looks at neighbours.

    Example:
        >>> view(evaluation.encodings(vae, test_images), "umap").shape
        (2000, 2)
    """
    if method not in VIEWS:
        raise ValueError(f"`method` must be one of {list(VIEWS)}. Received: method={method!r}.")
    vectors = check_vectors("vectors", vectors).astype(np.float32)
    if method != "pca" and len(vectors) < FEWEST:
        raise ValueError(
            f"{method!r} looks at neighbours, and needs at least {FEWEST} vectors. "
            f"Received: {len(vectors)}."
        )
    if vectors.shape[1] == 1:  # which methods would refuse
        vectors = np.pad(vectors, [(0, 0), (0, 1)])
    if np.ptp(vectors, axis=0).max() == 0:  # t-SNE would divide by their spread
        return np.zeros([len(vectors), 2])
    return VIEWS[method](vectors, seed)


def _principal_components(vectors, seed):
    return principal_plane(vectors)(vectors)


def _t_sne(vectors, seed):
    from sklearn.manifold import TSNE  # slow to import, and rarely needed, as is UMAP

    perplexity = min(30, (len(vectors) - 1) / 3)  # scikit-learn's 30, of that many neighbours
    return TSNE(2, perplexity=perplexity, init="pca", random_state=seed).fit_transform(vectors)


def _umap(vectors, seed):
    from umap import UMAP

    neighbours = min(15, len(vectors) - 1)  # umap-learn's 15, of so many
    # With a seed it uses one thread; it warns unless it is told so.
    return UMAP(n_neighbors=neighbours, random_state=seed, n_jobs=1).fit_transform(vectors)


VIEWS = {"pca": _principal_components, "tsne": _t_sne, "umap": _umap}
