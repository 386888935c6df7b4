"""Saved models, read back."""

import json
import logging
import pathlib
import zipfile

import keras

from tfgen.engine.serialization import register_imported
from tfgen.serving.locate import find_release
from tfgen.serving.trust import PROGRAM

_LOG = logging.getLogger(__name__)


def load(path, compile=True):
    """Loads a model that `model.save` wrote, compiled and with its optimizer's state.

    It does what `keras.saving.load_model` does, and takes a run's folder and a release, too. The
    model of a release is not compiled: it can do all that it has learnt, and must be compiled to
    learn more.

    Args:
        path: a `.keras` file; a run's folder, which has a `model.keras`; a release file,
            `NAME.tfgen`; or the address of a release file with its checksum,
            "https://HOST/NAME.tfgen#sha256=HEX" (`https` or `file`). What lies at an
            address is checked, and kept in the cache (`TFGEN_CACHE`, or `~/.cache/tfgen`).
        compile: whether to compile the model as it was when it was saved.

    Returns:
        The model.

    Raises:
        FileNotFoundError: there is no such file.
        ConnectionError: an address does not answer.
        ValueError: it holds no model, one of a class that is not known, or is not what its
            checksum says.

    Example:
        >>> model = tfgen.load("runs/vae_fashion")
        >>> model = tfgen.load("vae_fashion.tfgen")
    """
    release = find_release(path)
    if release is not None and "://" in str(path):
        _LOG.warning("%s holds a model, which is read as data, and a SavedModel. %s", path, PROGRAM)
    path = pathlib.Path(path) if release is None else release.model
    file = path / "model.keras" if path.is_dir() else path
    if not file.is_file():
        raise FileNotFoundError(
            f"There is no model in {path}. Expected a `.keras` file, or a run's folder with a "
            "`model.keras`: training a recipe writes one (`python -m training.train`), and so does "
            "`model.save`. Or a release file, `NAME.tfgen`, or its address."
        )
    try:
        register_imported(_configuration(file))
        return keras.saving.load_model(file, compile=compile)
    except (KeyError, TypeError) as error:  # a file of something else; an unknown class
        raise ValueError(f"{file} cannot be loaded: {error}") from error


def _configuration(file):
    """Returns what a `.keras` file says of its model; of another file, nothing."""
    if not zipfile.is_zipfile(file):
        return {}
    with zipfile.ZipFile(file) as archive:
        return json.loads(archive.read("config.json"))
