"""The workloads' networks as PyTorch modules, in NCHW with `channels_last` memory.

Each has the layers, sizes and paddings of the Keras one; where PyTorch's users pad a convolution of
stride 2 by a pixel on either side, TensorFlow pads on one: as much work. PatchGAN's last two layers
are padded as in its authors' code, so that their maps are a pixel smaller each time: a little less.
Images come and go in [0, 1].
"""

import functools

import torch
from torch import nn

from training.benchmarks.speed.torch_unet import UNet


class Maps(nn.Module):
    """Makes vectors maps of (height, width, channels), which is `channels_last` as it lies."""

    def __init__(self, height, width, channels):
        super().__init__()
        self.shape = (height, width, channels)

    def forward(self, vectors):
        return vectors.reshape(-1, *self.shape).permute(0, 3, 1, 2)


class Vectors(nn.Module):
    """Makes `channels_last` maps vectors without moving them, in Keras' order."""

    def forward(self, maps):
        return maps.permute(0, 2, 3, 1).flatten(1)


class Scaled(nn.Module):
    """Multiplies and adds."""

    def __init__(self, factor, offset):
        super().__init__()
        self.factor = factor
        self.offset = offset

    def forward(self, values):
        return values * self.factor + self.offset


class Heads(nn.Module):
    """Linear layers beside each other."""

    def __init__(self, inputs, outputs, count=2):
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(inputs, outputs) for _ in range(count))

    def forward(self, hidden):
        return [layer(hidden) for layer in self.layers]


class Residual(nn.Module):
    """Adds what layers make of maps to the maps."""

    def __init__(self, *layers):
        super().__init__()
        self.layers = nn.Sequential(*layers)

    def forward(self, maps):
        return maps + self.layers(maps)


def mlp_vae():
    """`tfgen.networks.mlp_encoder` and `mlp_decoder` of 784-200-200-50 with SiLU."""
    encoder = nn.Sequential(Vectors(), *_silu(784, 200), *_silu(200, 200), Heads(200, 50))
    decoder = nn.Sequential(*_silu(50, 200), *_silu(200, 200), nn.Linear(200, 784))
    return encoder, nn.Sequential(decoder, Maps(28, 28, 1))


def conv_vae():
    """`tfgen.networks.conv_encoder` and `conv_decoder` with 16 latents."""
    encoder = nn.Sequential(
        *(nn.Conv2d(1, 32, 4, 2, 1), nn.ReLU(), nn.Conv2d(32, 64, 4, 2, 1), nn.ReLU()),
        *(Vectors(), nn.Linear(7 * 7 * 64, 128), nn.ReLU(), Heads(128, 16)),
    )
    decoder = nn.Sequential(
        *(nn.Linear(16, 128), nn.ReLU(), nn.Linear(128, 7 * 7 * 64), nn.ReLU(), Maps(7, 7, 64)),
        *(nn.ConvTranspose2d(64, 32, 4, 2, 1), nn.ReLU(), nn.ConvTranspose2d(32, 1, 4, 2, 1)),
    )
    return encoder, decoder


def dcgan(units=128, filters=(64, 128)):
    """The networks of `training.benchmark.networks`."""
    first, second = filters
    generator = nn.Sequential(
        *(nn.Linear(units, 7 * 7 * units), nn.LeakyReLU(0.2), Maps(7, 7, units)),
        *(nn.ConvTranspose2d(units, units, 4, 2, 1), nn.LeakyReLU(0.2)),
        *(nn.ConvTranspose2d(units, units, 4, 2, 1), nn.LeakyReLU(0.2)),
        *(nn.Conv2d(units, 1, 7, padding=3), nn.Sigmoid()),
    )
    discriminator = nn.Sequential(
        *(nn.Conv2d(1, first, 3, 2, 1), nn.LeakyReLU(0.2)),
        *(nn.Conv2d(first, second, 3, 2, 1), nn.LeakyReLU(0.2)),
        *(nn.AdaptiveMaxPool2d(1), nn.Flatten(), nn.Linear(second, 1)),
    )
    return generator, discriminator


