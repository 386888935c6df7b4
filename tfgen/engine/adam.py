"""Keras' Adam in one operation per weight, TensorFlow's own.

Keras makes the update of a dozen operations, each of which reads and writes a whole weight: for a
small network that takes as long as the arithmetic. Compiled by XLA they are one, but wait for all
gradients; TensorFlow's own follows its gradient at once, beside what is still computed.
"""

import functools

import keras
import tensorflow as tf

from tfgen.engine.keras_internals import adam_averages


def in_one_operation(optimizer):
    """Makes an optimizer update each weight in one operation, if it is Keras' Adam.

    Its numbers are the same, but for rounding: 1 minus a decay has single precision, which tells
    with decays much nearer to 1 than 0.999. Other optimizers stay as they are: subclasses of Adam
    too, and Adam with `amsgrad`.

    Args:
        optimizer: a Keras optimizer; a loss scale may be wrapped around it.
    """
    optimizer = inner(optimizer)
    if type(optimizer) is keras.optimizers.Adam and not optimizer.amsgrad:
        optimizer.update_step = functools.partial(_update, optimizer)


def is_one_operation(optimizer):
    """Tells whether `in_one_operation` had an effect, and the optimizer does nothing besides."""
    optimizer = inner(optimizer)
    besides = (optimizer.weight_decay, optimizer.use_ema, optimizer.gradient_accumulation_steps)
    return "update_step" in vars(optimizer) and not (any(besides) or clips(optimizer))


def clips(optimizer):
    """Tells whether an optimizer clips gradients."""
    return any([optimizer.clipnorm, optimizer.clipvalue, optimizer.global_clipnorm])


def inner(optimizer):
    """Returns the optimizer that a loss scale is wrapped around, if there is one."""
    return getattr(optimizer, "inner_optimizer", optimizer)


def _update(optimizer, gradient, variable, learning_rate):
    """Does what Keras' `Adam.update_step` does (Kingma and Ba, 2015, section 2, last lines)."""
    if isinstance(gradient, tf.IndexedSlices) or variable.dtype != tf.float32:
        # Of an embedding; or in a precision that cannot tell the decays from 1.
        type(optimizer).update_step(optimizer, gradient, variable, learning_rate)
        return
    step = tf.cast(optimizer.iterations + 1, tf.float32)
    beta_1, beta_2 = (tf.cast(beta, tf.float32) for beta in (optimizer.beta_1, optimizer.beta_2))
    momentum, velocity = adam_averages(optimizer, variable)
    tf.raw_ops.ResourceApplyAdam(
        var=variable.handle,
        m=momentum.value.handle,
        v=velocity.value.handle,
        beta1_power=beta_1**step,
        beta2_power=beta_2**step,
        lr=tf.cast(learning_rate, tf.float32),
        beta1=beta_1,
        beta2=beta_2,
        epsilon=tf.cast(optimizer.epsilon, tf.float32),
        grad=tf.cast(gradient, tf.float32),
    )
