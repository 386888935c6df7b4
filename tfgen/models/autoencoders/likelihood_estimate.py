"""The likelihood of a model with latents, by importance sampling in bounded memory."""

import math

import tensorflow as tf

# So many rows are decoded at once (16 MB for 784 pixels), so many of each image.
_ROWS, _CHUNK = 5000, 50


class LikelihoodEstimate:
    """`log p(x) ~ log 1/k sum_i w_i` (Burda et al., 2016, equation 8).

    Args:
        model: a model with `terms` and `shared_terms`, as of
            `tfgen.models.autoencoders.latent_variable_model.LatentVariableModel`.

    Example:
        >>> LikelihoodEstimate(vae)(images, samples=5000, noise_seed=[0, 1])
    """

    def __init__(self, model):
        self._model = model
        self._estimate = tf.function(
            self._log_mean_weight,
            jit_compile=bool(model.jit_compile),
            autograph=False,
            reduce_retracing=True,
        )

    def __call__(self, images, samples, noise_seed):
        """Returns the estimate of each image.

        Args:
            images: float32 `[count, ...]`, or a structure of such rows.
            samples: `k`, the number of latents per image.
            noise_seed: int32 `[2]`.

        Returns:
            A float32 tensor `[count]`, in nats.
        """
        chunk = min(samples, _CHUNK)
        batches = tf.data.Dataset.from_tensor_slices(images).batch(_ROWS // chunk)
        return tf.concat(
            [
                self._estimate(batch, samples, chunk, tf.random.fold_in(noise_seed, index))
                for index, batch in enumerate(batches)
            ],
            axis=0,
        )

    def _log_mean_weight(self, images, samples, chunk, noise_seed):
        """Takes `chunk` of the `samples` weights at a time."""
        shared = self._model.shared_terms()

        def add_chunk(total, index):
            terms = self._model.terms(images, chunk, tf.random.fold_in(noise_seed, index), **shared)
            wanted = index * chunk + tf.range(chunk) < samples  # the last chunk may be too long
            weights = tf.where(wanted[:, tf.newaxis], terms.log_weights, -math.inf)
            return tf.reduce_logsumexp(tf.concat([total[tf.newaxis], weights], axis=0), axis=0)

        nothing = tf.fill([tf.shape(tf.nest.flatten(images)[0])[0]], -math.inf)
        chunks = tf.range(math.ceil(samples / chunk))
        return tf.foldl(add_chunk, chunks, nothing) - math.log(samples)
