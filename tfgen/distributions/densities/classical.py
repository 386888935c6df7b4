"""Classical densities: in closed form, or by expectation maximization."""

import dataclasses
import math

import numpy as np
import scipy.linalg
import sklearn.decomposition
import sklearn.mixture
import tensorflow as tf
import tensorflow_probability as tfp

from tfgen.distributions.densities.density import Density, floats, serializable
from tfgen.utils.arguments import check_count

tfd = tfp.distributions

# Expectation maximization ends by itself, mostly after some tens of iterations.
_MOST_ITERATIONS = 1000


@serializable
@dataclasses.dataclass(frozen=True)
class Gaussian(Density):
    """The normal distribution of maximum likelihood.

    Its mean is the examples' mean, and its covariance `1/N sum_i (x_i - mean) (x_i - mean)^T`,
    except that no direction has a standard deviation below `floor`. Without a floor, a value
    that never varies (a picture's black border), or fewer examples than dimensions, would drive
    the likelihood to infinity. So where there are such directions the log-likelihood depends on the
    floor: compare it at equal floors only. Samples show no difference.

    Args:
        floor: the least standard deviation in any direction, positive. The default is about what
            rounding to 256 levels in [0, 1] adds, `1 / (255 sqrt(12))`.

    Example:
        >>> parameters = Gaussian().estimate(np.random.normal(size=[1000, 2]), seed=0)
        >>> Gaussian().distribution(**parameters).covariance()  # about the identity
    """

    floor: float = 1e-3

    def __post_init__(self):
        _check_positive("floor", self.floor)

    def estimate(self, examples, seed):
        examples = np.asarray(examples, np.float64)
        mean = examples.mean(axis=0)
        centred = examples - mean
        variances, directions = scipy.linalg.eigh(centred.T @ centred / len(examples))
        deviations = np.sqrt(np.maximum(variances, self.floor**2))
        # `R` of a QR decomposition of the covariance's root is its Cholesky factor, transposed:
        # squaring the deviations first would lose half of their digits.
        factor = scipy.linalg.qr((directions * deviations).T, mode="r")[0].T
        factor *= np.sign(np.diag(factor))
        return floats(mean=mean, factor=factor)

    def distribution(self, mean, factor):
        return tfd.MultivariateNormalTriL(mean, factor)


@serializable
@dataclasses.dataclass(frozen=True)
class FactorAnalysis(Density):
    """A few hidden factors make all values, and each value has noise of its own (Bartlett, 1937).

        x = mean + W z + e,   z ~ N(0, I),   e ~ N(0, diag(noise))

    So `x ~ N(mean, W W^T + diag(noise))`: a linear VAE's likelihood, at its maximum. scikit-learn's
    `FactorAnalysis` estimates it.

    Args:
        factors: how many, at least 1, and at most as many as values or examples.
        floor: the least standard deviation of a value's noise, positive.

    Example:
        >>> density = FactorAnalysis(factors=2)
        >>> density.estimate(np.random.normal(size=[1000, 5]), seed=0)["weights"].shape
        (5, 2)
    """

    factors: int
    floor: float = 1e-3

    def __post_init__(self):
        _check_positive("floor", self.floor)
        check_count("factors", self.factors)

    def estimate(self, examples, seed):
        most = min(np.shape(examples))
        if self.factors > most:
            raise ValueError(
                f"`factors` must be at most {most}, the lesser number of values and examples. "
                f"Received: factors={self.factors} and examples of {list(np.shape(examples))}."
            )
        analysis = sklearn.decomposition.FactorAnalysis(
            self.factors, max_iter=_MOST_ITERATIONS, random_state=seed % 2**32
        ).fit(np.asarray(examples, np.float64))
        noise = np.sqrt(np.maximum(analysis.noise_variance_, self.floor**2))
        return floats(mean=analysis.mean_, weights=analysis.components_.T, noise=noise)

    def distribution(self, mean, weights, noise):
        return tfd.MultivariateNormalDiagPlusLowRankCovariance(mean, noise**2, weights)


