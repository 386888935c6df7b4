"""Games: what the two players of an adversarial model are after, as values.

A game is two functions of logits, the discriminator's raw outputs. The discriminator descends
`discriminator_loss`, the generator `generator_loss`; both are means over the batch. A game of your
own is a dataclass with these two functions, and works everywhere: it trains, is saved and loaded.
"""

import abc
import dataclasses

import tensorflow as tf

from tfgen.engine.serialization import Configured, serializable


class Game(Configured, abc.ABC):
    """The two players' losses.

    Where `sees_real_logits` is true, the generator's loss depends on the data's logits too, as in
    relativistic games (Jolicoeur-Martineau, 2019): it is then called with both,
    `generator_loss(fake_logits, real_logits)`.
    """

    sees_real_logits = False

    @abc.abstractmethod
    def discriminator_loss(self, real_logits, fake_logits):
        """Returns what the discriminator descends.

        Args:
            real_logits: float32 `[batch, ...]`, the discriminator's outputs for data.
            fake_logits: float32 `[batch, ...]`, its outputs for samples.

        Returns:
            A scalar.
        """

    @abc.abstractmethod
    def generator_loss(self, fake_logits):
        """Returns what the generator descends, a scalar.

        Args:
            fake_logits: float32 `[batch, ...]`; where the game sees real logits, those follow.
        """


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


def checked_game(game):
    """Returns a game, or raises a TypeError if it is none."""
    losses = (getattr(game, name, None) for name in ("discriminator_loss", "generator_loss"))
    if isinstance(game, type) or not all(map(callable, losses)):
        raise TypeError(
            "`game` must be a game, such as `tfgen.games.Wasserstein()`: a value with the methods "
            f"`discriminator_loss` and `generator_loss`. Received: {game!r}."
        )
    return game


def sees_real_logits(game):
    """Tells whether a game's generator needs the data's logits; a user's own need not say."""
    return getattr(game, "sees_real_logits", False)


def _mean_square(values):
    return tf.reduce_mean(tf.square(values))
