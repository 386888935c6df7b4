"""The conditional generative adversarial network."""

import tensorflow as tf

from tfgen.engine import noise, signatures
from tfgen.engine.batches import unpack
from tfgen.engine.serialization import serializable
from tfgen.models.conditions import Conditions, check_inputs
from tfgen.models.fits import check_latents, check_players, warn_of_sigmoid
from tfgen.models.gans.gan import GAN
from tfgen.utils.deprecation import renamed_arguments


@serializable
class ConditionalGAN(GAN):
    """A GAN whose players both see a condition (Mirza and Osindero, 2014, equation 2).

        min_G max_D E[log D(x|y)] + E[log(1 - D(G(z|y)|y))]

    The networks decide how a condition enters: concatenated, as in the lecture code
    (`tfgen.networks.condition_generator`, `condition_discriminator`), or by projection (Miyato and
    Koyama, 2018; `tfgen.networks.projection_discriminator`).

    Batches are `(images, labels)`: labels are classes, integers `[batch]` or `[batch, 1]`, or
    attributes, floats `[batch, condition_size]`. Classes out of range are refused in every step;
    with `jit_compile=True`, which drops such checks, the losses become NaN.

    Args:
        generator: a built Keras model from `[latents, conditions]` to examples.
        discriminator: a built Keras model from `[examples, conditions]` to logits.
        prior: a `tfgen.distributions.Prior` of the latents.
        num_classes: the number of classes, given to the networks one-hot; `None` where the
            conditions are vectors of attributes.
        **kwargs: see `tfgen.GAN`.

    Raises:
        ValueError: the networks, the prior and the number of classes do not fit each other.

    Example:
        >>> cgan = tfgen.ConditionalGAN(generator, discriminator, prior, num_classes=10)
        >>> cgan.sample(10, labels=range(10))
    """

    def __init__(self, generator, discriminator, prior, num_classes=None, **kwargs):
        self.num_classes = num_classes
        super().__init__(generator, discriminator, prior, **kwargs)

    @property
    def abilities(self):
        """Without classes, labels cannot be drawn: it samples only what it is told."""
        own = {"choose_labels"} if self.num_classes is None else {"choose_labels", "sample"}
        return super().abilities - {"sample"} | own

    @property
    def condition_size(self):
        """The length of a condition's vector."""
        return self.generator.input_shape[1][-1]

    @property
    def conditions(self):
        """What the model knows of its labels, a `tfgen.models.conditions.Conditions`."""
        return Conditions("conditional GAN", self.num_classes, self.condition_size)

    def call(self, inputs, training=False):
        return self.generate(*inputs)

    @renamed_arguments(averaged="use_ema")
    def generate(self, latents, labels=None, *, use_ema=True):
        """Returns examples.

        Args:
            latents: float32 `[batch, latent_dim]`.
            labels: `[batch]` integers, or `[batch, condition_size]` floats, as in batches.
            use_ema: whether to use the average of the weights, if there is one.

        Raises:
            ValueError: there are no labels.
        """
        if labels is None:
            raise ValueError(
                "A conditional GAN makes examples of labels. Received: labels=None. Pass a label "
                "for each of the latents; `sample(count)` draws classes."
            )
        latents = tf.convert_to_tensor(latents)  # Keras takes no mixture of tensors and arrays
        return self.call_generator([latents, self.conditions.vectors(labels)], use_ema)

    @renamed_arguments(averaged="use_ema")
    def sample(self, count, seed=None, use_ema=True, labels=None):
        """Draws new examples.

        Args:
            count: how many, an integer or int32 scalar tensor.
            seed: a 64-bit integer: the same seed gives the same examples. `None`: new ones.
            use_ema: whether to use the average of the generator's weights, if there is one.
            labels: `count` classes, or vectors of attributes; `None` draws classes, all
                equally likely.

        Returns:
            A float32 tensor `[count, ...]`.

        Raises:
            ValueError: a label is no class, there are not `count`, or none for attributes.
        """
        noise.whole_count(count)  # refuses what is none
        labels = self.conditions.for_samples(count, seed, labels)
        return self.generate(self.sample_latents(count, seed), labels, use_ema=use_ema)

    def generate_paths(self, paths, seed=None, labels=None):
        """Returns examples on paths through the prior's latents, each with one label.

        Args:
            paths: float32 `[count, steps, latent_dim]`.
            seed: a 64-bit integer, of the labels where none are given. `None`: new ones.
            labels: see `sample`, one for each path.

        Returns:
            A float32 tensor `[count * steps, ...]`, path after path.
        """
        paths = tf.convert_to_tensor(paths)
        count, steps, size = paths.shape
        labels = tf.repeat(self.conditions.for_samples(count, seed, labels), steps, axis=0)
        return self.generate(tf.reshape(paths, [-1, size]), labels)

    def generator_inputs(self, latents, data):
        return [latents, self.conditions.vectors(self.conditions.labels_of(data))]

    def discriminator_inputs(self, images, data):
        return [images, self.conditions.vectors(self.conditions.labels_of(data))]

    def score(self, images, labels):
        images, _ = unpack(images)
        logits = self.discriminator([images, self.conditions.vectors(labels)])
        return {"logits": tf.cast(logits, tf.float32)}

    def check_batch(self, data):
        super().check_batch(data)
        self.conditions.check_range(self.conditions.labels_of(data))

    def check_shapes(self):
        for player, first in (("generator", "latents"), ("discriminator", "examples")):
            check_inputs(player, getattr(self, player), first, f"condition_{player}")
        check_latents("generator", self.generator.input_shape[0], (self.latent_dim,))
        warn_of_sigmoid("discriminator", self.discriminator)
        judged, seen = self.discriminator.input_shape
        check_players(self.generator.output_shape, judged)
        sizes = {self.condition_size, seen[-1]}
        if self.num_classes is not None:
            sizes.add(self.num_classes)
        if len(sizes) > 1:
            raise ValueError(
                "The players must take conditions of the same size, which is `num_classes` where "
                f"they are classes. Received: a generator of {self.condition_size}, a "
                f"discriminator of {seen[-1]} and num_classes={self.num_classes}."
            )

    def signatures(self):
        latents = signatures.latents([self.latent_dim])
        images = signatures.images(self.generator.output_shape[1:])
        labels = self.conditions.spec

        def sample_labels(labels, seed):
            return {"images": self.generate(self.sample_latents(tf.shape(labels)[0], seed), labels)}

        answers = {
            "serving_default": (
                lambda latents, labels: {"images": self.generate(latents, labels)},
                [latents, labels],
            ),
            "sample_labels": (sample_labels, [labels, signatures.SEED]),
            "score": (self.score, [images, labels]),
        }
        if self.num_classes is not None:
            answers["sample"] = signatures.sample(self)
        return answers
