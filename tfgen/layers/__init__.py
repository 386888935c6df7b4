"""Layers that Keras lacks."""

from tfgen.layers.causal_attention import CausalAttention
from tfgen.layers.causal_convolutions import MaskedConv2D, ShiftedConv2D
from tfgen.layers.instance_normalization import InstanceNormalization
from tfgen.layers.leaky_relu import LeakyReLU
from tfgen.layers.masked_dense import MaskedDense
from tfgen.layers.maxout import Maxout
from tfgen.layers.one_channel import ImageConv2D, ImageConv2DTranspose
from tfgen.layers.pixel_lstm import DiagonalLSTM, RowLSTM
from tfgen.layers.pixels import Gate, OneHotLevels
from tfgen.layers.positions import Positions
from tfgen.layers.reflection_padding import ReflectionPadding2D
from tfgen.layers.shift import Shift
from tfgen.layers.sinusoidal_features import SinusoidalFeatures

__all__ = [
    "CausalAttention",
    "DiagonalLSTM",
    "Gate",
    "ImageConv2D",
    "ImageConv2DTranspose",
    "InstanceNormalization",
    "LeakyReLU",
    "MaskedConv2D",
    "MaskedDense",
    "Maxout",
    "OneHotLevels",
    "Positions",
    "ReflectionPadding2D",
    "RowLSTM",
    "Shift",
    "ShiftedConv2D",
    "SinusoidalFeatures",
]
