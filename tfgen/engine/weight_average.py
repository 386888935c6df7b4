"""An exponential moving average of a network's weights, kept beside the network.

    a <- m a + (1 - m) w

The average of a generator makes better samples than its last weights (Yazici et al., 2019). The
statistics of batch normalization are not averaged but the averaged network's own, found by running
it on batches: each of the networks that it is the average of had others. Izmailov et al., 2018,
section 3.2, do so once when training has ended; here it is done on the way.
"""

import tensorflow as tf

from tfgen.engine.replicas import update


def check_momentum(momentum):
    """Raises a ValueError unless `generator_ema` is a momentum, or `None` for no average."""
    if momentum is not None and not 0 < momentum < 1:
        raise ValueError(
            "`generator_ema` must be between 0 and 1, or None for no average. "
            f"Received: generator_ema={momentum}."
        )


def add_average(model, network):
    """Adds to a model the variables of an average of a network, which begins as the network is.

    Args:
        model: a Keras model, that is to save them.
        network: a built Keras model.

    Returns:
        A list of Keras variables, for the functions below: one for each of `network.variables`,
        whose order stays the same when layers are frozen.
    """
    return [
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


def follow(average, network, momentum, step, inputs):
    """Moves an average a step towards its network.

    Args:
        average: what `add_average` returned.
        network: the network.
        momentum: `m`, the share of the average that stays.
        step: how many steps were taken before. In the first ones less stays, or the average would
            long remember the network's beginning.
        inputs: a batch of what the network takes. The average runs on it as in training where it
            has a state, such as the statistics of batch normalization, which move with their
            layers' own momentum. What no call moves, frozen layers too, is in the average as it is
            in the network.
    """
    step = tf.cast(step, tf.float32)
    momentum = tf.minimum(momentum, (1 + step) / (10 + step))
    weights = [tf.convert_to_tensor(variable.value) for variable in network.trainable_variables]
    averaged, state = _split(average, network)

    def moved(index, value):
        return value + tf.cast(1 - momentum, value.dtype) * (weights[index] - value)

    update(averaged, moved)
    if state:
        states = _states_after_call(averaged, state, network, inputs)
        update(state, lambda index, _: states[index])


def _states_after_call(averaged, state, network, inputs):
    """Returns the average's state after a batch, and the network's where no call changes it."""
    state = [tf.convert_to_tensor(variable.value) for variable in state]
    _, states = network.stateless_call(averaged, state, inputs, training=True)
    return [
        tf.convert_to_tensor(variable.value) if after is before else after
        for variable, before, after in zip(
            network.non_trainable_variables, state, states, strict=True
        )
    ]


def call_averaged(average, network, inputs):
    """Returns a network's outputs, in inference mode, with the average in its weights' place."""
    outputs, _ = network.stateless_call(*_split(average, network), inputs, training=False)
    return outputs


def _split(average, network):
    """Returns the average's part for what trains in the network now, and that for the rest."""
    parts = network.trainable_variables, network.non_trainable_variables
    place = {id(variable): index for index, variable in enumerate(network.variables)}
    return [[average[place[id(variable)]] for variable in part] for part in parts]
