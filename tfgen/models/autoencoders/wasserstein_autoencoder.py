"""The Wasserstein autoencoder."""

import tensorflow as tf

from tfgen.distributions import Prior
from tfgen.engine import replicas, signatures
from tfgen.engine.serialization import serializable
from tfgen.models.autoencoders.autoencoder import Autoencoder
from tfgen.models.autoencoders.prior_samples import PriorSamples
from tfgen.models.autoencoders.reconstruction import errors
from tfgen.models.fits import check_kinds, check_latents, refuse_labels
from tfgen.objectives.kernels import (
    InverseMultiquadratics,
    Kernel,
    maximum_mean_discrepancy,
)
from tfgen.utils.arguments import check_number


@serializable
class WassersteinAutoencoder(PriorSamples, Autoencoder):
    """An autoencoder whose codes, all together, are distributed as a prior: WAE-MMD.

        min E |x - d(e(x))|^2 + weight MMD^2(p(z), q(z)),   q(z) = the codes of all examples

    (Tolstikhin et al., 2018, equation 4 and algorithm 2). A VAE draws each example's posterior to
    the prior, so that those of different examples overlap, and reconstructions blur. Here only the
    mean over all examples is to match the prior, and the encoder needs no noise. The discrepancy is
    estimated by the batch's codes and as many draws of the prior.

    Args:
        encoder: see `tfgen.Autoencoder`; one output `[batch, prior.size]`.
        decoder: see `tfgen.Autoencoder`.
        prior: a `tfgen.distributions.Prior` of vectors, without weights of its own.
        likelihood: see `tfgen.Autoencoder`; `None` for the squared error, summed over values.
        weight: the paper's `lambda`, at least 0.
        kernel: a `tfgen.kernels.Kernel`; the default is `InverseMultiquadratics()`, the paper's.
        **kwargs: `corruption`, `ema_momentum`, `seed`, `name`, `dtype`: see `tfgen.Autoencoder`.

    Raises:
        ValueError: the networks and the prior do not fit each other, or `weight` is negative.
        TypeError: a value is of another kind.

    Example:
        >>> wae = tfgen.WassersteinAutoencoder(
        ...     networks.conv_encoder((28, 28, 1), latent_dim=8, heads=1),
        ...     networks.conv_decoder((28, 28, 1), latent_dim=8),
        ...     prior=tfgen.distributions.StandardNormal(8),
        ... )
        >>> wae.compile("adam")
        >>> wae.fit(images, epochs=10)
        >>> wae.sample(16, seed=0).shape
        TensorShape([16, 28, 28, 1])
    """

    log_names = ("loss", "reconstruction", "discrepancy")

    def __init__(
        self, encoder, decoder, prior, likelihood=None, weight=10.0, kernel=None, **kwargs
    ):
        check_number("weight", weight, least=0)
        self.prior = prior
        self.weight = weight
        self.kernel = kernel or InverseMultiquadratics()
        super().__init__(encoder, decoder, likelihood, **kwargs)

    @property
    def abilities(self):
        return self.averages.abilities | {"sample", "generate", "encode", "reconstruct"}

    def check_shapes(self):
        check_kinds(self, prior=Prior, kernel=Kernel)
        if self.prior.needs_encoder or self.prior.initial_weights(self.encoder.input_shape[1:]):
            raise ValueError(
                "The prior of a Wasserstein autoencoder is fixed. Received: "
                f"prior={self.prior!r}, which learns. `tfgen.VAE` takes it."
            )
        super().check_shapes()
        check_latents("decoder", self.decoder.input_shape, self.prior.shape)

    def generate(self, latents, labels=None, *, use_ema=True):
        """Returns the examples of latents `[batch, size]`, as `decode`; there are no `labels`."""
        refuse_labels(self, labels)
        return self.decode(self.prior.checked(latents), use_ema=use_ema)

    def compute_losses(self, data, training):
        """Returns a batch's losses (Tolstikhin et al., 2018, algorithm 2)."""
        images = self.examples_of(data)
        codes = self.encoder(self._corrupted(images), training=training)
        outputs = self.decoder(codes, training=training)
        error = tf.reduce_mean(errors(self.likelihood, images, outputs))
        discrepancy = self.discrepancy(tf.cast(codes, tf.float32))
        return {
            "loss": tf.add_n([error, self.weight * discrepancy, *self.losses]),
            "reconstruction": error,
            "discrepancy": discrepancy,
        }

    def discrepancy(self, codes):
        """Returns how far the codes of all replicas are from as many draws of the prior.

        Args:
            codes: float32 `[batch, size]`, of this replica's examples.
        """
        everyone, _ = replicas.from_all_replicas(codes)
        noise_seed = self.noise.seed_of("latents")
        draws = self.prior.distribution().sample(tf.shape(everyone)[0], noise_seed)
        return maximum_mean_discrepancy(everyone, draws, self.kernel)

    def signatures(self):
        latents = [signatures.latents(self.prior.shape)]
        found = super().signatures()
        del found["decode"]  # by its other name

        def generate(latents):
            return {"images": self.decode(self.prior.nearest(latents))}

        return found | {
            "serving_default": (generate, latents),
            "sample": signatures.sample(self),
        }
