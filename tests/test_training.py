"""The training command, as users run it."""

import contextlib
import csv
import dataclasses
import functools
import io
import json
import random
import re
import signal
import subprocess
import sys
import time

import keras
import numpy as np
import pytest
import tensorflow as tf

import tfgen
from tests.specimens import SPECIMENS, assert_same, compiled, images, optimizers, weights
from tests.train_specimen import register
from tfgen import data
from tfgen.data.source import round_to_levels
from tfgen.evaluation import PixelFeatures
from tfgen.evaluation.linear_probe import linear_probe
from training import launch, train
from training.recipes.recipe import RECIPES, recipe
from training.runs import catalogue, run_folder
from training.runs.run import recorded_data
from training.runs.run_folder import RunFolder
from training.runs.settings import build
from training.scoring import probe
from training.tables import record

COMMAND = [sys.executable, "-m", "tests.train_specimen"]


@pytest.fixture
def archive(tmp_path):
    path = tmp_path / "images.npz"
    np.savez(path, x=(images(80) * 255).astype(np.uint8))
    return path


def arguments(name, folder, archive, *more):
    output, export = f"--output={folder / 'run'}", f"--export={folder / 'export'}"
    return [name, f"--data=npz:{archive}", output, export, *more]


def run(*args):
    return subprocess.run([*COMMAND, *args], capture_output=True, text=True, timeout=300)


def trained(folder):
    return weights(tfgen.load(folder / "run" / "model.keras"))


