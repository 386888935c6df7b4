"""Diffusion models and flows."""

import keras

import tfgen
from tfgen import data, networks, noise_paths, predictions, zoo
from training.recipes.contrastive import clip_fashion
from training.recipes.measures import captions_obeyed
from training.recipes.recipe import recipe
from training.recipes.vaes import vae_fashion

# Few steps are taken in training, and each is compiled: on a processor XLA takes half the time.
CLOTHES = {
    "data": "embedded",
    "batch_size": 64,
    "epochs": 4,
    "jit_compile": True,
    "steps_per_execution": 1,
}
OF_RECORD = {"batch_size": 128, "epochs": 36, "jit_compile": True, "steps_per_execution": 1}
POINTS = {"batch_size": 500, "epochs": 60, "jit_compile": True, "steps_per_execution": 100}


@recipe(**CLOTHES)
def flow_fashion(shape, steps):
    """Flow matching (Lipman et al., 2023): straight paths from noise to small clothes."""
    return _flow(shape, steps)


@recipe(**CLOTHES, labels=True, num_classes=10)
def guided_flow_fashion(shape, steps):
    """Flow matching that is told the kind of garment, with guidance (Ho and Salimans, 2022)."""
    return _guided(shape, steps)


@recipe(**CLOTHES)
def ddpm_fashion(shape, steps):
    """Denoising diffusion (Ho et al., 2020) on the cosine path, of `v`, sampled by DDIM."""
    return _trained(zoo.cosine_v(_unet(shape), steps=20, ema_momentum=0.99), steps)


@recipe(
    data="embedded",
    captions=data.GARMENTS,
    batch_size=64,
    epochs=4,
    begin_with="clip_fashion",
    measure=captions_obeyed(data.GARMENTS),
    jit_compile=True,
    steps_per_execution=1,
)
def dall_e_fashion(shape, steps):
    """DALL-E 2 in small (Ramesh et al., 2022): garments drawn of captions."""
    clip = clip_fashion(shape, steps)
    size = {"condition_size": clip.size}
    prior = networks.diffusion_mlp(clip.size, (256,) * 3, **size)
    values = {"noise_path": noise_paths.Cosine(), "prediction": predictions.Example()}
    model = tfgen.DALLE2(
        clip,
        tfgen.ConditionalDiffusion(prior, **values, steps=16, ema_momentum=0.99),
        tfgen.ConditionalDiffusion(_unet(shape, **size), guidance=2.0, steps=8, ema_momentum=0.99),
    )
    return _trained(model, steps)


@recipe(data="tfds:fashion_mnist", **OF_RECORD)
def flow_fashion_mnist(shape, steps):
    """Flow matching on Fashion-MNIST."""
    return _flow(shape, steps, ema_momentum=0.999)


@recipe(data="tfds:mnist", **OF_RECORD)
def flow_mnist(shape, steps):
    """Flow matching on MNIST."""
    return _flow(shape, steps, ema_momentum=0.999)


@recipe(data="tfds:fashion_mnist", **OF_RECORD, labels=True, num_classes=10)
def guided_flow_fashion_mnist(shape, steps):
    """Flow matching on Fashion-MNIST that is told the kind of garment."""
    return _guided(shape, steps, ema_momentum=0.999)


@recipe(data="ring", **POINTS)
def flow_ring(shape, steps):
    """Flow matching of points on a ring of Gaussians, whose ways can be drawn."""
    network = networks.diffusion_mlp(*shape)
    return _trained(tfgen.Diffusion(network, ema_momentum=0.99), steps)


@recipe(data="ring", **POINTS)
def consistency_ring(shape, steps):
    """A consistency model (Song and Dhariwal, 2024): points of a ring in one step."""
    network = networks.diffusion_mlp(*shape)
    values = {"prediction": predictions.Consistent(0.7), "ema_momentum": 0.99}
    model = tfgen.ConsistencyModel(network, steps, **values)
    return _trained(model, steps)


@recipe(data="embedded", batch_size=64, epochs=20, begin_with="vae_fashion")
def latent_diffusion_fashion(shape, steps):
    """A diffusion of the latents of `vae_fashion` (Rombach et al., 2022)."""
    vae = vae_fashion(shape, steps)
    network = networks.diffusion_mlp(vae.prior.size, (256,) * 3)
    model = tfgen.LatentDiffusion(network, vae, steps=16, ema_momentum=0.99)
    return _trained(model, steps, rate=1e-3)


def _flow(shape, steps, ema_momentum=0.99):
    """Returns a flow of images."""
    return _trained(tfgen.Diffusion(_unet(shape), steps=8, ema_momentum=ema_momentum), steps)


def _guided(shape, steps, ema_momentum=0.99):
    """Returns a flow of images of ten classes."""
    network = _unet(shape, condition_size=10)
    options = {"guidance": 2.0, "steps": 8, "ema_momentum": ema_momentum}
    return _trained(tfgen.ConditionalDiffusion(network, 10, **options), steps)


def _unet(shape, **options):
    return networks.diffusion_unet(shape, width=32, multiples=(1, 2), **options)


def _trained(model, steps, rate=3e-3):
    """Returns a model with an optimizer whose rate falls to 0."""
    model.compile(keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(rate, steps)))
    return model
