"""Retrieval: whether what lies near in latent space is of one kind."""

import numpy as np
from sklearn.neighbors import NearestNeighbors

from tfgen.evaluation.checks import check_vectors


def retrieval_precision(codes, labels, queries=None, query_labels=None, count=10):
    """Returns which share of what is found for each query has its label: precision at `count`.

    Found are the nearest codes by Euclidean distance, as in the lecture's retrieval.

    Args:
        codes: `[size, latents]`, of the examples that are searched.
        labels: their labels, integers `[size]`.
        queries: `[queries, latents]`, of other examples; `None` asks for each of the examples,
            which then does not find itself.
        query_labels: theirs; `None` with `queries`.
        count: how many are found for each query.

    Returns:
        A float array `[queries]`, from 0 to 1.

    Raises:
        ValueError: there are fewer examples than are to be found, not as many labels as codes, or
            labels of queries without queries.

    Example:
        >>> codes, queries = (vae.encode(each.floats()).mean() for each in (train, test))
        >>> evaluation.retrieval_precision(codes, train.labels, queries, test.labels).mean()
        0.79
    """
    codes = check_vectors("codes", codes)
    labels = _labels_of(codes, labels, "code")
    most = len(codes) - (queries is None)
    if not 1 <= count <= most:
        raise ValueError(f"`count` must be from 1 to {most}. Received: count={count}.")
    if queries is None:
        if query_labels is not None:
            raise ValueError("`query_labels` are of `queries`. Received: queries=None. Pass both.")
        asked = labels
    else:
        queries = check_vectors("queries", queries)
        asked = _labels_of(queries, query_labels, "query")
    neighbours = NearestNeighbors(n_neighbors=count).fit(codes)
    found = neighbours.kneighbors(queries, return_distance=False)
    return np.mean(labels[found] == asked[:, np.newaxis], axis=1)


def _labels_of(vectors, labels, what):
    labels = np.asarray(labels)
    if labels.shape != (len(vectors),):
        raise ValueError(
            f"There must be a label for each {what}. Received: labels of {list(labels.shape)} for "
            f"{len(vectors)}."
        )
    return labels
