"""Novelty detection: how well a score tells examples of another kind from those it knows."""

import math

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


def novelty_threshold(known, false_alarms=0.01):
    """Returns the score above which an example counts as novel, at a given rate of false alarms.

    Of `n` known scores it is the one with the number `ceil((n + 1)(1 - rate))` from below. Then a
    further known example exceeds it with that chance or less (Vovk et al., 2005, conformal
    prediction).

    Args:
        known: the scores of held-out examples of the kind that the model was trained on, `[count]`;
            others than those that the detector is then tested with.
        false_alarms: the share of known examples that may count as novel, between 0 and 1.

    Returns:
        A float.

    Raises:
        ValueError: the rate is not between 0 and 1, or so low that so few scores do not tell.

    Example:
        >>> threshold = evaluation.novelty_threshold(model.score(held_out)["error"], 0.01)
        >>> alarms = model.score(readings)["error"] > threshold
    """
    known = check_vectors("known", np.reshape(known, [-1, 1]))[:, 0]
    if not 0 < false_alarms < 1:
        raise ValueError(
            f"`false_alarms` must be between 0 and 1. Received: false_alarms={false_alarms}."
        )
    rank = math.ceil((len(known) + 1) * (1 - false_alarms) - 1e-9)  # of 99 at 0.01: the last
    if rank > len(known):
        raise ValueError(
            f"A rate of {false_alarms} needs at least {math.ceil(1 / false_alarms - 1e-9) - 1} "
            f"scores. Received: {len(known)}."
        )
    return float(np.sort(known)[rank - 1])
