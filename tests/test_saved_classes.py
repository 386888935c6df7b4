"""Keras' own `load_model` finds tfgen's classes, whichever is imported first."""

import importlib
import importlib.util
import pathlib
import pkgutil
import subprocess
import sys

import keras
import numpy as np
import pytest

import tfgen
from tests.old_files import reads_old_files
from tfgen.saved_classes import SAVED_CLASSES
from tfgen.utils.lazy_classes import LazyClass, _AfterImport

OLD = pathlib.Path(__file__).parent / "data" / "commit_7ecd756" / "models"
LOAD = """
import {imports}
import sys
import numpy as np

old, own, answers = sys.argv[1:]
model = keras.models.load_model(old)
assert type(model) is tfgen.GAN
generator = keras.models.load_model(own)
np.savez(answers, old=model.sample(3, seed=0), own=generator(np.ones([2, 3], "float32")))
"""


def test_every_registered_class_is_in_the_table_and_has_the_name_that_files_hold():
    for module in pkgutil.walk_packages(tfgen.__path__, prefix="tfgen."):
        importlib.import_module(module.name)
    registered = {
        name: found
        for name, found in keras.saving.get_custom_objects().items()
        if name.startswith("tfgen") and not found.__module__.startswith("tests.")
    }
    assert not [name for name, found in registered.items() if isinstance(found, LazyClass)]
    homes = {name: found.__module__ for name, found in registered.items()}
    assert homes == SAVED_CLASSES


@reads_old_files
@pytest.mark.parametrize(
    "imports", [pytest.param("tfgen, keras", marks=pytest.mark.slow), "keras, tfgen"]
)
def test_a_new_process_loads_models_and_layers_by_keras_alone(imports, tmp_path):
    latents = keras.Input([3])
    hidden = tfgen.layers.LeakyReLU(0.2)(keras.layers.Dense(8)(latents))
    generator = keras.Model(latents, tfgen.layers.Maxout(2)(hidden))
    generator.save(tmp_path / "generator.keras")
    subprocess.run(
        [
            *(sys.executable, "-c", LOAD.format(imports=imports), OLD / "gan.keras"),
            *(tmp_path / "generator.keras", tmp_path / "answers.npz"),
        ],
        check=True,
    )
    with np.load(tmp_path / "answers.npz") as answers, np.load(OLD / "expected.npz") as expected:
        np.testing.assert_allclose(answers["old"], expected["gan/made"], rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(answers["own"], generator(np.ones([2, 3], "float32")), 1e-5)


def test_a_function_is_called_once_after_the_import_of_a_module(tmp_path, monkeypatch):
    (tmp_path / "a_module.py").write_text("value = 3")
    monkeypatch.syspath_prepend(tmp_path)
    seen = []
    finder = _AfterImport("a_module", lambda: seen.append(sys.modules["a_module"].value))
    monkeypatch.setattr(sys, "meta_path", [finder, *sys.meta_path])
    assert importlib.util.find_spec("a_module") is not None and not seen
    module = importlib.import_module("a_module")
    monkeypatch.delitem(sys.modules, "a_module", raising=False)
    importlib.import_module("a_module")
    assert seen == [module.value] and finder not in sys.meta_path
    with pytest.raises(ModuleNotFoundError):
        monkeypatch.setattr(sys, "meta_path", [_AfterImport("nothing_here", None), *sys.meta_path])
        importlib.import_module("nothing_here")


def test_what_is_not_imported_yet_says_so():
    lazy = LazyClass("tfgen.distributions.priors", "Uniform")
    assert repr(lazy) == "<tfgen.distributions.priors.Uniform, not imported yet>"
    assert lazy.from_config({"size": 2}) == tfgen.distributions.Uniform(2)
