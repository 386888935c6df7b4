"""What all models share: steps that are counted, seeded, distributed, logged, saved and resumed."""

import abc
import math

import keras
import tensorflow as tf

from tfgen.engine import noise
from tfgen.engine.adam import in_one_operation, is_one_operation
from tfgen.engine.compiled_steps import make_compiled_function, pays
from tfgen.engine.keras_internals import BuiltModel
from tfgen.engine.optimizer_step import descend
from tfgen.engine.replicas import make_replicated_function, meets, synchronize_statistics
from tfgen.engine.serialization import Configured

_LARGE = 250_000  # weights


class GenerativeModel(Configured, BuiltModel, abc.ABC):
    """A Keras model that is trained by descending one loss of its own.

    A subclass says how data flow, in `compute_losses`; lists the names of what that logs, in
    `log_names`; says what it can do, in `abilities`; and keeps each argument of its `__init__`
    under the argument's name. It then has
    `fit`, `evaluate`, `predict`, saving, exact resumption and `tf.distribute` for nothing more.

    Args:
        seed: an integer; together with the number of steps taken it decides every random draw of
            training. It does not seed the networks' initial weights: those are the caller's.
        **kwargs: what `keras.Model` takes: `name`, `dtype`.
    """

    log_names = ("loss",)
    abilities = frozenset()  # of `tfgen.engine.abilities.ABILITIES`

    def __init__(self, seed=0, **kwargs):
        super().__init__(**kwargs)
        self.seed = seed
        self.step = self.add_weight(
            name="step",
            shape=(),
            dtype="int64",
            initializer="zeros",
            trainable=False,
            aggregation="only_first_replica",
        )

    def finish(self):
        """Ends `__init__`: what the networks need to train alike on any number of replicas.

        They are built, so the model is: Keras takes a subclassed model for unbuilt, and would not
        save its weights.
        """
        self.built = True
        self._trackers = [keras.metrics.Mean(name=name) for name in self.log_names]
        noise.seed_layers(self)
        if self.distribute_strategy.num_replicas_in_sync > 1:
            synchronize_statistics(self)

    @abc.abstractmethod
    def compute_losses(self, data, training):
        """Computes what is descended and logged; changes nothing but the networks' statistics.

        Args:
            data: a batch as `fit` gets it: images, or a tuple that begins with them.
            training: whether the networks run in training mode.

        Returns:
            A dict with the keys `log_names` of float32 scalars, means over the batch.
        """

    @abc.abstractmethod
    def signatures(self):
        """Returns what an export answers.

        Returns:
            A dict from the signature's name to a pair: a function from tensors to a dict of
            tensors, and the list of its `tf.TensorSpec`s.
        """

    @property
    def noise(self):
        """The seeds of the step that comes next."""
        return noise.Noise(self.seed, self.step.value)

    @property
    def metrics(self):
        return self._trackers

    def compile(
        self,
        optimizer="adam",
        *,
        jit_compile=False,
        jit_update=None,
        steps_per_execution=1,
        run_eagerly=False,
    ):
        """Prepares for training.

        Args:
            optimizer: a Keras optimizer or its name. Gradient clipping (`global_clipnorm=`) and an
                average of the weights (`use_ema=True`) are options of it. Keras' Adam is made to
                update each weight in one operation of TensorFlow's, wherever it is used after.
            jit_compile: whether to compile the step with XLA. That pays for multilayer perceptrons
                on a CPU and does not for convolutions: measure.
            jit_update: whether XLA compiles the optimizer's update alone. `None` where that pays:
                for large layers, on a single device, unless the optimizer is Keras' Adam and
                neither clips, decays, averages nor accumulates.
            steps_per_execution: steps between two visits of Python, and of the callbacks. With
                `jit_compile` they are compiled together, if all batches have one size: data from
                arrays whose last batch is smaller have not.
            run_eagerly: for debugging.

        Raises:
            ValueError: `jit_update` was asked for on a strategy of several devices, whose updates
                XLA cannot compile.
        """
        self.jit_update = self.check_jit_update(jit_update)
        super().compile(
            optimizer=optimizer,
            jit_compile=jit_compile,
            steps_per_execution=steps_per_execution,
            run_eagerly=run_eagerly,
        )
        # Unbuilt, it could neither be restored nor be used first under a strategy.
        with self.distribute_strategy.scope():
            self.optimizer.build(self.trainable_variables)
        in_one_operation(self.optimizer)

    @property
    def optimizers(self):
        """The list of optimizers, whose state is saved with the model."""
        return [self.optimizer]

    def get_compile_config(self):
        if not self.compiled:
            return None
        return keras.saving.serialize_keras_object(
            {
                "optimizer": self.optimizer,
                "jit_compile": self.jit_compile,
                "jit_update": self.jit_update,
                "steps_per_execution": self.steps_per_execution,
                "run_eagerly": self.run_eagerly,
            }
        )

    def compile_from_config(self, config):
        self.compile(**keras.saving.deserialize_keras_object(config))

    def fit(self, x=None, *args, **kwargs):
        if isinstance(x, (tf.data.Dataset, tf.distribute.DistributedDataset)):
            kwargs.setdefault("shuffle", False)  # Keras warns that it would not shuffle one
        return super().fit(x, *args, **kwargs)

    def evaluate(self, *args, scores=None, return_dict=False, **kwargs):
        """Computes the losses on held-out data, and scores of the samples if asked for.

        Args:
            *args: what Keras' `evaluate` takes: data, or an iterable of batches.
            scores: a `tfgen.evaluation.Scoring`.
            return_dict: whether to return a dict of floats; a list of them otherwise, in the order
                of `log_names` and of the scores.
            **kwargs: what Keras' `evaluate` takes.
        """
        if scores is None:
            return super().evaluate(*args, return_dict=return_dict, **kwargs)
        losses = super().evaluate(*args, return_dict=True, **kwargs)
        found = {score.name: score.value for score in scores(self).scores}
        if return_dict:
            return {**losses, **found}
        return [*(losses[name] for name in self.log_names), *found.values()]

    def take_train_step(self, run):
        """Takes a step of training.

        Args:
            run: a function that takes a step, a function from a batch to logs, and runs it with the
                batch on every replica.

        Returns:
            The logs.
        """
        return run(self._descend)

    def take_test_step(self, run):
        """Takes a step of evaluation; see `take_train_step`."""
        return run(lambda data: self.track(self.compute_losses(data, training=False), data))

    def train_step(self, data):
        return self.take_train_step(lambda step: step(data))

    def test_step(self, data):
        return self.take_test_step(lambda step: step(data))

    def make_train_function(self, force=False):
        if self.train_function is not None and not force:
            return
        if self.distribute_strategy.num_replicas_in_sync > 1:
            self.train_function = make_replicated_function(self, self.take_train_step, even=True)
            return
        super().make_train_function(force=True)
        # A `train_step` of a subclass' own may log what is no metric.
        if pays(self) and type(self).train_step is GenerativeModel.train_step:
            self.train_function = make_compiled_function(self, otherwise=self.train_function)

    def make_test_function(self, force=False):
        if self.distribute_strategy.num_replicas_in_sync == 1:
            super().make_test_function(force)
        elif self.test_function is None or force:
            self.test_function = make_replicated_function(self, self.take_test_step)

    def track(self, losses, data):
        """Adds a batch's losses to the means that are logged; what is not in them stays.

        Returns:
            A dict of the means so far, with the keys `log_names`.
        """
        examples = tf.shape(unpack(data)[0])[0]
        for tracker in self._trackers:
            if tracker.name in losses:
                # A replica has no share in a last batch that is smaller than their number.
                value = tf.where(examples > 0, losses[tracker.name], 0.0)
                tracker.update_state(value, sample_weight=examples)
        return {tracker.name: tracker.result() for tracker in self._trackers}

    def check_jit_update(self, jit_update):
        """Returns the argument `jit_update` of `compile`, if it can be met."""
        if jit_update and meets(self.distribute_strategy):
            raise ValueError(
                "`jit_update=True` needs a single device, and no strategy for several. Received: "
                f"{type(self.distribute_strategy).__name__} of "
                f"{self.distribute_strategy.num_replicas_in_sync}. Compile the model with "
                "jit_update=False."
            )
        return jit_update

    def compiles_update(self, optimizer, variables):
        """Tells whether XLA compiles an optimizer's update of these variables; see `compile`."""
        if self.jit_update is not None:
            return self.jit_update
        if is_one_operation(optimizer):
            return False
        # Of fewer weights the updates take no longer as they are: measured on processors.
        large = sum(math.prod(variable.shape) for variable in variables) >= _LARGE
        return large and not self.jit_compile and not meets(self.distribute_strategy)

    def _descend(self, data):
        losses = descend(
            self.optimizer,
            self.trainable_variables,
            lambda: self.compute_losses(data, training=True),
            jit_update=self.compiles_update(self.optimizer, self.trainable_variables),
        )
        self.step.assign_add(1)
        return self.track(losses, data)


