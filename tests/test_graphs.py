"""Methods that run as graphs: one per model, traced once, alive no longer than the model."""

import gc
import weakref

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.specimens import SPECIMENS
from tfgen.engine.graphs import as_graph


class Scaler(keras.Model):
    def __init__(self, factor):
        super().__init__()
        self.factor = self.add_weight(shape=(), initializer=lambda *_, **__: tf.constant(factor))
        self.traces = 0

    @as_graph
    def scale(self, values, twice=False):
        """Multiplies."""
        self.traces += 1
        return (2 if twice else 1) * self.factor * values


def test_a_method_is_traced_once_for_all_values_and_sizes():
    model = Scaler(3.0)
    for size in range(1, 9):
        values = np.arange(size, dtype="float32")
        np.testing.assert_array_equal(model.scale(tf.constant(values)), 3 * values)
    assert model.traces == 2  # the second size tells that sizes differ
    np.testing.assert_array_equal(model.scale(tf.constant(values), twice=True), 6 * values)
    np.testing.assert_array_equal(model.scale(values), 3 * values)
    assert model.scale.__doc__ == "Multiplies."


def test_a_graph_follows_its_own_models_weights():
    models = [Scaler(2.0), Scaler(5.0)]
    one = tf.ones([1])
    assert [model.scale(one).numpy().item() for model in models] == [2, 5]
    models[1].factor.assign(7.0)
    assert [model.scale(one).numpy().item() for model in models] == [2, 7]


def test_within_a_graph_the_method_is_called_as_it_is():
    model = Scaler(3.0)
    operations = (
        tf.function(model.scale).get_concrete_function(tf.TensorSpec([2])).graph.get_operations()
    )
    assert not [each for each in operations if "Call" in each.type]


def test_a_model_that_is_given_up_is_freed_and_its_weights():
    model = Scaler(3.0)
    model.scale(tf.ones([1]))
    alive = [weakref.ref(model), weakref.ref(model.factor.value)]
    del model
    gc.collect()
    assert [reference() for reference in alive] == [None, None]


@pytest.mark.parametrize("name", ["mlp_vae", "gan", "infogan"])
def test_a_count_is_an_integer_of_any_kind_and_nothing_else(name):
    model = SPECIMENS[name]()
    wanted = model.sample(3, seed=1)
    for count in (np.int64(3), np.int32(3), tf.constant(3)):
        np.testing.assert_array_equal(model.sample(count, seed=1), wanted)
    with pytest.raises(ValueError, match=r"2\.5"):
        model.sample(2.5)
