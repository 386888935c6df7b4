"""A step of an optimizer."""

import math

import keras
import tensorflow as tf

from tfgen.engine.adam import clips, in_one_operation, inner, is_one_operation
from tfgen.engine.keras_internals import clip_gradients
from tfgen.engine.replicas import meets

_LARGE = 250_000  # weights


def descend(optimizer, variables, compute_losses, name="loss", jit_update=False):
    """Takes one optimizer step down a loss.

    Args:
        optimizer: a built Keras optimizer.
        variables: the list of variables to move; all others stay as they are.
        compute_losses: a function without arguments that returns a dict of scalars: the loss, a
            mean over this replica's examples, and whatever else is to be logged.
        name: the loss' name in that dict.
        jit_update: whether XLA compiles the optimizer's update; needs a single device. Each weight
            is then read and written once, not once for every operation of the optimizer.

    Returns:
        The dict that `compute_losses` returned.
    """
    context = tf.distribute.get_replica_context()
    with tf.GradientTape() as tape:
        losses = compute_losses()
        # The optimizer sums over replicas.
        loss = optimizer.scale_loss(losses[name] / context.num_replicas_in_sync)
    gradients = tape.gradient(loss, variables)
    if context.num_replicas_in_sync > 1 and clips(inner(optimizer)):
        gradients = _clip_together(context, optimizer, gradients)
    _apply(optimizer, gradients, variables, jit_update)
    return losses


def compiles_update(model, optimizer, variables):
    """Tells whether XLA compiles an optimizer's update of these variables of a compiled model.

    Args:
        model: a `tfgen.GenerativeModel`, whose `jit_update` decides unless it is `None`.
        optimizer: an optimizer of it.
        variables: the list of what that moves.
    """
    if model.jit_update is not None:
        return model.jit_update
    if is_one_operation(optimizer):
        return False
    # Of fewer weights the updates take no longer as they are: measured on processors.
    large = sum(math.prod(variable.shape) for variable in variables) >= _LARGE
    return large and not model.jit_compile and not meets(model.distribute_strategy)


def check_optimizer(optimizer, strategy):
    """Raises a ValueError where Keras would fail in the first step: accumulation on replicas."""
    steps = inner(optimizer).gradient_accumulation_steps
    if steps and strategy.num_replicas_in_sync > 1:
        raise ValueError(
            "Keras cannot accumulate gradients on several replicas. Received: "
            f"gradient_accumulation_steps={steps} on {strategy.num_replicas_in_sync} replicas. "
            "Leave it out: a batch is that of all replicas together."
        )


def prepare(model, optimizer, variables):
    """Makes an optimizer ready to move a model's variables.

    Returns:
        The optimizer: with a loss scale around it, where the model computes in float16.
    """
    optimizer = keras.optimizers.get(optimizer)
    if model.dtype_policy.name == "mixed_float16" and not isinstance(
        optimizer, keras.optimizers.LossScaleOptimizer
    ):
        optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
    # Unbuilt, it could neither be restored nor be used first under a strategy.
    with model.distribute_strategy.scope():
        optimizer.build(variables)
    in_one_operation(optimizer)
    return optimizer


def _apply(optimizer, gradients, variables, jit_update):
    @tf.function(jit_compile=True, autograph=False)
    def apply(gradients):
        optimizer.apply(gradients, variables)

    if jit_update:
        apply(gradients)
    else:
        optimizer.apply(gradients, variables)


def _clip_together(context, optimizer, gradients):
    """Clips the gradient of the global batch, and gives every replica an equal share of it.

    Keras clips each replica's gradient before it sums them, so that the step would depend on the
    number of replicas. A share of a clipped gradient passes Keras' own clipping unchanged.
    """
    loss_scale = optimizer.scale_loss(1.0)
    known = [index for index, gradient in enumerate(gradients) if gradient is not None]
    summed = context.all_reduce(tf.distribute.ReduceOp.SUM, [gradients[index] for index in known])
    clipped = clip_gradients(inner(optimizer), [gradient / loss_scale for gradient in summed])
    shares = [gradient * loss_scale / context.num_replicas_in_sync for gradient in clipped]
    return [dict(zip(known, shares, strict=True)).get(index) for index in range(len(gradients))]
