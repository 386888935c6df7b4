"""An autoencoder of two domains that share an encoder."""

import tensorflow as tf

from tfgen.distributions import Likelihood
from tfgen.engine import signatures
from tfgen.engine.batches import check_shape, unpack, unpack_pair
from tfgen.engine.generative_model import GenerativeModel
from tfgen.engine.serialization import serializable
from tfgen.models.autoencoders.reconstruction import check_decoder, errors, examples_from
from tfgen.models.fits import check_corruption, check_kinds


@serializable
class SwapAutoencoder(GenerativeModel):
    """One encoder, and a decoder for each of two domains: the lecture's face-swap construction.

        x~_A -> e -> d_A -> x_A,    x~_B -> e -> d_B -> x_B;    swapped: x_A -> e -> d_B

    The encoder sees disturbed examples `x~` of both domains, and so must keep what they share. What
    a domain's own is, its decoder knows. So the other decoder gives an example of one domain the
    look of the other. Its page in the documentation tells why that is dangerous with faces.

    Batches are pairs `(images_a, images_b)`, of which neither knows the other.

    Args:
        encoder: a built Keras model from examples of both domains to codes.
        decoder_a: a built Keras model from codes to examples of A, or the likelihood's parameters.
        decoder_b: the same of B.
        likelihood: see `tfgen.Autoencoder`.
        corruption: what disturbs the examples, see `tfgen.Autoencoder`; `None` for nothing.
        **kwargs: `ema_momentum`, `seed`, `name`, `dtype`: see `tfgen.GenerativeModel`.

    Raises:
        ValueError: the networks do not fit each other.
        TypeError: a value is of another kind.

    Example:
        >>> swap = tfgen.SwapAutoencoder(
        ...     encoder, decoder_a, decoder_b, corruption=tfgen.augmentations.RandomAffine()
        ... )
        >>> swap.compile("adam")
        >>> swap.fit(sneakers, boots, epochs=10)
        >>> swap.translate_a_to_b(sneakers)
    """

    log_names = ("loss", "reconstruction_a", "reconstruction_b")

    def __init__(self, encoder, decoder_a, decoder_b, likelihood=None, corruption=None, **kwargs):
        super().__init__(**kwargs)
        self.encoder = encoder
        self.decoder_a = decoder_a
        self.decoder_b = decoder_b
        self.likelihood = likelihood
        self.corruption = corruption
        self.check_shapes()
        self.averages.add(encoder, decoder_a, decoder_b)
        self.finalize()

    @property
    def abilities(self):
        return frozenset({"translate"})

    def check_shapes(self):
        """Raises a ValueError if the networks do not fit each other."""
        if self.likelihood is not None:
            check_kinds(self, likelihood=Likelihood)
        check_corruption(self.corruption)
        if self.decoder_a is self.decoder_b:
            raise ValueError(
                "Each domain must have a decoder of its own. Received: one decoder as `decoder_a` "
                "and `decoder_b`. Build two networks."
            )
        for player in ("decoder_a", "decoder_b"):
            check_decoder(self.encoder, getattr(self, player), self.likelihood, player)

    def call(self, inputs, training=False):
        return self.translate_a_to_b(inputs)

    def translate_a_to_b(self, images, *, use_ema=True):
        """Returns examples of A with the look of B, `d_B(e(x))`."""
        return self._decode(self.decoder_b, images, use_ema)

    def translate_b_to_a(self, images, *, use_ema=True):
        """Returns examples of B with the look of A, `d_A(e(x))`."""
        return self._decode(self.decoder_a, images, use_ema)

    def compute_losses(self, data, training):
        sides = zip("ab", unpack_pair(data), (self.decoder_a, self.decoder_b), strict=True)
        found = {
            f"reconstruction_{side}": self._error(side, images, decoder, training)
            for side, images, decoder in sides
        }
        return {"loss": tf.add_n([*found.values(), *self.losses]), **found}

    def average_inputs(self, data):
        images_a, images_b = map(self._checked, unpack_pair(data))
        both = tf.concat([images_a, images_b], axis=0)
        return [both, self.encoder(images_a), self.encoder(images_b)]

    def limits_of(self, examples):
        if self.likelihood is None:
            return super().limits_of(examples)
        return self.likelihood.limits or (None, None)

    def signatures(self):
        images = [signatures.images(self.encoder.input_shape[1:])]
        a_to_b = (lambda images: {"images": self.translate_a_to_b(images)}, images)
        b_to_a = (lambda images: {"images": self.translate_b_to_a(images)}, images)
        return {
            "serving_default": a_to_b,
            "translate_a_to_b": a_to_b,
            "translate_b_to_a": b_to_a,
        }

    def _error(self, side, images, decoder, training):
        images = self._checked(images)
        disturbed = images
        if self.corruption is not None:
            disturbed = self.corruption(images, self.noise.seed_of(f"corruption {side}"))
        outputs = decoder(self.encoder(disturbed, training=training), training=training)
        return tf.reduce_mean(errors(self.likelihood, images, outputs))

    def _decode(self, decoder, images, use_ema):
        images = self._checked(unpack(images)[0])
        codes = self.averages.run(self.encoder, images, use_ema)
        return examples_from(self.likelihood, self.averages.run(decoder, codes, use_ema))

    def _checked(self, images):
        what = "Examples must be shaped as what the encoder takes"
        return check_shape(images, self.encoder.input_shape, what)
