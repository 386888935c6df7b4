"""A callback that ends a run which has gone astray."""

import math

import keras

from tfgen.callbacks.checkpoint import how_to_go_on


class StopOnNonFinite(keras.callbacks.Callback):
    """Ends a run whose loss became NaN or infinite, before anything else is written.

    Args:
        checkpoint: the `Checkpoint` that keeps the last good state, for the message; `None` if
            there is none.

    Raises:
        FloatingPointError: a log is NaN or infinite.

    Example:
        >>> model.fit(images, callbacks=[StopOnNonFinite()])
    """

    def __init__(self, checkpoint=None):
        super().__init__()
        self.checkpoint = checkpoint

    def on_train_batch_end(self, batch, logs=None):
        for name, value in logs.items():
            if not math.isfinite(value):
                raise FloatingPointError(
                    f"`{name}` became {float(value)} by step {int(self.model.step.numpy())}. "
                    f"{how_to_go_on(self.checkpoint and self.checkpoint.folder)}"
                )
