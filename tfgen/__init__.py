"""Deep generative models for Keras 3 and TensorFlow.

Importing `tfgen` is light: TensorFlow is imported when one of the names below is first used.
"""

import importlib
import sys

from tfgen.saved_classes import SAVED_CLASSES
from tfgen.utils.aliases import Aliases
from tfgen.utils.deprecation import warn_renamed
from tfgen.utils.lazy_classes import register_lazily

__version__ = "0.1.0"

# Where each public module lives.
_MODULES = {
    "augmentations": "tfgen.objectives.augmentations",
    "bounds": "tfgen.objectives.bounds",
    "callbacks": "tfgen.callbacks",
    "client": "tfgen.serving.client",
    "codes": "tfgen.distributions.codes",
    "contrasts": "tfgen.objectives.contrasts",
    "data": "tfgen.data",
    "densities": "tfgen.distributions.densities",
    "distributions": "tfgen.distributions",
    "evaluation": "tfgen.evaluation",
    "games": "tfgen.objectives.games",
    "latent_space": "tfgen.latent_space",
    "latent_views": "tfgen.latent_views",
    "kernels": "tfgen.objectives.kernels",
    "layers": "tfgen.layers",
    "networks": "tfgen.networks",
    "noise": "tfgen.engine.noise",
    "noise_paths": "tfgen.objectives.noise_paths",
    "penalties": "tfgen.objectives.penalties",
    "predictions": "tfgen.objectives.predictions",
    "pictures": "tfgen.pictures",
    "samplers": "tfgen.distributions.samplers",
    "schedules": "tfgen.objectives.schedules",
    "solvers": "tfgen.objectives.solvers",
    "zoo": "tfgen.zoo",
}

# Where each public class or function lives.
_NAMES = {
    "AdversarialModel": "tfgen.engine.adversarial_model",
    "AuxiliaryClassifierGAN": "tfgen.models.gans.auxiliary_classifier_gan",
    "Autoencoder": "tfgen.models.autoencoders.autoencoder",
    "Autoregressive": "tfgen.models.autoregressive.autoregressive",
    "BEGAN": "tfgen.models.gans.began",
    "ConditionalAutoregressive": "tfgen.models.autoregressive.conditional_autoregressive",
    "ConditionalDiffusion": "tfgen.models.diffusion.conditional_diffusion",
    "CLIP": "tfgen.models.contrastive.clip",
    "ConditionalGAN": "tfgen.models.gans.conditional_gan",
    "ConditionalVAE": "tfgen.models.autoencoders.conditional_vae",
    "Configured": "tfgen.engine.serialization",
    "ConsistencyModel": "tfgen.models.diffusion.consistency_model",
    "CycleGAN": "tfgen.models.translation.cycle_gan",
    "DALLE2": "tfgen.models.diffusion.dall_e_2",
    "DensityModel": "tfgen.models.classical.density_model",
    "Diffusion": "tfgen.models.diffusion.diffusion",
    "FactorVAE": "tfgen.models.autoencoders.factor_vae",
    "GAN": "tfgen.models.gans.gan",
    "GenerativeModel": "tfgen.engine.generative_model",
    "HierarchicalVAE": "tfgen.models.autoencoders.hierarchical_vae",
    "InfoGAN": "tfgen.models.gans.info_gan",
    "LatentAutoregressive": "tfgen.models.autoregressive.latent_autoregressive",
    "LatentDiffusion": "tfgen.models.diffusion.latent_diffusion",
    "MultiScaleAutoregressive": "tfgen.models.autoregressive.multi_scale_autoregressive",
    "RectifiedFlow": "tfgen.models.diffusion.rectified_flow",
    "SimCLR": "tfgen.models.contrastive.sim_clr",
    "SwapAutoencoder": "tfgen.models.autoencoders.swap_autoencoder",
    "TwoPlayerModel": "tfgen.engine.two_player_model",
    "VAE": "tfgen.models.autoencoders.vae",
    "VQVAE": "tfgen.models.autoencoders.vq_vae",
    "WassersteinAutoencoder": "tfgen.models.autoencoders.wasserstein_autoencoder",
    "export": "tfgen.serving.export",
    "fit_prior": "tfgen.models.autoencoders.prior_fit",
    "load": "tfgen.serving.load",
    "serializable": "tfgen.engine.serialization",
    "deterministic": "tfgen.engine.devices",
    "strategy": "tfgen.engine.strategies",
    "unpack": "tfgen.engine.batches",
}

# Modules that had other names in the release before.
_OLD_MODULES = {
    "features": "tfgen.evaluation",  # discriminator_features, linear_probe
    "latents": "tfgen.latent_space",
}

__all__ = sorted([*_MODULES, *_NAMES])

# `import tfgen.games` finds the module, too.
sys.meta_path.append(
    Aliases(
        {f"tfgen.{name}": home for name, home in _MODULES.items() if f"tfgen.{name}" != home},
        renamed={f"tfgen.{name}": home for name, home in _OLD_MODULES.items()},
    )
)

# Keras' own `load_model` finds the classes that a saved file names.
register_lazily(SAVED_CLASSES)


def __getattr__(name):
    if name in _MODULES:
        return importlib.import_module(_MODULES[name])
    if name in _NAMES:
        return getattr(importlib.import_module(_NAMES[name]), name)
    if name in _OLD_MODULES:
        warn_renamed(f"tfgen.{name}", _OLD_MODULES[name])
        return importlib.import_module(_OLD_MODULES[name])
    raise AttributeError(f"module 'tfgen' has no attribute {name!r}. It has: {__all__}.")


def __dir__():
    return __all__
