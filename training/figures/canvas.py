"""What the lectures' figures share: an empty one, and how it becomes a file."""


def canvas(width, height):
    """Returns a matplotlib figure of this size, in inches, which lays out its parts by itself."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def save(figure, path):
    """Writes a figure as a PNG file, whole or not at all."""
    from tfgen.utils.files import atomic_write

    with atomic_write(path) as temporary:
        figure.savefig(temporary, dpi=100)