def info_gan(batch_norm=True):
    """`tfgen.networks.info_gan_generator` and `info_gan_discriminator` with 64 latents."""
    generator = nn.Sequential(
        *(nn.Linear(64, 1024, bias=False), _norm1d(1024), nn.ReLU()),
        *(nn.Linear(1024, 7 * 7 * 128, bias=False), _norm1d(7 * 7 * 128), nn.ReLU()),
        *(Maps(7, 7, 128), nn.ConvTranspose2d(128, 64, 4, 2, 1, bias=False), _norm2d(64)),
        *(nn.ReLU(), nn.ConvTranspose2d(64, 1, 4, 2, 1), nn.Sigmoid()),
    )
    second, third = ([_norm2d(128)], [_norm1d(1024)]) if batch_norm else ([], [])
    use_bias = not batch_norm
    discriminator = nn.Sequential(
        *(nn.Conv2d(1, 64, 4, 2, 1), nn.LeakyReLU(0.1)),
        *(nn.Conv2d(64, 128, 4, 2, 1, bias=use_bias), *second, nn.LeakyReLU(0.1), Vectors()),
        *(nn.Linear(7 * 7 * 128, 1024, bias=use_bias), *third, nn.LeakyReLU(0.1)),
        nn.Linear(1024, 1),
    )
    return generator, discriminator


wgan_gp = functools.partial(info_gan, batch_norm=False)


def cyclegan(channels=3, filters=32, blocks=6):
    """`tfgen.networks.resnet_generator` and `patch_gan_discriminator` with `depth=2`, twice."""
    return (
        *(_resnet(channels, filters, blocks) for _ in range(2)),
        *(_patch_gan(channels, filters) for _ in range(2)),
    )


def flow_unet():
    """`tfgen.networks.diffusion_unet` of 32 and 64 channels."""
    return (UNet((1, 28, 28), width=32, multiples=(1, 2)),)


def _resnet(channels, filters, blocks):
    def reflected(inputs, outputs, size):
        padding = {"padding": size // 2, "padding_mode": "reflect"}
        return [nn.Conv2d(inputs, outputs, size, bias=False, **padding), _instance(outputs)]

    def halved(inputs):
        halve = nn.Conv2d(inputs, 2 * inputs, 3, 2, 1, bias=False)
        return [halve, _instance(2 * inputs), nn.ReLU()]

    def doubled(inputs):
        double = nn.ConvTranspose2d(inputs, inputs // 2, 3, 2, 1, output_padding=1, bias=False)
        return [double, _instance(inputs // 2), nn.ReLU()]

    wide = 4 * filters
    last = nn.Conv2d(filters, channels, 7, padding=3, padding_mode="reflect")
    return nn.Sequential(
        *(Scaled(2.0, -1.0), *reflected(channels, filters, 7), nn.ReLU()),
        *(*halved(filters), *halved(2 * filters)),
        *(
            Residual(*reflected(wide, wide, 3), nn.ReLU(), *reflected(wide, wide, 3))
            for _ in range(blocks)
        ),
        *(*doubled(wide), *doubled(2 * filters)),
        *(last, nn.Tanh(), Scaled(0.5, 0.5)),
    )


def _patch_gan(channels, filters):
    return nn.Sequential(
        *(Scaled(2.0, -1.0), nn.Conv2d(channels, filters, 4, 2, 1), nn.LeakyReLU(0.2)),
        *(nn.Conv2d(filters, 2 * filters, 4, 2, 1, bias=False), _instance(2 * filters)),
        *(nn.LeakyReLU(0.2), nn.Conv2d(2 * filters, 4 * filters, 4, padding=1, bias=False)),
        *(_instance(4 * filters), nn.LeakyReLU(0.2)),
        nn.Conv2d(4 * filters, 1, 4, padding=1),
    )


def _silu(inputs, outputs):
    return [nn.Linear(inputs, outputs), nn.SiLU()]


# With Keras' constants.
_norm1d = functools.partial(nn.BatchNorm1d, eps=1e-3, momentum=0.1)
_norm2d = functools.partial(nn.BatchNorm2d, eps=1e-3, momentum=0.1)
_instance = functools.partial(nn.InstanceNorm2d, eps=1e-5, affine=True)


def count(network):
    """Returns the number of a module's parameters."""
    return sum(parameter.numel() for parameter in network.parameters())


def channels_last(networks):
    """Returns the networks with their weights in the layout that convolutions are fastest in."""
    return [network.to(memory_format=torch.channels_last) for network in networks]
