"""How a model's steps are run: on one device or several, and what XLA compiles of them."""

import functools

import tensorflow as tf

from tfgen.engine.compiled_steps import make_compiled_function, pays
from tfgen.engine.replicas import make_replicated_function, meets


class StepFunctions:
    """The part of `SteppedModel` that makes what `fit` and `evaluate` call with an iterator."""

    def take_train_step(self, run):
        """Takes a step of training.

        Args:
            run: a function that takes a step, a function from a batch to logs, and runs it with the
                batch on every replica.

        Returns:
            The logs.
        """
        return run(self._step)

    def take_test_step(self, run):
        """Takes a step of evaluation; see `take_train_step`."""
        losses_of = self.per_replica(self.compute_losses)
        return run(lambda data: self.track(losses_of(data, training=False), data))

    def train_step(self, data):
        return self.take_train_step(lambda step: step(data))

    def test_step(self, data):
        return self.take_test_step(lambda step: step(data))

    def make_train_function(self, force=False):
        if self.train_function is not None and not force:
            return
        if self._meets:
            self.train_function = make_replicated_function(self, self.take_train_step, even=True)
            return
        super().make_train_function(force=True)
        # A `train_step` of a subclass' own may log what is no metric.
        if pays(self) and type(self).train_step is StepFunctions.train_step:
            self.train_function = make_compiled_function(self, otherwise=self.train_function)

    def make_test_function(self, force=False):
        if not self._meets:
            super().make_test_function(force)
        elif self.test_function is None or force:
            self.test_function = make_replicated_function(self, self.take_test_step)

    @property
    def _meets(self):
        """Whether the steps are those of several devices; or of one that XLA takes for several."""
        strategy = self.distribute_strategy
        return strategy.num_replicas_in_sync > 1 or (self.jit_compile and meets(strategy))

    def per_replica(self, function):
        """Returns a part of a step that each replica computes by itself, such as its losses.

        Where `jit_compile` was asked for and several devices train, XLA compiles it and its
        gradient. It cannot compile what they do together: sums over replicas and updates of weights
        stand outside. Of a single device XLA compiles the whole step, and this changes nothing.
        `take_turns` names its parts so.

        Args:
            function: from structures of tensors, and Python's values, to a structure of tensors.
                What it returns is all that may be used of it later.

        Returns:
            The function. It raises a ValueError where it is compiled and replicas meet in it: in
            batch or spectral normalization, DRAGAN's penalty, or a total correlation.

        Example:
            >>> losses = self.per_replica(self.compute_losses)(data, training=True)
        """
        if not (self.jit_compile and meets(self.distribute_strategy)):
            return function
        compiled = tf.function(function, jit_compile=True, autograph=False)

        @functools.wraps(function)
        def run(*args, **kwargs):
            try:
                return compiled(*args, **kwargs)
            except RuntimeError as error:
                if "merge_call" not in str(error):
                    raise
                raise ValueError(
                    "XLA compiles the losses of each replica by themselves. Those of this "
                    f"{type(self).__name__} look at all replicas, in `{function.__name__}`, as "
                    "batch normalization, spectral normalization, DRAGAN's penalty and total "
                    "correlations do. Compile the model with jit_compile=False; of a command, add "
                    "--no-xla."
                ) from error

        return run
