"""Divergences between distributions."""

import tensorflow as tf


def kl_divergence(posterior, prior, latents, log_posterior=None):
    """`KL(q || p)`: in closed form where TFP has it, else from the samples `latents`.

    Args:
        posterior: a TFP distribution with batch shape `[batch]`.
        prior: a TFP distribution over the same vectors.
        latents: `[samples, batch, size]`, drawn from `posterior`.
        log_posterior: `log q` of the latents, `[samples, batch]`, where it is known.

    Returns:
        A tensor `[batch]`, in nats.
    """
    try:
        return posterior.kl_divergence(prior)
    except NotImplementedError:
        if log_posterior is None:
            log_posterior = posterior.log_prob(latents)
        return tf.reduce_mean(log_posterior - prior.log_prob(latents), axis=0)
