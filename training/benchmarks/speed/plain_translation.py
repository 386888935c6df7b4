"""CycleGAN as one writes it with Keras alone, after the example on its site."""

import keras
import tensorflow as tf

from training.benchmarks.speed.plain_keras import Plain


class PlainCycleGAN(Plain):
    """Least squares, cycles and identities, all under one tape; no pool of past images.

    As in the example, one translation of a batch serves all losses. Images are in [0, 1].

    Args:
        generator_ab: a model from images of A to images of B.
        generator_ba: a model from images of B to images of A.
        discriminator_a: a model from images of A to logits.
        discriminator_b: the same for B.
        cycle_weight: the factor of the cycle loss.
        identity_weight: the factor of the identity loss, as a share of `cycle_weight`.
    """

    def __init__(
        self,
        generator_ab,
        generator_ba,
        discriminator_a,
        discriminator_b,
        cycle_weight=10.0,
        identity_weight=0.5,
    ):
        super().__init__(("generator_loss", "discriminator_loss"))
        self.players = (generator_ab, generator_ba, discriminator_a, discriminator_b)
        self.cycle_weight = cycle_weight
        self.identity_weight = identity_weight
        self.distance = keras.losses.MeanAbsoluteError()
        self.square = keras.losses.MeanSquaredError()

    def compile(self, generator_optimizer, discriminator_optimizer):
        super().compile()
        self.generator_optimizer = generator_optimizer
        self.discriminator_optimizer = discriminator_optimizer

    def train_step(self, data):
        images_a, images_b = data
        to_b, to_a, judge_a, judge_b = self.players
        with tf.GradientTape(persistent=True) as tape:
            fakes_b, fakes_a = to_b(images_a, training=True), to_a(images_b, training=True)
            cycled_a, cycled_b = to_a(fakes_b, training=True), to_b(fakes_a, training=True)
            same_a, same_b = to_a(images_a, training=True), to_b(images_b, training=True)
            real_a, fake_a = judge_a(images_a, training=True), judge_a(fakes_a, training=True)
            real_b, fake_b = judge_b(images_b, training=True), judge_b(fakes_b, training=True)
            generator_loss = self.generator_loss(fake_b, images_a, cycled_a, images_b, same_b)
            generator_loss += self.generator_loss(fake_a, images_b, cycled_b, images_a, same_a)
            discriminator_loss = self.discriminator_loss(real_a, fake_a)
            discriminator_loss += self.discriminator_loss(real_b, fake_b)
        for loss, networks, optimizer in (
            (generator_loss, (to_b, to_a), self.generator_optimizer),
            (discriminator_loss, (judge_a, judge_b), self.discriminator_optimizer),
        ):
            weights = [weight for network in networks for weight in network.trainable_weights]
            gradients = tape.gradient(loss, weights)
            optimizer.apply_gradients(zip(gradients, weights, strict=True))
        return self.logs(generator_loss, discriminator_loss)

    def generator_loss(self, fake_logits, images, cycled, others, same):
        adversarial = 0.5 * self.square(tf.ones_like(fake_logits), fake_logits)
        identity = self.identity_weight * self.distance(others, same)
        return adversarial + self.cycle_weight * (self.distance(images, cycled) + identity)

    def discriminator_loss(self, real_logits, fake_logits):
        real = self.square(tf.ones_like(real_logits), real_logits)
        return 0.5 * (real + self.square(tf.zeros_like(fake_logits), fake_logits))
