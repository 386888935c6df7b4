"""A generator against a discriminator: what such models share."""

import abc
import inspect
import numbers
import types

import tensorflow as tf

from tfgen.engine.adversarial_model import AdversarialModel
from tfgen.engine.replicas import update


class TwoPlayerModel(AdversarialModel):
    """A generative model of two players, a discriminator and a generator.

    One step of `fit` is one step of the discriminator on one batch, with fresh noise; at every
    `critic_steps`-th the generator takes one too. So each step of the critic has a batch of its
    own, as the papers say, and an epoch is one pass over the data.

    A subclass says how data flow in `make_fakes`, `discriminator_losses` and `generator_losses`,
    and which variables are the players', in `discriminator_variables` and `generator_variables`.
    Where its `fresh_fakes` is false, the generator learns from the fakes that the discriminator
    has just learnt from: one pass of the generator makes them for both.

    Args:
        critic_steps: steps of the discriminator to one of the generator.
        constraint: a function from a weight of the discriminator to what it becomes after each of
            its steps, such as `tfgen.penalties.WeightClipping`; `None` for none.
        **kwargs: see `tfgen.GenerativeModel`.

    Raises:
        ValueError: `critic_steps` is less than 1, or no integer.
        TypeError: `constraint` is no function of a weight.
    """

    fresh_fakes = False
    keeps_constraint_state = False  # whether a constraint's state is kept and moved

    def __init__(self, critic_steps=1, constraint=None, **kwargs):
        super().__init__(**kwargs)
        if not isinstance(critic_steps, numbers.Integral) or critic_steps < 1:
            raise ValueError(
                "`critic_steps` must be an integer, at least 1. "
                f"Received: critic_steps={critic_steps!r}."
            )
        if constraint is not None and not _takes_a_weight(constraint):
            raise TypeError(
                "`constraint` must be a function of a weight, such as "
                "`tfgen.penalties.WeightClipping()`; penalties are `tfgen.GAN(penalties=[...])`. "
                f"Received: constraint={constraint!r}."
            )
        stateful = getattr(constraint, "initial_state", dict)()
        if stateful and not self.keeps_constraint_state:
            raise ValueError(
                f"A {type(self).__name__} keeps no state of a constraint. Received: "
                f"constraint={constraint!r}, with {sorted(stateful)}. `tfgen.GAN` does."
            )
        self.critic_steps = int(critic_steps)
        self.constraint = constraint
        self._all_are_known = False  # the losses of this epoch

    @property
    @abc.abstractmethod
    def discriminator_variables(self):
        """The list of variables that the discriminator's optimizer moves."""

    @property
    @abc.abstractmethod
    def generator_variables(self):
        """The list of variables that the generator's optimizer moves."""

    @abc.abstractmethod
    def make_fakes(self, data, player, training):
        """Returns what the generators make for a batch, with what they made it of.

        Args:
            data: the batch.
            player: `"discriminator"` or `"generator"`, who is to learn from it: each has fresh
                noise of its own.
            training: whether layers behave as in training.

        Returns:
            A structure of tensors, which the two methods below take.
        """

    @abc.abstractmethod
    def discriminator_losses(self, data, fakes, training):
        """Computes `"discriminator_loss"` and what is logged beside it, as `compute_losses`."""

    @abc.abstractmethod
    def generator_losses(self, data, fakes, training):
        """Computes `"generator_loss"` and what is logged beside it, as `compute_losses`."""

    @property
    def players(self):
        return {
            "generator": self.generator_variables,
            "discriminator": self.discriminator_variables,
        }

    def compute_losses(self, data, training):
        fakes = self.make_fakes(data, "discriminator", training)
        losses = self.discriminator_losses(data, fakes, training)
        if self.fresh_fakes:
            fakes = self.make_fakes(data, "generator", training)
        return {**losses, **self.generator_losses(data, fakes, training)}

    def compile(self, generator_optimizer=None, discriminator_optimizer=None, **options):
        """Prepares for training.

        Args:
            generator_optimizer: a Keras optimizer or its name, for generators and what helps them.
            discriminator_optimizer: the same for discriminators; two optimizers, not one twice.
                Left out for both, each is DCGAN's Adam: a rate of 2e-4 and a beta_1 of 0.5.
            **options: see `tfgen.AdversarialModel.compile`.

        Raises:
            TypeError: an argument has no use here.
            ValueError: one optimizer was passed for both players, or for one of them only; or see
                `tfgen.AdversarialModel.compile`.
        """
        super().compile(
            generator_optimizer=generator_optimizer,
            discriminator_optimizer=discriminator_optimizer,
            **options,
        )

    def take_train_step(self, run):
        if self.critic_steps == 1:
            return super().take_train_step(run)
        # The choice stands outside of `run`: replicas cannot meet inside of a condition.
        return tf.cond(
            tf.equal((self.step.value + 1) % self.critic_steps, 0),
            lambda: run(self._step),
            lambda: run(self._step_of_discriminator),
        )

    def take_turns(self, data):
        """The discriminator's turn, then the generator's (Goodfellow et al., 2014, algorithm 1)."""
        losses, fakes = {}, None
        if self.fresh_fakes:
            losses |= self.take_discriminator_turn(data)

        def generator_losses():
            nonlocal fakes
            fakes = self.per_replica(self.make_fakes)(data, "generator", training=True)
            if not self.fresh_fakes:
                losses.update(self.take_discriminator_turn(data, fakes))
            return self.per_replica(self.generator_losses)(data, fakes, training=True)

        losses |= self.descend("generator", generator_losses)
        self.move_averages(self.step.value // self.critic_steps, data, fakes)
        self.after_generator_step(data, fakes)
        return losses

    def take_discriminator_turn(self, data, fakes=None):
        """Takes the discriminator's turn, of fakes of its own if none are given; see `descend`."""
        if fakes is None:
            fakes = self.per_replica(self.make_fakes)(data, "discriminator", training=True)
        fakes = self.discriminator_fakes(tf.nest.map_structure(tf.stop_gradient, fakes))
        losses = self.descend(
            "discriminator",
            lambda: self.per_replica(self.discriminator_losses)(data, fakes, training=True),
        )
        if self.constraint is not None:
            update(self.discriminator_variables, lambda _, weight: self.constraint(weight))
        self.after_discriminator_step(losses)
        return losses

    def discriminator_fakes(self, fakes):
        """Returns what the discriminator learns from when the generators made these fakes."""
        return fakes

    def after_discriminator_step(self, losses):
        """Is called with the losses of each step of the discriminator, on every replica."""

    def after_generator_step(self, data, fakes):
        """Is called after each step of the generator, on every replica, with what it learnt from.

        Args:
            data: the batch.
            fakes: what `make_fakes` returned for it.
        """

    def average_inputs(self, data, fakes):
        """Returns for each averaged network a batch of what it takes; see `after_generator_step`.

        The averages are of the generators, and move with their steps.
        """
        return super().average_inputs(data)

    def make_train_function(self, force=False):
        made = self.train_function
        super().make_train_function(force)
        if self.critic_steps > 1 and self.train_function is not made:
            self.train_function = self._without_unknown_losses(self.train_function)

    def reset_metrics(self):
        super().reset_metrics()
        self._all_are_known = False

    def _without_unknown_losses(self, function):
        """Leaves out of an epoch's logs what belongs to the generator, until it takes a step."""

        def train(iterator):
            logs = function(iterator)
            if self._all_are_known or isinstance(iterator, types.GeneratorType):
                return logs  # a generator is that of `train_on_batch`, which wants all
            known = {mean.name for mean in self.metrics if float(mean.count.numpy()) > 0}
            self._all_are_known = len(known) == len(self.metrics)
            return {name: logs[name] for name in logs if name in known}

        return train

    def _step(self, data):
        return self.end_step(self.take_turns(data), data)

    def _step_of_discriminator(self, data):
        return self.end_step(self.take_discriminator_turn(data), data)


def _takes_a_weight(constraint):
    """Tells whether a constraint is a function of one argument; a penalty takes more."""
    try:
        inspect.signature(constraint).bind(None)
    except (TypeError, ValueError):
        return False
    return True
