"""The bound that tells the total correlation of the latents from the rest of the divergence."""

import dataclasses
import math
import typing

import tensorflow as tf
import tensorflow_probability as tfp

from tfgen.distributions.normal import diagonal_normal
from tfgen.engine.graphs import requirement
from tfgen.engine.replicas import from_all_replicas
from tfgen.engine.serialization import serializable
from tfgen.objectives.bounds.terms import Bound, check_independent, check_not_negative
from tfgen.utils.arguments import check_count

tfd = tfp.distributions


class Parts(typing.NamedTuple):
    """The parts that the divergence from the prior is the sum of, `[batch]` each, in nats."""

    mutual_information: tf.Tensor
    total_correlation: tf.Tensor
    dimension_wise: tf.Tensor


@serializable
@dataclasses.dataclass(frozen=True)
class TotalCorrelation(Bound):
    """`E log p(x|z) - alpha MI - beta TC - gamma KL_d` (Chen et al., 2018, equation 4).

    The divergence from the prior, in the mean over the data, is the sum of the mutual information
    of data and latents (MI), the total correlation of the latents (TC), and each latent's own
    divergence. A larger `beta` presses for independent latents, and not for silent ones.

    Args:
        data_size: `N`, the number of training examples, at least 2.
        alpha: the weight of the mutual information.
        beta: the weight of the total correlation; the paper's is 6 for sprites.
        gamma: the weight of the dimension-wise divergence.

    Raises:
        ValueError: a weight is negative, or `data_size` less than 2. In training: the posterior is
            no diagonal normal, or a batch has one example, or more than there are. With
            `jit_compile=True`, such a batch may make the loss NaN instead.

    Example:
        >>> TotalCorrelation(data_size=len(source), beta=6.0)
    """

    data_size: int
    alpha: float = 1.0
    beta: float = 6.0
    gamma: float = 1.0

    def __post_init__(self):
        check_count("data_size", self.data_size, least=2)
        check_not_negative(self, "alpha", "beta", "gamma")

    def value(self, terms, step):
        parts = self.parts(terms)
        weights = self.alpha, self.beta, self.gamma
        divergence = tf.add_n([weight * part for weight, part in zip(weights, parts, strict=True)])
        return tf.reduce_mean(terms.log_likelihood, axis=0) - divergence

    def parts(self, terms):
        """Returns the `Parts` of the divergence, estimated from one draw of each example."""
        check_independent("prior", terms.prior)
        check_independent("posterior", terms.posterior)
        latents = terms.latents[0]
        log_posterior = terms.posterior.log_prob(latents)
        log_joint, log_marginals = self._log_aggregate(terms.posterior, latents)
        log_priors = terms.prior.distribution.log_prob(latents)
        return Parts(
            mutual_information=log_posterior - log_joint,
            total_correlation=log_joint - tf.reduce_sum(log_marginals, axis=1),
            dimension_wise=tf.reduce_sum(log_marginals - log_priors, axis=1),
        )

    def _log_aggregate(self, posterior, latents):
        """Estimates the aggregate posterior `q(z) = 1/N sum_n q(z|x_n)` at the latents.

        The batch stands for the data (Chen et al., 2018, appendix C.2). Of the N examples, one is
        that whose posterior the latents are of. The other N - 1 are told by the rest of the batch.

        Returns:
            `log q(z)`, `[batch]`, and `log q(z_j)`, `[batch, size]`.
        """
        if not isinstance(posterior.distribution, tfd.Normal):
            raise ValueError(
                "`TotalCorrelation` needs a diagonal normal posterior. "
                f"Received: {posterior}. `bounds.ELBO()` takes any."
            )
        parameters = tf.stack([posterior.mean(), posterior.stddev()], axis=1)
        parameters, first = from_all_replicas(parameters)
        everyone = diagonal_normal(*tf.unstack(parameters, axis=1)).distribution
        densities = everyone.log_prob(latents[:, tf.newaxis])  # [batch, global batch, size]
        count = parameters.shape[0] or tf.shape(parameters)[0]
        own = first + tf.range(tf.shape(latents)[0])
        log_weights = self._checked(self._log_weights(own, count), count)
        log_joint = tf.reduce_logsumexp(log_weights + tf.reduce_sum(densities, axis=2), axis=1)
        log_marginals = tf.reduce_logsumexp(log_weights[..., tf.newaxis] + densities, axis=1)
        return log_joint, log_marginals

    def _log_weights(self, own, count):
        """Returns the logarithms of the weights of all examples for each, `[batch, count]`."""
        of_others = math.log((self.data_size - 1) / self.data_size)
        return tf.where(
            tf.one_hot(own, count) > 0,
            -math.log(self.data_size),
            of_others - tf.math.log(tf.cast(count - 1, tf.float32)),
        )

    def _checked(self, log_weights, count):
        """Returns the weights of a batch of that many examples, if there can be such a batch."""
        fits = (count >= 2) & (count <= self.data_size)
        message = f"A batch must have from 2 to `data_size` = {self.data_size} examples."
        with tf.control_dependencies(requirement(fits, message, count)):
            return tf.where(fits, log_weights, math.nan)  # XLA drops the check
