"""A GAN whose discriminator tells the class, too."""

import keras
import tensorflow as tf

from tfgen.engine import signatures
from tfgen.engine.batches import unpack
from tfgen.engine.one_pass import on_both
from tfgen.engine.serialization import serializable
from tfgen.models.conditions import check_inputs
from tfgen.models.fits import check_built, check_latents, check_players, warn_of_sigmoid
from tfgen.models.gans.conditional_gan import ConditionalGAN
from tfgen.utils.arguments import check_number


@serializable
class AuxiliaryClassifierGAN(ConditionalGAN):
    """A GAN of labels whose discriminator tells the class (Odena et al., 2017).

        L_S = E[log P(real|x)] + E[log P(fake|G(z, c))]
        L_C = E[log P(c|x)] + E[log P(c|G(z, c))]

    The discriminator ascends `L_S + w L_C`, the generator its game and `w L_C` (equations 2 and 3,
    with `w = 1`): samples must look real, and like their class. The generator can please the
    classifier by samples that are easy to tell, and so differ less.

    Args:
        generator: a built Keras model from `[latents, conditions]` to examples.
        discriminator: a built Keras model from examples to two tensors, logits and the logits of
            classes `[batch, num_classes]`, such as
            `tfgen.networks.info_gan_discriminator(..., code_sizes=[10])`.
        prior: a `tfgen.distributions.Prior` of the latents.
        num_classes: the number of classes.
        class_weight: the factor `w` of `L_C`, at least 0.
        **kwargs: see `tfgen.GAN`.

    Raises:
        ValueError: the networks, the prior and the number of classes do not fit each other, or the
            weight is negative.

    Example:
        >>> gan = tfgen.AuxiliaryClassifierGAN(generator, discriminator, prior, num_classes=10)
        >>> gan.sample(10, labels=range(10))
        >>> gan.classify(images)  # [batch, 10], probabilities
    """

    def __init__(self, generator, discriminator, prior, num_classes, class_weight=1.0, **kwargs):
        check_number("class_weight", class_weight, least=0)
        check_built("discriminator", discriminator)
        self.class_weight = class_weight
        outputs = discriminator.outputs
        if len(outputs) != 2 or outputs[1].shape[-1] != num_classes:
            raise ValueError(
                "The discriminator must output logits and the logits of `num_classes` classes. "
                f"Received: outputs of shapes {[list(each.shape) for each in outputs]} and "
                f"num_classes={num_classes}."
            )
        self._critic, self._classifier = (
            keras.Model(discriminator.inputs, output) for output in outputs
        )
        super().__init__(generator, discriminator, prior, num_classes, **kwargs)

    @property
    def log_names(self):
        return (*super().log_names, "class_loss", "sample_class_loss")

    @property
    def critic(self):
        return self._critic

    def check_shapes(self):
        check_inputs("generator", self.generator, "latents", "condition_generator")
        check_latents("generator", self.generator.input_shape[0], (self.latent_dim,))
        check_players(self.generator.output_shape, self.discriminator.input_shape)
        warn_of_sigmoid("discriminator", self.critic)
        if self.condition_size != self.num_classes:
            raise ValueError(
                "The generator must take conditions of `num_classes`. Received: a generator of "
                f"{self.condition_size} and num_classes={self.num_classes}."
            )

    def discriminator_inputs(self, images, data):
        return images

    def judge(self, images, samples, data, training):
        (real, told), (fake, told_of_samples) = on_both(
            self.discriminator, images, samples, training
        )
        losses = self._class_loss(told, data) + self._class_loss(told_of_samples, data)
        return real, fake, {"class_loss": losses}

    def generator_losses(self, data, fakes, training):
        samples = self.augmented(fakes.images, "generator's samples", training)
        logits, told = self.discriminator(samples, training=training)
        loss = self.generator_game_loss(tf.cast(logits, tf.float32), data, training)
        classes = self._class_loss(told, data)
        return {
            "generator_loss": tf.add_n([loss, classes, *self.generator.losses]),
            "sample_class_loss": classes,
        }

    def _class_loss(self, told, data):
        """Returns `-w E[log P(c|x)]` of a batch's labels."""
        labels = self.conditions.vectors(self.conditions.labels_of(data))
        losses = tf.nn.softmax_cross_entropy_with_logits(labels, tf.cast(told, tf.float32))
        return self.class_weight * tf.reduce_mean(losses)

    def classify(self, images):
        """Returns how likely the discriminator finds each class, float32 `[batch, num_classes]`."""
        images, _ = unpack(images)
        return tf.nn.softmax(tf.cast(self._classifier(images), tf.float32))

    def score(self, images):
        """Returns `{"logits" [batch, ...], "probabilities" [batch, num_classes]}` of examples."""
        images, _ = unpack(images)
        logits, told = self.discriminator(images)
        return {
            "logits": tf.cast(logits, tf.float32),
            "probabilities": tf.nn.softmax(tf.cast(told, tf.float32)),
        }

    def signatures(self):
        images = signatures.images(self.generator.output_shape[1:])
        return {**super().signatures(), "score": (self.score, [images])}
