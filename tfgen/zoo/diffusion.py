"""Papers on diffusion and flows."""

import keras

from tfgen.models.diffusion.diffusion import Diffusion
from tfgen.objectives.noise_paths import EDM, Cosine, Linear, VariancePreserving
from tfgen.objectives.predictions import Epsilon, Preconditioned, V, Velocity
from tfgen.objectives.solvers import DDIM, Heun
from tfgen.zoo.compiled import compiled


def flow_matching(network, optimizers=None, **options):
    """Lipman et al., 2023, equation 23: straight paths, and the velocity along them."""
    return _diffusion(network, Linear(), Velocity(), Heun(), optimizers, options)


def ddpm(network, optimizers=None, **options):
    """Ho et al., 2020, equation 14 and algorithms 1 and 2, of 1,000 steps.

    `steps=50, solver=tfgen.solvers.DDIM()` samples the same model by Song et al., 2021. The paper's
    average of weights is `ema_momentum=0.9999`.
    """
    options = {"steps": 1000, **options}
    return _diffusion(network, VariancePreserving(), Epsilon(), DDIM(1.0), optimizers, options)


def cosine_v(network, optimizers=None, **options):
    """Salimans and Ho, 2022, section 4: `v` on the cosine path of Nichol and Dhariwal, 2021."""
    return _diffusion(network, Cosine(), V(), DDIM(), optimizers, options)


def edm(network, data_deviation=0.5, optimizers=None, **options):
    """Karras et al., 2022, table 1: noise is only added; Heun's method in 18 steps.

    `data_deviation` is that of the data as the network sees them, of images from -1 to 1: about 0.5
    for photographs, 0.62 for MNIST, 0.71 for Fashion-MNIST.
    """
    options = {"steps": 18, **options}
    return _diffusion(network, EDM(), Preconditioned(data_deviation), Heun(), optimizers, options)


def _diffusion(network, noise_path, prediction, solver, optimizers, options):
    """Returns a diffusion, compiled with Adam as Ho et al. have it."""
    options = {"solver": solver, **options}
    model = Diffusion(network, noise_path, prediction, **options)
    return compiled(model, optimizers, [keras.optimizers.Adam(2e-4)])
