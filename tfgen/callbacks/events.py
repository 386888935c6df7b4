"""Events for TensorBoard, without which a training goes on."""

import contextlib

import tensorflow as tf

from tfgen.utils.disk import optional


@contextlib.contextmanager
def optional_events(folder):
    """Goes on after the block where the disk refuses the events that it writes; warns once.

    Args:
        folder: where they are written, for the warning.
    """
    nowhere = _Nowhere()
    with optional(f"TensorBoard's events in {folder}"), nowhere.as_default():
        try:
            yield
        finally:
            # A writer that the disk refuses to flush stays TensorFlow's default: all summaries that
            # follow would go to it, and fail.
            nowhere.set_as_default()


class _Nowhere(tf.summary.SummaryWriter):
    """A writer of nothing."""

    def flush(self):
        pass
