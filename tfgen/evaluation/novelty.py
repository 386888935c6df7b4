"""Novelty detection: how well a score tells examples of another kind from those it knows."""

import numpy as np
from sklearn.metrics import roc_auc_score

from tfgen.evaluation.checks import check_vectors


def novelty_auroc(known, novel):
    """Returns the area under the ROC curve of a novelty score.

    It is the chance that a novel example scores above a known one, ties counting half: 1 tells
    them apart, 0.5 does not, less takes the one for the other. The lecture's score is the
    reconstruction error; the negative ELBO is another.

    Args:
        known: the scores of held-out examples of the kind that the model was trained on, `[count]`.
        novel: the scores of examples of another kind, `[other count]`; higher is more novel.

    Returns:
        A float from 0 to 1.

    Raises:
        ValueError: there are no scores, or they are not finite.

    Example:
        >>> evaluation.novelty_auroc(
        ...     reconstruction_errors(vae, fashion_images), reconstruction_errors(vae, digits)
        ... )
        0.98
    """
    known = check_vectors("known", np.reshape(known, [-1, 1]))[:, 0]
    novel = check_vectors("novel", np.reshape(novel, [-1, 1]))[:, 0]
    if not (len(known) and len(novel)):
        raise ValueError(f"Expected scores. Received: {len(known)} known and {len(novel)} novel.")
    is_novel = np.repeat([0, 1], [len(known), len(novel)])
    return float(roc_auc_score(is_novel, np.concatenate([known, novel])))
