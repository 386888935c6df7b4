"""Adam in one operation is Keras' own Adam."""

import copy
import functools

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.specimens import SPECIMENS
from tfgen.engine.adam import in_one_operation, is_one_operation

SIZE = 7
OPTIONS = {
    "plain": {},
    "rates": {"learning_rate": 0.3, "beta_1": 0.0, "beta_2": 0.5, "epsilon": 0.1},
    "tensors": {"beta_1": tf.constant(0.5, "float64"), "epsilon": np.float64(0.1)},
    "scheduled": {"learning_rate": keras.optimizers.schedules.ExponentialDecay(0.1, 2, 0.5)},
    "decayed": {"weight_decay": 0.1},
    "averaged": {"use_ema": True, "ema_momentum": 0.5},
    "clipped": {"global_clipnorm": 0.2},
    "accumulated": {"gradient_accumulation_steps": 2},
}


def trained(optimizer, compiled=lambda each: each, dtype="float32", steps=5):
    """Returns a vector and the optimizer's state after steps of different gradients."""
    variable = keras.Variable(np.linspace(-1, 1, SIZE), dtype=dtype)
    optimizer.build([variable])

    @compiled
    def step(gradient):
        optimizer.apply([gradient], [variable])

    numbers = np.random.default_rng(0)
    for _ in range(steps):
        step(tf.constant(numbers.normal(size=SIZE), dtype))
    return [np.array(each, "float64") for each in (variable, *optimizer.variables)]


def assert_alike(ours, theirs):
    """Keras has 1 minus a decay in double precision, TensorFlow in single: 1e-5 of it."""
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)


def fast(optimizer):
    in_one_operation(optimizer)
    return optimizer


@pytest.mark.parametrize(
    "compiled",
    [lambda each: each, tf.function, functools.partial(tf.function, jit_compile=True)],
    ids=["eager", "graph", "XLA"],
)
@pytest.mark.parametrize("name", OPTIONS)
def test_weights_and_state_are_those_of_keras(name, compiled):
    ours = trained(fast(keras.optimizers.Adam(**OPTIONS[name])), compiled)
    theirs = trained(keras.optimizers.Adam(**OPTIONS[name]))
    assert_alike(ours, theirs)


def test_other_precisions_are_left_to_keras():
    ours, theirs = (
        trained(optimizer, dtype="float64")
        for optimizer in (fast(keras.optimizers.Adam(0.1)), keras.optimizers.Adam(0.1))
    )
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_loss_scale_around_it():
    scaled = keras.optimizers.LossScaleOptimizer
    assert is_one_operation(fast(scaled(keras.optimizers.Adam(0.1))))
    ours = trained(fast(scaled(keras.optimizers.Adam(0.1), initial_scale=8.0)))
    theirs = trained(scaled(keras.optimizers.Adam(0.1), initial_scale=8.0))
    assert_alike(ours, theirs)


def test_gradients_of_embeddings():
    def trained_rows(optimizer):
        rows = tf.Variable(np.arange(8.0).reshape(4, 2), dtype="float32")
        optimizer.build([rows])
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(tf.gather(rows, [1, 3, 1]) ** 2)
        optimizer.apply([tape.gradient(loss, rows)], [rows])
        return rows

    ours, theirs = fast(keras.optimizers.Adam(0.1)), keras.optimizers.Adam(0.1)
    np.testing.assert_allclose(trained_rows(ours), trained_rows(theirs), rtol=1e-6)


def test_it_is_one_operation():
    optimizer = fast(keras.optimizers.Adam())
    weights = [tf.Variable(tf.ones([3, 3])), tf.Variable(tf.ones([3]))]
    optimizer.build(weights)
    apply = tf.function(lambda: optimizer.apply([tf.ones([3, 3]), tf.ones([3])], weights))
    graph = apply.get_concrete_function().graph
    found = [op.type for op in graph.get_operations() if op.type.startswith(("Resource", "Assign"))]
    assert sorted(found) == ["AssignVariableOp", "ResourceApplyAdam", "ResourceApplyAdam"]


class Adam(keras.optimizers.Adam):
    def update_step(self, gradient, variable, learning_rate):
        self.assign(variable, tf.zeros_like(variable))


def test_other_optimizers_stay_as_they_are():
    assert trained(fast(Adam()))[0].tolist() == [0] * SIZE
    for optimizer in (keras.optimizers.SGD(0.1), keras.optimizers.Adam(amsgrad=True)):
        in_one_operation(optimizer)
        assert not is_one_operation(optimizer)
        assert "update_step" not in vars(optimizer)


def test_nothing_besides():
    assert not is_one_operation(keras.optimizers.Adam())
    for name in ("plain", "rates", "scheduled"):
        assert is_one_operation(fast(keras.optimizers.Adam(**OPTIONS[name])))
    for name in ("decayed", "averaged", "clipped", "accumulated"):
        assert not is_one_operation(fast(keras.optimizers.Adam(**OPTIONS[name])))


def test_copies_and_configurations_are_whole():
    optimizer = fast(keras.optimizers.Adam(0.1))
    restored = keras.optimizers.deserialize(keras.optimizers.serialize(optimizer))
    assert type(restored) is keras.optimizers.Adam
    copied = copy.deepcopy(optimizer)
    assert_alike(trained(copied), trained(optimizer))
    assert int(copied.iterations) == int(optimizer.iterations) == 5


@pytest.mark.parametrize("name", ["mlp_vae", "gan"])
def test_models_have_it(name):
    model = SPECIMENS[name]()
    model.compile()
    assert all(is_one_operation(optimizer) for optimizer in model.optimizers)
