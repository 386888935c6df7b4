"""What all models of two players share."""

import abc
import inspect
import numbers

import keras
import tensorflow as tf

from tfgen.engine.adam import in_one_operation
from tfgen.engine.generative_model import GenerativeModel
from tfgen.engine.optimizer_step import descend
from tfgen.engine.replicas import update


class AdversarialModel(GenerativeModel):
    """A generative model of two players, each with a loss, variables and an optimizer of its own.

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
        seed: see `tfgen.GenerativeModel`.
        **kwargs: what `keras.Model` takes: `name`, `dtype`.

    Raises:
        ValueError: `critic_steps` is less than 1, or no integer.
        TypeError: `constraint` is no function of a weight.
    """

    fresh_fakes = False

    def __init__(self, critic_steps=1, constraint=None, seed=0, **kwargs):
        super().__init__(seed=seed, **kwargs)
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
        self.critic_steps = int(critic_steps)
        self.constraint = constraint

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

    def compute_losses(self, data, training):
        fakes = self.make_fakes(data, "discriminator", training)
        losses = self.discriminator_losses(data, fakes, training)
        if self.fresh_fakes:
            fakes = self.make_fakes(data, "generator", training)
        return {**losses, **self.generator_losses(data, fakes, training)}

    def compile(
        self,
        generator_optimizer="adam",
        discriminator_optimizer="adam",
        *,
        jit_compile=False,
        jit_update=None,
        steps_per_execution=1,
        run_eagerly=False,
    ):
        """Prepares for training.

        Args:
            generator_optimizer: a Keras optimizer or its name, for generators and what helps them.
            discriminator_optimizer: the same for discriminators; two optimizers, not one twice.
            jit_compile: see `tfgen.GenerativeModel.compile`.
            jit_update: see `tfgen.GenerativeModel.compile`; `None` decides for each player.
            steps_per_execution: see `tfgen.GenerativeModel.compile`.
            run_eagerly: for debugging.

        Raises:
            ValueError: one optimizer was passed for both players, or `jit_update` asked for on
                a strategy of several devices, whose updates XLA cannot compile.
        """
        if generator_optimizer is discriminator_optimizer and not isinstance(
            generator_optimizer, str
        ):
            raise ValueError(
                "The players need an optimizer each: it keeps averages of one player's gradients. "
                f"Received: the same {type(generator_optimizer).__name__} twice. Make two."
            )
        self.jit_update = self.check_jit_update(jit_update)
        # Not this class' parent, whose one optimizer has no use here.
        keras.Model.compile(
            self,
            optimizer=None,
            jit_compile=jit_compile,
            steps_per_execution=steps_per_execution,
            run_eagerly=run_eagerly,
        )
        with self.distribute_strategy.scope():
            self.generator_optimizer = self._prepare(generator_optimizer, self.generator_variables)
            self.discriminator_optimizer = self._prepare(
                discriminator_optimizer, self.discriminator_variables
            )

    @property
    def optimizers(self):
        return [self.generator_optimizer, self.discriminator_optimizer]

    def get_compile_config(self):
        if not self.compiled:
            return None
        return keras.saving.serialize_keras_object(
            {
                "generator_optimizer": self.generator_optimizer,
                "discriminator_optimizer": self.discriminator_optimizer,
                "jit_compile": self.jit_compile,
                "jit_update": self.jit_update,
                "steps_per_execution": self.steps_per_execution,
                "run_eagerly": self.run_eagerly,
            }
        )

    def take_train_step(self, run):
        if self.critic_steps == 1:
            return run(self._move_both)
        # The choice stands outside of `run`: replicas cannot meet inside of a condition.
        return tf.cond(
            tf.equal((self.step.value + 1) % self.critic_steps, 0),
            lambda: run(self._move_both),
            lambda: run(self._move_discriminator),
        )

    def after_generator_step(self, data, fakes):
        """Is called after each step of the generator, on every replica, with what it learnt from.

        Args:
            data: the batch.
            fakes: what `make_fakes` returned for it.
        """

    def after_step(self, losses):
        """Is called with the losses of each step, on every replica."""

    def discriminator_fakes(self, fakes):
        """Returns what the discriminator learns from when the generators made these fakes."""
        return fakes

    def _move_discriminator(self, data):
        fakes = self.make_fakes(data, "discriminator", training=True)
        return self._end_step(self._descend_discriminator(data, fakes), data)

    def _move_both(self, data):
        losses, fakes = {}, None
        if self.fresh_fakes:
            fakes = self.make_fakes(data, "discriminator", training=True)
            losses.update(self._descend_discriminator(data, fakes))

        def generator_losses():
            nonlocal fakes
            fakes = self.make_fakes(data, "generator", training=True)
            if not self.fresh_fakes:
                losses.update(self._descend_discriminator(data, fakes))
            return self.generator_losses(data, fakes, training=True)

        losses.update(self._descend_generator(generator_losses))
        self.after_generator_step(data, fakes)
        return self._end_step(losses, data)

    def _descend_discriminator(self, data, fakes):
        fakes = self.discriminator_fakes(tf.nest.map_structure(tf.stop_gradient, fakes))
        losses = descend(
            self.discriminator_optimizer,
            self.discriminator_variables,
            lambda: self.discriminator_losses(data, fakes, training=True),
            name="discriminator_loss",
            jit_update=self.compiles_update(
                self.discriminator_optimizer, self.discriminator_variables
            ),
        )
        if self.constraint is not None:
            update(self.discriminator_variables, lambda _, weight: self.constraint(weight))
        return losses

    def _descend_generator(self, compute_losses):
        return descend(
            self.generator_optimizer,
            self.generator_variables,
            compute_losses,
            name="generator_loss",
            jit_update=self.compiles_update(self.generator_optimizer, self.generator_variables),
        )

    def _end_step(self, losses, data):
        self.after_step(losses)
        self.step.assign_add(1)
        return self.track(losses, data)

    def _prepare(self, optimizer, variables):
        optimizer = keras.optimizers.get(optimizer)
        if self.dtype_policy.name == "mixed_float16" and not isinstance(
            optimizer, keras.optimizers.LossScaleOptimizer
        ):
            # Keras' `compile` does it for its one optimizer.
            optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
        # Unbuilt, it could neither be restored nor be used first under a strategy.
        optimizer.build(variables)
        in_one_operation(optimizer)
        return optimizer


def _takes_a_weight(constraint):
    """Tells whether a constraint is a function of one argument; a penalty takes more."""
    try:
        inspect.signature(constraint).bind(None)
    except (TypeError, ValueError):
        return False
    return True
