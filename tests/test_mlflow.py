"""Training logged to MLflow, read back by MLflow's own client."""

import contextlib
import csv
import json
import os
import subprocess
import sys
import types
from pathlib import Path

import keras
import numpy as np
import pytest

import tfgen
from tests.broken_disks import fill, small_disk
from tests.specimens import assert_same, compiled, fit, weights
from tfgen.callbacks import Checkpoint, MLflow, SampleGrid, mlflow_run
from tfgen.callbacks import mlflow as callback
from training import launch, train
from training.recipes.recipe import RECIPES
from training.runs import fitting

# What MLflow's server at this address would answer, nobody knows: the port is closed.
NOWHERE = "http://127.0.0.1:1"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder to work in, with one local store for all tests: to make its tables takes seconds."""
    return tmp_path_factory.mktemp("mlflow")


@pytest.fixture(autouse=True)
def there(folder, monkeypatch):
    monkeypatch.chdir(folder)
    for name in ("MLFLOW_TRACKING_URI", "MLFLOW_EXPERIMENT_NAME"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def client(folder):
    MLflow(folder / "any")  # imports MLflow without its telemetry, and makes the store
    from mlflow import MlflowClient

    return MlflowClient(f"sqlite:///{folder}/runs/mlflow/mlflow.db")


def course(client, run_id):
    """Returns every metric's (step, value) pairs, in the order of the steps."""
    found = {}
    for name in client.get_run(run_id).data.metrics:
        history = client.get_metric_history(run_id, name)
        found[name] = sorted((metric.step, metric.value) for metric in history)
    return found


def artifacts(client, run_id, path=None):
    for entry in client.list_artifacts(run_id, path):
        yield from artifacts(client, run_id, entry.path) if entry.is_dir else [entry.path]


def plain():
    model = keras.Sequential([keras.Input([2]), keras.layers.Dense(1)])
    model.compile("adam", "mse")
    return model


def train_plain(tracker, epochs=1, **options):
    examples = np.ones([8, 2]), np.ones([8, 1])
    return plain().fit(*examples, epochs=epochs, verbose=0, callbacks=[tracker], **options)


def command(name, *more):
    return ["vae_demo", "--track=mlflow", "--no-export", "--no-xla", f"--output={name}", *more]


@contextlib.contextmanager
def closed_logs(monkeypatch):
    """Closes the CSV logs that are left open where a training is interrupted."""
    made = []

    class Noted(fitting.Log):
        def on_train_begin(self, logs=None):
            super().on_train_begin(logs)
            made.append(self.csv_file)

    monkeypatch.setattr(fitting, "Log", Noted)
    try:
        yield
    finally:
        for file in made:
            file.close()


def run_id_in(name):
    return json.loads(Path(f"{name}/mlflow.json").read_text())["run_id"]


# --- By hand


def test_what_a_fit_does_is_read_back_by_mlflow(client):
    model = compiled("mlp_vae")
    with MLflow("runs/vae", {"beta": 4.0, "shape": [8, 8, 1]}, name="a VAE") as tracker:
        history = fit(model, SampleGrid("runs/vae", count=4), tracker, epochs=2).history
        assert client.get_run(tracker.run.id).info.status == "RUNNING"
        model.save("runs/vae/model.keras")
        tracker.log({"elbo": -102.5}, ["runs/vae/model.keras"])
    run = client.get_run(tracker.run.id)
    assert (run.info.status, run.info.run_name) == ("FINISHED", "a VAE")
    assert client.get_experiment(run.info.experiment_id).name == "tfgen"
    assert run.data.params == {"beta": "4.0", "shape": "[8, 8, 1]"}
    expected = {name: list(enumerate(values, 1)) for name, values in history.items()}
    assert course(client, tracker.run.id) == {**expected, "elbo": [(2, -102.5)]}
    assert set(artifacts(client, tracker.run.id)) == {
        "model.keras",
        "pictures/samples-0001.png",
        "pictures/samples-0002.png",
    }
    path = client.download_artifacts(tracker.run.id, "model.keras")
    assert_same(weights(tfgen.load(path)), weights(model))


def test_any_keras_model_is_logged_and_the_end_of_fit_is_that_of_the_run(client):
    tracker = MLflow("runs/plain")
    history = train_plain(tracker, epochs=2, validation_split=0.5).history
    assert set(course(client, tracker.run.id)) == set(history) == {"loss", "val_loss"}
    assert client.get_run(tracker.run.id).info.status == "FINISHED"


