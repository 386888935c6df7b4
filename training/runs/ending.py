"""How a command ends: a line for the user, a code for what started it."""

import contextlib
import os
import signal
import sys
import traceback

import tensorflow as tf

from tfgen.callbacks import Terminated
from tfgen.engine.replicas import several_workers, told_by_any

# Another worker is gone: this one can be started again. Kubeflow takes codes below 128 for final.
LOST = 128 + signal.SIGUSR1
_GO_ON = "The same command goes on"
# What collective operations raise when a process that takes part is gone.
_LOST_ERRORS = (
    tf.errors.UnavailableError,
    tf.errors.AbortedError,
    tf.errors.CancelledError,
    tf.errors.DeadlineExceededError,
    tf.errors.FailedPreconditionError,
)


def describe(error):
    """Returns a command's exit code and last line for what ended it.

    What a user can mend is a line; anything else, a mistake of ours, a traceback.
    """
    if isinstance(error, Terminated):
        return error.code, f"{error} {_GO_ON} from there."
    if isinstance(error, KeyboardInterrupt):
        return 128 + signal.SIGINT, f"interrupted. {_GO_ON} from the last checkpoint."
    if isinstance(error, (OSError, ValueError, FloatingPointError)):
        return 1, str(error)
    return 1, "".join(traceback.format_exception(error))


def _first_line(error):
    """Returns a TensorFlow error's kind and the first line of what it says."""
    first, _, _ = error.message.partition("\n")
    return f"{type(error).__name__}: {first[:200]}"


@contextlib.contextmanager
def together(strategy):
    """Ends a worker process when its work is done by all, or when it or another one fails.

    It is ended at once, code and last line as `describe` says: the services that worker processes
    have for each other know no orderly end.

    Args:
        strategy: a `tf.distribute.Strategy`; with one of a single process nothing is done.
    """
    if not several_workers(strategy):
        yield
        return
    code = 0
    try:
        yield
        with contextlib.suppress(*_LOST_ERRORS):  # all is done here, whatever the others do
            told_by_any(strategy, True)  # wait for all
    except _LOST_ERRORS as error:
        code = LOST
        print(
            f"train: another worker ended or is out of reach ({_first_line(error)}). {_GO_ON}, on "
            "all workers, from the last checkpoint.",
            file=sys.stderr,
        )
    except BaseException as error:
        code, text = describe(error)
        print(f"train: {text}", file=sys.stderr)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
