"""What is asked of a device: XLA where it pays, and the same bits each time. GPUs are pretended."""

from unittest import mock

import pytest
import tensorflow as tf

import tfgen
from tests.specimens import SPECIMENS, batch, optimizers
from tfgen.engine.devices import compiles
from training import train
from training.recipes.recipe import find
from training.runs.card import repeat_command
from training.runs.settings import make_layout


@pytest.fixture
def gpu(monkeypatch):
    """Pretends that there is a GPU, and notes whether deterministic operations were asked for."""
    asked = []
    monkeypatch.setattr(tf.config, "get_visible_devices", lambda kind=None: [kind])
    monkeypatch.setattr(tf.config.experimental, "enable_op_determinism", lambda: asked.append(True))
    return asked


def compiled(name, **options):
    model = SPECIMENS[name]()
    model.compile(**optimizers(model), **options)
    return model


def test_on_a_processor_xla_compiles_what_it_is_told_to():
    strategy = tf.distribute.get_strategy()
    assert not compiles("auto", strategy)
    assert compiles(True, strategy) and not compiles(False, strategy)


def test_on_a_gpu_xla_compiles_unless_it_cannot_or_is_told_not_to(gpu):
    strategy = tf.distribute.get_strategy()
    assert compiles("auto", strategy)
    assert compiles("auto", tf.distribute.OneDeviceStrategy("CPU:0"))
    assert not compiles(False, strategy)
    assert not compiles("auto", strategy, run_eagerly=True)
    assert not compiles("auto", tf.distribute.MirroredStrategy(["CPU:0"]))


@pytest.mark.parametrize("name", ["mlp_vae", "cgan"])
def test_auto_is_the_default_and_another_value_is_refused(name, gpu):
    assert compiled(name).jit_compile is True
    assert compiled(name, jit_compile=False).jit_compile is False
    with pytest.raises(ValueError, match="`jit_compile` must be True, False or .auto.. .*='yes'"):
        compiled(name, jit_compile="yes")


@pytest.mark.parametrize("name", ["mlp_vae", "cgan", "began", "pair_game"])
def test_under_a_strategy_xla_compiles_losses_and_not_updates(name):
    """Products and draws are within what XLA must compile; all weights are moved outside."""
    with tf.distribute.MirroredStrategy(["CPU:0"]).scope():
        model = compiled(name, jit_compile=True)
    strategy = model.distribute_strategy
    step = tf.function(lambda *data: strategy.run(model._step, [data]), autograph=False)
    operations = step.get_concrete_function(*batch(name)).graph.get_operations()
    kinds = [operation.type for operation in operations]
    assert any("_XlaMustCompile" in operation.node_def.attr for operation in operations)
    assert not {"MatMul", "Conv2D", "StatelessRandomNormalV2"} & set(kinds)
    assert kinds.count("ResourceApplyAdam") == len(model.trainable_variables)


@pytest.mark.parametrize("name", ["mlp_vae", "cgan"])
def test_where_a_model_is_loaded_auto_is_chosen_anew(name, gpu, monkeypatch, tmp_path):
    """Trained on a GPU, loaded on a processor."""
    paths = {each: tmp_path / f"{each}.keras" for each in ("auto", "told", "set")}
    compiled(name).save(paths["auto"])
    compiled(name, jit_compile=True).save(paths["told"])
    later = compiled(name)
    later.jit_compile = False  # as the training command does, by its own options
    later.save(paths["set"])
    with monkeypatch.context() as patch:
        patch.setattr(tf.config, "get_visible_devices", lambda kind=None: [])
        assert tfgen.load(paths["auto"]).jit_compile is False
        assert tfgen.load(paths["told"]).jit_compile is True
    assert tfgen.load(paths["auto"]).jit_compile is True
    assert tfgen.load(paths["set"]).jit_compile is False


@pytest.mark.parametrize(
    ("recipe", "options", "on_gpu", "on_processor"),
    [
        ("dcgan_64", [], True, False),
        ("dcgan_64", ["--no-xla"], False, False),
        ("dcgan_64", ["--xla"], True, True),
        ("vae_mnist", [], True, True),
        ("vae_mnist", ["--no-xla"], False, False),
    ],
)
def test_a_run_notes_what_was_chosen(recipe, options, on_gpu, on_processor, gpu, monkeypatch):
    recipe, options = find(recipe), train.parse([recipe, *options])
    settings = {"examples": 100, "batch_size": 10, "epochs": 1, "steps_per_epoch": 10, "seed": 0}
    settings |= {"data": recipe.data, "shape": [2], "mixed_precision": None}
    for wanted in (on_gpu, on_processor):
        layout = make_layout(recipe, options, tf.distribute.get_strategy())
        assert layout["xla"] is wanted
        # The command of the run's card gives the same on either device, where that can be said.
        said = train.parse(repeat_command(recipe, settings, layout).split()[3:])
        again = make_layout(recipe, said, tf.distribute.get_strategy())
        assert again == layout
        monkeypatch.setattr(tf.config, "get_visible_devices", lambda kind=None: [])


def test_several_replicas_are_not_compiled_by_a_recipe_s_wish(gpu):
    two = mock.Mock(spec=tf.distribute.MirroredStrategy, num_replicas_in_sync=2)
    assert make_layout(find("vae_mnist"), train.parse(["vae_mnist"]), two)["xla"] is False


def test_the_same_bits_are_asked_for_on_a_gpu_alone(gpu, monkeypatch):
    tfgen.deterministic()
    assert gpu == [True]
    monkeypatch.setattr(tf.config, "get_visible_devices", lambda kind=None: [])
    tfgen.deterministic()
    assert gpu == [True]
