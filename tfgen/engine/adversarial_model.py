"""What all models of several players share."""

import abc

import keras

from tfgen.engine.adam import inner
from tfgen.engine.generative_model import GenerativeModel
from tfgen.engine.optimizer_step import check_optimizer, compiles_update, descend, prepare
from tfgen.engine.player_optimizers import PlayerOptimizers, check_callbacks, observed


class AdversarialModel(GenerativeModel):
    """A generative model of players, each with variables, a loss and an optimizer of its own.

    A subclass names the players and their variables, in `players`; and writes the paper's
    algorithm, one step of it, in `take_turns`, where `self.descend(player, compute_losses)` is a
    player's turn. Two players, a generator against a discriminator, are `tfgen.TwoPlayerModel`.

    Args:
        **kwargs: see `tfgen.GenerativeModel`.

    Example:
        >>> class Duel(tfgen.AdversarialModel):
        ...     @property
        ...     def players(self):
        ...         return {"critic": self.critic.trainable_variables,
        ...                 "actor": self.actor.trainable_variables}
        ...
        ...     def take_turns(self, data):
        ...         losses = self.descend("critic", lambda: self.critic_losses(data))
        ...         return losses | self.descend("actor", lambda: self.actor_losses(data))
        >>> duel.compile(critic_optimizer="sgd", actor_optimizer="adam")
    """

    rate_shares = None  # each player's rate, as a share of the first one's: `PlayerOptimizers`

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        if hasattr(cls, "make_fakes") and not hasattr(cls, "take_discriminator_turn"):
            raise TypeError(
                f"{cls.__name__} is a generator against a discriminator: derive it from "
                "`tfgen.TwoPlayerModel`, as `tfgen.AdversarialModel` was called before."
            )

    @property
    @abc.abstractmethod
    def players(self):
        """A dict from each player's name to the list of variables that its optimizer moves.

        Variables may belong to several players. Their order is that of the optimizers.
        """

    @abc.abstractmethod
    def take_turns(self, data):
        """Takes one step of training: the turns of the players, as the paper's algorithm has them.

        Args:
            data: the batch.

        Returns:
            A dict of losses, of which those in `log_names` are logged.
        """

    def descend(self, player, compute_losses):
        """Takes a player's turn: one step of its optimizer down its loss, `PLAYER_loss`.

        Args:
            player: its name.
            compute_losses: a function without arguments that returns a dict of float32 scalars,
                means over the batch: `f"{player}_loss"`, and whatever else is to be logged. Where
                several devices train, XLA compiles what passes through `self.per_replica` in it.

        Returns:
            The dict that `compute_losses` returned.
        """
        optimizer, variables = getattr(self, f"{player}_optimizer"), self.players[player]
        return descend(
            optimizer,
            variables,
            compute_losses,
            name=f"{player}_loss",
            jit_update=compiles_update(self, optimizer, variables),
        )

    def compile(
        self,
        *,
        jit_compile="auto",
        jit_update=None,
        steps_per_execution=1,
        run_eagerly=False,
        **optimizers,
    ):
        """Prepares for training.

        Args:
            jit_compile: see `tfgen.GenerativeModel.compile`.
            jit_update: see `tfgen.GenerativeModel.compile`; `None` decides for each player.
            steps_per_execution: see `tfgen.GenerativeModel.compile`.
            run_eagerly: for debugging.
            **optimizers: for each player `PLAYER_optimizer`, a Keras optimizer or its name; not
                one optimizer twice. Left out for all, each is DCGAN's Adam (Radford et al., 2016,
                section 4): a rate of 2e-4 and a beta_1 of 0.5.

        Raises:
            TypeError: there is no such player, or another argument that has no use here.
            ValueError: one optimizer was passed for several players, or for some of them only; or
                one averages weights (`use_ema`: pass `ema_momentum` to the model instead); or see
                `tfgen.GenerativeModel.compile`.
        """
        options = {
            "jit_compile": jit_compile,
            "steps_per_execution": steps_per_execution,
            "run_eagerly": run_eagerly,
        }
        given, others = {}, {}
        for name, value in optimizers.items():
            known = name.removesuffix("_optimizer") in self.players and name.endswith("_optimizer")
            (given if known else others)[name] = value
        options = self.keep_options(options, jit_update, others)
        chosen = self._choose_optimizers(given)
        # Not this class' parent, whose one optimizer has no use here.
        keras.Model.compile(self, optimizer=None, auto_scale_loss=False, **options)
        self.rate_shares = None
        for player, variables in self.players.items():
            name = f"{player}_optimizer"
            setattr(self, name, prepare(self, chosen[name], variables))

    @property
    def optimizer(self):
        """All players' optimizers, as Keras' callbacks ask for one: see `PlayerOptimizers`."""
        return PlayerOptimizers(self) if self.compiled else None

    @optimizer.setter
    def optimizer(self, value):
        if value is not None:
            raise ValueError(
                f"A {type(self).__name__} has an optimizer for each player: "
                f"{', '.join(self._optimizer_names())}. Set these in `compile`."
            )

    @property
    def optimizers(self):
        return list(self.optimizers_config().values())

    def optimizers_config(self):
        return {name: getattr(self, name) for name in self._optimizer_names()}

    def fit(
        self,
        x=None,
        y=None,
        batch_size=None,
        epochs=1,
        verbose="auto",
        callbacks=None,
        **kwargs,
    ):
        check_callbacks(self, callbacks)
        # By name: trackers that put themselves before Keras' `fit` add a callback there.
        named = {"epochs": epochs, "verbose": verbose, "callbacks": observed(callbacks)}
        return super().fit(x, y, batch_size, **named, **kwargs)

    def _optimizer_names(self):
        return [f"{player}_optimizer" for player in self.players]

    def _choose_optimizers(self, given):
        """Returns each player's optimizer by its name, the given ones, checked, or defaults."""
        names = self._optimizer_names()
        given = {name: value for name, value in given.items() if value is not None}
        if not given:
            return {name: keras.optimizers.Adam(2e-4, beta_1=0.5) for name in names}
        if missing := [name for name in names if name not in given]:
            raise ValueError(
                "The players need an optimizer each, or all the default. Received: "
                f"{', '.join(given)}. Pass {', '.join(missing)} too."
            )
        chosen = {name: keras.optimizers.get(value) for name, value in given.items()}
        if len(set(map(id, chosen.values()))) < len(chosen):
            raise ValueError(
                "The players need an optimizer each: it keeps averages of one player's gradients. "
                f"Received: the same {type(next(iter(chosen.values()))).__name__} twice. Make two."
            )
        for name, optimizer in chosen.items():
            check_optimizer(optimizer, self.distribute_strategy)
            if inner(optimizer).use_ema:
                raise ValueError(
                    "An average of weights belongs to the model here: Keras would put it in the "
                    f"place of one player's weights. Received: {name} with use_ema=True. Pass "
                    f"ema_momentum={inner(optimizer).ema_momentum} to {type(self).__name__}(...)."
                )
        return chosen
