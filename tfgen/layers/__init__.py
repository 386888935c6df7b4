"""Layers that Keras lacks."""

from tfgen.layers.instance_normalization import InstanceNormalization
from tfgen.layers.leaky_relu import LeakyReLU
from tfgen.layers.maxout import Maxout
from tfgen.layers.one_channel import ImageConv2D, ImageConv2DTranspose
from tfgen.layers.positions import Positions
from tfgen.layers.reflection_padding import ReflectionPadding2D
from tfgen.layers.sinusoidal_features import SinusoidalFeatures

__all__ = [
    "ImageConv2D",
    "ImageConv2DTranspose",
    "InstanceNormalization",
    "LeakyReLU",
    "Maxout",
    "Positions",
    "ReflectionPadding2D",
    "SinusoidalFeatures",
]
