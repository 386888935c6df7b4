"""Games whose discriminator gives a number, which is no probability."""

import dataclasses

import tensorflow as tf

from tfgen.engine.serialization import serializable
from tfgen.objectives.games.game import Game


@serializable
@dataclasses.dataclass(frozen=True)
class LeastSquares(Game):
    """Squared errors to the targets 1 and 0 (Mao et al., 2017, equations 2 and 9).

        J_D = 1/2 E_x[(D(x) - 1)^2] + 1/2 E_z[D(G(z))^2]
        J_G = 1/2 E_z[(D(G(z)) - 1)^2]

    `D` is the logit itself.

    Example:
        >>> LeastSquares().generator_loss(tf.zeros([1, 1]))  # 1/2
    """

    def discriminator_loss(self, real_logits, fake_logits):
        return 0.5 * (_mean_square(real_logits - 1) + _mean_square(fake_logits))

    def generator_loss(self, fake_logits):
        return 0.5 * _mean_square(fake_logits - 1)


@serializable
@dataclasses.dataclass(frozen=True)
class Wasserstein(Game):
    """The critic estimates the earth mover's distance (Arjovsky et al., 2017, equation 2).

        W = max over 1-Lipschitz f of E_x[f(x)] - E_z[f(G(z))]

    The critic ascends the difference, the generator descends it. What keeps `f` Lipschitz is a
    value beside this one: `tfgen.penalties.WeightClipping` or `GradientPenalty`.

    Example:
        >>> Wasserstein().discriminator_loss(tf.constant([[3.0]]), tf.constant([[1.0]]))  # -2
    """

    def discriminator_loss(self, real_logits, fake_logits):
        return tf.reduce_mean(fake_logits) - tf.reduce_mean(real_logits)

    def generator_loss(self, fake_logits):
        return -tf.reduce_mean(fake_logits)


@serializable
@dataclasses.dataclass(frozen=True)
class Hinge(Game):
    """The critic stops where it is right by a margin of 1 (Lim and Ye, 2017, equation 8).

        J_D = E_x[max(0, 1 - D(x))] + E_z[max(0, 1 + D(G(z)))],    J_G = -E_z[D(G(z))]

    Example:
        >>> Hinge().discriminator_loss(tf.constant([[3.0]]), tf.constant([[-2.0]]))  # 0
    """

    def discriminator_loss(self, real_logits, fake_logits):
        real, fake = tf.nn.relu(1 - real_logits), tf.nn.relu(1 + fake_logits)
        return tf.reduce_mean(real) + tf.reduce_mean(fake)

    def generator_loss(self, fake_logits):
        return -tf.reduce_mean(fake_logits)


def _mean_square(values):
    return tf.reduce_mean(tf.square(values))
