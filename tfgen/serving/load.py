"""Saved models, read back."""

import json
import pathlib
import zipfile

import keras

from tfgen.engine.serialization import register_imported


def load(path):
    """Loads a model that `model.save` wrote, compiled and with its optimizer's state.

    It does what `keras.saving.load_model` does, and takes a run's folder too.

    Args:
        path: a `.keras` file, or a run's folder, which has a `model.keras`.

    Returns:
        The model.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it holds no model, or one of a class that is not known.

    Example:
        >>> model = tfgen.load("runs/vae_fashion")
    """
    path = pathlib.Path(path)
    file = path / "model.keras" if path.is_dir() else path
    if not file.is_file():
        raise FileNotFoundError(
            f"There is no model in {path}. Expected a `.keras` file, or a run's folder with a "
            "`model.keras`: training a recipe writes one (`python -m training.train`), and so does "
            "`model.save`."
        )
    try:
        register_imported(_configuration(file))
        return keras.saving.load_model(file)
    except (KeyError, TypeError) as error:  # a file of something else; an unknown class
        raise ValueError(f"{file} cannot be loaded: {error}") from error


def _configuration(file):
    """Returns what a `.keras` file says of its model; of another file, nothing."""
    if not zipfile.is_zipfile(file):
        return {}
    with zipfile.ZipFile(file) as archive:
        return json.loads(archive.read("config.json"))
