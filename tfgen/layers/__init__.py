"""Layers that Keras lacks."""

from tfgen.layers.maxout import Maxout
from tfgen.layers.reflection_padding import ReflectionPadding2D

__all__ = ["Maxout", "ReflectionPadding2D"]
