"""The models as one writes them with Keras alone, after the examples on its site.

A `train_step` each, Keras' default `compile` and `fit`, trackers for the losses. The examples' mean
over real and fake images is half of the sum that tfgen descends: to Adam that is the same.
"""

import itertools

import keras
import numpy as np
import tensorflow as tf


class Plain(keras.Model):
    """What they share: trackers of losses, and seeds.

    Args:
        loss_names: the losses that `train_step` logs.
    """

    def __init__(self, loss_names):
        super().__init__()
        self.seeds = keras.random.SeedGenerator(0)
        self.trackers = [keras.metrics.Mean(name=name) for name in loss_names]

    @property
    def metrics(self):
        return self.trackers

    def logs(self, *losses):
        """Adds the losses of a step to the means so far; returns these."""
        for tracker, loss in zip(self.trackers, losses, strict=True):
            tracker.update_state(loss)
        return {tracker.name: tracker.result() for tracker in self.trackers}

    def draw(self, count, size):
        """Returns normal numbers `[count, size]`."""
        return keras.random.normal((count, size), seed=self.seeds)


class PlainVAE(Plain):
    """Normal posterior with softplus scale, Bernoulli pixels.

    Args:
        encoder: a model from images to two tensors, location and scale before softplus.
        decoder: a model from latents to logits.
        binarized: whether pixels are drawn as 0 or 1 at every step.
    """

    def __init__(self, encoder, decoder, binarized=False):
        super().__init__(("loss", "reconstruction", "divergence"))
        self.encoder = encoder
        self.decoder = decoder
        self.binarized = binarized

    def train_step(self, images):
        if self.binarized:
            uniform = keras.random.uniform(tf.shape(images), seed=self.seeds)
            images = tf.cast(uniform < images, tf.float32)
        with tf.GradientTape() as tape:
            location, scale = (
                tf.cast(output, tf.float32) for output in self.encoder(images, training=True)
            )
            scale = tf.nn.softplus(scale)
            latents = location + scale * self.draw(tf.shape(images)[0], location.shape[1])
            logits = tf.cast(self.decoder(latents, training=True), tf.float32)
            entropies = tf.nn.sigmoid_cross_entropy_with_logits(labels=images, logits=logits)
            reconstruction = tf.reduce_mean(tf.reduce_sum(entropies, axis=[1, 2, 3]))
            terms = location**2 + scale**2 - 2 * tf.math.log(scale) - 1
            divergence = tf.reduce_mean(0.5 * tf.reduce_sum(terms, axis=1))
            loss = reconstruction + divergence
        gradients = tape.gradient(loss, self.trainable_weights)
        self.optimizer.apply_gradients(zip(gradients, self.trainable_weights, strict=True))
        return self.logs(loss, reconstruction, divergence)


class PlainGAN(Plain):
    """A GAN of cross-entropy: fresh latents for each player.

    Args:
        generator: a model from latents to images.
        discriminator: a model from images to logits.
        together: whether the discriminator judges real and fake images in one batch, as in Keras'
            examples. With batch normalization that would be another model than ours.
    """

    def __init__(self, generator, discriminator, together=True):
        super().__init__(("generator_loss", "discriminator_loss"))
        self.generator = generator
        self.discriminator = discriminator
        self.together = together
        self.loss_fn = keras.losses.BinaryCrossentropy(from_logits=True)

    def compile(self, generator_optimizer, discriminator_optimizer):
        super().compile()
        self.generator_optimizer = generator_optimizer
        self.discriminator_optimizer = discriminator_optimizer

    def latents(self, images):
        """Returns latents for a batch."""
        return self.draw(tf.shape(images)[0], self.generator.input_shape[1])

    def train_step(self, images):
        discriminator_loss = self.move_discriminator(images)
        return self.logs(self.move_generator(images), discriminator_loss)

    def move_discriminator(self, images):
        """Takes a step of the discriminator; returns its loss."""
        fakes = self.generator(self.latents(images), training=True)
        with tf.GradientTape() as tape:
            loss = self.discriminator_loss(images, fakes)
        weights = self.discriminator.trainable_weights
        gradients = tape.gradient(loss, weights)
        self.discriminator_optimizer.apply_gradients(zip(gradients, weights, strict=True))
        return loss

    def move_generator(self, images):
        """Takes a step of the generator; returns its loss."""
        with tf.GradientTape() as tape:
            fakes = self.generator(self.latents(images), training=True)
            loss = self.generator_loss(self.discriminator(fakes, training=True))
        weights = self.generator.trainable_weights
        gradients = tape.gradient(loss, weights)
        self.generator_optimizer.apply_gradients(zip(gradients, weights, strict=True))
        return loss

    def discriminator_loss(self, images, fakes):
        ones, zeros = tf.ones((tf.shape(images)[0], 1)), tf.zeros((tf.shape(fakes)[0], 1))
        if self.together:
            logits = self.discriminator(tf.concat([images, fakes], axis=0), training=True)
            return self.loss_fn(tf.concat([ones, zeros], axis=0), logits)
        real = self.loss_fn(ones, self.discriminator(images, training=True))
        return 0.5 * (real + self.loss_fn(zeros, self.discriminator(fakes, training=True)))

    def generator_loss(self, logits):
        return self.loss_fn(tf.ones_like(logits), logits)


