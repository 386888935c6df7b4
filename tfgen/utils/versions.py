"""The versions of what made a file."""

import platform


def versions():
    """Returns the versions of tfgen, TensorFlow, Keras and Python, a dict."""
    import keras  # both are slow to import, and rarely needed
    import tensorflow as tf

    import tfgen

    return {
        "tfgen": tfgen.__version__,
        "tensorflow": tf.__version__,
        "keras": keras.__version__,
        "python": platform.python_version(),
    }
