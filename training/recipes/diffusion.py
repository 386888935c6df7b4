"""Diffusion models and flows."""

import keras

import tfgen
from tfgen import data, networks, noise_paths, predictions, zoo
from training.recipes.contrastive import clip_fashion, clip_fashion_mnist
from training.recipes.measures import captions_obeyed
from training.recipes.recipe import recipe
from training.recipes.vaes import vae_fashion

# Few steps are taken in training, and each is compiled: on a processor XLA takes half the time.
CLOTHES = {
    "data": "embedded",
    "batch_size": 32,
    "epochs": 4,
    "jit_compile": True,
    "steps_per_execution": 1,
}
_SMALL = 16  # the width of networks that learn for minutes: more examples are worth more than it
OF_RECORD = {"batch_size": 128, "epochs": 36, "jit_compile": True, "steps_per_execution": 1}
POINTS = {"batch_size": 500, "epochs": 60, "jit_compile": True, "steps_per_execution": 100}


@recipe(**CLOTHES)
def flow_fashion(shape, steps):
    """Flow matching (Lipman et al., 2023): straight paths from noise to small clothes."""
    return _flow(shape, steps, _SMALL)


@recipe(**CLOTHES, labels=True, num_classes=10)
def guided_flow_fashion(shape, steps):
    """Flow matching that is told the kind of garment, with guidance (Ho and Salimans, 2022)."""
    return _guided(shape, steps, _SMALL)


@recipe(**CLOTHES)
def ddpm_fashion(shape, steps):
    """Denoising diffusion (Ho et al., 2020) on the cosine path, of `v`, sampled by DDIM."""
    network = _unet(shape, _SMALL)
    return _trained(zoo.cosine_v(network, steps=20, ema_momentum=0.99), steps)


@recipe(
    data="embedded",
    captions=data.GARMENTS,
    batch_size=32,
    epochs=4,
    begin_with="clip_fashion",
    measure=captions_obeyed(data.GARMENTS, draws=20),
    jit_compile=True,
    steps_per_execution=1,
)
def dall_e_fashion(shape, steps):
    """DALL-E 2 in small (Ramesh et al., 2022): garments drawn of captions."""
    return _dall_e(clip_fashion(shape, steps), shape, steps, _SMALL, ema_momentum=0.99)


@recipe(
    data="tfds:fashion_mnist",
    captions=data.GARMENTS,
    begin_with="clip_fashion_mnist",
    measure=captions_obeyed(data.GARMENTS),
    **OF_RECORD,
)
def dall_e_fashion_mnist(shape, steps):
    """DALL-E 2 in small (Ramesh et al., 2022) of all of Fashion-MNIST."""
    return _dall_e(clip_fashion_mnist(shape, steps), shape, steps, width=32, ema_momentum=0.999)


@recipe(data="tfds:fashion_mnist", **OF_RECORD)
def flow_fashion_mnist(shape, steps):
    """Flow matching on Fashion-MNIST."""
    return _flow(shape, steps, width=32, ema_momentum=0.999)


@recipe(data="tfds:mnist", **OF_RECORD)
def flow_mnist(shape, steps):
    """Flow matching on MNIST."""
    return _flow(shape, steps, width=32, ema_momentum=0.999)


@recipe(data="tfds:fashion_mnist", **OF_RECORD, labels=True, num_classes=10)
def guided_flow_fashion_mnist(shape, steps):
    """Flow matching on Fashion-MNIST that is told the kind of garment."""
    return _guided(shape, steps, width=32, ema_momentum=0.999)


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


def _flow(shape, steps, width, ema_momentum=0.99):
    """Returns a flow of images."""
    model = tfgen.Diffusion(_unet(shape, width), steps=8, ema_momentum=ema_momentum)
    return _trained(model, steps)


def _guided(shape, steps, width, ema_momentum=0.99):
    """Returns a flow of images of ten classes."""
    network = _unet(shape, width, condition_size=10)
    options = {"guidance": 2.0, "steps": 8, "ema_momentum": ema_momentum}
    return _trained(tfgen.ConditionalDiffusion(network, 10, **options), steps)


def _dall_e(clip, shape, steps, width, ema_momentum):
    """Returns a prior of CLIP's embeddings, and a decoder of images that is told them."""
    size, average = {"condition_size": clip.size}, {"ema_momentum": ema_momentum}
    prior = networks.diffusion_mlp(clip.size, (256,) * 3, **size)
    values = {"noise_path": noise_paths.Cosine(), "prediction": predictions.Example()}
    unet = _unet(shape, width, **size)
    model = tfgen.DALLE2(
        clip,
        tfgen.ConditionalDiffusion(prior, **values, steps=16, **average),
        tfgen.ConditionalDiffusion(unet, guidance=2.0, steps=8, **average),
    )
    return _trained(model, steps)


def _unet(shape, width, **options):
    return networks.diffusion_unet(shape, width, multiples=(1, 2), **options)


def _trained(model, steps, rate=3e-3):
    """Returns a model with an optimizer whose rate falls to 0."""
    model.compile(keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(rate, steps)))
    return model
