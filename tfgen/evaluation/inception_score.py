"""The inception score: sure about each sample, unsure about their class."""

from typing import NamedTuple

import numpy as np
from scipy.special import rel_entr


class InceptionScore(NamedTuple):
    """The mean over the splits and its standard deviation, as papers print them."""

    value: float
    standard_deviation: float


def inception_score(probabilities, splits=10):
    """Returns the inception score (Salimans et al., 2016, section 4).

        exp( E_x KL( p(y|x) || p(y) ) ),   p(y) the mean of p(y|x) over a split

    It sees samples only, no real data: precision and diversity of classes, not of what is within a
    class. It is *the* Inception score for the probabilities of the Inception network alone.

    Args:
        probabilities: `[count, classes]`, each row a distribution, in the samples' order.
        splits: the number of equal parts that are scored apart.

    Returns:
        An `InceptionScore`: mean and standard deviation over the splits, from 1 to `classes`.

    Raises:
        ValueError: rows do not sum to 1, are negative or not finite; or there are fewer than two
            samples in a split.

    Example:
        >>> evaluation.inception_score(classifier.probabilities(model.sample(5000)), splits=10)
        InceptionScore(value=8.6, standard_deviation=0.07)
    """
    probabilities = _check(np.asarray(probabilities, np.float64), splits)
    values = []
    for part in np.array_split(probabilities, splits):
        divergence = rel_entr(part, part.mean(axis=0)).sum(axis=1)
        values.append(np.exp(divergence.mean()))
    return InceptionScore(float(np.mean(values)), float(np.std(values)))


def _check(probabilities, splits):
    if probabilities.ndim != 2:
        raise ValueError(
            f"Expected probabilities [count, classes]. Received: shape {list(probabilities.shape)}."
        )
    if splits < 1 or len(probabilities) < 2 * splits:
        raise ValueError(
            "`splits` must be at least 1, with 2 samples in each. "
            f"Received: splits={splits} of {len(probabilities)} samples."
        )
    sums = probabilities.sum(axis=1)
    # NaN is not close to 1.
    wrong = ~np.isclose(sums, 1, atol=1e-3) | (probabilities < 0).any(axis=1)
    if wrong.any():
        index = np.argmax(wrong)
        raise ValueError(
            f"{np.sum(wrong)} of {len(probabilities)} rows are no probabilities: row {index} sums "
            f"to {sums[index]:g}, with a smallest value of {probabilities[index].min():g}. Pass "
            "logits through a softmax first."
        )
    return probabilities
