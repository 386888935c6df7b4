"""Every private name of Keras that tfgen needs, each behind a function.

Keras has no public way to what is here. `tests/test_keras_internals.py` tells when a name changes.
"""

import io

import keras
from keras.src.models.functional import Functional, unpack_singleton
from keras.src.saving import saving_lib

__all__ = [
    "Functional",
    "BuiltModel",
    "adam_averages",
    "clip_gradients",
    "last_activations",
    "layers_of",
    "nodes_in_order",
    "nodes_of",
    "reduction_axes",
    "replace_moments",
    "run_through",
    "seed_generators",
    "weights_file",
]


# Layers that leave values as they are.
_ONLY_SHAPE = (keras.layers.Reshape, keras.layers.Flatten)


class BuiltModel(keras.Model):
    """A model that is built when its `__init__` ends, because its networks are."""

    def _maybe_symbolic_build(self, iterator=None, data_batch=None):
        # Keras would average a batch over workers first, which fails for a tuple.
        pass


def layers_of(model):
    """Returns the model and all layers in it, those within layers included."""
    return list(model._flatten_layers())


def seed_generators(layer):
    """Returns the generators that a random layer draws its seeds from."""
    return list(layer._seed_generators)


def replace_moments(layer, compute):
    """Makes batch normalization take mean and variance from `compute(inputs, mask)`."""
    layer._moments = compute


def reduction_axes(layer):
    """Returns the axes that batch normalization takes its mean over."""
    return layer._reduction_axes


def adam_averages(optimizer, variable):
    """Returns Adam's averages of a variable's gradient and of its square, two Keras variables."""
    index = optimizer._get_variable_index(variable)
    return optimizer._momentums[index], optimizer._velocities[index]


def clip_gradients(optimizer, gradients):
    """Clips gradients as an optimizer's options say."""
    return optimizer._clip_gradients(gradients)


def last_activations(network):
    """Returns the names of the activations that a network's outputs come from, a set."""
    activations = []
    for output in network.outputs:
        while isinstance(output._keras_history.operation, _ONLY_SHAPE):
            output = output._keras_history.operation.input
        activations.append(getattr(output._keras_history.operation, "activation", None))
    return {getattr(each, "__name__", type(each).__name__) for each in activations if each}


def nodes_of(network):
    """Returns the calls of layers that a functional or sequential model is made of."""
    levels = _functional(network)._nodes_by_depth.values()
    return [node for level in levels for node in level if not node.is_input]


def nodes_in_order(network):
    """Returns the calls of layers that a model is made of, each after those that it needs."""
    levels = _functional(network)._nodes_by_depth
    deepest_first = sorted(levels, reverse=True)
    return [node for depth in deepest_first for node in levels[depth] if not node.is_input]


def run_through(network, inputs, replace):
    """Calls a functional or sequential model with another function in each layer's place.

    It is what Keras' own `call` does.

    Args:
        network: the model.
        inputs: what it takes.
        replace: from a layer to what is called instead.
    """
    network = _functional(network)
    return unpack_singleton(
        network._run_through_graph(network._standardize_inputs(inputs), replace)
    )


def _functional(network):
    return network._functional if type(network) is keras.Sequential else network


def weights_file(model):
    """Returns what `model.save_weights` writes, as an `io.BytesIO`.

    HDF5 crashes the process when a disk fills up, or fails, under a file that it is writing.
    """
    file = io.BytesIO()
    store = saving_lib.H5IOStore(file, mode="w")
    saving_lib._save_state(
        model, weights_store=store, assets_store=None, inner_path="", visited_saveables=set()
    )
    store.close()
    return file
