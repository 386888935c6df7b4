"""Deep generative models for Keras 3 and TensorFlow.

Importing `tfgen` is light: TensorFlow is imported when one of the names below is first used.
"""

import importlib

__version__ = "0.1.0"

# Where each public name lives; `None` marks a module.
_HOMES = {
    "augmentations": None,
    "bounds": None,
    "callbacks": None,
    "client": None,
    "codes": None,
    "data": None,
    "densities": None,
    "distributions": None,
    "evaluation": None,
    "features": None,
    "games": None,
    "latents": None,
    "layers": None,
    "networks": None,
    "penalties": None,
    "pictures": None,
    "samplers": None,
    "schedules": None,
    "zoo": None,
    "AdversarialModel": "tfgen.adversarial",
    "BEGAN": "tfgen.models.began",
    "ConditionalGAN": "tfgen.models.conditional_gan",
    "CycleGAN": "tfgen.models.cycle_gan",
    "DensityModel": "tfgen.models.density_model",
    "GAN": "tfgen.models.gan",
    "GenerativeModel": "tfgen.base",
    "InfoGAN": "tfgen.models.info_gan",
    "VAE": "tfgen.models.vae",
    "export": "tfgen.serving",
    "load": "tfgen.serving",
    "strategy": "tfgen.strategies",
}

__all__ = list(_HOMES)


def __getattr__(name):
    if name not in _HOMES:
        raise AttributeError(f"module 'tfgen' has no attribute {name!r}. It has: {__all__}.")
    home = _HOMES[name]
    if home is None:
        return importlib.import_module(f"tfgen.{name}")
    return getattr(importlib.import_module(home), name)


def __dir__():
    return __all__
