import keras
import pytest

from training.quiet import import_tensorflow

import_tensorflow()


@pytest.fixture(autouse=True)
def float32():
    """Gives every test Keras' default precision, whatever the one before it set."""
    keras.config.set_dtype_policy("float32")
    yield
    keras.config.set_dtype_policy("float32")
