"""The vector-quantized autoencoder."""

import tensorflow as tf
import tensorflow_probability as tfp

from tfgen.distributions.codebook import Codebook, perplexity, straight_through
from tfgen.engine import replicas, signatures
from tfgen.engine.named_weights import add_named_weights
from tfgen.engine.serialization import serializable
from tfgen.models.autoencoders.autoencoder import Autoencoder
from tfgen.models.autoencoders.reconstruction import errors
from tfgen.models.fits import check_kinds
from tfgen.utils.arguments import check_number

tfd = tfp.distributions


@serializable
class VQVAE(Autoencoder):
    """An autoencoder whose code is whole numbers: those of vectors of a codebook.

    The decoder sees, in the place of each of the encoder's outputs `z_e`, the vector `e` of the
    codebook that is nearest to it (van den Oord et al., 2017, equation 3, with the codebook of
    appendix A.1):

        -log p(x|e) + commitment |z_e - sg[e]|^2,   e_i = average of the z_e nearest to it

    The gradient of the first term goes straight through to `z_e`. The second keeps `z_e` near the
    vector; `sg` lets no gradient to the codebook, which follows the averages of the encoder's
    outputs instead, see `tfgen.distributions.Codebook`.

    The paper has two stages: first this, then a prior over the codes. Until there is one, the model
    cannot sample; see `sample_with`.

    Args:
        encoder: a built Keras model from examples to one output `[batch, height, width, dimension]`
            or `[batch, dimension]`, a vector for each place. `tfgen.networks.vq_encoder` is the
            paper's.
        decoder: a built Keras model from such vectors to examples, or to the likelihood's
            parameters.
        codebook: a `tfgen.distributions.Codebook`.
        likelihood: see `tfgen.Autoencoder`; `None` for the squared error.
        commitment: the paper's `beta`, at least 0. The term is the mean over places, the error a
            sum over pixels: the more pixels an image has, the more it should be.
        **kwargs: `corruption`, `ema_momentum`, `seed`, `name`, `dtype`: see `tfgen.Autoencoder`.

    Raises:
        ValueError: the networks do not fit each other, or `commitment` is negative.
        TypeError: a value is of another kind.

    Example:
        >>> vqvae = tfgen.VQVAE(
        ...     networks.vq_encoder((28, 28, 1), latent_dim=16),
        ...     networks.vq_decoder((28, 28, 1), latent_dim=16),
        ...     codebook=tfgen.distributions.Codebook(128),
        ... )
        >>> vqvae.compile("adam")
        >>> vqvae.fit(images, epochs=10)
        >>> vqvae.codes(images).shape
        TensorShape([64, 7, 7])
    """

    log_names = ("loss", "reconstruction", "commitment_error", "perplexity")

    def __init__(self, encoder, decoder, codebook, likelihood=None, commitment=0.25, **kwargs):
        check_number("commitment", commitment, least=0)
        self.codebook = codebook
        self.commitment = commitment
        super().__init__(encoder, decoder, likelihood, **kwargs)

    def finalize(self):
        state = self.codebook.initial_state(self.decoder.input_shape[-1], self.seed)
        self._state = add_named_weights(self, "codebook", state, trainable=False)
        super().finalize()

    @property
    def places(self):
        """The shape of an example's codes, a tuple: `(height, width)`, or `()` of one code."""
        return tuple(self.decoder.input_shape[1:-1])

    @property
    def vectors(self):
        """The codebook's vectors, float32 `[size, dimension]`."""
        return tf.convert_to_tensor(self._state["vectors"].value)

    def check_shapes(self):
        check_kinds(self, codebook=Codebook)
        super().check_shapes()

    def encode(self, images, *, use_ema=True):
        """Returns the vectors of examples as a TFP distribution that is certain of them.

        Its `mean()` is float32 `[batch, height, width, dimension]`, of vectors of the codebook.

        Args:
            images: float `[batch, ...]`; or a batch that begins with them.
            use_ema: whether to use the average of the weights, if there is one.
        """
        vectors = tf.gather(self.vectors, self.codes(images, use_ema=use_ema))
        return tfd.Independent(tfd.Deterministic(vectors), len(self.places) + 1)

    def codes(self, images, *, use_ema=True):
        """Returns the codes of examples: for each place the number of the nearest vector.

        Args:
            images: float `[batch, ...]`; or a batch that begins with them.
            use_ema: whether to use the average of the weights, if there is one.

        Returns:
            An int32 tensor `[batch, height, width]`.
        """
        outputs = self.averages.run(self.encoder, self.examples_of(images), use_ema)
        return self.codebook.nearest(self.vectors, tf.cast(outputs, tf.float32))

    def decode_codes(self, codes, *, use_ema=True):
        """Returns the examples of codes.

        Args:
            codes: integers `[batch, height, width]` from 0 to the codebook's size less 1.
            use_ema: whether to use the average of the weights, if there is one.

        Returns:
            A float32 tensor `[batch, ...]`.

        Raises:
            TypeError: the codes are not integers.
            ValueError: they have another shape, or are out of range.
        """
        codes = tf.convert_to_tensor(codes)
        if not codes.dtype.is_integer:
            raise TypeError(f"Codes must be integers. Received: {codes.dtype.name}.")
        if not codes.shape.is_compatible_with([None, *self.places]):
            raise ValueError(
                f"Codes must be of shape {['batch', *self.places]}. Received: {list(codes.shape)}."
            )
        return self.decode(self.codebook.look_up(self.vectors, codes), use_ema=use_ema)

    def sample_with(self, prior, count, seed=None):
        """Draws new examples of codes that a prior draws, the paper's second stage.

        Args:
            prior: an object with a method `sample(count, seed)` that returns integers `[count,
                height, width]`, such as `tfgen.distributions.IndependentCodes`.
            count: how many, an integer.
            seed: a 64-bit integer: the same seed gives the same examples. `None`: new ones.

        Returns:
            A float32 tensor `[count, ...]`.
        """
        return self.decode_codes(prior.sample(count, seed))

    def score(self, images):
        """Returns the error of each example, `{"error": [batch]}`: it is high for novel ones."""
        outputs = self.averages.run(self.decoder, self.encode(images).mean())
        return {"error": errors(self.likelihood, self.examples_of(images), outputs)}

    def take_turns(self, data):
        """A step of the networks, then one of the codebook, by what the networks just gave."""
        outputs = codes = None

        def network_losses():
            nonlocal outputs, codes
            losses, outputs, codes = self.per_replica(self.network_losses)(data, training=True)
            return losses

        losses = self.descend_alone(network_losses)
        self.move_codebook(outputs, codes)
        return losses

    def compute_losses(self, data, training):
        return self.network_losses(data, training)[0]

    def network_losses(self, data, training):
        """Returns a batch's losses (equation 3), the encoder's outputs, and their codes."""
        images = self.examples_of(data)
        outputs = self.encoder(self._corrupted(images), training=training)
        outputs = tf.cast(outputs, tf.float32)
        codes = self.codebook.nearest(self.vectors, tf.stop_gradient(outputs))
        quantized = tf.gather(self.vectors, codes)
        decoded = self.decoder(straight_through(outputs, quantized), training=training)
        error = tf.reduce_mean(errors(self.likelihood, images, decoded))
        distances = tf.math.squared_difference(outputs, tf.stop_gradient(quantized))
        distance = tf.reduce_mean(tf.reduce_sum(distances, axis=-1))
        losses = {
            "loss": tf.add_n([error, self.commitment * distance, *self.losses]),
            "reconstruction": error,
            "commitment_error": distance,
            "perplexity": self._perplexity(codes),
        }
        return losses, outputs, codes

    def move_codebook(self, outputs, codes):
        """Moves the codebook a step, by all replicas' outputs.

        Args:
            outputs: float32 `[batch, height, width, dimension]`, of this replica's encoder.
            codes: int32 `[batch, height, width]`, theirs.
        """
        outputs = tf.reshape(tf.stop_gradient(outputs), [-1, outputs.shape[-1]])
        everyone, _ = replicas.from_all_replicas(outputs)
        codes, _ = replicas.from_all_replicas(tf.reshape(codes, [-1]))
        variables = [self._state["vectors"], self._state["usage"]]
        before = [tf.convert_to_tensor(variable.value) for variable in variables]
        after = self.codebook.moved(*before, everyone, codes, self.noise.seed_of("codebook"))
        replicas.update(variables, lambda index, _: after[index])

    def average_inputs(self, data):
        return [self.examples_of(data), self.encode(data, use_ema=False).mean()]

    def signatures(self):
        images = [signatures.images(self.encoder.input_shape[1:])]
        codes = [tf.TensorSpec([None, *self.places], tf.int32, "codes")]
        found = super().signatures()
        del found["decode"]  # of vectors, which no client has
        return found | {
            "codes": (lambda images: {"codes": self.codes(images)}, images),
            "decode_codes": (lambda codes: {"images": self.decode_codes(codes)}, codes),
        }

    def _perplexity(self, codes):
        """Returns the perplexity of the codes of all replicas."""
        used = tf.one_hot(tf.reshape(codes, [-1]), self.codebook.size)
        return perplexity(replicas.global_mean(used))
