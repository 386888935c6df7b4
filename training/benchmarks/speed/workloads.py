"""What is trained: the workloads by name."""

import functools

import numpy as np

import tfgen
from training.benchmarks.speed.families import (
    BinarizedVAEWorkload,
    FlowWorkload,
    GANWorkload,
    TranslationWorkload,
    VAEWorkload,
    WGANGPWorkload,
)


def pictures(count=200, size=64):
    """Returns random coloured images of two domains, uint8."""
    generator = np.random.default_rng(0)
    return tuple(generator.integers(0, 256, [count, size, size, 3], np.uint8) for _ in range(2))


def _mlp_vae():
    networks, sizes = tfgen.networks, {"hidden_sizes": (200, 200), "activation": "silu"}
    return (
        networks.mlp_encoder((28, 28, 1), 50, **sizes),
        networks.mlp_decoder((28, 28, 1), 50, **sizes),
    )


def _conv_vae():
    networks = tfgen.networks
    return networks.conv_encoder((28, 28, 1), 16), networks.conv_decoder((28, 28, 1), 16)


def _example():
    from training.benchmarks.speed import networks

    return networks.example_generator(), networks.example_discriminator()


def _info_gan(batch_norm=True):
    networks = tfgen.networks
    return networks.info_gan_generator(), networks.info_gan_discriminator(batch_norm=batch_norm)


def _cyclegan():
    networks, shape = tfgen.networks, (64, 64, 3)
    return (
        *(networks.resnet_generator(shape, filters=32) for _ in range(2)),
        *(networks.patch_gan_discriminator(shape, filters=32, depth=2) for _ in range(2)),
    )


def _unet():
    return (tfgen.networks.diffusion_unet((28, 28, 1), width=32, multiples=(1, 2)),)


WORKLOADS = {
    "mlp_vae": BinarizedVAEWorkload(
        _mlp_vae,
        "mlp_vae",
        batch_size=100,
        optimizer={"learning_rate": 1e-3},
        settings={"jit_compile": True},
        steps_per_execution=100,
    ),
    "conv_vae": VAEWorkload(_conv_vae, "conv_vae", optimizer={"learning_rate": 2e-3}),
    # The guide's optimizers: Adam 3e-4, with Keras' other defaults.
    "dcgan": GANWorkload(
        _example,
        "dcgan",
        optimizer={"learning_rate": 3e-4},
        together=True,
        exported=True,
    ),
    "info_gan_networks": GANWorkload(_info_gan, "info_gan"),
    "wgan_gp": WGANGPWorkload(
        functools.partial(_info_gan, batch_norm=False),
        "wgan_gp",
        optimizer={"learning_rate": 1e-4, "beta_1": 0.0, "beta_2": 0.9},
        cycle=5,
    ),
    "cyclegan_64": TranslationWorkload(
        _cyclegan,
        "cyclegan",
        arrays=pictures,
        batch_size=1,
        steps_per_execution=5,  # a step takes long
    ),
    "flow_unet": FlowWorkload(
        _unet,
        "flow_unet",
        optimizer={"learning_rate": 1e-3},
        settings={"jit_compile": True},
        steps_per_execution=1,
    ),
}
