"""A picture of what is drawn of captions."""

import tensorflow as tf

from tfgen.callbacks.picture import Picture
from tfgen.pictures import grid


class Drawings(Picture):
    """What a model draws of captions: an image, then drawings of its caption, in a row.

    Args:
        directory: the run's folder.
        images: float32 `[count, height, width, channels]`.
        captions: strings `[count]`, or their tokens, one of each image.
        draws: how many drawings of each caption.
        seed: an integer; the same noise is drawn in every picture.
        every: epochs from one picture to the next.

    Raises:
        ValueError: when training begins: the model cannot draw captions, or does not know a word.

    Example:
        >>> Drawings("runs/dall_e", test_images[:8], test_captions[:8])
    """

    name = "drawings"
    needs = frozenset({"draw"})

    def __init__(self, directory, images, captions, draws=7, seed=0, every=1):
        super().__init__(directory, every)
        self.images = tf.convert_to_tensor(images)
        self.captions = tf.convert_to_tensor(captions)
        self.draws = draws
        self.seed = seed

    def render(self):
        drawn = self.model.draw(tf.repeat(self.captions, self.draws, axis=0), self.seed)
        drawn = tf.reshape(drawn, [-1, self.draws, *drawn.shape[1:]])
        rows = tf.concat([self.images[:, tf.newaxis], drawn], axis=1)
        return grid(tf.reshape(rows, [-1, *rows.shape[2:]]), columns=rows.shape[1])
