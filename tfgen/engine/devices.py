"""What is asked of the device: whether XLA compiles for it, and the same bits each time."""

import tensorflow as tf

from tfgen.engine.replicas import meets


def compiles(jit_compile, strategy, run_eagerly=False):
    """Tells whether XLA compiles steps, of what `compile` was given.

    "auto" is yes on a GPU: a DCGAN of 28x28 pixels took 1.2 to 2.6 times as many steps a second
    there. On processors, where XLA is slow with convolutions, it is no; and where several devices
    train together, where XLA compiles no losses in which they meet, and nobody measured it.

    Args:
        jit_compile: true, false or "auto".
        strategy: the model's.
        run_eagerly: whether steps run one operation after the other, as Python comes to them.

    Raises:
        ValueError: it is none of them.
    """
    if jit_compile in (True, False):
        return bool(jit_compile)
    if jit_compile != "auto":
        raise ValueError(
            f'`jit_compile` must be True, False or "auto". Received: jit_compile={jit_compile!r}.'
        )
    on_gpu = bool(tf.config.get_visible_devices("GPU"))
    return on_gpu and not run_eagerly and not meets(strategy)


def check_single(strategy):
    """Raises a ValueError where several devices meet in an update, which XLA cannot compile."""
    if meets(strategy):
        raise ValueError(
            "`jit_update=True` needs a single device, and no strategy for several. Received: "
            f"{type(strategy).__name__} of {strategy.num_replicas_in_sync}. Compile the model with "
            "jit_update=False."
        )


def deterministic():
    """Makes TensorFlow give the same bits each time, on a GPU too; call it before all else.

    It asks TensorFlow for deterministic operations, as the training command does. On a GPU seeds
    decide every bit only then; so does `keras.callbacks.BackupAndRestore` promise the same bits
    only then. It is for the whole process. A processor gives the same bits as it is, and faster,
    so without a GPU this does nothing.

    Some operations are slower so, and a few have no such version: TensorFlow then says which.

    Example:
        >>> tfgen.deterministic()
        >>> keras.utils.set_random_seed(0)
        >>> gan = tfgen.zoo.ns_gan(generator, discriminator, prior)
    """
    if tf.config.get_visible_devices("GPU"):
        tf.config.experimental.enable_op_determinism()