@serializable
@dataclasses.dataclass(frozen=True)
class GaussianMixture(Density):
    """A mixture of normal distributions with full covariances, by expectation maximization.

    scikit-learn's `GaussianMixture` estimates it, from one start by k-means.

    Args:
        components: the number of normal distributions, at least 1.
        floor: see `Gaussian`; here `floor^2` is added to every variance.

    Example:
        >>> density = GaussianMixture(components=2)
        >>> parameters = density.estimate(np.random.normal(size=[1000, 2]), seed=0)
        >>> density.distribution(**parameters).sample(5, seed=(0, 1)).shape
        TensorShape([5, 2])
    """

    components: int
    floor: float = 1e-3

    def __post_init__(self):
        _check_positive("floor", self.floor)
        check_count("components", self.components)

    def estimate(self, examples, seed):
        if len(examples) < self.components:
            raise ValueError(
                f"{self.components} components need as many examples at least. "
                f"Received: {len(examples)} examples. Take fewer components."
            )
        mixture = sklearn.mixture.GaussianMixture(
            self.components,
            reg_covar=self.floor**2,
            max_iter=_MOST_ITERATIONS,
            random_state=seed % 2**32,
        ).fit(np.asarray(examples, np.float64))
        return floats(
            logits=np.log(mixture.weights_),
            means=mixture.means_,
            factors=np.linalg.cholesky(mixture.covariances_),
        )

    def distribution(self, logits, means, factors):
        return _Mixture(tfd.Categorical(logits=logits), tfd.MultivariateNormalTriL(means, factors))


@serializable
@dataclasses.dataclass(frozen=True)
class KernelDensity(Density):
    """A normal distribution around each example: `f(x) = 1/N sum_i N(x; x_i, bandwidth^2 I)`.

    It keeps all examples. A sample is an example, drawn uniformly, plus noise of the bandwidth
    (Parzen, 1962).

    Args:
        bandwidth: the kernels' standard deviation, positive, in the units of the examples.

    Example:
        >>> density = KernelDensity(bandwidth=0.1)
        >>> density.distribution(points=tf.constant([[0.0], [1.0]])).log_prob([[1.0]])
    """

    bandwidth: float

    def __post_init__(self):
        _check_positive("bandwidth", self.bandwidth)

    def estimate(self, examples, seed):
        return floats(points=examples)

    def distribution(self, points):
        return _NormalKernels(points, self.bandwidth)


class _Mixture(tfd.MixtureSameFamily):
    """TFP's mixture, sampled with a gather instead of a masked sum over the components.

    That is faster, and does without TFP's transpose of integers, of which TensorFlow complains on
    processors without AVX-512.
    """

    def _sample_n(self, n, seed):
        which, noise = tfp.random.split_seed(seed)
        logits = self.mixture_distribution.logits[tf.newaxis]
        chosen = tf.random.stateless_categorical(logits, n, which)[0]
        return tf.gather(
            self.components_distribution.sample(n, seed=noise), chosen, axis=1, batch_dims=1
        )


class _NormalKernels(tfd.Distribution):
    """The mixture of equal normals around many points.

    `tfd.MixtureSameFamily` would draw from every kernel for every sample, and keep one.
    """

    def __init__(self, points, bandwidth):
        parameters = dict(locals())
        self.points = tf.convert_to_tensor(points)
        self.bandwidth = bandwidth
        super().__init__(
            dtype=self.points.dtype,
            reparameterization_type=tfd.NOT_REPARAMETERIZED,
            validate_args=False,
            allow_nan_stats=False,
            parameters=parameters,
        )

    def _batch_shape(self):
        return tf.TensorShape([])

    def _event_shape(self):
        return self.points.shape[1:]

    def _sample_n(self, n, seed):
        which, noise = tfp.random.split_seed(seed)
        count, size = tf.unstack(tf.shape(self.points))
        chosen = tf.random.stateless_uniform([n], which, maxval=count, dtype=tf.int32)
        noise = tf.random.stateless_normal([n, size], noise, dtype=self.dtype)
        return tf.gather(self.points, chosen) + self.bandwidth * noise

    def _log_prob(self, value):
        # In double precision, because the squared distance is a small difference of large numbers.
        values, points = (tf.cast(x, tf.float64) / self.bandwidth for x in (value, self.points))
        count, size = points.shape
        exponents = (
            tf.matmul(values, points, transpose_b=True)
            - 0.5 * tf.reduce_sum(points**2, axis=-1)
            - 0.5 * tf.reduce_sum(values**2, axis=-1, keepdims=True)
        )
        constant = math.log(count) + size * math.log(self.bandwidth * math.sqrt(2 * math.pi))
        return tf.cast(tf.reduce_logsumexp(exponents, axis=-1) - constant, self.dtype)


def _check_positive(name, value):
    if not value > 0:
        raise ValueError(f"`{name}` must be positive. Received: {name}={value}.")
