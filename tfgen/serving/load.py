"""Saved models, read back."""

import importlib
import pkgutil

import keras

import tfgen


def load(path):
    """Loads a model that `model.save` wrote, compiled and with its optimizer's state.

    It does what `keras.saving.load_model` does once every class of tfgen is known to Keras.

    Args:
        path: a `.keras` file.

    Returns:
        The model.

    Example:
        >>> model = tfgen.load("runs/vae_fashion/model.keras")
    """
    for module in pkgutil.walk_packages(tfgen.__path__, prefix="tfgen."):
        # What serves has no such classes, and needs packages that who trains may not have.
        if not module.name.startswith(("tfgen.__main__", "tfgen.serving")):
            importlib.import_module(module.name)
    return keras.saving.load_model(path)
