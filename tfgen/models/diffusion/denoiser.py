"""What a diffusion's network sees and says, outside of training."""

import functools

import tensorflow as tf


class Denoiser:
    """Noisy examples told apart into example and noise; a base beside a diffusion's class."""

    def inward(self, examples):
        """Returns examples as the network sees them: images from -1 to 1."""
        return 2.0 * examples - 1.0 if self.is_of_images else examples

    def outward(self, examples):
        """Returns what the network made as examples: images cut to 0 to 1."""
        return tf.clip_by_value(0.5 * examples + 0.5, 0.0, 1.0) if self.is_of_images else examples

    @property
    def is_of_images(self):
        """Whether examples are images, and not vectors."""
        return len(self.example_shape) == 3

    def network_inputs(self, noisy, times, conditions):
        """Returns what the network takes.

        Args:
            noisy: float32 `[batch, ...]`.
            times: float32 `[batch, 1, ...]`.
            conditions: a list of what else it takes.
        """
        scaled = self.prediction.input_scale(self.noise_path, times) * noisy
        return [scaled, tf.reshape(self.noise_path.levels(times), [-1]), *conditions]

    def predict_of(self, noisy, times, conditions=(), use_ema=True):
        """Returns what the network predicts, in inference mode, float32 `[batch, ...]`."""
        inputs = self.network_inputs(noisy, times, conditions)
        return tf.cast(self.averages.run(self.network, inputs, use_ema), tf.float32)

    def denoise(self, predict, noisy, time):
        """Returns the example and the noise that are seen in noisy examples.

        Args:
            predict: a function of noisy examples and times `[batch, 1, ...]` to a prediction.
            noisy: float32 `[batch, ...]`, as the network sees examples.
            time: a float32 scalar, from 0 to 1.
        """
        times = tf.fill([tf.shape(noisy)[0], *[1] * len(self.state_shape)], time)
        return self.prediction.solve(self.noise_path, times, noisy, predict(noisy, times))

    def drawing_denoiser_of(self, rows, use_ema=True):
        """Returns `denoiser_of` as samples are drawn by it: a subclass may guide them."""
        return self.denoiser_of(rows, use_ema)

    def denoiser_of(self, rows, use_ema=True):
        """Returns a function of noisy examples and a time to the example and the noise in each.

        Args:
            rows: what `rows_of` returned; a subclass takes more of it than the examples.
            use_ema: whether to use the average of the weights, if there is one.
        """
        predict = functools.partial(self.predict_of, use_ema=use_ema)
        return functools.partial(self.denoise, predict)
