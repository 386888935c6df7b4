"""Types of command-line arguments."""

import argparse


def positive(text):
    """Returns a positive integer."""
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a positive integer, received {text!r}")
    return int(text)


def positives(text):
    """Returns a list of positive integers of a text such as 100,1000."""
    return [positive(each) for each in text.split(",")]


def seed(text):
    """Returns a seed: an integer from 0 to 2 ** 32 - 1, as NumPy's generators take it."""
    if not text.isdecimal() or int(text) >= 2**32:
        raise argparse.ArgumentTypeError(
            f"expected an integer from 0 to 4294967295, received {text!r}"
        )
    return int(text)


def chosen(parser, names, known, what):
    """Returns the names that were typed, or all that are known if there are none.

    Args:
        parser: an `argparse.ArgumentParser`, which ends the command at a name that is not known.
        names: what was typed.
        known: the names that there are, in order.
        what: what they are names of, such as "picture".
    """
    if unknown := set(names) - set(known):
        parser.error(f"there is no {what} {min(unknown)!r}: choose of {', '.join(known)}")
    return names or list(known)


def size(text):
    """Returns the height and the width, a list, of a text such as 64x48."""
    sides = text.split("x")
    if len(sides) != 2:
        raise argparse.ArgumentTypeError(f"expected HEIGHTxWIDTH such as 64x64, received {text!r}")
    return [positive(side) for side in sides]
