"""What all models of latents and a bound share."""

import abc
import functools

import tensorflow as tf

from tfgen.engine import noise, signatures
from tfgen.engine.generative_model import GenerativeModel
from tfgen.models.autoencoders.imputation import Imputation, seen_of
from tfgen.models.autoencoders.likelihood_estimate import LikelihoodEstimate
from tfgen.models.autoencoders.prior_samples import PriorSamples
from tfgen.models.fits import refuse_labels


class LatentVariableModel(PriorSamples, GenerativeModel, abc.ABC):
    """A model `p(x, z)` of examples and latents, which is trained by a bound on `log p(x)`.

    A subclass says in `terms` what one encoding and decoding gives. Losses, likelihoods and all
    bounds are made of that. It has a `bound`, a `prior`, a `likelihood` and an `example_shape`; for
    samples `decode`, for the rest `encode` and `reconstruct`; for `impute` what
    `tfgen.models.autoencoders.imputation.Imputation` asks.

    Args:
        **kwargs: see `tfgen.GenerativeModel`.
    """

    log_names = ("loss", "reconstruction", "divergence")

    @abc.abstractmethod
    def terms(self, images, samples, noise_seed, training=False, use_ema=True):
        """Encodes and decodes examples, and returns the `tfgen.bounds.Terms` of every bound.

        Args:
            images: float32 `[batch, ...]`; or a batch that begins with them.
            samples: latents per example.
            noise_seed: int32 `[2]`, of their draw.
            training: whether layers behave as in training.
            use_ema: whether to use the average of the weights, if there is one.
        """

    @abc.abstractmethod
    def examples_of(self, data):
        """Returns a batch's examples, shaped as what the model takes."""

    def rows_of(self, data):
        """Returns what the model takes of a batch, a structure of tensors `[batch, ...]`.

        A subclass may take more than the examples; these then come first.
        """
        return self.examples_of(data)

    def decoder_inputs(self, latents, data):
        """Returns what the decoder takes for the latents of a batch, a row each."""
        return latents

    def call(self, inputs, training=False):
        return self.reconstruct(inputs, training=training)

    def generate(self, latents, labels=None, *, use_ema=True):
        """Returns the mean of `p(x|z)` for latents `[batch, size]`.

        Args:
            latents: float32 `[batch, size]`.
            labels: `None`: the model has no use for them.
            use_ema: whether to use the average of the weights, if there is one.
        """
        refuse_labels(self, labels)
        return self.decode(self.prior.checked(latents), use_ema=use_ema).mean()

    def limits_of(self, examples):
        return self.likelihood.limits or (None, None)

    def compute_losses(self, data, training):
        return self.losses_of(self.step_terms(data, training), training)

    def step_terms(self, data, training):
        """Returns the `Terms` of a step's batch, with the step's own noise."""
        noise_seed = self.noise.seed_of("latents")
        return self.terms(data, self.bound.draws, noise_seed, training, use_ema=False)

    def losses_of(self, terms, training):
        """Returns what is descended and logged of a batch's `Terms`."""
        bound = self.bound.value(terms, self.step.value if training else None)
        return {
            "loss": tf.add_n([-tf.reduce_mean(bound), *self.losses]),
            "reconstruction": -tf.reduce_mean(terms.log_likelihood),
            "divergence": tf.reduce_mean(terms.divergence),
        }

    def log_weights(self, images, samples, seed=0):
        """Returns `log p(x, z) - log q(z|x)` for latents from `q(z|x)`, `[samples, batch]`.

        Bounds and the likelihood are made of these (Burda et al., 2016, equation 8).

        Args:
            images: float `[batch, ...]`.
            samples: latents per image.
            seed: an integer; the same seed gives the same weights for the same batch.
        """
        return self.terms(images, samples, noise.seed_from(seed, "log_weights")).log_weights

    def elbo(self, images, seed=0):
        """Returns the evidence lower bound of each image, `[batch]` in nats, from one latent each.

        Args:
            images: `[batch, ...]`, floats.
            seed: an integer; the same seed gives the same estimate for the same batch. An image
                at another place in the batch gets another latent.
        """
        return self._elbo(images, seed)

    def shared_terms(self):
        """Returns what `terms` takes that is the same for all examples, a dict.

        It is made once where `terms` is called many times.
        """
        return {}

    def _elbo(self, images, seed=0, **shared):
        terms = self.terms(images, 1, noise.seed_from(seed, "elbo"), **shared)
        return terms.log_likelihood[0] - terms.divergence

    def score(self, images):
        """Returns the bound of each image, `{"elbo": [batch]}`, as if it were alone.

        A server puts together what several clients ask: an answer must not depend on the others.
        """
        shared = self.shared_terms()

        def elbo(row):
            alone = tf.nest.map_structure(lambda each: each[tf.newaxis], row)
            return self._elbo(alone, **shared)[0]

        return {"elbo": tf.map_fn(elbo, self.rows_of(images), fn_output_signature=tf.float32)}

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
        noise_seed = noise.seed_from(seed, "log_likelihood")
        return self._likelihood(self.rows_of(images), samples, noise_seed)

    def impute(self, images, mask, seed=None, steps=100, pixel_noise=True):
        """Draws what is missing in images from `p(x_m | x_o)`; what is seen stays, to the bit.

        The draws are exact in the limit of many steps, see
        `tfgen.models.autoencoders.imputation.Imputation`. They differ from seed to seed as far as
        the missing values are not told by the seen ones.

        Args:
            images: float `[batch, ...]`; missing values may be anything.
            mask: shaped as `images`, or `[..., 1]` for all channels alike: 1 or true where a value
                is seen, else 0 or false. One without the batch's axis is that of all images.
            seed: a 64-bit integer: the same seed gives the same draws. `None`: new ones.
            steps: how many times all missing values are drawn anew, at least 1.
            pixel_noise: whether each value is drawn, as its distribution given the seen ones wants.
                Else it is its mean given the latents that were drawn, as of `sample`: images are
                not grainy, and still differ from seed to seed. Exports answer so.

        Returns:
            A float32 tensor, shaped as `images`.

        Raises:
            ValueError: the mask has another shape or other values, a value that is seen is not
                finite, or `steps` is less than 1.
        """
        if not tf.is_tensor(steps) and steps < 1:
            raise ValueError(f"`steps` must be at least 1. Received: steps={steps}.")
        rows = self.rows_of(images)
        seen = seen_of(mask, self.examples_of(rows))
        noise_seed = noise.seed_from(seed, "impute")
        return self._imputation(rows, seen, tf.cast(steps, tf.int32), noise_seed, pixel_noise)

    def proposal(self, rows):
        """Returns what `impute` proposes latents from, with `sample(seed=)` and `log_prob`."""
        return self.encode(rows)

    def encoding_of(self, images):
        """Returns what an export's `encode` answers, a dict of `[batch, ...]`."""
        posterior = self.encode(images)
        return {"mean": posterior.mean(), "standard_deviation": posterior.stddev()}

    def signatures(self):
        images = [signatures.images(self.example_shape)]
        latents = [signatures.latents(self.prior.shape)]

        def generate(latents):  # of clients' sums of latents, too, and of a server's first zeros
            return {"images": self.decode(self.prior.nearest(latents)).mean()}

        def impute(images, mask, seed):
            return {"images": self.impute(images, mask, seed, pixel_noise=False)}

        return {
            "serving_default": (generate, latents),
            "sample": signatures.sample(self),
            "encode": (self.encoding_of, images),
            "reconstruct": (lambda images: {"images": self.reconstruct(images)}, images),
            "score": (self.score, images),
            "impute": (
                impute,
                [*images, signatures.mask(self.example_shape), signatures.SEED],
            ),
        }

    @functools.cached_property
    def _likelihood(self):
        return LikelihoodEstimate(self)

    @functools.cached_property
    def _imputation(self):
        return Imputation(self)
