"""Divergences between distributions."""

import tensorflow as tf


def kl_divergence(posterior, prior, latents):
    """`KL(q || p)`: in closed form where TFP has it, else from the samples `latents`.

    Args:
        posterior: a TFP distribution with batch shape `[batch]`.
        prior: a TFP distribution over the same vectors.
        latents: `[samples, batch, size]`, drawn from `posterior`.

    Returns:
        A tensor `[batch]`, in nats.
    """
    try:
        return posterior.kl_divergence(prior)
    except NotImplementedError:
        return tf.reduce_mean(posterior.log_prob(latents) - prior.log_prob(latents), axis=0)
