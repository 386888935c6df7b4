"""A picture of latents that lie on an ordinary sphere."""

import tensorflow as tf

from tfgen.callbacks.picture import Picture
from tfgen.pictures import grid

_NOWHERE = 1e-6  # what is blank has a direction, too


class Globe(Picture):
    """The whole sphere, for models with latents on an ordinary one (Davidson et al., 2018).

    On the left is the half that one sees from the third axis, on the right the other half, as seen
    through the first. Each image is where its latent is.

    Args:
        directory: the run's folder.
        side: images in a row and in a column of each half.
        every: epochs from one picture to the next.

    Raises:
        ValueError: when training begins, if the model's latents are on no sphere of three
            coordinates.

    Example:
        >>> Globe("runs/s_vae", side=15)
    """

    name = "globe"
    needs = frozenset({"generate"})

    def __init__(self, directory, side=15, every=1):
        super().__init__(directory, every)
        self.side = side

    def check(self):
        super().check()
        if not is_globe(self.model.prior):
            raise ValueError(
                "A globe needs a model whose prior is `UniformOnSphere(3)`. "
                f"Received: {self.model.prior}. `LatentTraversal` shows any prior."
            )

    def render(self):
        shares = (tf.range(self.side, dtype=tf.float32) + 0.5) / self.side
        across, down = tf.meshgrid(2 * shares - 1, 1 - 2 * shares)
        height = tf.sqrt(tf.maximum(1 - across**2 - down**2, 0))
        gap = tf.zeros([self.side, 1])  # an empty column between the halves
        heights = tf.concat([height, gap, -height], axis=1)
        plane = [tf.concat([axis, gap, axis], axis=1) for axis in (across, down)]
        path = self.model.prior.nearest(tf.stack([*plane, heights], axis=-1) + _NOWHERE)
        images = self.model.generate_paths(tf.reshape(path, [1, -1, 3]), seed=0)
        within = tf.reshape(heights, [-1, 1, 1, 1]) != 0
        return grid(tf.where(within, images, 1.0), columns=2 * self.side + 1)


def is_globe(prior):
    """Tells whether a prior is that of a sphere that one can look at."""
    return prior.description["kind"] == "sphere" and prior.size == 3
