"""An exponential moving average of a network's weights, kept beside the network.

    a <- m a + (1 - m) w

The average of a generator makes better samples than its last weights (Yazici et al., 2019). The
statistics of batch normalization are not averaged but the averaged network's own, found by running
it on batches: each of the networks that it is the average of had others. Izmailov et al., 2018,
section 3.2, do so once when training has ended; here it is done on the way.
"""

import contextlib

import keras
import tensorflow as tf

from tfgen.engine.replicas import update


class WeightAverage:
    """The average of a network's weights, in variables of a model, which begins as the network is.

    Args:
        model: a Keras model, that is to save the average.
        network: a built Keras model.

    Example:
        >>> average = WeightAverage(model, network)
        >>> average.follow(momentum=0.999, step=model.step.value, inputs=batch)
        >>> average(batch)  # as `network(batch)`
    """

    def __init__(self, model, network):
        self.network = network
        # One for each of `network.variables`, whose order stays when layers are frozen.
        self.variables = [
            model.add_weight(
                name=f"average_{variable.name}",
                shape=variable.shape,
                dtype=variable.dtype,
                initializer=lambda shape, dtype, variable=variable: tf.cast(variable.value, dtype),
                trainable=False,
                autocast=False,
            )
            for variable in network.variables
        ]

    def __call__(self, inputs):
        """Returns the network's outputs, in inference mode, with the average in its place."""
        outputs, _ = self.network.stateless_call(*self._split(), inputs, training=False)
        return outputs

    def scope(self):
        """Returns a context within which the network's layers have the average's weights."""
        values = [tf.convert_to_tensor(variable) for variable in self.variables]
        return keras.StatelessScope(zip(self.network.variables, values, strict=True))

    def follow(self, momentum, step, inputs=None):
        """Moves the average a step towards its network.

        Args:
            momentum: `m`, the share of the average that stays.
            step: how many steps were taken before. In the first ones less stays, or the average
                would long remember the network's beginning.
            inputs: a batch of what the network takes. The average runs on it as in training where
                it has a state, such as the statistics of batch normalization, which move with
                their layers' own momentum. What no call moves, frozen layers too, is in the
                average as it is in the network. `None` for a network without a state.

        Raises:
            ValueError: the network has a state, and there are no inputs.
        """
        step = tf.cast(step, tf.float32)
        momentum = tf.minimum(momentum, (1 + step) / (10 + step))
        weights = [
            tf.convert_to_tensor(variable.value) for variable in self.network.trainable_variables
        ]
        averaged, state = self._split()

        def moved(index, value):
            return value + tf.cast(1 - momentum, value.dtype) * (weights[index] - value)

        update(averaged, moved)
        if state:
            states = self._states_after_call(averaged, state, inputs)
            update(state, lambda index, _: states[index])

    def _states_after_call(self, averaged, state, inputs):
        """Returns the state after a batch, and the network's where no call changes it."""
        if inputs is None:
            raise ValueError(
                f"The average of {self.network.name!r} needs a batch of what it takes: it has a "
                "state, such as the statistics of batch normalization. Override `average_inputs` "
                "of the model."
            )
        state = [tf.convert_to_tensor(variable.value) for variable in state]
        _, states = self.network.stateless_call(averaged, state, inputs, training=True)
        return [
            tf.convert_to_tensor(variable.value) if after is before else after
            for variable, before, after in zip(
                self.network.non_trainable_variables, state, states, strict=True
            )
        ]

    def _split(self):
        """Returns the average's part for what trains in the network now, and for the rest."""
        network = self.network
        parts = network.trainable_variables, network.non_trainable_variables
        place = {id(variable): index for index, variable in enumerate(network.variables)}
        return [[self.variables[place[id(variable)]] for variable in part] for part in parts]


class WeightAverages:
    """The averages of a model's networks; none of them without a momentum.

    Args:
        model: a Keras model, that is to save them.
        momentum: `m`, between 0 and 1, or `None` for no average.

    Raises:
        ValueError: `momentum` is not between 0 and 1.
    """

    def __init__(self, model, momentum):
        if momentum is not None and not 0 < momentum < 1:
            raise ValueError(
                "`ema_momentum` must be between 0 and 1, or None for no average. "
                f"Received: ema_momentum={momentum}."
            )
        self._model, self._momentum, self._averages = model, momentum, []

    @property
    def abilities(self):
        """What a model can do that has averages, see `tfgen.engine.abilities`."""
        return frozenset({"average"} if self._averages else ())

    def __len__(self):
        return len(self._averages)

    def __getitem__(self, index):
        return self._averages[index]

    def add(self, *networks):
        """Keeps an average of each network beside it, if there is a momentum."""
        if self._momentum is not None:
            self._averages += [WeightAverage(self._model, network) for network in networks]

    def run(self, network, inputs, use_ema=True):
        """Calls a network in inference mode: its average, if there is one and it is wanted."""
        for average in self._averages:
            if use_ema and average.network is network:
                return average(inputs)
        return network(inputs, training=False)

    def scope(self, network, use_ema=True):
        """Returns a context within which a network's layers have its average, if it is wanted."""
        for average in self._averages:
            if use_ema and average.network is network:
                return average.scope()
        return contextlib.nullcontext()

    def follow(self, step, inputs):
        """Moves each average a step; `inputs` are a list, see `WeightAverage.follow`."""
        for average, batch in zip(self._averages, inputs, strict=True):
            average.follow(self._momentum, step, batch)