class PlainWGANGP(PlainGAN):
    """A Wasserstein GAN with gradient penalty, several steps of the critic on the same batch.

    Args:
        generator: a model from latents to images.
        discriminator: a model from images to numbers, without batch normalization.
        critic_steps: steps of the critic in a `train_step`.
        weight: of the penalty.
    """

    def __init__(self, generator, discriminator, critic_steps=5, weight=10.0):
        super().__init__(generator, discriminator, together=False)
        self.critic_steps = critic_steps
        self.weight = weight

    def train_step(self, images):
        for _ in range(self.critic_steps):
            critic_loss = self.move_discriminator(images)
        return self.logs(self.move_generator(images), critic_loss)

    def discriminator_loss(self, images, fakes):
        real = tf.reduce_mean(self.discriminator(images, training=True))
        fake = tf.reduce_mean(self.discriminator(fakes, training=True))
        return fake - real + self.weight * self.penalty(images, fakes)

    def generator_loss(self, logits):
        return -tf.reduce_mean(logits)

    def penalty(self, images, fakes):
        """Returns how far gradients between real and fake images are from norm 1, squared."""
        share = keras.random.uniform((tf.shape(images)[0], 1, 1, 1), seed=self.seeds)
        between = share * images + (1 - share) * fakes
        with tf.GradientTape() as tape:
            tape.watch(between)
            logits = self.discriminator(between, training=True)
        gradients = tape.gradient(logits, between)
        norms = tf.sqrt(tf.reduce_sum(tf.square(gradients), axis=[1, 2, 3]) + 1e-12)
        return tf.reduce_mean((norms - 1.0) ** 2)


class PlainFlow(Plain):
    """Flow matching of images, sampled by Heun's method in a loop of Python.

    Args:
        network: a model from noisy images and levels of noise to velocities.
    """

    def __init__(self, network):
        super().__init__(("loss",))
        self.network = network

    def train_step(self, images):
        examples = 2.0 * images - 1.0
        noises = keras.random.normal(tf.shape(examples), seed=self.seeds)
        times = keras.random.uniform((tf.shape(examples)[0], 1, 1, 1), seed=self.seeds)
        noisy = (1.0 - times) * examples + times * noises
        with tf.GradientTape() as tape:
            predicted = self.network([noisy, times[:, 0, 0, 0]], training=True)
            errors = tf.cast(predicted, tf.float32) - (noises - examples)
            loss = tf.reduce_mean(tf.square(errors))
        gradients = tape.gradient(loss, self.trainable_weights)
        self.optimizer.apply_gradients(zip(gradients, self.trainable_weights, strict=True))
        return self.logs(loss)

    def sample(self, count, steps):
        """Returns new images, with two looks of the network in each step but the last."""
        state = keras.random.normal((count, *self.network.input_shape[0][1:]), seed=self.seeds)
        for time, following in itertools.pairwise(np.linspace(1, 0, steps + 1)):
            length = following - time
            slope = self.velocity(state, time)
            if following > 0:
                slope = 0.5 * (slope + self.velocity(state + length * slope, following))
            state += length * slope
        return tf.clip_by_value(0.5 * state + 0.5, 0.0, 1.0)

    def velocity(self, state, time):
        """Returns where the images are going, all of them at this time."""
        predicted = self.network([state, tf.fill([len(state)], float(time))], training=False)
        return tf.cast(predicted, tf.float32)