@pytest.mark.slow
def test_a_run_that_goes_on_is_the_same_run_of_mlflow(client):
    tracker = MLflow("runs/resumed", {"epochs": 3, "seed": 0})
    train_plain(tracker, epochs=3)
    first = course(client, tracker.run.id)
    other = MLflow("runs/resumed", {"epochs": 4, "seed": 0, "replicas": 2}, resume=True)
    train_plain(other, epochs=4, initial_epoch=1)
    assert other.run.id == tracker.run.id
    assert [step for step, _ in course(client, other.run.id)["loss"]] == [1, 2, 3, 4]
    assert course(client, other.run.id)["loss"][:3] == first["loss"]
    data = client.get_run(other.run.id).data
    assert data.params == {"epochs": "3", "seed": "0", "replicas": "2"}
    assert data.tags["changed"] == "epochs 3 -> 4"
    anew = MLflow("runs/resumed", {"epochs": 5})
    train_plain(anew)
    assert anew.run.id == run_id_in("runs/resumed") != tracker.run.id


def test_a_run_that_is_not_there_cannot_go_on(client):
    tracker = MLflow("runs/deleted")
    train_plain(tracker)
    client.delete_run(tracker.run.id)
    with pytest.raises(ValueError, match=f"no run {tracker.run.id}.* removing mlflow.json"):
        MLflow("runs/deleted", resume=True)
    Path("runs/deleted/mlflow.json").write_text('{"run_id": "unknown"}')
    with pytest.raises(ValueError, match="no run unknown"):
        MLflow("runs/deleted", resume=True)


@pytest.mark.parametrize(
    ("error", "status"),
    [(KeyboardInterrupt, "KILLED"), (SystemExit, "KILLED"), (MemoryError, "FAILED")],
)
def test_what_ends_a_run_is_its_status(client, error, status):
    with pytest.raises(error), MLflow("runs/ended") as tracker:
        train_plain(tracker)
        raise error
    assert client.get_run(tracker.run.id).info.status == status


def test_of_several_workers_the_chief_alone_logs(client, monkeypatch):
    tracker = MLflow("runs/worker")
    monkeypatch.setattr(callback, "is_chief", lambda strategy: False)
    train_plain(tracker)
    assert tracker.run.id is None and not Path("runs/worker/mlflow.json").exists()


def test_mlflow_s_own_variables_say_where(folder, client, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{folder}/runs/mlflow/mlflow.db")
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "another")
    tracker = MLflow("runs/elsewhere")
    train_plain(tracker)
    experiment = client.get_run(tracker.run.id).info.experiment_id
    assert client.get_experiment(experiment).name == "another"


# --- A store that goes away


def away(tracker, monkeypatch, *calls, times=10**9):
    """Lets calls of MLflow's client fail so many times, as they do without a server."""
    left = [times]

    def failing(call):
        def fail(*args, **kwargs):
            left[0] -= 1
            if left[0] < 0:
                return call(*args, **kwargs)
            raise tracker.run._mlflow.MlflowException("API request failed with exception ...\n...")

        return fail

    for name in calls:
        client = tracker.run._client
        monkeypatch.setattr(client, name, failing(getattr(client, name)))


class Away(keras.callbacks.Callback):
    """Loses the store after the first epoch; put before the tracker, it is lost in the second."""

    def __init__(self, lose):
        super().__init__()
        self.lose = lose

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 1:
            self.lose()


def test_a_store_that_goes_away_and_comes_back_misses_nothing(client, monkeypatch):
    tracker = MLflow("runs/back")
    lose = Away(lambda: away(tracker, monkeypatch, "log_batch", times=2))
    monkeypatch.setattr(mlflow_run, "_SHARE", 1e9)  # asked at every epoch
    model = plain()
    with pytest.warns(UserWarning, match="no longer takes .*API request failed. The") as warned:
        history = model.fit(
            np.ones([8, 2]), np.ones([8, 1]), epochs=5, verbose=0, callbacks=[lose, tracker]
        ).history
    assert len(warned) == 1
    assert course(client, tracker.run.id)["loss"] == list(enumerate(history["loss"], 1))
    assert client.get_run(tracker.run.id).info.status == "FINISHED"


@pytest.mark.slow
def test_a_store_that_stays_away_ends_no_training_and_is_left_alone(client, monkeypatch):
    tracker = MLflow("runs/gone")
    clock = types.SimpleNamespace(now=0.0)
    asked = []

    def log_batch(*args, **kwargs):
        asked.append(clock.now)
        clock.now += 60  # so long it takes to be refused
        raise ConnectionError("refused")

    class Minutes(Away):
        def on_epoch_begin(self, epoch, logs=None):
            clock.now += 60
            super().on_epoch_begin(epoch)

    lose = Minutes(lambda: monkeypatch.setattr(tracker.run._client, "log_batch", log_batch))
    time = types.SimpleNamespace(monotonic=lambda: clock.now, time=lambda: 0.0)
    monkeypatch.setattr(mlflow_run, "time", time)
    model = plain()
    with pytest.warns(UserWarning, match="refused") as warned:
        history = model.fit(
            np.ones([8, 2]), np.ones([8, 1]), epochs=50, verbose=0, callbacks=[lose, tracker]
        ).history
    assert len(warned) == 1 and len(history["loss"]) == 50
    # Twenty minutes' peace for each minute of waiting; and once more in the end.
    assert len(asked) == 4


