"""A picture of halves that a model completes."""

import numpy as np

from tfgen.callbacks.picture import Picture
from tfgen.engine.abilities import abilities_of
from tfgen.pictures import grid


class Completions(Picture):
    """Images, their upper halves, and what the model draws below, a row for each image.

    Args:
        directory: the run's folder.
        images: float `[count, height, width, channels]`, of which the lower halves are hidden.
        draws: how many completions of each are shown, at least 1.
        seed: an integer, of the first; the others have the next ones.
        every: epochs from one picture to the next.

    Raises:
        ValueError: when training begins: the model cannot fill in what is missing, or wants labels.

    Example:
        >>> Completions("runs/pixel_cnn", images=test_images[:6])
    """

    name = "completions"
    needs = frozenset({"impute"})

    def __init__(self, directory, images, draws=4, seed=0, every=1):
        super().__init__(directory, every)
        self.images = np.asarray(images, np.float32)
        self.draws = draws
        self.seed = seed

    def check(self):
        super().check()
        if "choose_labels" in abilities_of(self.model):
            raise ValueError(
                "`Completions` has no labels to tell a model. "
                f"Received: a {type(self.model).__name__}. Call its `impute(..., labels=)`."
            )

    def render(self):
        seen = np.zeros_like(self.images, bool)
        seen[:, : self.images.shape[1] // 2] = True
        hidden = np.where(seen, self.images, 0.5)
        drawn = [self.model.impute(hidden, seen, self.seed + turn) for turn in range(self.draws)]
        columns = [self.images, hidden, *drawn]
        rows = np.stack([np.asarray(each) for each in columns], axis=1)
        return grid(rows.reshape(-1, *rows.shape[2:]), columns=len(columns))
