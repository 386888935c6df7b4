"""A picture of what the layers of a hierarchy hold."""

import tensorflow as tf

from tfgen.callbacks.picture import Picture
from tfgen.pictures import grid


class LayersRedrawn(Picture):
    """What a hierarchy's lower layers change, when the upper ones are kept.

    A row begins with an image and its reconstruction. Then come draws that keep all layers but the
    last one, all but the last two, and so on to the top one alone.

    Args:
        directory: the run's folder.
        images: float32 `[count, height, width, channels]`, a row each.
        draws: how many of each.
        seed: an integer; the same noise is drawn in every picture.
        every: epochs from one picture to the next.

    Example:
        >>> LayersRedrawn("runs/ladder", test_images[:8])
    """

    name = "layers"
    needs = frozenset({"redraw"})

    def __init__(self, directory, images, draws=3, seed=0, every=1):
        super().__init__(directory, every)
        self.images = tf.convert_to_tensor(images)
        self.draws = draws
        self.seed = seed

    def render(self):
        latents = self.model.encode(self.images).mean()
        columns = [self.images[:, tf.newaxis], self.model.generate(latents)[:, tf.newaxis]]
        for kept in range(len(self.model.sizes) - 1, 0, -1):
            columns.append(self.model.redraw(latents, kept, self.draws, self.seed))
        rows = tf.concat(columns, axis=1)
        return grid(tf.reshape(rows, [-1, *rows.shape[2:]]), columns=rows.shape[1])
