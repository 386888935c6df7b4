"""Compares the scores' speed with the usual ways: SciPy's `sqrtm`, scikit-learn's search.

    $ python -m training.benchmark_evaluation --samples 5000 --features 2048

Each pair runs in this process, in turn, on the same arrays and to the same values; what counts is
the ratio within each turn. The arrays are normal numbers: neither way's work depends on them.

The file of `--output` holds, for each comparison by name: what the other way is (`theirs`), the
seconds of each turn, their `ratios` (how many times as fast ours is), and the peak of what either
allocates through NumPy in MB, beyond the features.
"""

import argparse
import dataclasses
import statistics
import sys
import time
import tracemalloc
from collections.abc import Callable

from tfgen.utils.tensorflow_setup import import_tensorflow


def main(arguments=None):
    """Runs the command."""
    parser = argparse.ArgumentParser(
        prog="python -m training.benchmark_evaluation", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--samples", type=int, default=5000, help="of each set, more than features")
    parser.add_argument("--features", type=int, default=2048, help="(default: %(default)s)")
    parser.add_argument("--turns", type=int, default=5, help="repetitions (default: %(default)s)")
    parser.add_argument("--output", help="a JSON file for the result")
    options = parser.parse_args(arguments)
    if options.samples <= options.features:
        parser.error(
            "`sqrtm` needs covariances of full rank, so more samples than features. Received: "
            f"--samples {options.samples} --features {options.features}."
        )
    import_tensorflow()
    from training.runs.run_folder import commit, write_json
    from training.tools.machine import machine

    results = {}
    for comparison in comparisons(options.samples, options.features):
        try:
            result = results[comparison.name] = measure(comparison, options.turns)
        except ValueError as error:
            sys.exit(f"benchmark_evaluation: {error}")
        ours, theirs = (statistics.median(result[f"{way}_seconds"]) for way in ("ours", "theirs"))
        low, ratio, high = quartiles(result["ratios"])
        print(
            f"{comparison.name}: {ours:.3g} s, {theirs:.3g} s by {comparison.theirs_name}; "
            f"{ratio:.2f} times as fast (median; {low:.2f} to {high:.2f})",
            flush=True,  # the next one may take minutes
        )
    if options.output:
        result = {
            "evaluation_benchmark": results,
            "samples": options.samples,
            "features": options.features,
            "versions": software(),
        }
        write_json(options.output, {**result, "machine": machine(), "commit": commit()})


@dataclasses.dataclass(frozen=True)
class Comparison:
    """Two ways to the same value."""

    name: str
    ours: Callable
    theirs: Callable
    theirs_name: str


def comparisons(samples, features):
    """Yields what there is to compare, on two sets of `samples` vectors."""
    import numpy as np

    from tfgen.evaluation.frechet import frechet_distance
    from tfgen.evaluation.moments import Moments
    from tfgen.evaluation.neighbours import (
        kth_squared_distances,
        nearest_neighbour_score,
        prepare,
    )

    generator = np.random.default_rng(0)
    real = generator.normal(size=[samples, features]).astype(np.float32)
    fake = generator.normal(0.02, size=[samples, features]).astype(np.float32)
    moments = [Moments.of(each) for each in (real, fake)]
    yield Comparison(
        "Frechet distance of moments",
        lambda: frechet_distance(*moments),
        lambda: usual_frechet_distance(*((each.mean, each.covariance) for each in moments)),
        "scipy.linalg.sqrtm",
    )
    yield Comparison(
        "Frechet distance of features",
        lambda: frechet_distance(real, fake),
        lambda: usual_frechet_distance(*map(usual_moments, (real, fake))),
        "numpy.cov, scipy.linalg.sqrtm",
    )
    yield Comparison(
        "nearest neighbour score",
        lambda: nearest_neighbour_score(real, fake),
        lambda: usual_nearest_neighbour_score(real, fake),
        "sklearn.neighbors.NearestNeighbors",
    )
    yield Comparison(
        "distance to the fifth neighbour",
        lambda: np.sqrt(kth_squared_distances(prepare(real, fake)[0], 5)),
        lambda: usual_distances(real, 5)[0][:, -1],
        "sklearn.neighbors.NearestNeighbors",
    )


def usual_moments(features):
    """The mean and the covariance, as they are mostly computed."""
    import numpy as np

    return np.mean(features, axis=0, dtype=np.float64), np.cov(
        features, rowvar=False, dtype=np.float64
    )


def usual_frechet_distance(real, fake):
    """The formula of Heusel et al. (2017) with a general matrix root, as it is mostly computed."""
    import numpy as np
    from scipy import linalg

    difference = real[0] - fake[0]
    root = linalg.sqrtm(real[1] @ fake[1])
    return difference @ difference + np.trace(real[1] + fake[1] - 2 * root.real)


def usual_nearest_neighbour_score(real, fake):
    """The leave-one-out accuracies from one search among all samples."""
    import numpy as np

    classes = np.repeat([1, 0], [len(real), len(fake)])
    _, indices = usual_distances(np.concatenate([real, fake]), 1)
    right = classes[indices[:, 0]] == classes
    return right.mean(), right[classes == 1].mean(), right[classes == 0].mean()


def usual_distances(points, k):
    """Distances to the k nearest neighbours and their indices, points themselves left out."""
    from sklearn.neighbors import NearestNeighbors

    return NearestNeighbors(n_neighbors=k).fit(points).kneighbors()


def measure(comparison, turns):
    """Runs both ways in turn, after one turn each that is not timed but checked.

    Raises:
        ValueError: the two ways disagree.
    """
    import numpy as np

    ways = {"ours": comparison.ours, "theirs": comparison.theirs}
    values, peaks = {}, {}
    for way, compute in ways.items():
        tracemalloc.start()
        values[way] = compute()
        peaks[way] = tracemalloc.get_traced_memory()[1] / 1e6
        tracemalloc.stop()
    if not np.allclose(values["ours"], values["theirs"], rtol=1e-4):
        raise ValueError(
            f"{comparison.name} is {values['ours']}, but {values['theirs']} by "
            f"{comparison.theirs_name}."
        )
    seconds = {way: [] for way in ways}
    for _ in range(turns):
        for way, compute in ways.items():
            start = time.perf_counter()
            compute()
            seconds[way].append(time.perf_counter() - start)
    return {
        "theirs": comparison.theirs_name,
        "ours_seconds": seconds["ours"],
        "theirs_seconds": seconds["theirs"],
        "ratios": [
            theirs / ours for ours, theirs in zip(seconds["ours"], seconds["theirs"], strict=True)
        ],
        "ours_peak_megabytes": peaks["ours"],
        "theirs_peak_megabytes": peaks["theirs"],
    }


def quartiles(numbers):
    """Returns the lower quartile, the median and the upper quartile."""
    import numpy as np

    return np.percentile(numbers, [25, 50, 75])


def software():
    """Returns the versions of what was compared."""
    import numpy
    import scipy
    import sklearn

    from tfgen.utils.versions import versions

    modules = {"numpy": numpy, "scipy": scipy, "scikit-learn": sklearn}
    return {**versions(), **{name: module.__version__ for name, module in modules.items()}}


if __name__ == "__main__":
    main()
