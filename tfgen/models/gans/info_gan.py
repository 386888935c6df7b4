"""InfoGAN: codes that a generator must show."""

import tensorflow as tf

from tfgen.distributions.codes import chosen_codes, draw_codes
from tfgen.engine import signatures
from tfgen.engine.batches import unpack
from tfgen.engine.serialization import serializable
from tfgen.models.fits import as_list, check_players
from tfgen.models.gans.gan import GAN
from tfgen.models.gans.recognition import check_augmentations, check_recognizer, separate
from tfgen.utils.deprecation import renamed_arguments


@serializable
class InfoGAN(GAN):
    """A GAN whose samples tell a part of their latents, the codes (Chen et al., 2016).

    The generator takes noise z and codes c; the network Q learns to read the codes off a sample,
    and the generator to make them readable (equation 6, with the bound of equation 5):

        min_{G,Q} max_D V(D, G) - lambda E[log Q(c|G(z, c))].

    The last term is descended over the variables of G and Q, as in the lecture; where Q shares
    layers with D, these learn from it too, but not from the generator's part of the game. It counts
    in the generator's loss, or, with a `recognition_optimizer`, has a turn of its own.

    Which of the data's variations a code comes to mean is left to chance. With an augmentation T, Q
    reads a code off T(G(z, c)): what T changes cannot be its meaning, and I(c; T(x)) <= I(c; x).

    Args:
        generator: a built Keras model from latents `[batch, prior.size + sizes of the codes]`, the
            noise first, to examples.
        discriminator: a built Keras model from examples to logits; if it is to share layers with Q,
            to a list of logits and, for each code, a tensor `[batch, code.outputs]`, as
            `tfgen.networks.info_gan_discriminator(..., code_sizes=[10, 2])`.
        recognition: a network Q of its own, a built Keras model from examples to a tensor
            `[batch, code.outputs]` for each code; `None` where the discriminator has them.
        prior: a `tfgen.distributions.Prior` of the noise.
        codes: a list of `tfgen.codes.Code`s.
        information_weight: the paper's lambda, at least 0.
        code_augmentations: for each code a function of samples and the seed of its noise, such as
            `tfgen.augmentations.RandomAffine()`, or `None`; `None` for none at all.
        **kwargs: see `tfgen.GAN`; Q sees samples after its `augmentation`, too.

    Raises:
        ValueError: the networks, the prior and the codes do not fit each other.

    Example:
        >>> codes = [tfgen.codes.Categorical(10), tfgen.codes.UniformCode(2)]
        >>> infogan = tfgen.InfoGAN(generator, discriminator, None, prior, codes)
        >>> infogan.sample(10, codes=[tf.eye(10), None])
    """

    @renamed_arguments(augmentations="code_augmentations")
    def __init__(
        self,
        generator,
        discriminator,
        recognition,
        prior,
        codes,
        information_weight=1.0,
        code_augmentations=None,
        **kwargs,
    ):
        if information_weight < 0:
            raise ValueError(
                "`information_weight` must be at least 0. "
                f"Received: information_weight={information_weight}."
            )
        self.recognition = recognition
        self.codes = list(codes)
        self.information_weight = information_weight
        self.code_augmentations = code_augmentations
        self._critic, self._recognizer = separate(discriminator, recognition)
        self._recognition_plays = False  # `compile` tells
        super().__init__(generator, discriminator, prior, **kwargs)

    @property
    def log_names(self):
        return (*super().log_names, "information_loss")

    @property
    def abilities(self):
        return super().abilities | {"choose_codes", "recognize"}

    @property
    def latent_dim(self):
        return self.prior.size + sum(code.size for code in self.codes)

    @property
    def critic(self):
        return self._critic

    @property
    def discriminator_variables(self):
        return self._critic.trainable_variables

    @property
    def generator_variables(self):
        return [*self.generator.trainable_variables, *self._recognizer.trainable_variables]

    @property
    def players(self):
        if not self._recognition_plays:
            return super().players
        return {
            **super().players,
            "generator": self.generator.trainable_variables,
            "recognition": self.generator_variables,
        }

    def compile(
        self,
        generator_optimizer=None,
        discriminator_optimizer=None,
        recognition_optimizer=None,
        **options,
    ):
        """Prepares for training, see `tfgen.TwoPlayerModel.compile`.

        The lecture's `recognition_optimizer` descends the codes' loss alone, over G and Q.
        """
        played, self._recognition_plays = self._recognition_plays, recognition_optimizer is not None
        if self._recognition_plays:
            options["recognition_optimizer"] = recognition_optimizer
        try:
            super().compile(generator_optimizer, discriminator_optimizer, **options)
        except Exception:
            self._recognition_plays = played
            raise
        if not self._recognition_plays:
            self.recognition_optimizer = None

    @renamed_arguments(averaged="use_ema")
    def sample(self, count, seed=None, use_ema=True, codes=None):
        """Draws new examples.

        Args:
            count: how many, an integer or int32 scalar tensor.
            seed: a 64-bit integer: the same seed gives the same examples. `None`: new ones.
            use_ema: whether to use the average of the generator's weights, if there is one.
            codes: for each code a float tensor `[count, code.size]` or `None`, which draws it.
        """
        latents = self.sample_latents(count, seed)
        if codes is not None:
            latents = self.with_codes(latents, codes)
        return self.generate(latents, use_ema=use_ema)

    def generate_paths(self, paths, seed=None):
        paths = tf.convert_to_tensor(paths)
        count, steps, _ = paths.shape
        _, *codes = self._split(tf.repeat(self.sample_latents(count, seed), steps, axis=0))
        noises = tf.reshape(paths, [-1, self.prior.size])
        return self.generate(tf.concat([noises, *codes], axis=1))

    def latents_by(self, draw, noise_seed_of):
        drawn = draw_codes(self.codes, draw, noise_seed_of("codes"))
        return tf.concat([super().latents_by(draw, noise_seed_of), drawn], axis=1)

    def recognize(self, images):
        """Returns what Q reads off examples.

        Returns:
            A list, for each code `[batch, code.size]`: probabilities of classes, or expectations.
        """
        images, _ = unpack(images)
        outputs = as_list(self._recognizer(images))
        return [code.recognize(each) for code, each in zip(self.codes, outputs, strict=True)]

    def generator_losses(self, data, fakes, training):
        latents, fakes = fakes
        with tf.GradientTape() as tape:
            tape.watch(fakes)
            seen = self.augmented(fakes, "generator's samples", training)
            logits, outputs = self._logits_and_outputs(seen, training)
            loss = self.generator_game_loss(tf.cast(logits, tf.float32), data, training)
        if self._recognition_plays:
            return {"generator_loss": tf.add_n([loss, *self.generator.losses])}
        # Layers that Q shares with D learn here for Q alone: the loss is taken as linear in the
        # samples, from which D's weights get no gradient.
        slope = tf.stop_gradient(self._slope(tape, loss, fakes))
        adversarial = tf.stop_gradient(loss) + tf.reduce_sum(
            slope * (fakes - tf.stop_gradient(fakes))
        )
        information = self._information_loss(latents, outputs)
        losses = [adversarial, self.information_weight * information]
        regularizers = [*self.generator.losses, *self._recognizer.losses]
        return {
            "generator_loss": tf.add_n([*losses, *regularizers]),
            "information_loss": information,
        }

    def recognition_losses(self, data, training):
        """Computes how badly Q reads the codes, which the recognition's optimizer descends."""
        draws = "recognition" if self.fresh_fakes else "generator"
        latents, fakes = self.make_fakes(data, draws, training)
        seen = self.augmented(fakes, "recognition's samples", training)
        outputs = as_list(self._recognizer(seen, training=training))
        self._read_off_augmented(outputs, seen, training)
        information = self._information_loss(latents, outputs)
        loss = tf.add_n([self.information_weight * information, *self._recognizer.losses])
        return {"recognition_loss": loss, "information_loss": information}

    def compute_losses(self, data, training):
        losses = super().compute_losses(data, training)
        return losses | (self.recognition_losses(data, training) if self._recognition_plays else {})

    def take_turns(self, data):
        losses = super().take_turns(data)
        if self._recognition_plays:
            losses_of = self.per_replica(self.recognition_losses)
            losses |= self.descend("recognition", lambda: losses_of(data, True))
        return losses

    def signatures(self):
        images = signatures.images(self.generator.output_shape[1:])

        def recognize(images):
            codes = self.recognize(images)
            return {f"code_{index}": code for index, code in enumerate(codes)}

        def sample_codes(*values):
            *values, seed = values
            count = tf.shape(values[0])[0]
            codes = [
                code.from_values(value) for code, value in zip(self.codes, values, strict=True)
            ]
            return {"images": self.sample(count, seed, codes=codes)}

        specs = [code.spec(f"code_{index}") for index, code in enumerate(self.codes)]
        return {
            **super().signatures(),
            "recognize": (recognize, [images]),
            "sample_codes": (sample_codes, [*specs, signatures.SEED]),
        }

    def check_shapes(self):
        if not self.codes:
            raise ValueError("InfoGAN needs at least one code. Received: codes=[].")
        check_augmentations(self.code_augmentations, self.codes)
        super().check_shapes()
        made, taken = self.generator.output_shape, self._recognizer.input_shape
        check_players(made, taken, "recognition network")
        check_recognizer(self._recognizer, self.codes)

    def _slope(self, tape, loss, fakes):
        """Returns a loss' gradient by samples, at the optimizer's scale: in float16 it vanishes."""
        if not self.compiled:
            return tape.gradient(loss, fakes)
        scale = self.generator_optimizer.scale_loss(tf.ones_like(loss))
        return tape.gradient(loss, fakes, output_gradients=scale) / scale

    def _logits_and_outputs(self, fakes, training):
        """Returns D's logits and Q's outputs, of one pass where they share layers.

        With two passes the shared weights would be read twice, and TensorFlow 2.21 does not always
        wait for a reading whose gradient they do not get before it moves them.
        """
        if self.recognition is None:
            logits, *outputs = self.discriminator(fakes, training=training)
        else:
            logits = self.discriminator(fakes, training=training)
            outputs = as_list(self.recognition(fakes, training=training))
        self._read_off_augmented(outputs, fakes, training)
        return logits, outputs

    def _read_off_augmented(self, outputs, fakes, training):
        """Puts what Q reads off augmented samples in the place of its outputs, a list.

        In one batch with the others they would change the statistics that D normalizes by. The
        first pass gets a gradient of 0, which TensorFlow cannot know to be 0.
        """
        never = tf.cast(self.step.value < 0, tf.float32)
        for index, augmentation in enumerate(self.code_augmentations or []):
            if augmentation is None:
                continue
            changed = augmentation(fakes, self.noise.seed_of(f"augmentation {index}"))
            seen = as_list(self._recognizer(changed, training=training))[index]
            outputs[index] = tf.cast(seen, tf.float32) + never * tf.cast(outputs[index], tf.float32)

    def _information_loss(self, latents, outputs):
        """Returns `-E[log Q(c|G(z, c))]`, the bound without the codes' constant entropy."""
        _, *codes = self._split(latents)
        return tf.add_n(
            [
                tf.reduce_mean(code.negative_log_likelihood(value, output))
                for code, value, output in zip(self.codes, codes, outputs, strict=True)
            ]
        )

    def _split(self, latents):
        """Splits latents into the noise and each code."""
        return tf.split(latents, [self.prior.size, *(code.size for code in self.codes)], axis=1)

    def with_codes(self, latents, codes):
        """Puts codes in the place of those in latents `[count, latent_dim]`; see `sample`."""
        noises, *drawn = self._split(latents)
        return tf.concat([noises, *chosen_codes(self.codes, codes, drawn)], axis=1)