@pytest.mark.slow
def test_a_store_on_a_full_disk_ends_no_training(client, tmp_path, monkeypatch):
    with small_disk(tmp_path / "store", free=15 * 2**20, size=16 * 2**20):
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/store/mlflow.db")
        monkeypatch.chdir(tmp_path)
        tracker = MLflow(tmp_path / "run")
        lose = Away(lambda: fill(tmp_path / "store"))
        with pytest.warns(UserWarning, match="no longer takes what is logged") as warned:
            examples = np.ones([8, 2]), np.ones([8, 1])
            history = plain().fit(*examples, epochs=90, verbose=0, callbacks=[lose, tracker])
        assert len(warned) == 1 and len(history.history["loss"]) == 90


def test_losses_arrive_where_files_cannot(client, monkeypatch):
    tracker = MLflow("runs/no_files")
    away(tracker, monkeypatch, "log_artifact")
    monkeypatch.setattr(mlflow_run, "_SHARE", 1e9)
    with pytest.warns(UserWarning, match="no longer takes"):
        fit(compiled("mlp_vae"), SampleGrid("runs/no_files", count=4), tracker, epochs=3)
    assert len(course(client, tracker.run.id)["loss"]) == 3
    assert client.get_run(tracker.run.id).info.status == "FINISHED"


# --- The command


@pytest.mark.slow
def test_a_tracked_run_has_the_same_weights_and_all_of_it_is_logged(client):
    train.main([each for each in command("runs/not", "--epochs=2") if "track" not in each])
    train.main(command("runs/tracked", "--epochs=2"))
    models = [tfgen.load(f"runs/{name}/model.keras") for name in ("not", "tracked")]
    assert_same(*map(weights, models))
    assert not Path("runs/not/mlflow.json").exists()
    run_id = run_id_in("runs/tracked")
    run = client.get_run(run_id)
    config = json.loads(Path("runs/tracked/config.json").read_text())
    expected = {**config["settings"], **config["layout"]}
    assert run.data.params == {name: str(value) for name, value in expected.items()}
    assert run.info.status == "FINISHED"
    found = course(client, run_id)
    names, *rows = csv.reader(Path("runs/tracked/log.csv").read_text().splitlines())
    for column, name in enumerate(names[1:], 1):
        logged = [(epoch, float(row[column])) for epoch, row in enumerate(rows, 1)]
        assert found.pop(name) == logged
    test = json.loads(Path("runs/tracked/results.json").read_text())["test"]
    assert found == {f"test_{name}": [(2, value)] for name, value in test.items()}
    assert set(artifacts(client, run_id)) == {
        "README.md",
        "config.json",
        "log.csv",
        "model.keras",
        "pictures/samples-0001.png",
        "pictures/samples-0002.png",
        "summary.png",
    }


def train_until_interrupted(args, monkeypatch, hook):
    """Trains, and interrupts the third epoch where the checkpoint's callback is called."""
    called = getattr(Checkpoint, hook)

    def interrupted(self, epoch, logs=None):
        if epoch == 2:
            raise KeyboardInterrupt
        called(self, epoch, logs)

    with monkeypatch.context() as patched, pytest.raises(SystemExit):
        patched.setattr(Checkpoint, hook, interrupted)
        with closed_logs(patched):
            train.main(args)


@pytest.mark.slow
def test_an_interrupted_run_goes_on_in_mlflow_and_a_fresh_one_is_new(client, monkeypatch):
    args = command("runs/broken", "--epochs=4", "--checkpoint-minutes=0")
    # MLflow has the third epoch, and the checkpoint does not.
    train_until_interrupted(args, monkeypatch, "on_epoch_end")
    run_id = run_id_in("runs/broken")
    assert client.get_run(run_id).info.status == "KILLED"
    assert [step for step, _ in course(client, run_id)["loss"]] == [1, 2, 3]
    train.main(args)
    assert run_id_in("runs/broken") == run_id
    assert client.get_run(run_id).info.status == "FINISHED"
    assert [step for step, _ in course(client, run_id)["loss"]] == [1, 2, 3, 4]
    ended = client.get_run(run_id).info.end_time
    train.main(args)  # it is complete: nothing is logged
    assert client.get_run(run_id).info.end_time == ended
    train.main([*args, "--fresh"])
    assert run_id_in("runs/broken") != run_id
    train.main([each for each in args if "track" not in each] + ["--fresh"])
    assert not Path("runs/broken/mlflow.json").exists()


