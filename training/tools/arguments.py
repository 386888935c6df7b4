"""Types of command-line arguments."""

import argparse


def positive(text):
    """Returns a positive integer."""
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a positive integer, received {text!r}")
    return int(text)


def size(text):
    """Returns the height and the width, a list, of a text such as 64x48."""
    sides = text.split("x")
    if len(sides) != 2:
        raise argparse.ArgumentTypeError(f"expected HEIGHTxWIDTH such as 64x64, received {text!r}")
    return [positive(side) for side in sides]
