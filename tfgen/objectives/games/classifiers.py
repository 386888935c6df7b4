"""Games whose discriminator is a classifier."""

import dataclasses

import tensorflow as tf

from tfgen.engine.serialization import serializable
from tfgen.objectives.games.game import Game


@dataclasses.dataclass(frozen=True)
class CrossEntropy(Game):
    """Games whose discriminator is a classifier of real against fake: `D = sigmoid(logit)`.

    Its loss is `-V(D, G)` (Goodfellow et al., 2014, equation 1):

        J_D = -E_x[log D(x)] - E_z[log(1 - D(G(z)))].

    Args:
        real_target: what D is to answer for data: 1, or a little less for one-sided label
            smoothing (Salimans et al., 2016, section 3.4). The target for samples stays 0.

    Raises:
        ValueError: `real_target` is not in (0.5, 1].
    """

    real_target: float = 1.0

    def __post_init__(self):
        if not 0.5 < self.real_target <= 1:
            raise ValueError(
                "`real_target` must be above 0.5 and at most 1. "
                f"Received: real_target={self.real_target}."
            )

    def discriminator_loss(self, real_logits, fake_logits):
        # The cross-entropy of a target t is softplus(logit) - t logit.
        real = tf.nn.softplus(-real_logits) + (1 - self.real_target) * real_logits
        return tf.reduce_mean(real) + tf.reduce_mean(tf.nn.softplus(fake_logits))


@serializable
@dataclasses.dataclass(frozen=True)
class Minimax(CrossEntropy):
    """The zero-sum game (Goodfellow et al., 2014, equation 1): `J_G = -J_D`.

    Of `V` only `E_z[log(1 - D(G(z)))]` depends on the generator. Its gradient vanishes where the
    discriminator is sure that a sample is fake: it saturates.

    Example:
        >>> Minimax().generator_loss(tf.zeros([1, 1]))  # log 1/2
    """

    def generator_loss(self, fake_logits):
        return -tf.reduce_mean(tf.nn.softplus(fake_logits))


@serializable
@dataclasses.dataclass(frozen=True)
class NonSaturating(CrossEntropy):
    """The generator maximizes the discriminator's mistakes (Goodfellow et al., 2014, section 3).

        J_G = -E_z[log D(G(z))], the "-log D trick".

    Example:
        >>> NonSaturating().generator_loss(tf.zeros([1, 1]))  # log 2
    """

    def generator_loss(self, fake_logits):
        return tf.reduce_mean(tf.nn.softplus(-fake_logits))


@serializable
@dataclasses.dataclass(frozen=True)
class MaximumLikelihood(CrossEntropy):
    """With an optimal discriminator, the generator maximizes likelihood (Goodfellow, 2014).

        J_G = -E_z[exp(logit D(G(z)))],

    since `exp(logit) = p / p_g` there. "On distinguishability criteria", and the lectures.

    Args:
        real_target: see `CrossEntropy`. Below 1 the optimal D is another, and what is maximized no
            longer the likelihood.
        ceiling: logits above it count as it does, and give no gradient: `exp` would overflow. Where
            the discriminator is so sure of a fake being real, the estimate of `p / p_g` is off.

    Example:
        >>> MaximumLikelihood().generator_loss(tf.zeros([1, 1]))  # -1
    """

    ceiling: float = 20.0

    def generator_loss(self, fake_logits):
        return -tf.reduce_mean(tf.exp(tf.minimum(fake_logits, self.ceiling)))
