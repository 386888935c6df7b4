"""Layers that Keras lacks."""

from tfgen.layers.leaky_relu import LeakyReLU
from tfgen.layers.maxout import Maxout
from tfgen.layers.one_channel import ImageConv2D, ImageConv2DTranspose
from tfgen.layers.reflection_padding import ReflectionPadding2D

__all__ = ["ImageConv2D", "ImageConv2DTranspose", "LeakyReLU", "Maxout", "ReflectionPadding2D"]
