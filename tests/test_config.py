"""Values and layers come back from their configurations as they were."""

import dataclasses
import json

import keras
import numpy as np
import pytest

from tfgen import bounds, distributions, networks
from tfgen.engine.serialization import Configured, argument_names, serializable

VALUES = [
    distributions.StandardNormal(3),
    distributions.DiagonalNormal(),
    distributions.LogVarianceNormal(),
    distributions.Bernoulli(),
    distributions.Gaussian(),
    distributions.Gaussian(scale=0.25, floor=0.5),
    bounds.ELBO(),
    bounds.ELBO(beta=4.0, warm_up=100),
]


@serializable
@dataclasses.dataclass(frozen=True)
class ValueForTests(Configured):
    first: object
    second: object = 2


@serializable
class LayerForTests(Configured, keras.layers.Layer):
    def __init__(self, network, factors, value=None, **kwargs):
        super().__init__(**kwargs)
        self.network = network
        self.factors = factors
        self.value = value


def through_json(value):
    text = json.dumps(keras.saving.serialize_keras_object(value))
    return keras.saving.deserialize_keras_object(json.loads(text))


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_values_come_back_from_their_config(value):
    assert type(value).from_config(value.get_config()) == value


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_values_come_back_from_json(value):
    restored = through_json(value)
    assert type(restored) is type(value)
    assert restored == value


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_values_are_frozen_and_can_be_keys(value):
    assert {value: "found"}[through_json(value)] == "found"
    with pytest.raises(dataclasses.FrozenInstanceError):
        value.anything = 1


def test_a_config_holds_every_argument_by_its_name():
    assert distributions.Gaussian(scale=0.25).get_config() == {"scale": 0.25, "floor": 1e-2}
    assert distributions.Bernoulli().get_config() == {}


def test_values_inside_values_come_back():
    inner = ValueForTests(distributions.StandardNormal(5), "relu")
    value = ValueForTests([inner, bounds.ELBO(beta=2.0), None], {"a": inner, "b": [1, 2.5]})
    assert through_json(value) == value
    assert ValueForTests.from_config(value.get_config()) == value


def test_layers_keep_what_keras_adds_to_their_arguments():
    network = networks.mlp_encoder((4,), 2, hidden_sizes=(3,))
    layer = LayerForTests(network, [1.0, 2.0], bounds.ELBO(beta=3.0), name="mine", dtype="bfloat16")
    restored = through_json(layer)
    assert (restored.name, restored.compute_dtype) == ("mine", "bfloat16")
    assert (restored.factors, restored.value) == ([1.0, 2.0], bounds.ELBO(beta=3.0))
    shapes = [weight.shape for weight in restored.network.weights]
    assert shapes == [weight.shape for weight in network.weights]
    restored.network.set_weights(network.get_weights())
    np.testing.assert_array_equal(restored.network(np.ones([1, 4]))[0], network(np.ones([1, 4]))[0])


def test_argument_names_are_in_order_and_without_self_and_kwargs():
    assert argument_names(LayerForTests) == ["network", "factors", "value"]
    assert argument_names(distributions.Gaussian) == ["scale", "floor"]
    assert argument_names(distributions.Bernoulli) == []
