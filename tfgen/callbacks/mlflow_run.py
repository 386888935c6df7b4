"""A run in MLflow, as a training logs to it: it goes on where the server does not answer."""

import collections
import contextlib
import functools
import os
import pathlib
import time
import warnings

from tfgen.utils.cache import locked
from tfgen.utils.files import check_writable

_STORE = pathlib.Path("runs/mlflow")  # of the current folder
_SHARE = 0.05  # of the training's time, at most, is spent on a server that does not answer
_VARIABLES = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_LOGGING_LEVEL": "WARNING",
    # MLflow's own would let a training stand still for many minutes: 7 retries, 2 minutes each.
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "30",  # seconds
}


class MLflowRun:
    """A run in MLflow; what is put waits until it can be sent.

    MLflow's client is used, and not its active run: a program may have one of its own.

    Args:
        name: what MLflow calls the run.
        parameters: a dict of what it is begun with; its values are logged as text.
        run_id: that of an earlier run to continue; `None` to begin one.

    Attributes:
        id: MLflow's id of the run; `None` before it is begun.
        is_begun: whether `begin` was called.
        is_finished: whether an earlier process finished it, and this one has not begun it again.
        epochs: the last step that has metrics.

    Raises:
        ModuleNotFoundError: MLflow is not installed.
        OSError: the store cannot be used.
        ValueError: the run to continue is not there.
    """

    def __init__(self, name, parameters, run_id=None):
        self.name = name
        self.parameters = {key: str(value) for key, value in parameters.items()}
        self.id = run_id
        self.is_begun = self.is_finished = False
        self.epochs = 0
        self._metrics, self._files = collections.deque(), collections.deque()
        self._retry_at, self._has_warned = 0.0, False
        self._mlflow = _import_mlflow()
        with self._refusals():
            self._client, self._artifacts = self._connect()
            self._earlier = self._find_run() if run_id else {}

    def begin(self):
        """Begins the run in MLflow, or marks it as running again.

        Raises:
            OSError: the store cannot be used.
        """
        with self._refusals():
            if self.id is None:
                experiment = self._find_experiment()
                self.id = self._client.create_run(experiment, run_name=self.name).info.run_id
            else:
                self._client.update_run(self.id, "RUNNING")
            new = {key: self.parameters[key] for key in self.parameters.keys() - self._earlier}
            params = [self._mlflow.entities.Param(*item) for item in sorted(new.items())]
            self._client.log_batch(self.id, params=params)
            if changes := self._changes():
                self._client.set_tag(self.id, "changed", changes)
        self.is_begun, self.is_finished = True, False

    def put_metrics(self, metrics, step):
        """Takes figures, a dict, of a step."""
        now = int(1000 * time.time())
        metrics = [
            self._mlflow.entities.Metric(name, float(value), now, step)
            for name, value in metrics.items()
        ]
        self._metrics.append(functools.partial(self._client.log_batch, self.id, metrics))
        self.epochs = step

    def put_file(self, path, folder=None):
        """Takes a file, for a folder of the run's artifacts."""
        self._files.append(functools.partial(self._client.log_artifact, self.id, str(path), folder))

    def send(self, now=False):
        """Sends what was put; warns, once, where that fails, and keeps what was not sent.

        Args:
            now: whether to try in any case. Otherwise a server that did not answer is left alone
                for twenty times as long as was waited for it.
        """
        begun = time.monotonic()
        if begun < self._retry_at and not now:
            return
        try:
            for waiting in (self._metrics, self._files):  # a store of files may fail alone
                while waiting:
                    waiting[0]()
                    waiting.popleft()
        except Exception as error:  # whatever it is, the training is worth more
            ended = time.monotonic()
            self._retry_at = ended + (ended - begun) / _SHARE
            self._warn(error)

    def end(self, status):
        """Sends what is left, and the run's status: "FINISHED", "KILLED" or "FAILED"."""
        if self.is_begun:
            self._metrics.append(functools.partial(self._client.set_terminated, self.id, status))
            self.send(now=True)

    def _connect(self):
        """Returns MLflow's client, and the folder of artifacts if the store is the local one."""
        if self._mlflow.is_tracking_uri_set():
            client = self._mlflow.MlflowClient(self._mlflow.get_tracking_uri())
            client.search_experiments(max_results=1)  # asks the server
            return client, None
        check_writable(_STORE)
        database = _STORE.resolve() / "mlflow.db"
        with locked(database):  # two processes that make its tables would disturb each other
            client = self._mlflow.MlflowClient(f"sqlite:///{database}")
        return client, database.parent / "artifacts"

    def _find_experiment(self):
        """Returns the id of the experiment, which is made if need be."""
        name = os.environ.get("MLFLOW_EXPERIMENT_NAME", "tfgen")
        if self._client.get_experiment_by_name(name) is None:
            location = self._artifacts and (self._artifacts / name).as_uri()
            try:
                return self._client.create_experiment(name, location)
            except self._mlflow.MlflowException as error:
                if error.error_code != "RESOURCE_ALREADY_EXISTS":  # since a moment
                    raise
        return self._client.get_experiment_by_name(name).experiment_id

    def _find_run(self):
        """Looks the run up that is to be continued; returns the parameters that it has."""
        try:
            run = self._client.get_run(self.id)
        except self._mlflow.MlflowException as error:
            if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                raise
            run = None
        if run is None or run.info.lifecycle_stage != "active":
            raise ValueError(
                f"MLflow has no run {self.id}, which was to be continued: it was deleted, or is in "
                "another store. Set MLFLOW_TRACKING_URI to that store, or begin a new MLflow run "
                "by removing mlflow.json from the run's folder."
            )
        steps = [
            metric.step
            for name in run.data.metrics
            for metric in self._client.get_metric_history(self.id, name)
        ]
        self.epochs = max(steps, default=0)
        self.is_finished = run.info.status == "FINISHED"
        return run.data.params

    def _changes(self):
        """Returns the parameters that are others than the run was begun with, as text."""
        return ", ".join(
            f"{name} {self._earlier[name]} -> {value}"
            for name, value in self.parameters.items()
            if self._earlier.get(name, value) != value
        )

    @contextlib.contextmanager
    def _refusals(self):
        """Makes an error of what MLflow, its server or its database raise, for the user."""
        try:
            yield
        except (ValueError, OSError):
            raise
        except Exception as error:
            raise OSError(
                f"MLflow's store cannot be used: {_first_line(error)}. Start its server, or set "
                "MLFLOW_TRACKING_URI to another store."
            ) from error

    def _warn(self, error):
        if not self._has_warned:
            self._has_warned = True
            warnings.warn(
                f"MLflow's store no longer takes what is logged: {_first_line(error)}. The "
                "training goes on. What is missing there is sent when the store answers again.",
                stacklevel=4,
            )


def _import_mlflow():
    """Imports MLflow; its variables that are not set are set first.

    Raises:
        ModuleNotFoundError: it is not installed.
    """
    for name, value in _VARIABLES.items():
        os.environ.setdefault(name, value)
    try:
        import mlflow
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f"Tracking with MLflow needs it installed ({error}): pip install 'tfgen[mlflow]'."
        ) from error
    return mlflow


def _first_line(error):
    """Returns the beginning of what an error says."""
    first, _, _ = str(error).strip().partition("\n")
    first, _, _ = first.partition(" with exception ")  # of a library that MLflow uses
    return first[:200]
