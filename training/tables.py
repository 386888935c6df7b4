"""Parts of the page of results."""


def table(head, rows):
    """Returns a table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def machine_of(result):
    """Returns the machine that a result was read on, as text."""
    machine = result["machine"]
    return f"{machine['cores']} cores of {machine['processor']}"