def test_a_run_writes_what_it_promises(tmp_path, archive, monkeypatch, capsys):
    result = run(*arguments("mlp_vae", tmp_path, archive, "--epochs=2"))
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    folder = tmp_path / "run"
    names = {path.name for path in folder.iterdir()}
    assert names == {
        "README.md",
        "checkpoints",
        "config.json",
        "lock",
        "log.csv",
        "model.keras",
        "pictures",
        "results.json",
        "summary.png",
        "tensorboard",
    }
    for kind in ("samples", "reconstructions", "traversal"):
        for epoch in (1, 2):
            picture = (folder / "pictures" / f"{kind}-{epoch:04d}.png").read_bytes()
            assert tf.io.decode_png(picture).shape[0] > 8
    config = json.loads((folder / "config.json").read_text())
    assert config["settings"]["epochs"] == 2 and config["versions"]["tfgen"] == tfgen.__version__
    with (folder / "log.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == ["0", "1"]
    assert all(np.isfinite(float(row["val_loss"])) for row in rows)
    results = json.loads((folder / "results.json").read_text())
    assert results["test"]["loss"] == pytest.approx(float(rows[-1]["val_loss"]), rel=1e-5)
    extra = tmp_path / "export" / "1" / "assets.extra" / "tfgen.json"
    assert json.loads(extra.read_text())["test"] == results["test"]
    for card in (folder / "README.md", tmp_path / "export" / "1" / "README.md"):
        assert f"| loss on held-out data | {results['test']['loss']:.6g} |" in card.read_text()
        assert "The specimen mlp_vae." in card.read_text()
    for line in (folder / "summary.png", folder / "pictures", tmp_path / "export" / "1"):
        assert str(line) in result.stdout

    register("mlp_vae")
    monkeypatch.setitem(RECIPES, "mlp_vae", RECIPES.pop("mlp_vae"))
    train.main(arguments("mlp_vae", tmp_path, archive, "--epochs=2"))
    assert "is complete" in capsys.readouterr().out
    assert [path.name for path in (tmp_path / "export").iterdir()] == ["1"]
    with pytest.raises(SystemExit, match=r"epochs 2 -> 3.*--fresh"):
        train.main(arguments("mlp_vae", tmp_path, archive, "--epochs=3"))
    train.main(arguments("mlp_vae", tmp_path, archive, "--epochs=1", "--fresh", "--no-export"))
    assert len((folder / "log.csv").read_text().splitlines()) == 2


@pytest.mark.slow
def test_a_run_begins_with_the_weights_of_another(tmp_path, archive, monkeypatch, capsys):
    """A rate of 0 leaves them as they are; the steps and the optimizer's state are new."""
    register("conv_vae")
    monkeypatch.setitem(RECIPES, "conv_vae", RECIPES.pop("conv_vae"))
    begin = functools.partial(arguments, "conv_vae", archive=archive)
    train.main([*begin(tmp_path / "a"), "--epochs=1", "--no-export"])

    def conv_vae(shape, steps):
        """Trains nothing."""
        model = SPECIMENS["conv_vae"]()
        model.compile(keras.optimizers.SGD(0.0))
        return model

    still = dataclasses.replace(RECIPES["conv_vae"], build=conv_vae)
    monkeypatch.setitem(RECIPES, "conv_vae", still)
    first = tmp_path / "a" / "run"
    options = ["--epochs=1", "--steps=1", "--no-export", "--seed=1", f"--begin-with={first}"]
    train.main([*begin(tmp_path / "b"), *options])
    ours, theirs = (tfgen.load(tmp_path / each / "run" / "model.keras") for each in "ba")
    assert (int(ours.step.value), int(theirs.step.value)) == (1, 9)
    for our, their in zip(ours.trainable_weights, theirs.trainable_weights, strict=True):
        np.testing.assert_array_equal(our.numpy(), their.numpy())
    config = json.loads((tmp_path / "b" / "run" / "config.json").read_text())
    assert config["settings"]["begin_with"] == str(first)
    card = (tmp_path / "b" / "run" / "README.md").read_text()
    assert "--begin-with run " in card and str(first) not in card
    # Once it has weights of its own, the other run may be gone.
    (tmp_path / "a").rename(tmp_path / "gone")
    train.main([*begin(tmp_path / "b"), *options])
    assert "is complete" in capsys.readouterr().out
    with pytest.raises(SystemExit, match="no complete run in"):
        train.main([*begin(tmp_path / "b"), *options, "--fresh"])
    (tmp_path / "gone").rename(tmp_path / "a")
    with pytest.raises(SystemExit, match="no complete run in .*nothing: train it first"):
        train.main([*begin(tmp_path / "c"), "--no-export", "--begin-with=nothing"])
    with pytest.raises(SystemExit, match="weights of .* do not fit.*the same networks"):
        train.main(["vae_fashion", f"--output={tmp_path / 'd'}", f"--begin-with={first}"])
    assert sorted(each.name for each in tmp_path.iterdir()) == ["a", "b", "images.npz"]


def kill(args, most_epochs):
    """Starts a run and ends it at a random moment of its first epochs, as a power cut would."""
    moments = random.Random(time.time_ns())
    process = subprocess.Popen([*COMMAND, *args], stdout=subprocess.PIPE, text=True)
    epochs = (line for line in process.stdout if "step" in line)
    for _ in zip(range(moments.randint(1, most_epochs)), epochs, strict=False):
        pass
    time.sleep(moments.uniform(0, 0.3))
    process.send_signal(signal.SIGKILL)
    process.communicate()


@pytest.fixture
def dropout_vae(monkeypatch):
    register("dropout_vae")
    monkeypatch.setitem(RECIPES, "dropout_vae", RECIPES.pop("dropout_vae"))


def run_here(*args):
    """Runs the command in this process, which saves the seconds that a start takes."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        train.main(args)
    return printed.getvalue()


def run_apart(*args):
    result = run(*args)
    assert result.returncode == 0, result.stderr
    return result.stdout


@pytest.mark.parametrize(
    ("start", "most_epochs", "options"),
    [
        (run_here, 2, ["--epochs=6", "--no-export"]),
        pytest.param(run_apart, 9, [], marks=pytest.mark.slow),
    ],
)
def test_killed_at_a_random_moment_it_ends_as_if_undisturbed(
    start, most_epochs, options, tmp_path, archive, dropout_vae
):
    undisturbed, disturbed = tmp_path / "undisturbed", tmp_path / "disturbed"
    start(*arguments("dropout_vae", undisturbed, archive, *options))
    args = arguments("dropout_vae", disturbed, archive, "--checkpoint-minutes=0", *options)
    kill(args, most_epochs)
    assert not (disturbed / "run" / "results.json").exists(), "ended before it was killed"
    assert "Going on after epoch" in start(*args)
    assert_same(trained(disturbed), trained(undisturbed))
    logs = [(folder / "run" / "log.csv").read_text() for folder in (disturbed, undisturbed)]
    assert logs[0] == logs[1]
    assert not list((disturbed / "run").rglob(".unfinished-*"))


def test_a_folder_takes_one_run_at_a_time(tmp_path):
    with RunFolder(tmp_path).taken():
        with pytest.raises(OSError, match=f"Another run is writing to {tmp_path}: process"):
            with RunFolder(tmp_path).taken():
                pytest.fail("it was taken twice")
    with RunFolder(tmp_path).taken():
        pass


def test_the_log_loses_the_lines_of_epochs_that_run_again(tmp_path):
    folder = RunFolder(tmp_path)
    folder.log.write_text("epoch,loss\n0,9.0\n1,8.0\n2,7.0\n3,6.0\n")
    folder.trim_log(2)
    assert folder.log.read_text().split() == ["epoch,loss", "0,9.0", "1,8.0"]


@pytest.mark.slow
def test_what_a_recipe_measures_is_kept_and_recorded(tmp_path, capsys):
    output = tmp_path / "run"
    command = ["r1_gan_ring", "--epochs=1", "--steps=2", "--no-xla", "--no-export"]
    train.main([*command, f"--output={output}"])
    results = json.loads((output / "results.json").read_text())
    assert set(results["measured"]) == {"modes", "high_quality"}
    assert f"modes               {results['measured']['modes']}" in capsys.readouterr().out
    assert tf.io.decode_png((output / "summary.png").read_bytes()).shape[0] > 100
    record.main([str(output), f"--output={tmp_path / 'ring.json'}"])
    recorded = json.loads((tmp_path / "ring.json").read_text())
    assert recorded["measured"] == results["measured"]
    assert recorded["training"]["seconds"] == results["seconds"]
    for folder, message in ((tmp_path, "no complete run"), ("runs/nothing", "no complete run")):
        with pytest.raises(SystemExit, match=message):
            record.main([str(folder)])
    del results["measured"]
    (output / "results.json").write_text(json.dumps(results))
    record.main([str(output), f"--output={tmp_path / 'losses.json'}"])
    recorded = json.loads((tmp_path / "losses.json").read_text())
    assert recorded["measured"] == {} and recorded["test"] == results["test"]
    assert set(recorded["test"]) >= {"discriminator_loss", "generator_loss"}
    with pytest.raises(SystemExit, match="must differ in their seeds.*r1_gan_ring, seed 0; r1"):
        record.main([str(output), str(output)])


@pytest.mark.slow
def test_two_domains_are_translated_and_shown(tmp_path, monkeypatch):
    @recipe(data="classes:embedded:7,9", find_data=data.domains, size=(8, 8), batch_size=8)
    def tiny(shape, steps):
        """A tiny CycleGAN."""
        model = SPECIMENS["cyclegan"]()
        model.compile(**optimizers(model))
        return model

    monkeypatch.setitem(RECIPES, "tiny", RECIPES.pop("tiny"))
    args = ["tiny", "--steps=2", f"--output={tmp_path / 'run'}", f"--export={tmp_path / 'export'}"]
    train.main(args)
    picture = tf.io.decode_png((tmp_path / "run/pictures/translations-0001.png").read_bytes())
    assert picture.shape == (3 * 9 - 1, 8 * 9 - 1, 1)
    assert (tmp_path / "run" / "summary.png").exists()
    assert (tmp_path / "export" / "1" / "saved_model.pb").exists()
    train.main(args)  # its settings are read back as they were written: the run is complete


@pytest.mark.slow
def test_a_discriminator_is_probed(tmp_path, capsys):
    run = tmp_path / "run"
    run.mkdir()
    (run / "results.json").write_text(json.dumps({"seconds": 7}))
    settings = {"data": "digits", "shape": [8, 8, 1]}
    (run / "config.json").write_text(json.dumps({"settings": settings}))
    compiled("mlp_vae").save(run / "model.keras")
    with pytest.raises(SystemExit, match="A probe needs .* one network.*Received: a VAE"):
        probe.main([str(run), "--labels=20"])
    compiled("wgan_gp").save(run / "model.keras")
    probe.main([str(run), "--labels=20,40"])
    printed = capsys.readouterr().out
    written = json.loads((run / "probe.json").read_text())
    assert written["training"]["seconds"] == 7
    found = written["probe"]
    assert set(found) == {"the discriminator", "random weights", "pixels"}
    assert f"{found['pixels']['40']['accuracy']:.2%} with 40 labels" in printed
    digits = [data.source("digits", split) for split in data.SPLITS]
    accuracy, _ = linear_probe(PixelFeatures(), *digits, count=40)
    assert found["pixels"]["40"]["accuracy"] == accuracy > 0.5


def test_data_are_brought_to_the_shape_that_a_run_took_them_in():
    settings = {"data": "digits", "shape": [12, 10, 3]}
    assert recorded_data(settings, "test").shape == (12, 10, 3)
    settings = {"data": "demo", "shape": [32]}
    assert recorded_data(settings, "test").shape == (32,)
    settings = {"data": "classes:embedded:7,9", "shape": [[16, 16, 1], [16, 16, 1]]}
    assert recorded_data(settings, "test", data.domains).shape == ((16, 16, 1), (16, 16, 1))


@pytest.mark.slow
def test_what_a_recipe_measures_comes_last_and_is_made_up_for(tmp_path, capsys, monkeypatch):
    def interrupted(model, train, test):
        assert (tmp_path / "run/results.json").exists()
        assert (tmp_path / "export/1/saved_model.pb").exists()
        raise KeyboardInterrupt

    def measured(model, train, test):
        return {"size": model.sample(3, seed=0).shape[0] + len(test) / 1000}

    ring = RECIPES["ns_gan_ring"]
    args = ["ns_gan_ring", "--epochs=1", "--steps=2", "--no-xla", f"--output={tmp_path / 'run'}"]
    args.append(f"--export={tmp_path / 'export'}")
    monkeypatch.setitem(RECIPES, "ns_gan_ring", dataclasses.replace(ring, measure=interrupted))
    with pytest.raises(SystemExit) as exit:
        train.main(args)
    assert exit.value.code == 128 + signal.SIGINT
    printed = capsys.readouterr()
    assert "Measuring" in printed.out and "interrupted" in printed.err
    assert "measured" not in json.loads((tmp_path / "run/results.json").read_text())
    before = (tmp_path / "run/model.keras").read_bytes()
    monkeypatch.setitem(RECIPES, "ns_gan_ring", dataclasses.replace(ring, measure=measured))
    train.main(args)
    printed = capsys.readouterr().out
    assert "size                13" in printed
    assert "Add --epochs N --change to train it further, or --fresh to begin anew" in printed
    assert f"tfgen serve {tmp_path}\n" in printed
    assert f"training.evaluate {tmp_path / 'run'}\n" in printed
    results = json.loads((tmp_path / "run/results.json").read_text())
    assert results["measured"] == {"size": 13.0}
    assert [path.name for path in (tmp_path / "export").iterdir()] == ["1"]
    assert (tmp_path / "run/model.keras").read_bytes() == before
    train.main(args)
    assert "Measuring" not in capsys.readouterr().out


@pytest.mark.slow
def test_a_strategy_is_one_flag(tmp_path, archive):
    args = arguments("mlp_vae", tmp_path, archive, "--epochs=1", "--strategy=mirrored")
    args += ["--replicas=2"]
    result = run(*args)
    assert result.returncode == 0, result.stderr
    assert int(trained(tmp_path)[0][1]) == 9  # the step counter: 72 images in batches of 8


@pytest.mark.slow
def test_a_loss_that_is_not_finite_stops_the_run_and_keeps_the_last_state(tmp_path, archive):
    args = arguments("mlp_vae", tmp_path, archive, "--epochs=2")
    assert run(*args).returncode == 0
    (tmp_path / "run" / "results.json").unlink()
    config = tmp_path / "run" / "config.json"
    config.write_text(config.read_text().replace('"epochs": 2', '"epochs": 9'))
    good = sorted((tmp_path / "run" / "checkpoints").iterdir())
    poison = "import tests.train_specimen as t, tfgen; t.register('mlp_vae')\n"
    poison += "losses = tfgen.VAE.compute_losses\n"
    poison += "def bad(self, data, training):\n"
    poison += "    logs = losses(self, data, training)\n"
    poison += "    return {**logs, 'loss': logs['loss'] + float('nan')}\n"
    poison += "tfgen.VAE.compute_losses = bad\nt.main()"
    result = subprocess.run(
        [sys.executable, "-c", poison, *args[:-1], "--epochs=9"], capture_output=True, text=True
    )
    assert result.returncode == 1
    assert "`loss` became nan" in result.stderr and str(good[-1]) in result.stderr
    assert "Lower the learning rate" in result.stderr
    assert sorted((tmp_path / "run" / "checkpoints").iterdir()) == good
    assert not (tmp_path / "run" / "results.json").exists()


def test_the_seed_decides_weights_and_noise():
    settings = {"mixed_precision": None, "steps_per_epoch": 2, "epochs": 1, "xla": False}
    models = [build(RECIPES["vae_demo"], {**settings, "seed": seed}, (32,)) for seed in (7, 7, 8)]
    assert [model.seed for model in models] == [7, 7, 8]
    assert_same(weights(models[0]), weights(models[1]))
    with pytest.raises(AssertionError):
        assert_same(weights(models[0]), weights(models[2]))


# A step of these takes seconds, and so do the sizes of record, of `tfds:`, which have small twins.
LONG_STEPS = {
    "cyclegan_64",
    "cyclegan_lecture",
    "dall_e_fashion",
    "dcgan_64",
    "dcgan_lecture",
    "ddpm_fashion",
    "dragan_fashion",
    "flow_fashion",
    "guided_flow_fashion",
    "lsgan_fashion",
    "minimax_gan_fashion",
    "ns_gan_fashion",
    "r1_gan_fashion",
    "wgan_fashion",
}
OF_STEPS = [
    pytest.param(name, marks=pytest.mark.slow)
    if name in LONG_STEPS or each.data.startswith("tfds:")
    else name
    for name, each in RECIPES.items()
    if each.in_steps
]


@pytest.mark.parametrize("name", OF_STEPS)
def test_every_recipe_takes_a_step(name):
    recipe = RECIPES[name]
    shapes = {
        "demo": (32,),
        "ring": (2,),
        "grid": (2,),
        "marbles": (64, 64, 3),
        "sprites": (32, 32, 1),
    }
    shape = shapes.get(recipe.data, (*(recipe.size or (28, 28)), 1))
    examples = np.random.default_rng(0).random((2, *shape), np.float32)
    levels = 2 if recipe.binarized else recipe.levels
    batch = (round_to_levels(examples, levels).numpy() if levels else examples,)
    if recipe.captions:
        batch += (recipe.captions.all[:2],)
    elif recipe.labels:
        batch += (np.arange(2),)
    if recipe.find_data is data.domains:
        shape, batch = (shape, shape), 2 * batch
    model = recipe.build(shape, steps=10)
    model.run_eagerly = True  # tracing would take far longer than the step
    before = weights(model)
    logs = model.fit(*batch, batch_size=2, verbose=0).history
    assert np.isfinite(list(logs.values())).all()
    with pytest.raises(AssertionError):
        assert_same(weights(model), before)
    assert RECIPES[name].description.splitlines()[0].endswith(".")


@pytest.mark.slow
def test_the_demo_shows_its_four_modes():
    """The means of the modes' latents are farther apart than their points are spread."""
    keras.utils.set_random_seed(0)
    recipe = RECIPES["vae_demo"]
    points = tfgen.data.source("demo")
    steps = recipe.epochs * data.steps_per_epoch(points, recipe.batch_size)
    model = recipe.build(points.shape, steps)
    model.jit_compile, model.steps_per_execution = True, 50
    stream = data.batches(points, recipe.batch_size, repeat=True)
    model.fit(stream, steps_per_epoch=steps, verbose=0)
    latents = model.encode(points.floats()).mean().numpy()
    modes = [latents[points.labels == mode] for mode in range(4)]
    spread = max(mode.std(axis=0).max() for mode in modes)
    centres = np.array([mode.mean(axis=0) for mode in modes])
    distances = np.linalg.norm(centres[:, None] - centres, axis=-1)[np.triu_indices(4, 1)]
    assert distances.min() > 3 * spread


def test_the_list_is_read_from_the_source_and_says_what_the_recipes_say(capsys, monkeypatch):
    train.main(["--list"])
    printed = capsys.readouterr().out
    assert all(f"\n{name} " in f"\n{printed}" for name in RECIPES)
    monkeypatch.delitem(sys.modules, "training.recipes.recipe")
    found = catalogue.catalogue()
    assert set(found) == set(RECIPES)
    for name, entry in found.items():
        assert type(entry) is catalogue.Entry
        for key in ("data", "epochs", "description"):
            assert getattr(entry, key) == getattr(RECIPES[name], key), (name, key)


def refusal(capsys, *args, command=train):
    with pytest.raises(SystemExit) as exit:
        command.main([*args])
    return f"{exit.value} {capsys.readouterr().err}"


def test_mistakes_are_one_line_that_says_how_to_mend_them(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("")
    nan = images(20)
    nan[3, 0, 0] = np.nan
    np.savez(tmp_path / "nan.npz", x=nan)
    cases = {
        ("vae_fashon",): "Did you mean 'vae_fashion'",
        ("vae_fashion", "--data=embeded"): "Did you mean 'embedded'?",
        ("vae_fashion", "--data=folder:empty"): "There are no images in empty",
        ("vae_fashion", "--data=npz:nan.npz"): "NaN or infinity, the first at index",
        ("vae_fashion", "--data=npz:missing.npz"): "There is no file missing.npz",
        ("vae_fashion", "--data=demo"): "needs images, \\(height, width, channels\\)",
        ("vae_fashion", "--export=file/vae"): "Nothing can be written to the folder file/vae",
        ("vae_fashion", "--output=file/run", "--no-export"): "written to the folder file/run",
        ("vae_fashion", "--epochs=0"): "expected a positive integer, received '0'",
        ("vae_fashion", "--seed=-1"): "an integer from 0 to 4294967295, received '-1'",
        ("vae_fashion", "--size=64"): "expected HEIGHTxWIDTH",
    }
    launched = refusal(capsys, "vae_fashon", command=launch)
    assert "no recipe 'vae_fashon'. Did you mean 'vae_fashion'" in launched
    for args, expected in cases.items():
        message = refusal(capsys, *args)
        assert re.search(expected, message), (args, message)
        assert "Traceback" not in message
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty", "file", "nan.npz"]


def test_the_commit_is_the_one_that_was_there_at_the_beginning(monkeypatch):
    commits = iter(["a" * 40, "b" * 40])

    def describe(command, **_):
        found = next(commits) if "describe" in command else command[-1]
        return subprocess.CompletedProcess(command, 0, stdout=f"{found}\n")

    run_folder.commit.cache_clear()
    with monkeypatch.context() as patched:
        patched.setattr(subprocess, "run", describe)
        assert run_folder.commit() == "a" * 40
    assert run_folder.commit() == "a" * 40
    run_folder.commit.cache_clear()
