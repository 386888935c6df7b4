"""Trackers: where the figures, pictures and models of many runs are kept side by side."""

import contextlib
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


def track(run, metrics, *files):
    """Logs what is known of a trained model, and its card if there is one, to the run's trackers.

    Args:
        run: a `Run`.
        metrics: a dict of numbers.
        *files: the paths of files.
    """
    card = run.folder.path / "README.md"
    for tracker in run.trackers:
        tracker.log(metrics, [*files, *([card] if card.exists() else [])])