@pytest.mark.slow
def test_what_was_not_tracked_at_first_is_logged_later(client, monkeypatch):
    args = command("runs/later", "--epochs=3", "--steps=2", "--checkpoint-minutes=0")
    untracked = [each for each in args if "track" not in each]
    train_until_interrupted(untracked, monkeypatch, "on_epoch_begin")
    train.main(args)
    found = course(client, run_id_in("runs/later"))
    assert [step for step, _ in found["loss"]] == [1, 2, 3]
    assert [step for step, _ in found["test_loss"]] == [3]
    Path("runs/later/mlflow.json").unlink()
    train.main(args)  # it is complete
    assert course(client, run_id_in("runs/later")) == found
    assert "model.keras" in set(artifacts(client, run_id_in("runs/later")))


@pytest.mark.slow
def test_what_a_recipe_measures_and_a_model_s_card_are_logged(client, monkeypatch):
    def measure(model, train, test):
        Path("runs/measured/README.md").write_text("# A card")
        return {"modes": 7.0}

    demo = RECIPES["vae_demo"]
    measured = type(demo)(**{**vars(demo), "measure": measure})
    monkeypatch.setitem(RECIPES, "vae_demo", measured)
    train.main(command("runs/measured", "--epochs=1"))
    run_id = run_id_in("runs/measured")
    assert course(client, run_id)["modes"] == [(1, 7.0)]
    assert "README.md" in set(artifacts(client, run_id))


def test_a_model_without_steps_is_logged(client):
    args = ["kde_digits", "--data=digits", "--track=mlflow", "--no-export", "--output=runs/kde"]
    train.main(args)
    run = client.get_run(run_id_in("runs/kde"))
    assert run.data.params["recipe"] == "kde_digits" and "summary.png" in set(
        artifacts(client, run.info.run_id)
    )
    assert any(name.startswith("test_") for name in run.data.metrics)


def test_what_a_user_can_mend_is_told_before_training_in_a_line(client, capsys, monkeypatch):
    def refused(*more):
        with pytest.raises(SystemExit) as exit:
            train.main(command("runs/refused", *more))
        assert "\n" not in str(exit.value)
        assert not Path("runs/refused/config.json").exists()
        return str(exit.value)

    monkeypatch.setenv("MLFLOW_TRACKING_URI", NOWHERE)
    assert f"cannot be used: API request to {NOWHERE}/" in (line := refused())
    assert line.endswith("failed. Start its server, or set MLFLOW_TRACKING_URI to another store.")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "nothing://there")
    assert "unsupported URI 'nothing://there'" in refused()
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    monkeypatch.setitem(sys.modules, "mlflow", None)  # as if it were not installed
    assert refused().endswith("pip install 'tfgen[mlflow]'.")
    with pytest.raises(SystemExit):
        train.main(["vae_demo", "--track=wandb"])
    assert "invalid choice: 'wandb' (choose from" in capsys.readouterr().err
    monkeypatch.setattr(train, "parse", lambda rest: train.parse)  # the launcher knows it, too
    assert launch.parse(["vae_demo", "--track=mlflow"])[1] == ["vae_demo", "--track=mlflow"]


# --- In a process of its own

LONELY = """
import sys

def watch(event, args):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname"):
        print("asked the network:", event, args, flush=True)

sys.addaudithook(watch)
import os
for name in {names}:
    os.environ.pop(name, None)
import keras, numpy as np
from tfgen.callbacks import MLflow

model = keras.Sequential([keras.Input([2]), keras.layers.Dense(1)])
model.compile("adam", "mse")
with MLflow("{folder}") as tracker:
    model.fit(np.ones([8, 2]), np.ones([8, 1]), verbose=0, callbacks=[tracker])
print("done", flush=True)
"""
# By each of these MLflow's telemetry takes itself for tested, and is silent.
TESTED = ("PYTEST_CURRENT_TEST", "CI", "MLFLOW_DISABLE_TELEMETRY", "DO_NOT_TRACK")


@pytest.mark.slow
def test_nothing_is_sent_over_a_network_and_two_may_begin_at_once(tmp_path):
    """Telemetry is off; and of two processes one makes the store, while the other waits."""
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", LONELY.format(names=TESTED, folder=f"runs/{number}")],
            cwd=tmp_path,
            env={
                **{name: value for name, value in os.environ.items() if name not in TESTED},
                "PYTHONPATH": os.getcwd() if not sys.path[0] else sys.path[0],
            },
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(2)
    ]
    assert [process.communicate(timeout=300)[0] for process in processes] == 2 * ["done\n"]
