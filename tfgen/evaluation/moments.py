"""Mean and covariance of features: in one pass, in any order, on any number of replicas."""

import dataclasses
import itertools

import numpy as np
import tensorflow as tf

from tfgen.engine.replicas import several_workers, sum_over_workers
from tfgen.evaluation.features import batches_of


@dataclasses.dataclass(frozen=True, eq=False)
class Moments:
    """The mean and covariance of features, which can be merged.

    Sums are kept in float64, around the mean, so that neither many samples nor a large offset
    costs digits (Chan et al., 1979, equation 2.1).

    Args:
        count: the number of samples.
        mean: float64 `[size]`.
        scatter: float64 `[size, size]`, the sum of `(x - mean)(x - mean)^T`.

    Example:
        >>> moments = Moments.of(features[:5000]).merge(Moments.of(features[5000:]))
        >>> np.allclose(moments.covariance, np.cov(features, rowvar=False))
        True
    """

    count: int
    mean: np.ndarray
    scatter: np.ndarray

    @classmethod
    def none(cls, size):
        """The moments of no samples, which merged with others leave them as they are."""
        return cls(0, np.zeros(size), np.zeros([size, size]))

    @classmethod
    def of(cls, features):
        """The moments of features `[count, size]`, none or more."""
        features = np.asarray(features)
        if len(features) == 0:
            return cls.none(features.shape[1])
        # From the first sample on: a feature that is constant then has a variance of exactly zero.
        first = features[0].astype(np.float64)
        centred = features - first
        offset = centred.mean(axis=0)
        centred -= offset
        return cls(len(features), first + offset, centred.T @ centred)

    def merge(self, other):
        """The moments of both sets of samples together."""
        count = self.count + other.count
        share = other.count / max(count, 1)
        difference = other.mean - self.mean
        between = np.outer(difference, difference) * (self.count * share)
        return Moments(
            count, self.mean + difference * share, self.scatter + other.scatter + between
        )

    @property
    def degrees(self):
        """The degrees of freedom of the covariance, one less than the number of samples.

        Raises:
            ValueError: there are fewer than two samples.
        """
        if self.count < 2:
            raise ValueError(f"A covariance needs at least 2 samples. Received: {self.count}.")
        return self.count - 1

    @property
    def covariance(self):
        """The unbiased covariance, float64 `[size, size]`; raises as `degrees` does."""
        return self.scatter / self.degrees


@np.errstate(invalid="ignore")  # what is not finite is refused, once all workers know of it
def streaming_moments(features, images, batch_size=50, strategy=None):
    """Computes the moments of the features of any number of images, and keeps none of them.

    Args:
        features: a `Features`; a network of it is best made in the strategy's scope.
        images: what `Features` takes. With several worker processes, the same on each: every
            worker takes its part of the batches.
        batch_size: images at a time over all replicas, unless `images` is a data set of batches.
        strategy: a `tf.distribute.Strategy`; the default is the current one.

    Returns:
        The `Moments`, the same on every worker.

    Raises:
        ValueError: the images or their features are not finite.

    Example:
        >>> moments = streaming_moments(evaluation.InceptionFeatures(), dataset)
        >>> evaluation.frechet_distance(moments, other_moments)
    """
    strategy = strategy or tf.distribute.get_strategy()
    extract = tf.function(
        lambda *dealt: strategy.run(lambda batch, count: features.extract(batch)[:count], dealt),
        autograph=False,
        reduce_retracing=True,
    )
    moments = None
    for dealt in _deal(batches_of(images, batch_size), strategy.num_replicas_in_sync):
        own = strategy.experimental_distribute_values_from_function(
            lambda context, dealt=dealt: dealt[context.replica_id_in_sync_group]
        )
        for rows in strategy.experimental_local_results(extract(*own)):
            found = Moments.of(rows)
            moments = moments.merge(found) if moments else found
    if moments is None:
        raise ValueError("There are no images: the data set yields no batch.")
    moments = _merge_workers(moments, strategy)
    if not np.isfinite(moments.scatter).all():
        raise ValueError(f"Features {features.name!r} of these images are NaN or infinite.")
    return moments


def _deal(batches, replicas):
    """Yields a batch for each replica at a time, with the number of its images that count.

    Where there are no more, a replica gets one for nothing: networks may fail on an empty batch.
    """
    iterator = iter(batches)
    for batch in iterator:
        dealt = [batch, *itertools.islice(iterator, replicas - 1)]
        idle = [(batch, tf.constant(0))] * (replicas - len(dealt))
        yield [(each, tf.shape(each)[0]) for each in dealt] + idle


def _merge_workers(moments, strategy):
    """Returns the moments of all workers' samples together, the same on each worker."""
    if not several_workers(strategy):
        return moments
    count = sum_over_workers(strategy, moments.count)
    mean = sum_over_workers(strategy, moments.mean * (moments.count / count))
    off = moments.mean - mean
    scatter = sum_over_workers(strategy, moments.scatter + np.outer(off, off) * moments.count)
    return Moments(int(count), mean, scatter)
