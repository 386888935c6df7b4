"""A picture of how noise becomes examples."""

import numpy as np
import tensorflow as tf

from tfgen.callbacks.picture import Picture
from tfgen.pictures import grid


class Denoising(Picture):
    """How noise becomes images, a row for each image, from left to right.

    Args:
        directory: the run's folder.
        count: how many images.
        states: how many states of each are shown, at least 2: the noise, the image, and some in
            between. A way of fewer steps shows all that it has.
        seed: an integer; the same noise is drawn in every picture.
        every: epochs from one picture to the next.

    Raises:
        ValueError: when training begins: the model cannot show the way.

    Example:
        >>> Denoising("runs/flow", count=6)
    """

    name = "denoising"
    needs = frozenset({"sample_trajectories"})

    def __init__(self, directory, count=8, states=9, seed=0, every=1):
        super().__init__(directory, every)
        self.count = count
        self.states = states
        self.seed = seed

    def check(self):
        super().check()
        if len(self.model.example_shape) != 3:
            raise ValueError(
                "`Denoising` draws images. Received: a model of examples "
                f"{list(self.model.example_shape)}."
            )

    def render(self):
        ways = self.model.sample_trajectories(self.count, self.seed)
        shown = np.unique(np.round(np.linspace(0, len(ways) - 1, self.states)).astype(int))
        rows = tf.transpose(tf.gather(ways, shown), [1, 0, 2, 3, 4])
        return grid(tf.reshape(rows, [-1, *rows.shape[2:]]), columns=len(shown))
