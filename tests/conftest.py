import pytest

from tfgen.quiet import import_tensorflow

import_tensorflow()

import keras  # noqa: E402 (quietly)


@pytest.fixture(autouse=True)
def float32():
    """Gives every test Keras' default precision, whatever the one before it set."""
    keras.config.set_dtype_policy("float32")
    yield
    keras.config.set_dtype_policy("float32")


@pytest.fixture(autouse=True, scope="session")
def cache_of_this_session(tmp_path_factory):
    """Keeps tests, and the commands that they start, away from the user's cache."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TFGEN_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield
