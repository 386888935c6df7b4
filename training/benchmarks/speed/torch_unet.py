"""`tfgen.networks.diffusion_unet` as a PyTorch module, in NCHW with `channels_last` memory."""

import math

import torch
import torch.nn.functional as F
from torch import nn


class UNet(nn.Module):
    """A U-Net of residual blocks with attention, told a level of noise.

    It has the layers and the sizes of the Keras one, with one block in each level.

    Args:
        shape: `(channels, height, width)` of an image.
        width: the channels of the first level.
        multiples: of the width, the channels of each level.
        patch: the side of the squares of pixels that the network sees as one.
    """

    def __init__(self, shape, width, multiples, patch=2):
        super().__init__()
        self.shape = shape
        size, kernel = 4 * width, max(patch, 3)
        padding = (kernel - 1) // 2
        around = {"stride": patch, "padding": padding}
        self.embed = nn.Sequential(
            Sines(width), nn.Linear(width, size), nn.SiLU(), nn.Linear(size, size), nn.SiLU()
        )
        self.begin = nn.Conv2d(shape[0], width, kernel, **around)
        seen, channels = [width], width
        self.down = nn.ModuleList()
        for level, multiple in enumerate(multiples):
            if level:
                self.down.append(nn.Conv2d(channels, channels, 3, 2, 1))
                seen.append(channels)
            self.down.append(Block(channels, width * multiple, size))
            channels = width * multiple
            seen.append(channels)
        self.first = Block(channels, channels, size)
        self.attend = Attention(channels)
        self.second = Block(channels, channels, size)
        self.up = nn.ModuleList()
        for level, multiple in reversed(list(enumerate(multiples))):
            for _ in range(2):
                self.up.append(Block(channels + seen.pop(), width * multiple, size))
                channels = width * multiple
            if level:
                self.up.append(nn.Conv2d(channels, channels, 3, padding=1))
        self.end = nn.Sequential(
            normalization(channels),
            nn.SiLU(),
            nn.ConvTranspose2d(
                channels, shape[0], kernel, **around, output_padding=patch - kernel + 2 * padding
            ),
        )

    def forward(self, noisy, levels):
        embedded = self.embed(levels)
        hidden = self.begin(noisy)
        seen = [hidden]
        for layer in self.down:
            hidden = layer(hidden, embedded) if isinstance(layer, Block) else layer(hidden)
            seen.append(hidden)
        hidden = self.second(self.attend(self.first(hidden, embedded)), embedded)
        for layer in self.up:
            if isinstance(layer, Block):
                hidden = layer(torch.cat([hidden, seen.pop()], dim=1), embedded)
            else:
                hidden = layer(F.interpolate(hidden, size=seen[-1].shape[2:]))
        return self.end(hidden)


class Sines(nn.Module):
    """Cosines and sines of levels, of frequencies from 1000 to 0.1."""

    def __init__(self, size):
        super().__init__()
        slower = torch.exp(torch.linspace(0, -math.log(1e4), size // 2))
        self.register_buffer("frequencies", 1000.0 * slower)

    def forward(self, levels):
        angles = levels[:, None] * self.frequencies
        return torch.cat([angles.cos(), angles.sin()], dim=1)


class Block(nn.Module):
    """A residual block, whose second normalization the level scales and moves."""

    def __init__(self, inputs, channels, size):
        super().__init__()
        self.first = nn.Sequential(
            normalization(inputs), nn.SiLU(), nn.Conv2d(inputs, channels, 3, padding=1)
        )
        self.scale, self.shift = nn.Linear(size, channels), nn.Linear(size, channels)
        self.normalize = normalization(channels)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)
        self.skip = nn.Conv2d(inputs, channels, 1) if inputs != channels else nn.Identity()

    def forward(self, inputs, embedded):
        scale, shift = (each(embedded)[..., None, None] for each in (self.scale, self.shift))
        hidden = self.normalize(self.first(inputs)) * (1 + scale) + shift
        return self.skip(inputs) + self.second(F.silu(hidden))


class Attention(nn.Module):
    """Lets each place look at all others."""

    def __init__(self, channels):
        super().__init__()
        self.normalize = normalization(channels)
        self.attention = nn.MultiheadAttention(channels, max(channels // 64, 1), batch_first=True)

    def forward(self, inputs):
        places = self.normalize(inputs).flatten(2).transpose(1, 2)
        seen, _ = self.attention(places, places, places, need_weights=False)
        return inputs + seen.transpose(1, 2).reshape(inputs.shape)


def normalization(channels, groups=8):
    """Returns a normalization of groups of channels."""
    return nn.GroupNorm(groups, channels, eps=1e-5)
