"""Parts of the page of results."""


def table(head, rows):
    """Returns a table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def duration(seconds):
    """Returns a time in whole minutes, as text; in seconds if it is less than one."""
    if seconds < 60:
        return f"{seconds:.0f} second{'' if round(seconds) == 1 else 's'}"
    minutes = round(seconds / 60)
    return f"{minutes} minute{'' if minutes == 1 else 's'}"


def machine_of(result):
    """Returns the machine that a result was read on, as text."""
    machine = result["machine"]
    return f"{machine['cores']} cores of {machine['processor']}"
