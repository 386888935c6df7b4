"""Several augmentations, one after the other."""

import dataclasses

import tensorflow as tf

from tfgen.engine.serialization import Configured, serializable


@serializable
@dataclasses.dataclass(frozen=True)
class Chain(Configured):
    """Changes images by one augmentation after the other, each with noise of its own.

    Args:
        augmentations: a sequence of functions of images and a seed, such as those of this module.

    Raises:
        ValueError: there is none.

    Example:
        >>> Chain((RandomCrop(0.3), RandomFlip()))(images, noise_seed=(0, 1))
    """

    augmentations: tuple = ()

    def __post_init__(self):
        object.__setattr__(self, "augmentations", tuple(self.augmentations))
        if not self.augmentations:
            raise ValueError("`augmentations` must hold one. Received: none.")

    def __call__(self, images, noise_seed=(0, 0)):
        """Returns changed images.

        Args:
            images: what the first one takes.
            noise_seed: int32 `[2]`, of the draws.
        """
        for index, augmentation in enumerate(self.augmentations):
            images = augmentation(images, tf.random.fold_in(noise_seed, index))
        return images
