"""Games that ask whether data look more real than samples (Jolicoeur-Martineau, 2019)."""

import abc
import dataclasses

import tensorflow as tf

from tfgen.engine.replicas import global_mean
from tfgen.engine.serialization import serializable
from tfgen.objectives.games.game import Game
from tfgen.utils.arguments import check_choice

# Of how much more real one looks than the other, a margin.
_LOSSES = {
    "logistic": lambda margin: tf.nn.softplus(-margin),
    "squared": lambda margin: tf.square(margin - 1),
    "hinge": lambda margin: tf.nn.relu(1 - margin),
}


@dataclasses.dataclass(frozen=True)
class _OfMargins(Game):
    """Games of margins; the generator plays the discriminator's game with exchanged roles.

    Args:
        loss: "logistic", `log(1 + e^-m)`; "squared", `(m - 1)^2`; or "hinge", `max(0, 1 - m)`.

    Raises:
        ValueError: there is no such loss.
    """

    loss: str = "logistic"

    sees_real_logits = True

    def __post_init__(self):
        check_choice("loss", self.loss, _LOSSES)

    def discriminator_loss(self, real_logits, fake_logits):
        return self._loss(real_logits, fake_logits)

    def generator_loss(self, fake_logits, real_logits):
        return self._loss(fake_logits, real_logits)

    def _of(self, margins):
        return tf.reduce_mean(_LOSSES[self.loss](margins))

    @abc.abstractmethod
    def _loss(self, winners, losers):
        """Returns the loss of who wants `winners` to look more real than `losers`."""


@serializable
@dataclasses.dataclass(frozen=True)
class Relativistic(_OfMargins):
    """Each image of the data against one sample (Jolicoeur-Martineau, 2019, section 4).

        J_D = E[l(C(x) - C(G(z)))],    J_G = E[l(C(G(z)) - C(x))]

    `C` is the logit. "Logistic" is the paper's RSGAN.

    Args:
        loss: see `RelativisticAverage`.

    Raises:
        ValueError: there is no such loss.

    Example:
        >>> Relativistic().discriminator_loss(tf.constant([[2.0]]), tf.constant([[2.0]]))  # log 2
    """

    def _loss(self, winners, losers):
        return self._of(winners - losers)


@serializable
@dataclasses.dataclass(frozen=True)
class RelativisticAverage(_OfMargins):
    """Each against the mean of the others (Jolicoeur-Martineau, 2019, section 4).

        J_D = E_x[l(C(x) - E C(G(z)))] + E_z[l(E C(x) - C(G(z)))]
        J_G = E_z[l(C(G(z)) - E C(x))] + E_x[l(E C(G(z)) - C(x))]

    `C` is the logit. Means are over the global batch, so that many replicas play one's game.

    Args:
        loss: of a margin `m`: "logistic", `log(1 + e^-m)`, the paper's RaSGAN; "squared",
            `(m - 1)^2`, RaLSGAN; or "hinge", `max(0, 1 - m)`, RaHingeGAN.

    Raises:
        ValueError: there is no such loss.

    Example:
        >>> game = RelativisticAverage("squared")
        >>> game.generator_loss(tf.constant([[1.0]]), tf.constant([[0.0]]))  # 0
    """

    def _loss(self, winners, losers):
        winner, loser = (tf.reduce_mean(global_mean(each)) for each in (winners, losers))
        return self._of(winners - loser) + self._of(winner - losers)
