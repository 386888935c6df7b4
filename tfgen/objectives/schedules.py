"""Learning rates as functions of the step, where Keras lacks one that a paper has."""

import keras
import tensorflow as tf

from tfgen.engine.serialization import serializable


@serializable
class ConstantThenLinear(keras.optimizers.schedules.LearningRateSchedule):
    """A learning rate that is constant for half of the steps, then falls linearly to 0.

    CycleGAN's (Zhu et al., 2017, section 4).

    Args:
        learning_rate: the constant rate.
        steps: the number of all steps, at least 1.

    Raises:
        ValueError: `steps` is less than 1.

    Example:
        >>> keras.optimizers.Adam(ConstantThenLinear(2e-4, steps=100_000), beta_1=0.5)
    """

    def __init__(self, learning_rate, steps):
        if steps < 1:
            raise ValueError(f"`steps` must be at least 1. Received: steps={steps}.")
        self.learning_rate = learning_rate
        self.steps = steps

    def __call__(self, step):
        left = 1 - tf.cast(step, tf.float32) / self.steps
        return self.learning_rate * tf.clip_by_value(2 * left, 0.0, 1.0)

    def get_config(self):
        return {"learning_rate": self.learning_rate, "steps": self.steps}
