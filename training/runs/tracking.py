"""Trackers: where the figures, pictures and models of many runs are kept side by side."""

import contextlib
import csv
import dataclasses

from tfgen.callbacks import MLflow


def tracked(run, resume):
    """Returns a run whose course is logged to MLflow, too, once MLflow's store has answered.

    Args:
        run: a `Run`, on the chief.
        resume: whether it may go on in the MLflow run that its folder names.

    Raises:
        OSError: MLflow's store cannot be used.
        ValueError: MLflow is not installed, or does not have the run that the folder names.
    """
    try:
        tracker = MLflow(run.folder.path, {**run.settings, **run.layout}, resume=resume)
    except ModuleNotFoundError as error:
        raise ValueError(str(error)) from error
    return dataclasses.replace(run, trackers=(tracker,))


@contextlib.contextmanager
def end_is_tracked(run):
    """Tells the run's trackers, when the block ends, how it did."""
    with contextlib.ExitStack() as stack:
        for tracker in run.trackers:
            stack.enter_context(tracker)
        yield


def track_past(run):
    """Logs the epochs of the run's log that its trackers lack: they were not asked for, or away."""
    for tracker in run.trackers:
        with run.folder.log.open(newline="") as file:
            rows = list(csv.DictReader(file))
        tracker.log_epochs({int(row.pop("epoch")) + 1: _numbers(row) for row in rows})


def track_results(run, results):
    """Logs what is known of a complete run to its trackers, unless they have it.

    Args:
        run: a `Run`, trained.
        results: its `results.json`.
    """
    figures = {f"test_{name}": loss for name, loss in results["test"].items()}
    folder = run.folder
    files = folder.config, folder.log, folder.summary, folder.model, folder.card
    for tracker in run.trackers:
        if not tracker.run.is_finished:
            track_past(run)
            tracker.log(
                {**figures, **results.get("measured", {})},
                [file for file in files if file.exists()],
            )


def _numbers(row):
    """Returns the numbers of a line of a CSV log; where there is none, Keras writes NA."""
    return {name: float(value) for name, value in row.items() if value not in ("", "NA")}
