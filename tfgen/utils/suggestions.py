"""Help with names that were not found."""

import difflib


def suggest(name, known):
    """Returns a sentence that names the known names like `name`, or all of them if none is."""
    alike = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
    if alike:
        return f"Did you mean {' or '.join(map(repr, alike))}?"
    return f"There are: {', '.join(sorted(known))}."
