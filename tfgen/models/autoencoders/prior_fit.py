"""Another prior for a trained VAE."""

import tensorflow as tf

from tfgen.distributions.likelihood_ascent import maximize_likelihood
from tfgen.engine import noise
from tfgen.engine.serialization import argument_names
from tfgen.models.autoencoders.vae import VAE
from tfgen.utils.arguments import check_count

_ENCODED = 500  # images at a time


def fit_prior(model, prior, images, steps=2000, batch_size=256, rate=1e-2, seed=0):
    """Fits a prior to the latents of a trained VAE, and returns a VAE that samples from it.

    The decoder was trained on latents of the aggregate posterior `q(z)`. A prior that comes nearer
    to it, by `max_p E_q(z)[log p(z)]`, has fewer holes from which nothing good is decoded. The
    bound rises by as much as the mean of `log p(z)` does. The networks are shared, not copied, and
    do not move.

    Args:
        model: a trained `tfgen.VAE`, or another of its kind.
        prior: a `tfgen.distributions.Prior` with weights, such as `NormalMixture` or `FlowPrior`,
            of the model's size.
        images: float `[count, ...]`, of the training data; one latent is drawn for each.
        steps: steps of Adam, whose rate falls to 0 in a cosine.
        batch_size: latents in a step.
        rate: Adam's first rate.
        seed: an integer, which decides all draws.

    Returns:
        A model of the same class and networks, with the new prior. Compile it to train on.

    Raises:
        TypeError: the model is no `tfgen.VAE`.
        ValueError: the prior has another size, or nothing that could be fitted.

    Example:
        >>> better = tfgen.fit_prior(vae, distributions.NormalMixture(16, 20), images)
        >>> better.sample(16, seed=0)
        >>> tfgen.export(better, "saved_models/better")
    """
    check_count("steps", steps)
    if not isinstance(model, VAE):
        raise TypeError(f"`fit_prior` needs a `tfgen.VAE`. Received: a {type(model).__name__}.")
    if prior.shape != model.prior.shape:
        raise ValueError(
            f"The prior must be of the model's latents, {list(model.prior.shape)}. "
            f"Received: {prior!r}."
        )
    names = argument_names(type(model))
    arguments = {name: getattr(model, name) for name in names if hasattr(model, name)}
    fitted = type(model)(**{**arguments, "prior": prior})
    weights = fitted.prior_weights
    if not weights or prior.kept_weights:
        raise ValueError(
            "`fit_prior` needs a prior all of whose weights are learnt, such as `NormalMixture` or "
            f"`FlowPrior`. Received: {prior!r}."
        )
    _copy(model, fitted)
    latents = tf.concat(
        [
            model.encode(images[start : start + _ENCODED]).sample(
                seed=tf.random.fold_in(noise.seed_from(seed, "fit_prior"), start)
            )
            for start in range(0, len(images), _ENCODED)
        ],
        axis=0,
    )
    maximize_likelihood(fitted.prior_with, weights, latents, steps, batch_size, rate, seed)
    return fitted


def _copy(model, fitted):
    """Gives a model of the same networks what else another has learnt."""
    for source, target in zip(model.averages, fitted.averages, strict=True):
        for value, variable in zip(source.variables, target.variables, strict=True):
            variable.assign(value)
    for name, weight in model.posterior_weights.items():
        fitted.posterior_weights[name].assign(weight)
    fitted.step.assign(model.step)
