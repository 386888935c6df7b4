"""The variational autoencoder."""

import functools

import tensorflow as tf

from tfgen.distributions import Likelihood, Posterior, Prior
from tfgen.engine import noise
from tfgen.engine.batches import check_shape, unpack
from tfgen.engine.named_weights import add_named_weights, assign_named
from tfgen.engine.replicas import update
from tfgen.engine.serialization import serializable
from tfgen.models.autoencoders.latent_variable_model import LatentVariableModel
from tfgen.models.fits import (
    as_list,
    check_kinds,
    check_latents,
    check_outputs,
    warn_of_sigmoid,
)
from tfgen.objectives import bounds

_ABILITIES = frozenset(
    "sample generate encode latent_density reconstruct bound log_likelihood importance_sampling "
    "impute".split()
)


@serializable
class VAE(LatentVariableModel):
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
        learnt = prior.initial_weights(self.example_shape)
        self.prior_weights = add_named_weights(self, "prior", learnt, True, prior.kept_weights)
        learnt = posterior.initial_weights(prior.shape)
        self.posterior_weights = add_named_weights(self, "posterior", learnt, True)
        self.finalize()

    @property
    def abilities(self):
        return self.averages.abilities.union(_ABILITIES)

    @property
    def example_shape(self):
        """The shape of one example, a tuple."""
        return tuple(self.encoder.input_shape[1:])

    @property
    def latents_taken(self):
        """The shape of the latents that the decoder takes, `(None, ...)`."""
        return self.decoder.input_shape

    def check_shapes(self):
        """Raises a ValueError if the networks and the values do not fit each other."""
        check_kinds(
            self, prior=Prior, posterior=Posterior, likelihood=Likelihood, bound=bounds.Bound
        )
        check_outputs("encoder", self.encoder, self.posterior, self.prior.shape)
        check_outputs("decoder", self.decoder, self.likelihood, self.example_shape)
        check_latents("decoder", self.latents_taken, self.prior.shape)
        if self.likelihood.takes_logits:
            warn_of_sigmoid("decoder", self.decoder)

    def encode(self, images, training=False, *, use_ema=True):
        """Returns `q(z|x)`, a TFP distribution with batch shape `[batch]` over latents.

        Args:
            images: float `[batch, ...]`, in [0, 1] if images; or a batch that begins with them.
            training: whether layers behave as in training; then the last weights are used.
            use_ema: whether to use the average of the weights, if there is one.
        """
        return self._posterior_of(self._parameters(images, training, use_ema))

    def _posterior_of(self, parameters, through=tf.identity):
        """Returns `q(z|x)` of what the encoder outputs, all of which goes `through` a function."""
        learnt = {name: through(weight.value) for name, weight in self.posterior_weights.items()}
        return self.posterior.distribution(*map(through, parameters), **learnt)

    def _parameters(self, images, training, use_ema):
        """Returns the posterior's parameters, which the encoder outputs, as a list."""
        return as_list(self._run(self.encoder, self.encoder_inputs(images), training, use_ema))

    def examples_of(self, data):
        """Returns a batch's examples, shaped as what the encoder takes."""
        what = "Examples must be shaped as what the encoder takes"
        return check_shape(unpack(data)[0], (None, *self.example_shape), what)

    def encoder_inputs(self, data):
        """Returns what the encoder takes of a batch."""
        return self.examples_of(data)

    def decode(self, inputs, training=False, *, use_ema=True):
        """Returns `p(x|z)`, a TFP distribution with batch shape `[batch]` over examples.

        Args:
            inputs: latents `[batch, size]`; or what else the decoder takes, see `decoder_inputs`.
            training: whether layers behave as in training; then the last weights are used.
            use_ema: whether to use the average of the weights, if there is one.
        """
        outputs = self._run(self.decoder, inputs, training, use_ema)
        return self.likelihood.distribution(*as_list(outputs))

    def prior_distribution(self, *, use_ema=True):
        """Returns `p(z)`, a TFP distribution, of the prior's own weights if it has some."""
        return self.prior.distribution(**self._learnt_of_prior(use_ema))

    def prior_with(self, **weights):
        """Returns `p(z)` with other values of the prior's weights, by their names."""
        return self.prior.distribution(**self._learnt_of_prior() | weights)

    def _learnt_of_prior(self, use_ema=True):
        learnt = {name: weight.value for name, weight in self.prior_weights.items()}
        if self.prior.needs_encoder:
            # Never as in training: the statistics of layers are those of the data.
            learnt["encode"] = functools.partial(self.encode, use_ema=use_ema)
        return learnt

    def set_prior_weights(self, **values):
        """Puts other values in the place of a prior's weights, as to begin training with.

        Args:
            **values: arrays by the weights' names, such as `pseudo_inputs` of a `VampPrior`.

        Raises:
            ValueError: the prior has no weights of such a name, or they have another shape.

        Example:
            >>> vae.set_prior_weights(pseudo_inputs=images[:500])
        """
        assign_named(self.prior_weights, values, self.prior)

    def end_step(self, losses, data):
        learnt = {name: weight.value for name, weight in self.prior_weights.items()}
        kept = self.prior.kept_after(self.examples_of(data), **learnt)
        if kept:
            variables = [self.prior_weights[name] for name in kept]
            update(variables, lambda index, _: list(kept.values())[index])
        return super().end_step(losses, data)

    def encoding_of(self, images):
        return self.posterior.answers(self.encode(images))

    def reconstruct(self, images, training=False, *, use_ema=True):
        """Returns the mean of `p(x|z)` at the point of `q(z|x)`, its mean; shaped as `images`."""
        latents = self.posterior.point(self.encode(images, training=training, use_ema=use_ema))
        inputs = self.decoder_inputs(latents, images)
        return self.decode(inputs, training, use_ema=use_ema).mean()

    def shared_terms(self):
        return {"prior": self.prior_distribution()}

    def terms(self, images, samples, noise_seed, training=False, use_ema=True, prior=None):
        """Encodes and decodes examples, see `LatentVariableModel.terms`.

        A `prior` of `prior_distribution` need not be made again: some take an encoding.
        """
        parameters = self._parameters(images, training, use_ema)
        posterior, gradient = self._posterior_of(parameters), bounds.ScaledGradient()
        latents, log_posterior = noise.sample_with_density(posterior, samples, noise_seed)
        latents = gradient(latents)
        flat = tf.reshape(latents, [-1, *self.prior.shape])
        repeated = tf.nest.map_structure(
            lambda rows: tf.tile(rows, [samples] + [1] * (len(rows.shape) - 1)),
            self.rows_of(images),
        )
        inputs = self.decoder_inputs(flat, repeated)
        likelihood = self.decode(inputs, training, use_ema=use_ema)
        log_likelihood = likelihood.log_prob(self.examples_of(repeated))
        log_likelihood = tf.reshape(log_likelihood, [samples, -1])
        if training:
            learnt = self._learnt_of_prior(use_ema)
            prior = self.prior.distribution_in_training(posterior, **learnt)
        prior = prior or self.prior_distribution(use_ema=use_ema)
        fixed_posterior = functools.partial(self._posterior_of, parameters, tf.stop_gradient)
        return bounds.Terms(
            log_likelihood, latents, posterior, prior, fixed_posterior, gradient, log_posterior
        )

    def average_inputs(self, data):
        point = self.posterior.point(self.encode(data, use_ema=False))
        return [self.encoder_inputs(data), self.decoder_inputs(point, data)]

    def _run(self, network, inputs, training, use_ema):
        if training:
            return network(inputs, training=True)
        return self.averages.run(network, inputs, use_ema)