def unpack(data):
    """Splits a batch into examples and labels.

    Types are checked here, once per trace; values are not, because that would cost every step:
    `tfgen.data.Source` checks that images are in [0, 1] and finite.

    Args:
        data: examples, `(examples,)` or `(examples, labels)`.

    Returns:
        A pair: float examples, and labels or `None`.

    Raises:
        TypeError: the examples are integers, such as pixels from 0 to 255.
        ValueError: there are sample weights, for which no model has a use.
    """
    examples, labels, weights = keras.utils.unpack_x_y_sample_weight(data)
    if weights is not None:
        raise ValueError("Sample weights are not supported: pass examples, or (examples, labels).")
    examples = tf.convert_to_tensor(examples)
    if not examples.dtype.is_floating:
        raise TypeError(
            f"Examples must be floating-point, images in [0, 1]. Received: {examples.dtype.name}. "
            "Divide pixels by 255, or let `tfgen.data.load` make the batches."
        )
    return examples, labels


def check_shape(examples, shape, what):
    """Raises a ValueError unless examples have a network's shape, as far as a graph knows it.

    Args:
        examples: a tensor.
        shape: `(None, ...)`.
        what: what must be so, such as "`images_a` must be what its generator takes".
    """
    if not examples.shape.is_compatible_with(shape):
        raise ValueError(f"{what}, {list(shape)}. Received: {list(examples.shape)}.")
