"""TensorFlow as the commands use it: without its start-up messages, and with what makes it fast."""

import contextlib
import importlib.util
import logging
import os
import signal
import sys
import tempfile
import threading
import warnings


def import_tensorflow():
    """Imports TensorFlow, sets it up and finds its devices without a word, unless that fails.

    Its libraries write remarks on drivers and instruction sets to the error stream before any
    setting can stop them; users take those for errors. Without TensorFlow the command ends with a
    line that says where it is.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    # Without AVX-512, TensorFlow leaves oneDNN's kernels off. With AVX2, too, they halve the time
    # of the gradients of convolutions and dense layers; forward passes take as long.
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    # Products of matrices by the library that TensorFlow has for them outside of XLA, too: a step
    # of `vae_mnist` takes five sixths of the time.
    os.environ.setdefault("XLA_FLAGS", "--xla_cpu_use_onednn=true")
    if importlib.util.find_spec("tensorflow") is None:
        sys.exit(
            f"TensorFlow is not installed for {sys.executable}. In a clone of tfgen, `make train` "
            "installs it into .venv: source .venv/bin/activate"
        )
    with held_back_errors(), certain_interrupts():
        import tensorflow as tf

        tf.config.list_physical_devices()
        # Its remapper fails on second derivatives of leaky ReLUs (gradient penalties), and says so
        # as an error, though it only leaves these as they are.
        tf.config.optimizer.set_experimental_options({"remapping": False})
    logging.getLogger("absl").addFilter(_is_of_use)


def _is_of_use(record):
    """Tells whether a message of TensorFlow's is one that a user can act on.

    An export has no gradients of the layers that write out their own: answers need none. TensorFlow
    warns of each when it reads the export.
    """
    return "ops with unsaved custom gradients" not in record.getMessage()


def show_warnings_plainly():
    """Makes warnings for the user lines of text, without the code that they came from."""
    format_as_usual = warnings.formatwarning

    def format_plainly(message, category, *rest, **options):
        if category in (UserWarning, FutureWarning):
            return f"Warning: {message}\n"
        return format_as_usual(message, category, *rest, **options)

    warnings.formatwarning = format_plainly


@contextlib.contextmanager
def certain_interrupts():
    """Raises a KeyboardInterrupt after Ctrl-C, whatever a block made of it.

    An import may lose it, or give another reason for its failure: NumPy's says that NumPy is not
    installed rightly.
    """
    before, interrupts = signal.getsignal(signal.SIGINT), []
    if not callable(before) or threading.current_thread() is not threading.main_thread():
        yield  # Ctrl-C is ignored, or another thread's
        return

    def interrupt(*arguments):
        interrupts.append(arguments)
        before(*arguments)

    signal.signal(signal.SIGINT, interrupt)
    try:
        yield
    except BaseException:
        if not interrupts:
            raise
    finally:
        signal.signal(signal.SIGINT, before)
    if interrupts:
        raise KeyboardInterrupt


@contextlib.contextmanager
def held_back_errors():
    """Holds back what is written to the error stream, and shows it if the block raises.

    Who ends it by Ctrl-C need not read it.
    """
    sys.stderr.flush()
    stream = os.dup(2)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        except KeyboardInterrupt:
            raise
        except BaseException:
            held.seek(0)
            os.write(stream, held.read())
            raise
        finally:
            os.dup2(stream, 2)
            os.close(stream)
