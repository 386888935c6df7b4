"""Random changes of images that leave what they show, as values.

An augmentation is called with images and the seed of its noise; one of your own is a dataclass with
such a `__call__`. Keras has layers for the same, which take no seed and whose derivatives, from
which a generator is to learn, are TensorFlow's: see `interpolate`.
"""

from tfgen.objectives.augmentations.brightness import RandomBrightness
from tfgen.objectives.augmentations.chain import Chain
from tfgen.objectives.augmentations.crops import RandomCrop, RandomFlip
from tfgen.objectives.augmentations.geometry import RandomAffine, RandomShift, interpolate
from tfgen.objectives.augmentations.noises import GaussianNoise, MaskingNoise

__all__ = [
    "Chain",
    "GaussianNoise",
    "MaskingNoise",
    "RandomAffine",
    "RandomBrightness",
    "RandomCrop",
    "RandomFlip",
    "RandomShift",
    "interpolate",
]
