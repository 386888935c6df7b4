"""Games: what the two players of an adversarial model are after, as values.

A game is two functions of logits, the discriminator's raw outputs. The discriminator descends
`discriminator_loss`, the generator `generator_loss`; both are means over the batch. A game of your
own is a dataclass with these two functions, and works everywhere: it trains, is saved and loaded.
"""

from tfgen.objectives.games.classifiers import (
    CrossEntropy,
    MaximumLikelihood,
    Minimax,
    NonSaturating,
)
from tfgen.objectives.games.critics import Hinge, LeastSquares, Wasserstein
from tfgen.objectives.games.f_divergences import FDivergence
from tfgen.objectives.games.game import Game, checked_game, sees_real_logits
from tfgen.objectives.games.relativistic import Relativistic, RelativisticAverage

__all__ = [
    "CrossEntropy",
    "FDivergence",
    "Game",
    "Hinge",
    "LeastSquares",
    "MaximumLikelihood",
    "Minimax",
    "NonSaturating",
    "Relativistic",
    "RelativisticAverage",
    "Wasserstein",
    "checked_game",
    "sees_real_logits",
]
