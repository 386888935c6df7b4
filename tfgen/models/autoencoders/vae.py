"""The variational autoencoder."""

import functools
import inspect
import math

import tensorflow as tf

from tfgen.distributions import kl_divergence
from tfgen.engine import noise
from tfgen.engine.generative_model import GenerativeModel, unpack
from tfgen.engine.graphs import as_graph
from tfgen.engine.serialization import serializable
from tfgen.objectives import bounds

# `log_likelihood` decodes this many rows at once (16 MB for 784 pixels), this many of each image.
_ROWS, _CHUNK = 5000, 50


@serializable
class VAE(GenerativeModel):
    """A variational autoencoder (Kingma and Welling, 2014; Rezende et al., 2014).

    The encoder maps an example to a distribution over latents, `q(z|x)`; the decoder maps a latent
    to a distribution over examples, `p(x|z)`. Both are trained together to maximize a bound on
    `log p(x)`; with the standard one, equation 3 of the paper,

        log p(x) >= E_q[log p(x|z)] - KL(q(z|x) || p(z)).

    Args:
        encoder: a built Keras model from examples to the posterior's parameters: for the normal
            posteriors two outputs `[batch, prior.size]`.
        decoder: a built Keras model from latents `[batch, prior.size]` to the likelihood's
            parameters, shaped as examples are.
        prior: a `tfgen.distributions.Prior`.
        posterior: a `tfgen.distributions.Posterior`.
        likelihood: a `tfgen.distributions.Likelihood`.
        bound: a `tfgen.bounds.Bound`; the default is `ELBO()`.
        **kwargs: `seed`, `name`, `dtype`: see `tfgen.GenerativeModel`.

    Raises:
        ValueError: the networks and the values do not fit each other.

    Example:
        >>> vae = tfgen.VAE(
        ...     encoder=networks.conv_encoder((28, 28, 1), latent_dim=16),
        ...     decoder=networks.conv_decoder((28, 28, 1), latent_dim=16),
        ...     prior=tfgen.distributions.StandardNormal(16),
        ...     posterior=tfgen.distributions.DiagonalNormal(),
        ...     likelihood=tfgen.distributions.Bernoulli(),
        ... )
        >>> vae.compile("adam")
        >>> vae.fit(images, epochs=10)
        >>> vae.sample(16, seed=0).shape
        TensorShape([16, 28, 28, 1])
    """

    log_names = ("loss", "reconstruction", "divergence")
    abilities = frozenset(
        {"sample", "generate", "encode", "reconstruct", "bound", "log_likelihood"}
    )

    def __init__(
        self, encoder, decoder, prior, posterior, likelihood, bound=None, seed=0, **kwargs
    ):
        super().__init__(seed=seed, **kwargs)
        _check_fit(encoder, decoder, prior, posterior, likelihood)
        self.encoder = encoder
        self.decoder = decoder
        self.prior = prior
        self.posterior = posterior
        self.likelihood = likelihood
        self.bound = bound or bounds.ELBO()
        self.finish()

    def call(self, inputs, training=False):
        return self.reconstruct(inputs, training=training)

    def encode(self, images, training=False):
        """Returns `q(z|x)`, a TFP distribution with batch shape `[batch]` over latents."""
        images, _ = unpack(images)
        return self.posterior.distribution(*_as_list(self.encoder(images, training=training)))

    def decode(self, latents, training=False):
        """Returns `p(x|z)`, a TFP distribution with batch shape `[batch]` over examples."""
        return self.likelihood.distribution(*_as_list(self.decoder(latents, training=training)))

    def generate(self, latents):
        """Returns the mean of `p(x|z)` for latents `[batch, size]`."""
        return self.decode(latents).mean()

    def generate_ways(self, ways, seed=None):
        """Returns what `generate` makes on ways `[count, steps, size]`, `[count * steps, ...]`.

        There is nothing else to draw with `seed`, as there is in other models.
        """
        return self.generate(tf.reshape(ways, [-1, self.prior.size]))

    def reconstruct(self, images, training=False):
        """Returns the mean of `p(x|z)` at the mean of `q(z|x)`, shaped as `images`."""
        return self.decode(self.encode(images, training).mean(), training).mean()

    def sample(self, count, seed=None):
        return self._sample(tf.convert_to_tensor(count, tf.int32), noise.whole_seed(seed))

    @as_graph
    def _sample(self, count, seed):
        latents = self.prior.distribution().sample(count, seed=noise.seed_from(seed, "sample"))
        return self.generate(latents)

    def compute_losses(self, data, training):
        images, _ = unpack(data)
        posterior, latents, log_likelihood = self._encode_and_decode(
            images, self.bound.samples, self.noise.seed_of("latents"), training
        )
        prior = self.prior.distribution()
        bound = self.bound.value(
            log_likelihood, latents, posterior, prior, self.step.value if training else None
        )
        return {
            "loss": tf.add_n([-tf.reduce_mean(bound), *self.losses]),
            "reconstruction": -tf.reduce_mean(log_likelihood),
            "divergence": tf.reduce_mean(kl_divergence(posterior, prior, latents)),
        }

    def elbo(self, images, seed=0):
        """Returns the evidence lower bound of each image, `[batch]` in nats, from one latent each.

        Args:
            images: `[batch, ...]`, floats.
            seed: an integer; the same seed gives the same estimate for the same batch. An image
                at another place in the batch gets another latent.
        """
        images, _ = unpack(images)
        posterior, latents, log_likelihood = self._encode_and_decode(
            images, 1, noise.seed_from(seed, "elbo"), training=False
        )
        divergence = kl_divergence(posterior, self.prior.distribution(), latents)
        return log_likelihood[0] - divergence

    def log_likelihood(self, images, samples=5000, seed=0):
        """Estimates `log p(x)` by importance sampling (Burda et al., 2016, equation 8).

            log p(x) ~ log 1/k sum_i p(x|z_i) p(z_i) / q(z_i|x),   z_i ~ q(z|x)

        The estimate is a lower bound in expectation, and tightens as `samples` grow. Memory is
        bounded, whatever the number of images and samples.

        Args:
            images: `[count, ...]`, floats.
            samples: `k`, the number of latents per image.
            seed: an integer; the same seed gives the same estimate.

        Returns:
            A float32 tensor `[count]`, in nats.

        Raises:
            ValueError: `samples` is less than 1.
        """
        if samples < 1:
            raise ValueError(f"`samples` must be at least 1. Received: samples={samples}.")
        images, _ = unpack(images)
        seed = noise.seed_from(seed, "log_likelihood")
        chunk = min(samples, _CHUNK)
        batches = tf.data.Dataset.from_tensor_slices(images).batch(_ROWS // chunk)
        return tf.concat(
            [
                self._estimate(batch, samples, chunk, tf.random.fold_in(seed, index))
                for index, batch in enumerate(batches)
            ],
            axis=0,
        )

    def signatures(self):
        images = tf.TensorSpec([None, *self.encoder.input_shape[1:]], tf.float32, "images")
        latents = tf.TensorSpec([None, self.prior.size], tf.float32, "latents")
        count = tf.TensorSpec([], tf.int32, "count")
        seed = tf.TensorSpec([], tf.int64, "seed")
        return {
            "serving_default": (lambda latents: {"images": self.generate(latents)}, [latents]),
            "sample": (lambda count, seed: {"images": self.sample(count, seed)}, [count, seed]),
            "encode": (self._encode_to_moments, [images]),
            "reconstruct": (lambda images: {"images": self.reconstruct(images)}, [images]),
            "score": (lambda images: {"elbo": self._elbo_alone(images)}, [images]),
        }

    def _elbo_alone(self, images):
        """Returns the bound of each image as if it were alone.

        A server puts together what several clients ask: an answer must not depend on the others.
        """
        return tf.map_fn(
            lambda image: self.elbo(image[tf.newaxis])[0], images, fn_output_signature=tf.float32
        )

    def _encode_to_moments(self, images):
        posterior = self.encode(images)
        return {"mean": posterior.mean(), "standard_deviation": posterior.stddev()}

    def _encode_and_decode(self, images, samples, seed, training):
        """Returns `q(z|x)`, latents `[samples, batch, size]` from it, and `log p(x|z)` of each."""
        posterior = self.encode(images, training)
        latents = noise.sample(posterior, samples, seed)
        likelihood = self.decode(tf.reshape(latents, [-1, self.prior.size]), training)
        repeated = tf.tile(images, [samples] + [1] * (len(images.shape) - 1))
        return posterior, latents, tf.reshape(likelihood.log_prob(repeated), [samples, -1])

    @functools.cached_property
    def _estimate(self):
        return tf.function(
            self._log_mean_weight,
            jit_compile=bool(self.jit_compile),
            autograph=False,
            reduce_retracing=True,
        )

    def _log_mean_weight(self, images, samples, chunk, seed):
        """Returns `log 1/k sum_i w_i` of each image, `chunk` of the `samples` weights at a time."""
        prior = self.prior.distribution()

        def add_chunk(total, index):
            posterior, latents, log_likelihood = self._encode_and_decode(
                images, chunk, tf.random.fold_in(seed, index), training=False
            )
            weights = log_likelihood + prior.log_prob(latents) - posterior.log_prob(latents)
            wanted = index * chunk + tf.range(chunk) < samples  # the last chunk may be too long
            weights = tf.where(wanted[:, tf.newaxis], weights, -math.inf)
            return tf.reduce_logsumexp(tf.concat([total[tf.newaxis], weights], axis=0), axis=0)

        nothing = tf.fill([tf.shape(images)[0]], -math.inf)
        chunks = tf.range(math.ceil(samples / chunk))
        return tf.foldl(add_chunk, chunks, nothing) - math.log(samples)


def _check_fit(encoder, decoder, prior, posterior, likelihood):
    """Raises a ValueError where networks and distributions do not fit each other."""
    _check_outputs("encoder", encoder, "posterior", posterior)
    _check_outputs("decoder", decoder, "likelihood", likelihood)
    encoded = [list(output.shape) for output in encoder.outputs]
    if any(shape[-1] != prior.size for shape in encoded):
        raise ValueError(
            f"The encoder's outputs must be of the prior's size, [batch, {prior.size}]. "
            f"Received: an encoder with outputs of {encoded}. "
            "Build the encoder with that `latent_dim`, or the prior with the encoder's."
        )
    if decoder.input_shape[1:] != (prior.size,):
        raise ValueError(
            f"The decoder must take latents of the prior's size, [batch, {prior.size}]. "
            f"Received: a decoder of {list(decoder.input_shape)}. "
            "Build the decoder with that `latent_dim`, or the prior with the decoder's."
        )
    if decoder.outputs[0].shape[1:] != encoder.input_shape[1:]:
        raise ValueError(
            "The decoder must output what the encoder takes. Received: a decoder to "
            f"{list(decoder.outputs[0].shape)} and an encoder of {list(encoder.input_shape)}."
        )


def _check_outputs(name, network, role, value):
    try:
        inspect.signature(value.distribution).bind(*network.outputs)
    except TypeError as error:
        raise ValueError(
            f"The {role} {value} does not fit the {name} with {len(network.outputs)} outputs: "
            f"{error}. Build the {name} with another number of `heads`."
        ) from error


def _as_list(outputs):
    return outputs if isinstance(outputs, (list, tuple)) else [outputs]
