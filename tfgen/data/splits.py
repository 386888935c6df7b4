"""Which examples are learnt from, and which are held out."""

import numpy as np

SPLITS = ("train", "test")


def one_in_ten(count, split, what):
    """Returns the places of a split of data that come without: every tenth is kept for "test".

    Args:
        count: the number of examples, in an order that stays.
        split: "train", "test" or "all".
        what: what the data are called in an error.

    Raises:
        ValueError: there are too few to keep one.

    Example:
        >>> one_in_ten(25, "test", "numbers").tolist()
        [9, 19]
    """
    places = np.arange(count)
    if split == "all":
        return places
    if split == "test" and count < 10:
        raise ValueError(
            f"Of data without a test split every tenth example is held out, and {what} holds only "
            f"{count}. Give it at least 10, or a test split of its own."
        )
    return places[(places % 10 == 9) == (split == "test")]
