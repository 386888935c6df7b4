"""InfoGAN: codes that a generator must show."""

import keras
import tensorflow as tf
import tensorflow_probability as tfp

from tfgen.distributions import philox
from tfgen.engine import noise
from tfgen.engine.generative_model import unpack
from tfgen.engine.graphs import as_graph
from tfgen.engine.serialization import serializable
from tfgen.models.gans.gan import GAN
from tfgen.models.gans.latent_generator import check_players

tfd = tfp.distributions


@serializable
class InfoGAN(GAN):
    """A GAN whose samples tell a part of their latents, the codes (Chen et al., 2016).

    The generator takes noise z and codes c; the network Q learns to read the codes off a sample,
    and the generator to make them readable (equation 6, with the bound of equation 5):

        min_{G,Q} max_D V(D, G) - lambda E[log Q(c|G(z, c))].

    The last term is descended over the variables of G and Q, as in the lecture; where Q shares
    layers with D, these learn from it too, but not from the generator's part of the game.

    Which of the data's variations a code comes to mean is left to chance. With an augmentation T, Q
    reads a code off T(G(z, c)), so that what T changes cannot be its meaning. What is gained is a
    bound of the code's information still: I(c; T(x)) <= I(c; x), as no processing of x adds any.

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
        augmentations: for each code a function of samples and a seed, such as
            `tfgen.augmentations.RandomAffine()`, or `None`; `None` for none at all.
        **kwargs: see `tfgen.GAN`; with its `augmentation`, Q too sees in training what it makes of
            samples, and `augmentations` change that.

    Raises:
        ValueError: the networks, the prior and the codes do not fit each other.

    Example:
        >>> codes = [tfgen.codes.Categorical(10), tfgen.codes.UniformCode(2)]
        >>> infogan = tfgen.InfoGAN(generator, discriminator, None, prior, codes)
        >>> infogan.sample(10, codes=[tf.eye(10), None])
    """

    def __init__(
        self,
        generator,
        discriminator,
        recognition,
        prior,
        codes,
        information_weight=1.0,
        augmentations=None,
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
        self.augmentations = augmentations
        self._judge, self._recognizer = _separate(discriminator, recognition)
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
        return self._judge

    @property
    def discriminator_variables(self):
        return self._judge.trainable_variables

    @property
    def generator_variables(self):
        return [*self.generator.trainable_variables, *self._recognizer.trainable_variables]

    def sample(self, count, seed=None, averaged=True, codes=None):
        """Draws new examples.

        Args:
            count: how many, an integer or int32 scalar tensor.
            seed: a 64-bit integer: the same seed gives the same examples. `None`: new ones.
            averaged: whether to use the average of the generator's weights, if there is one.
            codes: for each code a float tensor `[count, code.size]`, or `None` to draw it; `None`
                draws all.

        Returns:
            A float32 tensor `[count, ...]`.
        """
        latents = self.draw_latents(count, seed)
        if codes is not None:
            latents = self.with_codes(latents, codes)
        return self.generate(latents, averaged)

    def generate_ways(self, ways, seed=None):
        ways = tf.convert_to_tensor(ways)
        count, steps, _ = ways.shape
        _, *codes = self._split(tf.repeat(self.draw_latents(count, seed), steps, axis=0))
        noises = tf.reshape(ways, [-1, self.prior.size])
        return self.generate(tf.concat([noises, *codes], axis=1))

    @as_graph
    def latents_of(self, count, seed):
        latents = super().latents_of(count, seed)
        seed = noise.seed_from(seed, "codes")
        return tf.concat([latents, self._codes(tf.random.stateless_uniform, count, seed)], axis=1)

    def batch_latents(self, images, seed):
        def uniform(shape, seed):
            return noise.draw(tfd.Sample(philox.Uniform(), shape[1]), shape[0], seed)

        codes = self._codes(uniform, tf.shape(images)[0], tf.random.fold_in(seed, 1))
        return tf.concat([super().batch_latents(images, seed), codes], axis=1)

    def recognize(self, images):
        """Returns what Q reads off examples.

        Returns:
            A list with a tensor `[batch, code.size]` for each code: the classes' probabilities, or
            the values' expectations.
        """
        images, _ = unpack(images)
        outputs = _as_list(self._recognizer(images))
        return [code.recognize(each) for code, each in zip(self.codes, outputs, strict=True)]

    def generator_losses(self, data, fakes, training):
        latents, fakes = fakes
        with tf.GradientTape() as tape:
            tape.watch(fakes)
            shown = self.shown(fakes, "generator's samples", training)
            logits, outputs = self._judge_and_recognize(shown, training)
            loss = self.game.generator_loss(tf.cast(logits, tf.float32))
        # The generator's optimizer moves layers that Q shares with D, for Q, and must not move them
        # to D's disadvantage: the loss is taken as linear in the samples, from which D's weights
        # get no gradient.
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

    def signatures(self):
        images = tf.TensorSpec([None, *self.generator.output_shape[1:]], tf.float32, "images")

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
            "sample_codes": (sample_codes, [*specs, tf.TensorSpec([], tf.int64, "seed")]),
        }

    def check_fit(self):
        if not self.codes:
            raise ValueError("InfoGAN needs at least one code. Received: codes=[].")
        if self.augmentations is not None and len(self.augmentations) != len(self.codes):
            raise ValueError(
                f"There must be an augmentation or None for each of the {len(self.codes)} codes. "
                f"Received: {len(self.augmentations)}."
            )
        super().check_fit()
        made, read = self.generator.output_shape, self._recognizer.input_shape
        check_players(made, read, "recognition network")
        sizes = [output.shape[-1] for output in self._recognizer.outputs]
        wanted = [code.outputs for code in self.codes]
        if sizes != wanted:
            raise ValueError(
                f"The recognition network must have an output for each code, of sizes {wanted}. "
                f"Received: outputs of sizes {sizes}."
            )

    def _slope(self, tape, loss, fakes):
        """Returns a loss' gradient by samples.

        It passes through D at the optimizer's loss scale: in float16 it would vanish without.
        """
        if not self.compiled:
            return tape.gradient(loss, fakes)
        scale = self.generator_optimizer.scale_loss(tf.ones_like(loss))
        return tape.gradient(loss, fakes, output_gradients=scale) / scale

    def _judge_and_recognize(self, fakes, training):
        """Returns D's logits and Q's outputs, of one pass where they share layers.

        With two passes the shared weights would be read twice, and TensorFlow 2.21 does not always
        wait for a reading whose gradient they do not get before it moves them. Augmented samples
        need passes of their own all the same: in one batch with the others they would change the
        statistics that D normalizes by, and D has then been seen to win. So a gradient of 0, which
        TensorFlow cannot know to be 0, is taken from the first pass.
        """
        if self.recognition is None:
            logits, *outputs = self.discriminator(fakes, training=training)
        else:
            logits = self.discriminator(fakes, training=training)
            outputs = _as_list(self.recognition(fakes, training=training))
        never = tf.cast(self.step.value < 0, tf.float32)
        for index, augmentation in enumerate(self.augmentations or []):
            if augmentation is None:
                continue
            changed = augmentation(fakes, self.noise.seed_of(f"augmentation {index}"))
            seen = _as_list(self._recognizer(changed, training=training))[index]
            outputs[index] = tf.cast(seen, tf.float32) + never * tf.cast(outputs[index], tf.float32)
        return logits, outputs

    def _information_loss(self, latents, outputs):
        """Returns `-E[log Q(c|G(z, c))]`, the bound without the codes' constant entropy."""
        _, *codes = self._split(latents)
        return tf.add_n(
            [
                tf.reduce_mean(code.negative_log_likelihood(value, output))
                for code, value, output in zip(self.codes, codes, outputs, strict=True)
            ]
        )

    def _codes(self, uniform, count, seed):
        """Draws all codes `[count, sizes]` by `uniform(shape, seed)`."""
        return tf.concat(
            [
                code.from_uniform(uniform([count, code.uniforms], tf.random.fold_in(seed, index)))
                for index, code in enumerate(self.codes)
            ],
            axis=1,
        )

    def _split(self, latents):
        """Splits latents into the noise and each code."""
        return tf.split(latents, [self.prior.size, *(code.size for code in self.codes)], axis=1)

    def with_codes(self, latents, codes):
        """Puts codes in the place of those in latents `[count, latent_dim]`; see `sample`."""
        drawn, *drawn_codes = self._split(latents)
        if len(codes) != len(self.codes):
            raise ValueError(
                f"There must be an entry for each of the {len(self.codes)} codes, a tensor or "
                f"None. Received: {len(codes)}."
            )
        chosen = []
        for code, given, draw in zip(self.codes, codes, drawn_codes, strict=True):
            value = draw if given is None else tf.cast(given, tf.float32)
            if value.shape != draw.shape:
                raise ValueError(
                    f"A value of {code} must be of shape {list(draw.shape)}. "
                    f"Received: {list(value.shape)}."
                )
            chosen.append(value)
        return tf.concat([drawn, *chosen], axis=1)


def _separate(discriminator, recognition):
    """Returns D and Q as models of their own, which share what layers they share."""
    if recognition is None:
        if len(discriminator.outputs) < 2:
            raise ValueError(
                "With recognition=None the discriminator must have an output for each code beside "
                f"the logits. Received: one with {len(discriminator.outputs)} output."
            )
        inputs, (logits, *codes) = discriminator.inputs, discriminator.outputs
        return keras.Model(inputs, logits), keras.Model(inputs, codes)
    if len(discriminator.outputs) > 1:
        raise ValueError(
            "Beside a recognition network the discriminator must output logits alone. Received: "
            f"one with {len(discriminator.outputs)} outputs. If the others are the codes', pass "
            "recognition=None."
        )
    own = {id(variable) for variable in discriminator.variables}
    shared = [variable.path for variable in recognition.variables if id(variable) in own]
    if shared:
        raise ValueError(
            "A recognition network that shares weights with the discriminator would share them no "
            "more after loading. Build one model with the outputs [logits, *codes], and pass it as "
            f"the discriminator with recognition=None. Received: both have {', '.join(shared)}."
        )
    return discriminator, recognition


def _as_list(outputs):
    return outputs if isinstance(outputs, (list, tuple)) else [outputs]
