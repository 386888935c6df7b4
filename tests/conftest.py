import gc

import pytest

from tfgen.utils.tensorflow_setup import import_tensorflow

import_tensorflow()

import keras  # noqa: E402 (quietly)
import tensorflow as tf  # noqa: E402

import tfgen  # noqa: E402
from tests.browsers import BROWSER  # noqa: E402

# Of a GPU, tests expect the same bits each time, and all digits of float32. On a processor it has
# both, and these do nothing.
tfgen.deterministic()
tf.config.experimental.enable_tensor_float_32_execution(False)

# Graphs are made of many small Python objects: to look through all of them for garbage as often as
# Python does by default took a quarter of the time of tests/test_contract.py for one model.
gc.freeze()
gc.set_threshold(100_000, 10, 10)


@pytest.fixture(autouse=True, scope="module")
def garbage_of_one_file():
    """Looks for garbage after each file: the graphs of all files would take 10 GB and more."""
    yield
    gc.collect()


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


@pytest.fixture(scope="module")
def browser():
    """Starts a browser, once for the tests of a file."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        yield browser
        browser.close()


# Files of long tests: begun last, they would leave all processes but one without work (with
# --no-loadscope-reorder; otherwise files of few tests come last).
_FIRST = {"test_strategies.py", "test_export.py", "test_training.py", "test_contract.py"}


# Files of tests that compute on the device: those of models, layers, losses and draws.
_OF_THE_DEVICE = """
    adam adversarial_networks autoencoder began bounds conditional_gan conditional_vae contract
    contrastive_models contrasts cycle_gan devices disentanglement distributions factor_vae flows
    gan hierarchical_vae importance_bounds imputation info_gan instance_normalization leaky_relu
    learnt_priors networks noise one_channel penalties philox pixel_layers pixel_likelihoods
    pixel_networks sphere total_correlation transformers vae vae_values vq_vae wae
""".split()


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: item.path.name not in _FIRST)
    for item in items:
        if item.path.stem.removeprefix("test_") in _OF_THE_DEVICE:
            item.add_marker("gpu")
