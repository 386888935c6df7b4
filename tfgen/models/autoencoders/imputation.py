"""What is missing in examples, drawn by a model of latents."""

import numpy as np
import tensorflow as tf


class Imputation:
    """Draws missing values from `p(x_m | x_o)`, by Metropolis within Gibbs.

    Encoding, decoding and drawing in turn (Rezende et al., 2014, appendix F) is right only where
    the encoder is exact. Here an encoder's latents are a proposal, which is accepted as Metropolis
    and Hastings say (Mattei and Frellsen, 2018, "Leveraging the exact likelihood of deep latent
    variable models", algorithm 1). So the draws are those of the decoder's own model.

    Args:
        model: a `tfgen.models.autoencoders.latent_variable_model.LatentVariableModel`.
    """

    def __init__(self, model):
        self._model = model

    def __call__(self, rows, seen, steps, noise_seed, pixel_noise):
        """Returns examples with drawn values in the place of the missing ones.

        Args:
            rows: what `model.rows_of` returned; the examples in it come first.
            seen: boolean, shaped as the examples.
            steps: how many times all missing values are drawn anew, an int32 scalar tensor.
            noise_seed: int32 `[2]`.
            pixel_noise: whether values are drawn from `p(x|z)` at last, or are its mean.
        """
        images, *others = tf.nest.flatten(rows)

        def rows_with(drawn):
            drawn = tf.where(seen, images, drawn)
            return tf.nest.pack_sequence_as(rows, [drawn, *others])

        def step(index, latents, drawn):
            seeds = [tf.random.fold_in(noise_seed, 3 * index + part) for part in range(3)]
            current = rows_with(drawn)
            posterior = self._model.proposal(current)
            proposed = posterior.sample(seed=seeds[0])
            gain = self._log_weight(proposed, current, posterior, prior)
            gain -= self._log_weight(latents, current, posterior, prior)
            uniform = tf.random.stateless_uniform(tf.shape(gain), seeds[1])
            accepted = tf.math.log(uniform) < gain
            further = [1] * (len(latents.shape) - 1)
            latents = tf.where(tf.reshape(accepted, [-1, *further]), proposed, latents)
            return index + 1, latents, self._draw(latents, current, seeds[2])

        count, prior = tf.shape(images)[0], self._model.prior_distribution()
        latents = prior.sample(count, seed=tf.random.fold_in(noise_seed, -1))
        drawn = self._draw(latents, rows, tf.random.fold_in(noise_seed, -2))
        _, latents, drawn = tf.while_loop(
            lambda index, *_: index < steps, step, (0, latents, drawn), parallel_iterations=1
        )
        if not pixel_noise:
            drawn = self._likelihood(latents, rows).mean()
        return tf.where(seen, images, drawn)

    def _log_weight(self, latents, rows, posterior, prior):
        """Returns `log p(x|z) + log p(z) - log q(z|x)`, `[batch]`."""
        examples = self._model.examples_of(rows)
        log_joint = self._likelihood(latents, rows).log_prob(examples)
        log_joint += prior.log_prob(latents)
        return log_joint - posterior.log_prob(latents)

    def _draw(self, latents, rows, noise_seed):
        return self._likelihood(latents, rows).sample(seed=noise_seed)

    def _likelihood(self, latents, rows):
        return self._model.decode(self._model.decoder_inputs(latents, rows))


def seen_of(mask, images):
    """Returns a mask as booleans, shaped as images.

    Values are looked at outside of graphs only: an export's signature says what it takes.

    Args:
        mask: see `tfgen.VAE.impute`.
        images: float32 `[batch, ...]`.

    Raises:
        ValueError: the mask has another shape, or holds other values; or values that are seen are
            not finite.
    """
    mask = _as_booleans(tf.convert_to_tensor(mask))
    if mask.shape.rank == images.shape.rank - 1:
        mask = mask[tf.newaxis]  # one for all images
    fits = (
        mask.shape.rank == images.shape.rank
        and (mask.shape[0] == 1 or mask.shape[:1].is_compatible_with(images.shape[:1]))
        and mask.shape[1:-1].is_compatible_with(images.shape[1:-1])
        and mask.shape[-1] in (1, images.shape[-1])
    )
    if not fits:
        raise ValueError(
            f"`mask` must be shaped as the images, {list(images.shape)}, or as one of them, or "
            f"have one channel. Received: {list(mask.shape)}."
        )
    seen = tf.broadcast_to(mask, tf.shape(images))
    if tf.executing_eagerly():
        _check_seen(np.asarray(images)[np.asarray(seen)])
    return seen


def _as_booleans(mask):
    if tf.executing_eagerly():
        values = np.asarray(mask)
        wrong = values[~np.isin(values, (0, 1))]
        if wrong.size:
            raise ValueError(
                "`mask` must hold booleans, or numbers that are 0 or 1. Received: a mask with "
                f"{wrong[0]}."
            )
    return tf.cast(mask, tf.bool)


def _check_seen(values):
    finite = np.isfinite(values)
    if not finite.all():
        raise ValueError(
            f"{np.sum(~finite)} of {values.size} values that are seen are NaN or infinite. Where "
            "they are missing, `mask` must be 0."
        )
