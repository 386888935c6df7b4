"""A callback that logs a training to MLflow."""

import json
import pathlib

import keras

from tfgen.callbacks.mlflow_run import MLflowRun
from tfgen.engine.replicas import is_chief
from tfgen.utils.files import atomic_write, check_writable


class MLflow(keras.callbacks.Callback):
    """Logs a training to MLflow: parameters, the losses of every epoch, pictures, files.

    The step of a metric is the number of epochs that are done. Pictures are all those that the
    callbacks before this one in the list write to `DIRECTORY/pictures`. With several worker
    processes, the chief logs.

    Where training goes on after an interruption, `resume=True` continues the MLflow run, whose id
    is in `DIRECTORY/mlflow.json`. Epochs that it already has are not logged again.

    A server that does not answer is an error before the training, and a warning during it, once.
    What the server missed is sent when it answers again. The training goes on, with the same bits.

    MLflow's own variables say where the run is stored: `MLFLOW_TRACKING_URI` (or
    `mlflow.set_tracking_uri`) and `MLFLOW_EXPERIMENT_NAME`. The defaults are the local store
    `runs/mlflow` and the experiment `tfgen`. Where they are not set, this callback sets
    `MLFLOW_DISABLE_TELEMETRY`, so that nothing is reported to MLflow's makers,
    `MLFLOW_LOGGING_LEVEL`, `MLFLOW_HTTP_REQUEST_TIMEOUT` and `MLFLOW_HTTP_REQUEST_MAX_RETRIES`, so
    that the training waits for a request for a minute at most.

    Args:
        directory: the run's folder.
        parameters: a dict of what the run is begun with; its values are logged as text.
        name: what MLflow calls the run; `None` for the folder's name.
        resume: whether to continue the MLflow run that `directory` names, if there is one.

    Attributes:
        run: the run in MLflow; `run.id` is MLflow's id, once it has begun.

    Raises:
        ModuleNotFoundError: MLflow is not installed.
        OSError: the store cannot be used, or nothing can be written to `directory`.
        ValueError: the MLflow run to continue is not there.

    Example:
        >>> with tfgen.callbacks.MLflow("runs/vae", {"beta": 4.0}) as tracker:
        ...     model.fit(images, epochs=10, callbacks=[SampleGrid("runs/vae"), tracker])
        ...     model.save("runs/vae/model.keras")
        ...     tracker.log({"elbo": -102.3}, ["runs/vae/model.keras"])
    """

    def __init__(self, directory, parameters=None, name=None, resume=False):
        super().__init__()
        self.directory = pathlib.Path(directory)
        check_writable(self.directory)
        self._note = self.directory / "mlflow.json"
        noted = json.loads(self._note.read_text()) if resume and self._note.exists() else {}
        name = name or self.directory.resolve().name
        self.run = MLflowRun(name, parameters or {}, noted.get("run_id"))
        self._is_within = False  # a `with` block, whose end is that of the run
        self._pictures = {}

    def __enter__(self):
        self._is_within = True
        return self

    def __exit__(self, kind, error, traceback):
        self._is_within = False
        stopped = isinstance(error, (KeyboardInterrupt, SystemExit))
        self.run.end("FINISHED" if error is None else "KILLED" if stopped else "FAILED")

    def on_train_begin(self, logs=None):
        if is_chief(self.model.distribute_strategy):
            self._begin()
            self._pictures = self._find_pictures()

    def on_epoch_end(self, epoch, logs=None):
        if is_chief(self.model.distribute_strategy):
            if epoch >= self.run.epochs:
                self.run.put_metrics(logs or {}, epoch + 1)
            self._put_pictures()
            self.run.send()

    def on_train_end(self, logs=None):
        if is_chief(self.model.distribute_strategy) and not self._is_within:
            self.run.end("FINISHED")

    def log(self, metrics=None, files=()):
        """Logs what is known when the training is over. Of several workers, the chief calls it.

        Args:
            metrics: a dict of numbers; they are logged as those of the last epoch.
            files: the paths of files.

        Raises:
            OSError: the store cannot be used, and nothing was logged before.
        """
        self._begin()
        self.run.put_metrics(metrics or {}, self.run.epochs)
        for path in files:
            self.run.put_file(path)
        self.run.send(now=True)

    def log_epochs(self, losses):
        """Logs epochs before this training, unless MLflow has them or later ones.

        Args:
            losses: a dict from the number of epochs that were done to a dict of numbers.

        Raises:
            OSError: the store cannot be used, and nothing was logged before.
        """
        self._begin()
        for epoch, metrics in losses.items():
            if epoch > self.run.epochs:
                self.run.put_metrics(metrics, epoch)
        self.run.send(now=True)

    def _begin(self):
        """Begins or continues the MLflow run, unless that was done, and notes its id."""
        if not self.run.is_begun:
            self.run.begin()
            with atomic_write(self._note) as path:
                path.write_text(json.dumps({"run_id": self.run.id}) + "\n")

    def _find_pictures(self):
        """Returns when each picture that is there was written."""
        found = sorted((self.directory / "pictures").glob("*.png"))
        return {path: path.stat().st_mtime_ns for path in found}

    def _put_pictures(self):
        """Logs the pictures that were written since this was last called."""
        earlier, self._pictures = self._pictures, self._find_pictures()
        for path, written in self._pictures.items():
            if earlier.get(path) != written:
                self.run.put_file(path, "pictures")
