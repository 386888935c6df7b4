"""The list of the lectures' figures."""

import dataclasses
import importlib


@dataclasses.dataclass(frozen=True)
class LectureFigure:
    """A figure of the lectures, drawn anew.

    Args:
        title: its heading in the documentation.
        shows: what there is to see, in sentences.
        module: the name of the module that computes it and draws it.
    """

    title: str
    shows: str
    module: str

    def draw(self, path):
        """Draws the figure into a file, and prints what was measured for it.

        Args:
            path: the `pathlib.Path` of the PNG file to be; its folder exists.
        """
        importlib.import_module(self.module).draw(path)


FIGURES = {
    "generator_losses": LectureFigure(
        "log D against log(1 - D)",
        "What the generator descends in three games, and how steeply. Where D is sure that a "
        "sample is generated, at the left, minimax gives no slope.",
        "training.figures.generator_losses",
    ),
    "toy": LectureFigure(
        "The toy of two lines",
        "A generator of a line, and its discriminator: at the start, after the generator's update, "
        "after the discriminator's.",
        "training.tools.toy",
    ),
}
