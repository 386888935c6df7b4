"""A model whose likelihood, posterior and bounds are known: `z ~ N(0, I)`, `x ~ N(W z, s^2 I)`."""

import numpy as np
import tensorflow as tf

from tfgen.distributions import Gaussian, LogVarianceNormal, StandardNormal
from tfgen.objectives.bounds import ScaledGradient, Terms

# Orthogonal columns: the true posterior is diagonal.
WEIGHTS = np.array([[1.0, 1.0], [2.0, -1.0], [1.0, 1.0]], np.float32)
DEVIATION = 0.8


def examples(count=4):
    return (2 * np.random.default_rng(0).normal(size=(count, 3))).astype(np.float32)


def true_posterior(examples):
    """Returns the mean and the variance of `p(z|x)`."""
    precision = 1 + np.sum(WEIGHTS**2, axis=0) / DEVIATION**2
    return examples @ WEIGHTS / DEVIATION**2 / precision, 1 / precision


def log_evidence(examples):
    covariance = WEIGHTS @ WEIGHTS.T + DEVIATION**2 * np.eye(3)
    quadratic = np.einsum("ij,jk,ik->i", examples, np.linalg.inv(covariance), examples)
    return -0.5 * (quadratic + np.linalg.slogdet(2 * np.pi * covariance)[1])


def terms(examples, mean, log_variance, samples, seed=(5, 6), weights=WEIGHTS):
    """Returns the `Terms` of a posterior, by as many latents of each example."""
    examples = tf.constant(examples, tf.float32)
    log_variance = tf.zeros_like(mean) + log_variance

    def posterior_of(mean, log_variance):
        return LogVarianceNormal().distribution(mean, log_variance)

    posterior, gradient = posterior_of(mean, log_variance), ScaledGradient()
    latents = gradient(posterior.sample(samples, seed=seed))
    decoded = tf.matmul(tf.reshape(latents, [-1, 2]), weights, transpose_b=True)
    likelihood = Gaussian(scale=DEVIATION).distribution(decoded)
    repeated = tf.tile(examples, [samples, 1])
    return Terms(
        tf.reshape(likelihood.log_prob(repeated), [samples, -1]),
        latents,
        posterior,
        StandardNormal(2).distribution(),
        lambda: posterior_of(tf.stop_gradient(mean), tf.stop_gradient(log_variance)),
        gradient,
    )
