"""Numbers that users give: each is looked at where it comes in, not where it is used."""

import difflib
import math
import numbers


def check_number(name, value, least=-math.inf):
    """Raises a ValueError unless an argument is a finite real number, and not below the least.

    Args:
        name: the argument's name, for the message.
        value: what was given for it.
        least: the least that it may be.
    """
    if not isinstance(value, numbers.Real) or not math.isfinite(value):
        raise ValueError(f"`{name}` must be a finite number. Received: {name}={value!r}.")
    _check_least(name, value, least)


def check_count(name, value, least=1):
    """Raises a ValueError unless an argument is an integer, and not below the least.

    Args:
        name: the argument's name, for the message.
        value: what was given for it.
        least: the least that it may be.
    """
    if not isinstance(value, numbers.Integral):
        raise ValueError(f"`{name}` must be an integer. Received: {name}={value!r}.")
    _check_least(name, value, least)


def _check_least(name, value, least):
    if value < least:
        raise ValueError(f"`{name}` must be at least {least}. Received: {name}={value}.")


def check_choice(name, value, known):
    """Raises a ValueError unless an argument is one of known names; the message has near ones.

    Args:
        name: the argument's name, for the message.
        value: what was given for it.
        known: the names.
    """
    if value in list(known):  # which takes what cannot be hashed, too
        return
    near = difflib.get_close_matches(str(value), known, n=1, cutoff=0.5)
    meant = f" Did you mean {near[0]!r}?" if near else ""
    raise ValueError(
        f"`{name}` must be one of {', '.join(map(repr, known))}. Received: {name}={value!r}.{meant}"
    )
