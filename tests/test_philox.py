import numpy as np
import pytest
import tensorflow as tf
import tensorflow_probability as tfp

from tfgen.distributions import philox

tfd = tfp.distributions


@pytest.mark.parametrize("jit_compile", [False, True])
@pytest.mark.parametrize("kind", ["Normal", "Uniform"])
def test_numbers_are_those_of_the_library(kind, jit_compile):
    parameters = tf.constant([-1.0, 2.0, 0.0]), tf.constant([[3.0], [4.0]])
    ours, theirs = (
        tf.function(getattr(module, kind)(*parameters).sample, jit_compile=jit_compile)(
            5, seed=tf.constant([3, 4])
        )
        for module in (philox, tfd)
    )
    assert ours.shape == (5, 2, 3)
    np.testing.assert_allclose(ours, theirs, rtol=1e-5)


@pytest.mark.parametrize("kind", ["Normal", "Uniform"])
def test_the_generator_is_named(kind):
    # Where XLA may choose, it takes ten times as long on a processor.
    draw = tf.function(lambda: getattr(philox, kind)(0.0, 1.0).sample(5, seed=tf.constant([3, 4])))
    operations = draw.get_concrete_function().graph.get_operations()
    chosen = [each.inputs[3] for each in operations if each.type == f"StatelessRandom{kind}V2"]
    assert [tf.get_static_value(each) for each in chosen] == [tf.random.Algorithm.PHILOX.value]
