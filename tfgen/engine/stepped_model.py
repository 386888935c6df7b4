"""What all trained models share: steps that are counted, seeded, distributed and logged."""

import abc
import collections.abc
import weakref

import keras
import tensorflow as tf

from tfgen.engine import noise
from tfgen.engine.batches import refuse_weights, unpack
from tfgen.engine.devices import check_single, compiles
from tfgen.engine.fit_checks import IMAGE_LIMITS, check_values, look
from tfgen.engine.keras_internals import BuiltModel
from tfgen.engine.optimizer_step import check_optimizer, compiles_update, descend, prepare
from tfgen.engine.replicas import synchronize_statistics
from tfgen.engine.serialization import Configured, argument_names, make_savable
from tfgen.engine.step_functions import StepFunctions

# Data that come in an order of their own.
_IN_ORDER = (tf.data.Dataset, tf.distribute.DistributedDataset, collections.abc.Iterator)


class SteppedModel(Configured, StepFunctions, BuiltModel, abc.ABC):
    """A Keras model that descends losses of its own, step by step; `tfgen.GenerativeModel` is one.

    Args:
        seed: an integer; together with the number of steps taken it decides every random draw of
            training. It does not seed the networks' initial weights.
        **kwargs: what `keras.Model` takes: `name`, `dtype`.
    """

    log_names = ("loss",)

    def __init__(self, seed=0, **kwargs):
        super().__init__(**kwargs)
        self.seed = seed
        self._noise_of = (lambda: None), ""
        self.step = self.add_weight(
            name="step",
            shape=(),
            dtype="int64",
            initializer="zeros",
            trainable=False,
            aggregation="only_first_replica",
        )

    def finalize(self):
        """Ends `__init__`: what the networks need to train alike on any number of replicas.

        They are built, so the model is: Keras takes a subclassed model for unbuilt, and would not
        save its weights.

        Raises:
            TypeError: an argument could not be saved, see `tfgen.engine.serialization`.
        """
        for name in argument_names(type(self)):
            if hasattr(self, name):  # a subclass may keep its own later
                make_savable(name, getattr(self, name))
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

    def begun_part(self):
        """What takes the weights of another run: all of the model, or a part that is trained."""
        return self

    @property
    def noise(self):
        """The seeds of the step that comes next."""
        reference, part = self._noise_of
        model = reference() or self
        return noise.Noise(model.seed, model.step.value, part)

    def take_noise_of(self, whole, part):
        """Has what is drawn in training follow the seed and the steps of the model around.

        Args:
            whole: that model; once it is gone, the noise is this model's own again.
            part: what this one is called in it.
        """
        self._noise_of = weakref.ref(whole), part  # Keras would take the whole for a part

    @property
    def metrics(self):
        return self._trackers

    def compile(
        self,
        optimizer="adam",
        *,
        jit_compile="auto",
        jit_update=None,
        steps_per_execution=1,
        run_eagerly=False,
        **others,
    ):
        """Prepares for training.

        Args:
            optimizer: a Keras optimizer or its name. Gradient clipping (`global_clipnorm=`) and an
                average of the weights (`use_ema=True`) are options of it. Keras' Adam is made to
                update each weight in one operation of TensorFlow's.
            jit_compile: whether XLA compiles the step, which then draws other noise. "auto" does so
                on a GPU, unless several train together, and not on a processor. There it pays
                for multilayer perceptrons, not for convolutions. Of several devices, XLA compiles
                each one's losses and gradients: see `per_replica`.
            jit_update: whether XLA compiles the optimizer's update alone. `None`: where that pays.
            steps_per_execution: steps between two visits of Python, and of the callbacks. With
                `jit_compile` they are compiled together, if all batches have one size: data from
                arrays whose last batch is smaller have not.
            run_eagerly: for debugging.
            **others: refused.

        Raises:
            TypeError: Keras' `loss` or `metrics`, or another argument that has no use here.
            ValueError: `jit_update` was asked for on a strategy of several devices, whose updates
                XLA cannot compile; or accumulation of gradients on several replicas.
        """
        options = {
            "jit_compile": jit_compile,
            "steps_per_execution": steps_per_execution,
            "run_eagerly": run_eagerly,
        }
        options = self.keep_options(options, jit_update, others)
        optimizer = keras.optimizers.get(optimizer)
        check_optimizer(optimizer, self.distribute_strategy)
        # Keras wraps it where a loss must be scaled.
        super().compile(optimizer=optimizer, **options)
        prepare(self, self.optimizer, self.trainable_variables)

    def keep_options(self, options, jit_update, others):
        """Keeps `compile`'s options but the optimizers, or refuses them; returns what is chosen."""
        if others:
            raise TypeError(
                f"A {type(self).__name__} computes its own losses: `compile` takes optimizers, "
                "`jit_compile`, `jit_update`, `steps_per_execution` and `run_eagerly`. Received: "
                f"{', '.join(f'{name}={value!r}' for name, value in others.items())}."
            )
        if jit_update:
            check_single(self.distribute_strategy)
        self.jit_update = jit_update
        asked = options["jit_compile"]
        self._xla = asked, compiles(asked, self.distribute_strategy, options["run_eagerly"])
        self._option_names = list(options)
        return {**options, "jit_compile": self._xla[1]}

    @property
    def optimizers(self):
        """The list of optimizers, whose state is saved with the model."""
        return [self.optimizer]

    def optimizers_config(self):
        """Returns the optimizers as `compile` takes them, a dict."""
        return {"optimizer": self.optimizer}

    def get_compile_config(self):
        if not self.compiled:
            return None
        options = {name: getattr(self, name) for name in ("jit_update", *self._option_names)}
        asked, chosen = self._xla
        if self.jit_compile == chosen:  # not set since: chosen anew where the model is loaded
            options["jit_compile"] = asked
        return keras.saving.serialize_keras_object({**self.optimizers_config(), **options})

    def compile_from_config(self, config):
        self.compile(**keras.saving.deserialize_keras_object(config))

    def fit(self, x=None, y=None, batch_size=None, *args, **kwargs):
        """Trains; as Keras' `fit`, after one look at the first batch.

        For that look a data set is begun once; its shuffling goes on from there.

        Args:
            x: examples, images in [0, 1]; or a `tf.data.Dataset` of batches.
            y: labels, or the other domain's images.
            batch_size: examples per step, where `x` is an array.
            *args: what Keras' `fit` takes.
            **kwargs: what Keras' `fit` takes, but for `sample_weight`.

        Raises:
            ValueError: values are not finite, images not in [0, 1], or there are sample weights.
        """
        if kwargs.get("sample_weight") is not None:
            refuse_weights()
        if isinstance(x, _IN_ORDER):
            kwargs.setdefault("shuffle", False)  # Keras warns that it would not shuffle one
        x = look(self, x, y, batch_size)
        return super().fit(x, y, batch_size, *args, **kwargs)

    def check_batch(self, data):
        """Raises a ValueError unless the first batch that `fit` gets can be learnt from."""
        examples, _ = unpack(data)
        check_values(examples, *self.limits_of(examples))

    def limits_of(self, examples):
        """Returns the least and the largest value of examples, a tensor or its spec; or `None`s.

        Override it for images of other values: `fit` and exports refuse those outside.
        """
        return IMAGE_LIMITS if examples.shape.rank == 4 else (None, None)

    def evaluate(self, *args, scores=None, return_dict=False, **kwargs):
        """Computes the losses on held-out data, and scores of the samples if asked for.

        Args:
            *args: what Keras' `evaluate` takes: data, or an iterable of batches.
            scores: a `tfgen.evaluation.Scoring`.
            return_dict: whether to return a dict of floats, and not a list, scores last.
            **kwargs: what Keras' `evaluate` takes.
        """
        if scores is None:
            return super().evaluate(*args, return_dict=return_dict, **kwargs)
        losses = super().evaluate(*args, return_dict=True, **kwargs)
        found = {score.name: score.value for score in scores(self).scores}
        if return_dict:
            return {**losses, **found}
        return [*(losses[name] for name in self.log_names), *found.values()]

    def take_turns(self, data):
        """Takes one step of training: here, of the one optimizer.

        Args:
            data: the batch.

        Returns:
            A dict of losses, of which those in `log_names` are logged.
        """
        return self.descend_alone(
            lambda: self.per_replica(self.compute_losses)(data, training=True)
        )

    def descend_alone(self, compute_losses):
        """Takes a step of the one optimizer down a loss, of all that trains.

        Args:
            compute_losses: a function without arguments that returns a dict of scalars, with the
                key `loss`.

        Returns:
            That dict.
        """
        return descend(
            self.optimizer,
            self.trainable_variables,
            compute_losses,
            jit_update=compiles_update(self, self.optimizer, self.trainable_variables),
        )

    def after_step(self, losses, data):
        """Is called after each step of training, on every replica, before the step is counted.

        Args:
            losses: what `take_turns` returned.
            data: the batch.
        """

    def end_step(self, losses, data):
        """Ends a step that has taken its turns: it is counted and logged; see `track`."""
        self.after_step(losses, data)
        self.step.assign_add(1)
        return self.track(losses, data)

    def track(self, losses, data):
        """Adds a batch's losses to the means that are logged; what is not in them stays.

        Returns:
            A dict of the means so far, with the keys `log_names`.
        """
        examples = tf.shape(tf.nest.flatten(data)[0])[0]
        for tracker in self._trackers:
            if tracker.name in losses:
                # A replica has no share in a last batch that is smaller than their number.
                value = tf.where(examples > 0, losses[tracker.name], 0.0)
                tracker.update_state(value, sample_weight=examples)
        return {tracker.name: tracker.result() for tracker in self._trackers}

    def _step(self, data):
        return self.end_step(self.take_turns(data), data)
