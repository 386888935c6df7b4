"""The cycle-consistent adversarial network: translation without pairs."""

import typing

import tensorflow as tf

from tfgen.engine import signatures
from tfgen.engine.batches import check_shape, unpack, unpack_pair
from tfgen.engine.fit_checks import check_values
from tfgen.engine.one_pass import on_both
from tfgen.engine.serialization import serializable
from tfgen.engine.two_player_model import TwoPlayerModel
from tfgen.models.fits import warn_of_sigmoid
from tfgen.models.translation.fits import check_not_negative, check_translators, distance_by
from tfgen.models.translation.image_pool import ImagePool
from tfgen.objectives import games
from tfgen.objectives.games import checked_game, sees_real_logits
from tfgen.utils.deprecation import renamed_arguments


class _Fakes(typing.NamedTuple):
    """Images of each domain made out of a batch of the other."""

    a: tf.Tensor
    b: tf.Tensor


@serializable
class CycleGAN(TwoPlayerModel):
    """Translates images between two domains, learnt without pairs (Zhu et al., 2017).

    `G_AB` makes images of domain B out of those of A, `G_BA` the reverse; a discriminator for each
    domain tells its images from translations. What keeps a translation close to its original is
    that it can be translated back: equation 3 of the paper is

        L = L_GAN(G_AB, D_B) + L_GAN(G_BA, D_A) + cycle_weight L_cyc,
        L_cyc = E_a |G_BA(G_AB(a)) - a| + E_b |G_AB(G_BA(b)) - b|,

    to which `cycle_weight identity_weight L_identity` may be added (section 5.2), with

        L_identity = E_a |G_BA(a) - a| + E_b |G_AB(b) - b|.

    `|...|` is the mean over pixels. The discriminators see a pool of past translations in training
    and fresh ones in evaluation. As in every `TwoPlayerModel`, they move first; in the authors'
    code, the generators do. Batches are pairs `(images_a, images_b)`, as many of A as of B. Keras
    keeps the pairs of two arrays together; `tfgen.data.batches(tfgen.data.Domains(a, b), 1)` gives
    each domain an order of its own, and lets the shorter one repeat.

    Args:
        generator_ab: a built Keras model from images of A to images of B, in [0, 1].
        generator_ba: a built Keras model from images of B to images of A, in [0, 1].
        discriminator_a: a built Keras model from images of A to logits `[batch, ...]`.
        discriminator_b: the same for B.
        game: a `tfgen.games.Game`; the default is `LeastSquares()`.
        cycle_weight: the factor of the cycle loss, at least 0. With the default game and cycle loss
            10 is the paper's, whose images are in [-1, 1] and whose least squares lack the 1/2.
        cycle_loss: how far images are apart, in the cycle and in the identity loss: a Keras loss
            function or its name, such as "mean_absolute_error", the paper's.
        identity_weight: the factor of the identity loss, as a share of `cycle_weight`, at least 0;
            0.5 where colours are to stay.
        pool_size: the number of past translations kept of each domain; 0 for none.
        **kwargs: `ema_momentum`, the momentum, such as 0.999, of an exponential moving average of
            the generators' weights, with which images are then translated; `critic_steps` and
            `constraint`, see `tfgen.TwoPlayerModel`; `seed`, `name`, `dtype`.

    Raises:
        ValueError: the networks do not fit each other, or a number is out of range.
        TypeError: `game` is no game, or `cycle_loss` a Keras loss object.

    Example:
        >>> model = tfgen.CycleGAN(
        ...     generator_ab=networks.resnet_generator((64, 64, 3)),
        ...     generator_ba=networks.resnet_generator((64, 64, 3)),
        ...     discriminator_a=networks.patch_gan_discriminator((64, 64, 3)),
        ...     discriminator_b=networks.patch_gan_discriminator((64, 64, 3)),
        ...     identity_weight=0.5,
        ... )
        >>> model.compile(keras.optimizers.Adam(2e-4, 0.5), keras.optimizers.Adam(2e-4, 0.5))
        >>> domains = data.Domains(data.Source(lemons), data.Source(oranges))
        >>> model.fit(data.batches(domains, batch_size=1), epochs=200)
        >>> model.translate_a_to_b(lemons[:8]).shape
        TensorShape([8, 64, 64, 3])
    """

    abilities = frozenset({"translate"})

    def __init__(
        self,
        generator_ab,
        generator_ba,
        discriminator_a,
        discriminator_b,
        game=None,
        cycle_weight=10.0,
        cycle_loss="mean_absolute_error",
        identity_weight=0.0,
        pool_size=50,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.generator_ab = generator_ab
        self.generator_ba = generator_ba
        self.discriminator_a = discriminator_a
        self.discriminator_b = discriminator_b
        self.game = checked_game(game or games.LeastSquares())
        self.cycle_weight = cycle_weight
        self.cycle_loss = cycle_loss
        self.identity_weight = identity_weight
        self.pool_size = pool_size
        self.check_shapes()
        for name in ("cycle_weight", "identity_weight", "pool_size"):
            check_not_negative(name, getattr(self, name))
        self._distance = distance_by(cycle_loss)
        if pool_size:
            self._pool_a = ImagePool(self, "pool_a", pool_size, discriminator_a.input_shape[1:])
            self._pool_b = ImagePool(self, "pool_b", pool_size, discriminator_b.input_shape[1:])
        self.averages.add(generator_ab, generator_ba)
        self.finalize()

    @property
    def log_names(self):
        identity = ("identity_loss",) if self.identity_weight else ()
        return ("generator_loss", "discriminator_loss", "cycle_loss", *identity)

    @property
    def discriminator_variables(self):
        return [
            *self.discriminator_a.trainable_variables,
            *self.discriminator_b.trainable_variables,
        ]

    @property
    def generator_variables(self):
        return [*self.generator_ab.trainable_variables, *self.generator_ba.trainable_variables]

    def call(self, inputs, training=False):
        return self.translate_a_to_b(inputs)

    @renamed_arguments(averaged="use_ema")
    def translate_a_to_b(self, images, use_ema=True):
        """Returns images of domain B for images of A.

        Args:
            images: float32 `[batch, ...]`, in [0, 1].
            use_ema: whether to use the average of the generator's weights, if there is one.
        """
        return self._translate(self.generator_ab, images, use_ema)

    @renamed_arguments(averaged="use_ema")
    def translate_b_to_a(self, images, use_ema=True):
        """Returns images of domain A for images of B; arguments as above."""
        return self._translate(self.generator_ba, images, use_ema)

    def cycle_a(self, images, use_ema=True):
        """Returns images of A translated to B and back; arguments as above."""
        return self.translate_b_to_a(self.translate_a_to_b(images, use_ema), use_ema)

    def cycle_b(self, images, use_ema=True):
        """Returns images of B translated to A and back; arguments as above."""
        return self.translate_a_to_b(self.translate_b_to_a(images, use_ema), use_ema)

    def score_a(self, images):
        """Returns what A's discriminator says of images: `{"logits": [batch, ...]}`."""
        return {"logits": _run(self.discriminator_a, unpack(images)[0])}

    def score_b(self, images):
        """Returns what B's discriminator says of images: `{"logits": [batch, ...]}`."""
        return {"logits": _run(self.discriminator_b, unpack(images)[0])}

    def make_fakes(self, data, player, training):
        images_a, images_b = self._unpack_pair(data)
        return _Fakes(
            a=_run(self.generator_ba, images_b, training),
            b=_run(self.generator_ab, images_a, training),
        )

    def discriminator_fakes(self, fakes):
        if not self.pool_size:
            return fakes
        # The pool changes here, outside of the losses, which change nothing.
        return _Fakes(
            a=self._pool_a.exchange(fakes.a, self.noise.seed_of("pool a")),
            b=self._pool_b.exchange(fakes.b, self.noise.seed_of("pool b")),
        )

    def discriminator_losses(self, data, fakes, training):
        images_a, images_b = self._unpack_pair(data)
        losses = [
            self._discriminator_loss(self.discriminator_a, images_a, fakes.a, training),
            self._discriminator_loss(self.discriminator_b, images_b, fakes.b, training),
        ]
        regularizers = [*self.discriminator_a.losses, *self.discriminator_b.losses]
        return {"discriminator_loss": tf.add_n([*losses, *regularizers])}

    def generator_losses(self, data, fakes, training):
        images = self._unpack_pair(data)
        adversarial_a = self._generator_loss(self.discriminator_a, images[0], fakes.a, training)
        adversarial_b = self._generator_loss(self.discriminator_b, images[1], fakes.b, training)
        losses = self._consistency_losses(images, (fakes.b, fakes.a), training)
        identity = self.identity_weight * losses.get("identity_loss", 0.0)
        consistency = self.cycle_weight * (losses["cycle_loss"] + identity)
        regularizers = [*self.generator_ab.losses, *self.generator_ba.losses]
        total = tf.add_n([adversarial_a, adversarial_b, consistency, *regularizers])
        return {"generator_loss": total, **losses}

    def average_inputs(self, data, fakes):
        return self._unpack_pair(data)

    def signatures(self):
        images_a, images_b = (
            [signatures.images(generator.input_shape[1:])]
            for generator in (self.generator_ab, self.generator_ba)
        )
        translate_a_to_b = (lambda images: {"images": self.translate_a_to_b(images)}, images_a)
        translate_b_to_a = (lambda images: {"images": self.translate_b_to_a(images)}, images_b)
        return {
            "serving_default": translate_a_to_b,
            "translate_a_to_b": translate_a_to_b,
            "translate_b_to_a": translate_b_to_a,
            "score_a": (self.score_a, images_a),
            "score_b": (self.score_b, images_b),
        }

    def _discriminator_loss(self, discriminator, images, made, training):
        return self.game.discriminator_loss(*_run_on_both(discriminator, images, made, training))

    def _generator_loss(self, discriminator, images, made, training):
        logits = [_run(discriminator, made, training)]
        if sees_real_logits(self.game):
            logits.append(_run(discriminator, images, training))
        return self.game.generator_loss(*logits)

    def _consistency_losses(self, images, fakes, training):
        """Returns how far images of A and B are from their cycles and, if asked, their identities.

        Args:
            images: of A and of B.
            fakes: what they were translated to.
            training: whether layers behave as in training.
        """
        generators = self.generator_ba, self.generator_ab
        if not self.identity_weight:
            cycled = [_run(*each, training) for each in zip(generators, fakes, strict=True)]
            return {"cycle_loss": self._deviation(images, cycled)}
        pairs = [
            _run_on_both(*each, training) for each in zip(generators, fakes, images, strict=True)
        ]
        cycled, same = zip(*pairs, strict=True)
        return {
            "cycle_loss": self._deviation(images, cycled),
            "identity_loss": self._deviation(images, same),
        }

    def _deviation(self, images, made):
        """Returns how far the images of A and B are from what was made of them."""
        return tf.add_n([self._distance(*each) for each in zip(images, made, strict=True)])

    def _translate(self, generator, images, use_ema):
        images, _ = unpack(images)
        return tf.cast(self.averages.run(generator, images, use_ema), tf.float32)

    def _unpack_pair(self, data):
        what = "`images_{}` must be what its generator takes"
        generators = self.generator_ab, self.generator_ba
        return tuple(
            check_shape(images, generator.input_shape, what.format(domain))
            for images, generator, domain in zip(unpack_pair(data), generators, "ab", strict=True)
        )

    def check_batch(self, data):
        for images in unpack_pair(data):
            check_values(images, *self.limits_of(images))

    def check_shapes(self):
        """Raises a ValueError if the networks do not fit each other."""
        generators = self.generator_ab, self.generator_ba
        check_translators(*generators, self.discriminator_a, self.discriminator_b)
        shapes = [generator.input_shape for generator in generators]
        if self.identity_weight and shapes[0] != shapes[1]:
            raise ValueError(
                "The identity loss needs domains of one shape: each generator is given images of "
                f"both. Received: {list(shapes[0])} and {list(shapes[1])}. Set identity_weight=0."
            )
        if self.pool_size and any(None in shape[1:] for shape in shapes):
            raise ValueError(
                "The pool keeps images of one size. "
                f"Received: networks of {list(shapes[0])} and {list(shapes[1])}. Build them with "
                "fixed sizes, or set pool_size=0."
            )
        warn_of_sigmoid("discriminator", self.discriminator_a)
        warn_of_sigmoid("discriminator", self.discriminator_b)


def _run(network, images, training=False):
    return tf.cast(network(images, training=training), tf.float32)


def _run_on_both(network, first, second, training):
    return [tf.cast(each, tf.float32) for each in on_both(network, first, second, training)]
