"""How far latents and known factors of the data belong together, one to one.

All scores take what an encoder tells of examples, `codes`, and the factors that the examples were
made of. They ask for no model: any encoder can be scored. None of them is enough alone: the first,
for instance, does not ask whether a factor has one latent or many.
"""

import numpy as np
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import mutual_info_score
from sklearn.model_selection import train_test_split
from sklearn.svm import LinearSVC

from tfgen.evaluation.checks import check_vectors
from tfgen.utils.arguments import check_count

_BINS = 20  # of a latent, to count with
_LEAST_SPREAD = 1e-6  # of a latent that says something at all


def higgins_score(codes, factors, votes=2000, pairs=64, seed=0):
    """The accuracy of a linear classifier that is told which latents two examples share.

    Of each vote, a factor is drawn and pairs of examples that share its value. The classifier sees
    the mean distance of the pairs in each latent, and says which factor it was (Higgins et al.,
    2017, section 3).

    Args:
        codes: `[count, latents]`, such as an encoder's means.
        factors: integers `[count, factors]`, what the examples were made of.
        votes: how many the classifier learns from, at least 2; half as many test it.
        pairs: of each vote, at least 1.
        seed: an integer.

    Returns:
        A float from 0 to 1; chance is 1 in the number of factors.

    Raises:
        ValueError: there are no factors, not as many as codes, or one that never varies; a number
            is out of range; or all votes are of one factor.

    Example:
        >>> codes = vae.encode(source.floats()).mean()
        >>> evaluation.higgins_score(codes, source.labels)
        0.99
    """
    check_count("votes", votes, least=2)
    check_count("pairs", pairs)
    codes, factors = _checked(codes, factors)
    random, groups = np.random.default_rng(seed), _groups(factors)
    seen, asked = [], random.integers(len(groups), size=votes + votes // 2)
    if len(set(asked[:votes])) < 2:
        raise ValueError(
            "A classifier that tells factors must see two of them. "
            f"Received: {votes} votes, and {len(groups)} factors to draw from."
        )
    for factor in asked:
        members = _drawn_group(groups[factor], random)
        first, second = random.choice(members, [2, pairs])
        seen.append(np.abs(codes[first] - codes[second]).mean(axis=0))
    seen = np.array(seen) / np.maximum(codes.std(axis=0), _LEAST_SPREAD)
    classifier = LogisticRegression(max_iter=2000).fit(seen[:votes], asked[:votes])
    return float(classifier.score(seen[votes:], asked[votes:]))


def factor_vae_score(codes, factors, votes=2000, examples=64, seed=0):
    """The accuracy of a vote of those latents that vary least when a factor is fixed.

    Of each vote, a factor is drawn, and examples that share its value. The latent whose variance,
    as a share of that over all data, is least, votes for the factor. Each latent stands for the
    factor that it voted for most often (Kim and Mnih, 2018, section 4). Latents that never vary
    have no vote.

    Args:
        codes: see `higgins_score`.
        factors: see `higgins_score`.
        votes: how many decide what latents stand for, at least 2; half as many test it.
        examples: of each vote, at least 2.
        seed: an integer.

    Returns:
        A float from 0 to 1; chance is 1 in the number of factors.

    Raises:
        ValueError: see `higgins_score`.

    Example:
        >>> evaluation.factor_vae_score(codes, source.labels)
        0.85
    """
    check_count("votes", votes, least=2)
    check_count("examples", examples, least=2)
    codes, factors = _checked(codes, factors)
    random, groups = np.random.default_rng(seed), _groups(factors)
    spreads = codes.std(axis=0)
    codes, spreads = codes[:, spreads > _LEAST_SPREAD], spreads[spreads > _LEAST_SPREAD]
    if not len(spreads):
        return 1 / len(groups)
    counts = np.zeros([2, len(spreads), len(groups)], int)
    for vote in range(votes + votes // 2):
        factor = random.integers(len(groups))
        members = _drawn_group(groups[factor], random)
        chosen = codes[random.choice(members, examples)] / spreads
        counts[int(vote >= votes), chosen.var(axis=0).argmin(), factor] += 1
    standing_for = counts[0].argmax(axis=1)
    return float(counts[1][np.arange(len(spreads)), standing_for].sum() / counts[1].sum())


def mutual_information_gap(codes, factors):
    """How much more of a factor its best latent tells than the second best (Chen et al., 2018).

        MIG = 1/K sum_k (I(z_best; v_k) - I(z_second; v_k)) / H(v_k)        (equation 6)

    Latents are counted in 20 bins of equal width.

    Args:
        codes: see `higgins_score`.
        factors: see `higgins_score`.

    Returns:
        A float from 0 to 1.

    Raises:
        ValueError: see `higgins_score`.

    Example:
        >>> evaluation.mutual_information_gap(codes, source.labels)
        0.35
    """
    codes, factors = _checked(codes, factors)
    information = np.sort(mutual_information(codes, factors), axis=0)
    second = information[-2] if len(information) > 1 else 0.0
    entropies = np.array([mutual_info_score(each, each) for each in factors.T])
    return float(np.mean((information[-1] - second) / entropies))


def dci_scores(codes, factors, trees=10, seed=0):
    """Disentanglement, completeness and informativeness (Eastwood and Williams, 2018).

    A random forest tells each factor from the codes, and how important each latent was to it.
    Disentangled is a latent that is important to one factor; complete, a factor to which one latent
    is; informative are codes that tell the factors.

    Args:
        codes: see `higgins_score`.
        factors: see `higgins_score`.
        trees: of each forest, at least 1.
        seed: an integer.

    Returns:
        A dict of floats from 0 to 1: `disentanglement`, `completeness` and `informativeness`, the
        accuracy on a quarter of the examples that the forests have not seen.

    Raises:
        ValueError: see `higgins_score`.

    Example:
        >>> evaluation.dci_scores(codes, source.labels)["disentanglement"]
        0.6
    """
    check_count("trees", trees)
    codes, factors = _checked(codes, factors)
    importance, accuracies = [], []
    train, test = train_test_split(np.arange(len(codes)), test_size=0.25, random_state=seed)
    for factor in factors.T:
        forest = RandomForestClassifier(
            trees, max_features=None, min_samples_leaf=5, random_state=seed
        )
        forest.fit(codes[train], factor[train])
        importance.append(forest.feature_importances_)
        accuracies.append(forest.score(codes[test], factor[test]))
    importance = np.array(importance).T  # [latents, factors]
    return {
        "disentanglement": _one_to_one(importance),
        "completeness": _one_to_one(importance.T),
        "informativeness": float(np.mean(accuracies)),
    }


def separated_attribute_predictability(codes, factors, count=5000, seed=0):
    """How much better a factor's best latent tells it than the second best (Kumar et al., 2018).

    What a latent tells is the accuracy of a linear support vector machine on it alone, on a quarter
    of the examples that it has not seen (SAP, section 3).

    Args:
        codes: see `higgins_score`.
        factors: see `higgins_score`.
        count: examples that are used, at most; at least 2.
        seed: an integer.

    Returns:
        A float from 0 to 1.

    Raises:
        ValueError: see `higgins_score`.

    Example:
        >>> evaluation.separated_attribute_predictability(codes, source.labels)
        0.06
    """
    check_count("count", count, least=2)
    codes, factors = _checked(codes, factors)
    chosen = np.random.default_rng(seed).permutation(len(codes))[:count]
    spreads = np.maximum(codes.std(axis=0), _LEAST_SPREAD)
    codes = (codes[chosen] - codes.mean(axis=0)) / spreads
    parts = train_test_split(codes, factors[chosen], test_size=0.25, random_state=seed)
    train, test, train_factors, test_factors = parts
    _check_that_all_vary(train_factors)
    accuracies = np.array(
        [
            [
                LinearSVC(C=0.01, class_weight="balanced")
                .fit(train[:, [latent]], train_factors[:, factor])
                .score(test[:, [latent]], test_factors[:, factor])
                for factor in range(factors.shape[1])
            ]
            for latent in range(codes.shape[1])
        ]
    )
    accuracies = np.sort(accuracies, axis=0)
    second = accuracies[-2] if len(accuracies) > 1 else 0.0
    return float(np.mean(accuracies[-1] - second))


def _checked(codes, factors):
    codes, factors = check_vectors("codes", codes), np.asarray(factors)
    if factors.ndim != 2 or not factors.shape[1] or factors.dtype.kind not in "iu":
        raise ValueError(
            "A score of disentanglement needs the factors that examples were made of, integers "
            f"[count, factors]. Received: {factors.dtype} of shape {list(factors.shape)}. "
            "`tfgen.data.sprites` has them as its labels."
        )
    if len(codes) != len(factors):
        raise ValueError(
            f"There must be as many codes as factors. Received: {len(codes)} and {len(factors)}."
        )
    if len(codes) < 2:
        raise ValueError(f"A score needs at least 2 examples. Received: {len(codes)}.")
    _check_that_all_vary(factors)
    return codes, factors


def _check_that_all_vary(factors):
    same = (factors == factors[0]).all(axis=0)
    if same.any():
        raise ValueError(
            f"Every factor must vary. Received: {len(factors)} examples, in which factor number "
            f"{same.argmax()} does not."
        )


def _groups(factors):
    """Returns for each factor a list of which examples have each of its values."""
    return [
        [np.flatnonzero(factor == value) for value in np.unique(factor)] for factor in factors.T
    ]


def _drawn_group(groups, random):
    return groups[random.integers(len(groups))]


def mutual_information(codes, factors):
    """Returns the information between each latent and each factor, `[latents, factors]`, nats."""
    binned = [np.digitize(code, np.histogram_bin_edges(code, _BINS)[1:-1]) for code in codes.T]
    return np.array([[mutual_info_score(code, factor) for factor in factors.T] for code in binned])


def _one_to_one(importance):
    """Returns how far each row of importance has one large entry: 1 less its normalized entropy."""
    rows = importance.sum(axis=1)
    shares = importance / np.maximum(rows, 1e-12)[:, np.newaxis]
    logarithms = np.log(np.maximum(shares, 1e-12)) / np.log(max(2, importance.shape[1]))
    each = 1 + (shares * logarithms).sum(axis=1)
    return float(np.sum(each * rows) / max(rows.sum(), 1e-12))
