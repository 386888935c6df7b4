"""What one way up and down through a hierarchy of latents gives to bounds."""

import tensorflow as tf

from tfgen.models.autoencoders import descent
from tfgen.objectives.bounds import HierarchicalTerms, ScaledGradient
from tfgen.objectives.bounds.hierarchy import Densities


def terms_of(model, images, samples, noise_seed, training, use_ema):
    """Returns the `HierarchicalTerms` of a batch; see `LatentVariableModel.terms`.

    A doubly reparametrized gradient asks for the densities anew, by second ways down with the same
    latents. Those of the posterior have fixed weights, and latents above that are free.

    Args:
        model: a `tfgen.HierarchicalVAE`.
        images: float32 `[batch, ...]`; or a batch that begins with them.
        samples: latents per example.
        noise_seed: int32 `[2]`, of their draw.
        training: whether layers behave as in training.
        use_ema: whether to use the average of the weights, if there is one.
    """
    images, run = model.examples_of(images), descent.runner(model, training, use_ema)
    features = [_repeat(each, samples) for each in model.features_of(images, run)]
    drawn = model.layered_noise.draw(tf.shape(images)[0], samples, noise_seed)
    state, layers = descent.infer(model, run, features, drawn)
    repeated, gradient = _repeat(images, samples), ScaledGradient()

    def per_sample(values):
        return tf.reshape(values, [samples, -1])

    def log_likelihood(state):
        return per_sample(model.likelihood_of(state, run).log_prob(repeated))

    def fixed_posterior():
        joined = tf.concat([layer.latents for layer in layers], axis=-1)
        scaled = gradient(tf.reshape(joined, [samples, -1, model.prior.size]))
        latents = model.layered_noise.split(scaled)
        state, log_prior = descent.log_prior(model, run, latents)
        fixed = descent.fixed_runner(model, training, use_ema)
        held = list(map(tf.stop_gradient, features))
        log_posterior = descent.log_posterior(model, fixed, held, latents)
        return Densities(log_likelihood(state), per_sample(log_prior), per_sample(log_posterior))

    return HierarchicalTerms(log_likelihood(state), layers, fixed_posterior, gradient)


def _repeat(rows, samples):
    """Returns rows as often as there are samples, `[samples * batch, ...]`."""
    return rows if samples == 1 else tf.tile(rows, [samples] + [1] * (len(rows.shape) - 1))
