"""The private names of Keras that tfgen needs do what they are taken for."""

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from tfgen.engine import keras_internals


def network():
    inputs = keras.Input((3,))
    hidden = layers.Dropout(0.5)(layers.BatchNormalization()(layers.Dense(4, "relu")(inputs)))
    return keras.Model(inputs, layers.Reshape((2, 2))(layers.Dense(4, "sigmoid")(hidden)))


def test_all_layers_are_found_those_within_too():
    outer = keras.Sequential([keras.Input((3,)), network()])
    found = {type(layer) for layer in keras_internals.layers_of(outer)}
    assert {layers.Dense, layers.Dropout, layers.BatchNormalization} < found


def test_random_layers_have_their_generators():
    model = network()
    kinds = [
        type(each)
        for each in keras_internals.layers_of(model)
        if keras_internals.seed_generators(each)
    ]
    assert kinds == [layers.Dropout]


def test_batch_normalization_takes_other_moments():
    layer = layers.BatchNormalization(center=False, scale=False, epsilon=0.0)
    layer.build((None, 3))
    assert list(keras_internals.reduction_axes(layer)) == [0]
    moments = tf.fill([3], 2.0), tf.fill([3], 4.0)
    keras_internals.replace_moments(layer, lambda inputs, mask: moments)
    np.testing.assert_allclose(layer(tf.fill([5, 3], 8.0), training=True), np.full([5, 3], 3.0))


def test_adam_s_averages_belong_to_their_variable():
    variables = [keras.Variable(np.zeros(size, "f")) for size in (2, 5)]
    optimizer = keras.optimizers.Adam(beta_1=0.5, beta_2=0.75)
    optimizer.build(variables)
    optimizer.apply([tf.ones(2), tf.fill([5], 2.0)], variables)
    momentum, velocity = keras_internals.adam_averages(optimizer, variables[1])
    np.testing.assert_allclose(momentum, np.full(5, 1.0))
    np.testing.assert_allclose(velocity, np.full(5, 1.0))


def test_gradients_are_clipped_by_the_optimizer_s_options():
    optimizer = keras.optimizers.SGD(global_clipnorm=1.0)
    (clipped,) = keras_internals.clip_gradients(optimizer, [tf.constant([3.0, 4.0])])
    np.testing.assert_allclose(clipped, [0.6, 0.8], rtol=1e-6)


def test_a_network_runs_with_other_functions_in_its_layers_place():
    model, called = network(), []
    assert type(model) is keras_internals.Functional
    operations = [type(node.operation) for node in keras_internals.nodes_of(model)]
    assert operations.count(layers.Dense) == 2 and layers.InputLayer not in operations

    def listen(layer):
        return lambda *args, **kwargs: called.append(type(layer)) or layer(*args, **kwargs)

    inputs = tf.ones([2, 3])
    outputs = keras_internals.run_through(model, inputs, listen)
    np.testing.assert_array_equal(outputs, model(inputs))
    assert layers.BatchNormalization in called
    sequential = keras.Sequential([keras.Input((3,)), layers.Dense(2)])
    np.testing.assert_array_equal(
        keras_internals.run_through(sequential, inputs, lambda layer: layer), sequential(inputs)
    )


def test_the_last_activation_is_seen_through_reshaping():
    assert keras_internals.last_activations(network()) == {"sigmoid"}
    inputs = keras.Input((3,))
    assert keras_internals.last_activations(keras.Model(inputs, layers.Dense(1)(inputs))) == {
        "linear"
    }


def test_a_built_model_is_not_called_before_its_first_step():
    class Never(keras_internals.BuiltModel):
        def call(self, inputs):
            raise AssertionError("called")

        def train_step(self, data):
            return {"loss": tf.constant(0.0)}

    model = Never()
    model.built = True
    model.compile(optimizer=None)
    model.fit(np.zeros([4, 3], "f"), verbose=0)
