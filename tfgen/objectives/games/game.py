"""What a game is."""

import abc

from tfgen.engine.serialization import Configured


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
