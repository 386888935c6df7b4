"""The variational autoencoder."""

import functools

import tensorflow as tf

from tfgen.distributions import Likelihood, Posterior, Prior
from tfgen.engine import noise, signatures
from tfgen.engine.batches import check_shape, unpack
from tfgen.engine.generative_model import GenerativeModel
from tfgen.engine.graphs import as_graph
from tfgen.engine.named_weights import add_named_weights
from tfgen.engine.serialization import serializable
from tfgen.models.autoencoders.likelihood_estimate import LikelihoodEstimate
from tfgen.models.fits import (
    as_list,
    check_kinds,
    check_latents,
    check_outputs,
    refuse_labels,
    warn_of_sigmoid,
)
from tfgen.objectives import bounds

_ABILITIES = "sample generate encode reconstruct bound log_likelihood importance_sampling".split()


@serializable
class VAE(GenerativeModel):
    """A variational autoencoder (Kingma and Welling, 2014; Rezende et al., 2014).

    The encoder maps an example to a distribution over latents, `q(z|x)`; the decoder maps a latent
    to a distribution over examples, `p(x|z)`. Both are trained together to maximize a bound on
    `log p(x)`; with the standard one, equation 3 of the paper,

        log p(x) >= E_q[log p(x|z)] - KL(q(z|x) || p(z)).

    Args:
        encoder: a built Keras model from examples to the posterior's parameters: for the normal
            posteriors two outputs `[batch, prior.size]`, see `Posterior.parameters`.
        decoder: a built Keras model from latents `[batch, prior.size]` to the likelihood's
            parameters, see `Likelihood.parameters`.
        prior: a `tfgen.distributions.Prior`.
        posterior: a `tfgen.distributions.Posterior`.
        likelihood: a `tfgen.distributions.Likelihood`.
        bound: a `tfgen.bounds.Bound`; the default is `ELBO()`.
        **kwargs: `ema_momentum`, `seed`, `name`, `dtype`: see `tfgen.GenerativeModel`.

    Raises:
        ValueError: the networks and the values do not fit each other.
        TypeError: a value is of another kind, such as no prior.

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

    def __init__(self, encoder, decoder, prior, posterior, likelihood, bound=None, **kwargs):
        super().__init__(**kwargs)
        self.encoder = encoder
        self.decoder = decoder
        self.prior = prior
        self.posterior = posterior
        self.likelihood = likelihood
        self.bound = bound or bounds.ELBO()
        self.check_shapes()
        self.averages.add(encoder, decoder)
        learnt = prior.initial_weights(encoder.input_shape[1:])
        self._prior_weights = add_named_weights(self, "prior", learnt, trainable=True)
        self.finalize()

    @property
    def abilities(self):
        return self.averages.abilities.union(_ABILITIES)

    def check_shapes(self):
        """Raises a ValueError if the networks and the values do not fit each other."""
        check_kinds(
            self, prior=Prior, posterior=Posterior, likelihood=Likelihood, bound=bounds.Bound
        )
        example_shape = self.encoder.input_shape[1:]
        check_outputs("encoder", self.encoder, self.posterior, self.prior.shape)
        check_outputs("decoder", self.decoder, self.likelihood, example_shape)
        check_latents("decoder", self.decoder.input_shape, self.prior.shape)
        if self.likelihood.takes_logits:
            warn_of_sigmoid("decoder", self.decoder)

    def call(self, inputs, training=False):
        return self.reconstruct(inputs, training=training)

    def encode(self, images, training=False, *, use_ema=True):
        """Returns `q(z|x)`, a TFP distribution with batch shape `[batch]` over latents.

        Args:
            images: float `[batch, ...]`, in [0, 1] if images; or a batch that begins with them.
            training: whether layers behave as in training; then the last weights are used.
            use_ema: whether to use the average of the weights, if there is one.
        """
        outputs = self._run(self.encoder, self.examples_of(images), training, use_ema)
        return self.posterior.distribution(*as_list(outputs))

    def examples_of(self, data):
        """Returns a batch's examples, shaped as what the encoder takes."""
        what = "Examples must be shaped as what the encoder takes"
        return check_shape(unpack(data)[0], self.encoder.input_shape, what)

    def decode(self, latents, training=False, *, use_ema=True):
        """Returns `p(x|z)`, a TFP distribution with batch shape `[batch]` over examples."""
        outputs = self._run(self.decoder, latents, training, use_ema)
        return self.likelihood.distribution(*as_list(outputs))

    def prior_distribution(self, training=False, *, use_ema=True):
        """Returns `p(z)`, a TFP distribution, of the prior's own weights if it has some."""
        learnt = {name: weight.value for name, weight in self._prior_weights.items()}
        if self.prior.needs_encoder:
            how = {"training": training, "use_ema": use_ema}
            learnt["encode"] = functools.partial(self.encode, **how)
        return self.prior.distribution(**learnt)

    def generate(self, latents, labels=None, *, use_ema=True):
        """Returns the mean of `p(x|z)` for latents `[batch, size]`.

        Args:
            latents: float32 `[batch, size]`.
            labels: `None`: the model has no use for them.
            use_ema: whether to use the average of the weights, if there is one.
        """
        refuse_labels(self, labels)
        return self.decode(latents, use_ema=use_ema).mean()

    def generate_paths(self, paths, seed=None):
        """Returns what `generate` makes on paths `[count, steps, size]`, `[count * steps, ...]`."""
        return self.generate(tf.reshape(paths, [-1, *self.prior.shape]))

    def reconstruct(self, images, training=False, *, use_ema=True):
        """Returns the mean of `p(x|z)` at the point of `q(z|x)`, its mean; shaped as `images`."""
        latents = self.posterior.point(self.encode(images, training, use_ema=use_ema))
        return self.decode(latents, training, use_ema=use_ema).mean()

    def sample(self, count, seed=None, use_ema=True):
        """Draws new examples.

        Args:
            count: how many, an integer or int32 scalar tensor.
            seed: a 64-bit integer: the same seed gives the same examples. `None`: new ones.
            use_ema: whether to use the average of the weights, if there is one.

        Returns:
            A float32 tensor `[count, ...]`.
        """
        return self._sample(noise.whole_count(count), noise.whole_seed(seed), use_ema)

    @as_graph
    def _sample(self, count, seed, use_ema):
        prior = self.prior_distribution(use_ema=use_ema)
        latents = prior.sample(count, seed=noise.seed_from(seed, "sample"))
        return self.generate(latents, use_ema=use_ema)

    def compute_losses(self, data, training):
        terms = self.terms(
            self.examples_of(data),
            self.bound.samples,
            self.noise.seed_of("latents"),
            training,
            use_ema=False,
        )
        bound = self.bound.value(terms, self.step.value if training else None)
        return {
            "loss": tf.add_n([-tf.reduce_mean(bound), *self.losses]),
            "reconstruction": -tf.reduce_mean(terms.log_likelihood),
            "divergence": tf.reduce_mean(terms.divergence),
        }

    def terms(self, images, samples, noise_seed, training=False, use_ema=True):
        """Encodes and decodes examples, and returns the `tfgen.bounds.Terms` of every bound.

        Args:
            images: float32 `[batch, ...]`.
            samples: latents per example.
            noise_seed: int32 `[2]`, of their draw.
            training: whether layers behave as in training.
            use_ema: whether to use the average of the weights, if there is one.
        """
        posterior = self.encode(images, training, use_ema=use_ema)
        latents = noise.sample(posterior, samples, noise_seed)
        flat = tf.reshape(latents, [-1, *self.prior.shape])
        likelihood = self.decode(flat, training, use_ema=use_ema)
        repeated = tf.tile(images, [samples] + [1] * (len(images.shape) - 1))
        log_likelihood = tf.reshape(likelihood.log_prob(repeated), [samples, -1])
        prior = self.prior_distribution(training, use_ema=use_ema)
        return bounds.Terms(log_likelihood, latents, posterior, prior)

    def log_weights(self, images, samples, seed=0):
        """Returns `log p(x, z) - log q(z|x)` for latents from `q(z|x)`, `[samples, batch]`.

        Bounds and the likelihood are made of these (Burda et al., 2016, equation 8).

        Args:
            images: float `[batch, ...]`.
            samples: latents per image.
            seed: an integer; the same seed gives the same weights for the same batch.
        """
        images = self.examples_of(images)
        return self.terms(images, samples, noise.seed_from(seed, "log_weights")).log_weights

    def elbo(self, images, seed=0):
        """Returns the evidence lower bound of each image, `[batch]` in nats, from one latent each.

        Args:
            images: `[batch, ...]`, floats.
            seed: an integer; the same seed gives the same estimate for the same batch. An image
                at another place in the batch gets another latent.
        """
        images = self.examples_of(images)
        terms = self.terms(images, 1, noise.seed_from(seed, "elbo"))
        return terms.log_likelihood[0] - terms.divergence

    def score(self, images):
        """Returns the bound of each image, `{"elbo": [batch]}`, as if it were alone.

        A server puts together what several clients ask: an answer must not depend on the others.
        """
        images = self.examples_of(images)
        return {
            "elbo": tf.map_fn(
                lambda image: self.elbo(image[tf.newaxis])[0],
                images,
                fn_output_signature=tf.float32,
            )
        }

    def log_likelihood(self, images, samples=5000, seed=0):
        """Estimates `log p(x)` by importance sampling (Burda et al., 2016, equation 8).

            log p(x) ~ log 1/k sum_i p(x|z_i) p(z_i) / q(z_i|x),   z_i ~ q(z|x)

        In expectation it is a lower bound, tighter with more `samples`. Memory is bounded.

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
        images = self.examples_of(images)
        return self._likelihood(images, samples, noise.seed_from(seed, "log_likelihood"))

    def average_inputs(self, data):
        images = self.examples_of(data)
        return [images, self.posterior.point(self.encode(images, use_ema=False))]

    def limits_of(self, examples):
        return self.likelihood.limits or (None, None)

    def signatures(self):
        images = [signatures.images(self.encoder.input_shape[1:])]
        latents = [signatures.latents(self.prior.shape)]

        def encode(images):
            posterior = self.encode(images)
            return {"mean": posterior.mean(), "standard_deviation": posterior.stddev()}

        return {
            "serving_default": (lambda latents: {"images": self.generate(latents)}, latents),
            "sample": signatures.sample(self),
            "encode": (encode, images),
            "reconstruct": (lambda images: {"images": self.reconstruct(images)}, images),
            "score": (self.score, images),
        }

    def _run(self, network, inputs, training, use_ema):
        if training:
            return network(inputs, training=True)
        return self.averages.run(network, inputs, use_ema)

    @functools.cached_property
    def _likelihood(self):
        return LikelihoodEstimate(self)
