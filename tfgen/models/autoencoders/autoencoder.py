"""The autoencoder."""

import functools
import itertools

import keras
import tensorflow as tf
import tensorflow_probability as tfp

from tfgen.distributions import Likelihood
from tfgen.engine import noise, signatures
from tfgen.engine.batches import check_shape, unpack
from tfgen.engine.generative_model import GenerativeModel
from tfgen.engine.serialization import serializable
from tfgen.models.autoencoders.reconstruction import check_decoder, errors, examples_from
from tfgen.models.fits import check_corruption, check_kinds, check_players
from tfgen.utils.arguments import check_count

tfd = tfp.distributions


@serializable
class Autoencoder(GenerativeModel):
    """An encoder to a code and a decoder back, trained to give back what went in.

        min sum_ij (x_ij - xhat_ij)^2,   xhat = d(e(x))

    With linear networks it spans what principal components span (Bourlard and Kamp, 1988). With a
    `corruption` it is a denoising autoencoder: it learns `x` from `d(e(x~))`, where `x~` is the
    corrupted example (Vincent et al., 2008). That moves what it is given towards the data, see
    `walk`.

    An autoencoder has no prior: which codes stand for examples, only examples tell.

    Args:
        encoder: a built Keras model from examples to codes, one output `[batch, size]`.
        decoder: a built Keras model from codes to examples, or to the likelihood's parameters.
        likelihood: a `tfgen.distributions.Likelihood`, whose negative logarithm is the error, such
            as `Bernoulli()` for the cross-entropy of pixels; `None` for the squared error.
        corruption: a function of examples and the seed of its noise, such as
            `tfgen.augmentations.GaussianNoise(0.3)`; `None` for none.
        **kwargs: `ema_momentum`, `seed`, `name`, `dtype`: see `tfgen.GenerativeModel`.

    Raises:
        ValueError: the networks do not fit each other.
        TypeError: a value is of another kind.

    Example:
        >>> autoencoder = tfgen.Autoencoder(
        ...     networks.conv_encoder((28, 28, 1), latent_dim=16, heads=1),
        ...     networks.conv_decoder((28, 28, 1), latent_dim=16),
        ...     corruption=tfgen.augmentations.GaussianNoise(0.3),
        ... )
        >>> autoencoder.compile("adam")
        >>> autoencoder.fit(images, epochs=10)
        >>> autoencoder.reconstruct(noisy)
    """

    log_names = ("loss", "reconstruction")

    def __init__(self, encoder, decoder, likelihood=None, corruption=None, **kwargs):
        super().__init__(**kwargs)
        self.encoder = encoder
        self.decoder = decoder
        self.likelihood = likelihood
        self.corruption = corruption
        self.check_shapes()
        self.averages.add(encoder, decoder)
        self.finalize()

    @classmethod
    def stacked(cls, autoencoders, **kwargs):
        """Returns an autoencoder whose encoder is that of several, one after the other.

        Layer by layer, each learns the codes of the one before; together they are then trained
        further (Hinton and Salakhutdinov, 2006; Bengio et al., 2007, algorithm 1).

        Args:
            autoencoders: a list of `Autoencoder`s; the codes of each are what the next one takes.
                Their layers are shared, not copied. The first one's likelihood is the stack's; the
                others have none.
            **kwargs: what `Autoencoder` takes beside its networks and the likelihood.

        Raises:
            ValueError: there are none, the codes of one are not what the next one takes, or
                another than the first has a likelihood.

        Example:
            >>> first.fit(images)
            >>> second.fit(first.encode(images).mean())
            >>> whole = tfgen.Autoencoder.stacked([first, second])
        """
        if not autoencoders:
            raise ValueError("A stack needs an autoencoder. Received: none.")
        likelihoods = [each.likelihood for each in autoencoders]
        if any(likelihoods[1:]):
            raise ValueError(
                "Only the first autoencoder of a stack may have a likelihood: the others learn "
                f"codes. Received: {likelihoods}."
            )
        for lower, upper in itertools.pairwise(autoencoders):
            check_players(
                lower.encoder.output_shape, upper.encoder.input_shape, "next encoder", "encoder"
            )
        encoder = _one_after_the_other([each.encoder for each in autoencoders])
        decoder = _one_after_the_other([each.decoder for each in reversed(autoencoders)])
        return cls(encoder, decoder, likelihood=likelihoods[0], **kwargs)

    @property
    def abilities(self):
        return self.averages.abilities - {"average"} | {"encode", "reconstruct"}

    @property
    def example_shape(self):
        """The shape of one example, a tuple."""
        return tuple(self.encoder.input_shape[1:])

    def check_shapes(self):
        """Raises a ValueError if the networks do not fit each other."""
        if self.likelihood is not None:
            check_kinds(self, likelihood=Likelihood)
        check_corruption(self.corruption)
        check_decoder(self.encoder, self.decoder, self.likelihood)

    def call(self, inputs, training=False):
        return self.reconstruct(inputs)

    def encode(self, images, *, use_ema=True):
        """Returns the codes of examples as a TFP distribution that is certain of them.

        Its `mean()` is float32 `[batch, size]`.

        Args:
            images: float `[batch, ...]`; or a batch that begins with them.
            use_ema: whether to use the average of the weights, if there is one.
        """
        codes = self.averages.run(self.encoder, self.examples_of(images), use_ema)
        return tfd.Independent(tfd.Deterministic(tf.cast(codes, tf.float32)), 1)

    def decode(self, codes, *, use_ema=True):
        """Returns the examples of codes `[batch, size]`, float32 `[batch, ...]`."""
        return examples_from(self.likelihood, self.averages.run(self.decoder, codes, use_ema))

    def examples_of(self, data):
        """Returns a batch's examples, shaped as what the encoder takes."""
        what = "Examples must be shaped as what the encoder takes"
        return check_shape(unpack(data)[0], self.encoder.input_shape, what)

    def reconstruct(self, images, *, use_ema=True):
        """Returns `d(e(x))`, shaped as `images`."""
        return self.decode(self.encode(images, use_ema=use_ema).mean(), use_ema=use_ema)

    def score(self, images):
        """Returns the error of each example, `{"error": [batch]}`: it is high for novel ones."""
        images = self.examples_of(images)
        codes = self.averages.run(self.encoder, images)
        outputs = self.averages.run(self.decoder, codes)
        return {"error": errors(self.likelihood, images, outputs)}

    def walk(self, images, steps, seed=None):
        """Walks from examples back and forth: `x <- d(e(x + eps))`, again and again.

        Of a denoiser such a walk goes to the data and stays there. The generative stochastic
        network draws each step from `p(x|x~)` (Bengio et al., 2013, "Generalized denoising
        auto-encoders", algorithm 1); this walk takes its mean, and so spreads less than the data.

        Args:
            images: float32 `[batch, ...]`, where the walk begins; noise, for instance.
            steps: how many steps to take.
            seed: a 64-bit integer: the same seed gives the same walk. `None`: another.

        Returns:
            A float32 tensor `[steps + 1, batch, ...]`, the examples themselves first.

        Raises:
            ValueError: `steps` is negative.
        """
        check_count("steps", steps, least=0)
        found = [self.examples_of(images)]
        noise_seed = noise.seed_from(seed, "walk")
        for step in range(steps):
            corrupted = self._corrupt(found[-1], tf.random.fold_in(noise_seed, step))
            found.append(self.reconstruct(corrupted))
        return tf.stack(found)

    def compute_losses(self, data, training):
        images = self.examples_of(data)
        codes = self.encoder(self._corrupted(images), training=training)
        outputs = self.decoder(codes, training=training)
        error = tf.reduce_mean(errors(self.likelihood, images, outputs))
        return {"loss": tf.add_n([error, *self.losses]), "reconstruction": error}

    def average_inputs(self, data):
        images = self.examples_of(data)
        return [images, self.encode(images, use_ema=False).mean()]

    def limits_of(self, examples):
        if self.likelihood is None:
            return super().limits_of(examples)
        return self.likelihood.limits or (None, None)

    def signatures(self):
        images = [signatures.images(self.encoder.input_shape[1:])]
        latents = [signatures.latents(self.decoder.input_shape[1:])]
        reconstruct = (lambda images: {"images": self.reconstruct(images)}, images)
        return {
            "serving_default": reconstruct,
            "reconstruct": reconstruct,
            "encode": (lambda images: {"mean": self.encode(images).mean()}, images),
            "decode": (lambda latents: {"images": self.decode(latents)}, latents),
            "score": (self.score, images),
        }

    def _corrupted(self, images):
        """Returns a step's examples as the encoder sees them in training."""
        return self._corrupt(images, self.noise.seed_of("corruption"))

    def _corrupt(self, images, noise_seed):
        return images if self.corruption is None else self.corruption(images, noise_seed)


def _one_after_the_other(networks):
    # Of the same layers, by other names: the networks may all be called the same.
    named = [
        keras.Model(network.inputs, network.outputs, name=f"{network.name}_{index}")
        for index, network in enumerate(networks)
    ]
    inputs = keras.Input(networks[0].input_shape[1:])
    outputs = functools.reduce(lambda hidden, network: network(hidden), named, inputs)
    return keras.Model(inputs, outputs)
