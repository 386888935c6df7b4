"""A VAE as one writes it with Keras alone: what the benchmark compares with."""

import keras
import tensorflow as tf


class PlainVAE(keras.Model):
    """Normal posterior with softplus scale, Bernoulli pixels, one `train_step`, Keras' defaults.

    Args:
        encoder: a model from images to two tensors, location and scale before softplus.
        decoder: a model from latents to logits.
        binarized: whether pixels are drawn as 0 or 1 at every step.
    """

    def __init__(self, encoder, decoder, binarized):
        super().__init__()
        self.encoder = encoder
        self.decoder = decoder
        self.binarized = binarized
        self.seeds = keras.random.SeedGenerator(0)
        self.trackers = [
            keras.metrics.Mean(name=name) for name in ("loss", "reconstruction", "divergence")
        ]

    @property
    def metrics(self):
        return self.trackers

    def train_step(self, images):
        if self.binarized:
            uniform = keras.random.uniform(tf.shape(images), seed=self.seeds)
            images = tf.cast(uniform < images, tf.float32)
        with tf.GradientTape() as tape:
            location, scale = self.encoder(images, training=True)
            scale = tf.nn.softplus(scale)
            noise = keras.random.normal(tf.shape(location), seed=self.seeds)
            logits = self.decoder(location + scale * noise, training=True)
            entropies = tf.nn.sigmoid_cross_entropy_with_logits(labels=images, logits=logits)
            reconstruction = tf.reduce_mean(tf.reduce_sum(entropies, axis=[1, 2, 3]))
            terms = location**2 + scale**2 - 2 * tf.math.log(scale) - 1
            divergence = tf.reduce_mean(0.5 * tf.reduce_sum(terms, axis=1))
            loss = reconstruction + divergence
        gradients = tape.gradient(loss, self.trainable_weights)
        self.optimizer.apply_gradients(zip(gradients, self.trainable_weights, strict=True))
        for tracker, value in zip(self.trackers, (loss, reconstruction, divergence), strict=True):
            tracker.update_state(value)
        return {tracker.name: tracker.result() for tracker in self.trackers}
