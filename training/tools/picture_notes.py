"""What is noted of the documentation's pictures: the runs that they show, the code that drew them.

A picture is stale when the code that draws it is no longer that which drew it. A test says so.
"""

import ast
import hashlib
import inspect
import json
import pkgutil
import textwrap

FILE = "pictures.json"  # beside the pictures


def note(folder, name, picture, runs):
    """Notes of a picture how its runs were trained, and what drew it.

    Args:
        folder: that of the pictures.
        name: the picture's.
        picture: a `training.tools.picture_catalogue.Picture`.
        runs: the `RunFolder`s of its runs.
    """
    from training.runs.run_folder import write_json

    noted = {
        "drawn_by": digest(picture),
        "runs": [
            {"command": f"python -m training.train {command}", **_trained(run)}
            for command, run in zip(picture.runs, runs, strict=True)
        ],
    }
    write_json(folder / FILE, dict(sorted({**read_notes(folder), name: noted}.items())))


def read_notes(folder):
    """Returns what is noted of the pictures in a folder: a dict from a picture's name."""
    path = folder / FILE
    return json.loads(path.read_text()) if path.exists() else {}


def digest(picture):
    """Returns a digest of the code that draws a picture, without comments and docstrings.

    It is that of the picture's modules and classes, and of its function with all that this one
    names of its own module: functions and constants.
    """
    parts = [pkgutil.resolve_name(each) for each in picture.modules]
    sources = [*_sources(picture.draw).values(), *map(inspect.getsource, parts)]
    lines = [line for source in sources for line in _lines_that_count(source)]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


def _sources(function, found=None):
    """Returns the source of a function and of what it names of its module, a dict of names."""
    found = {} if found is None else found
    found[function.__qualname__] = textwrap.dedent(inspect.getsource(function))
    tree = ast.parse(found[function.__qualname__])
    for name in sorted({node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}):
        value = function.__globals__.get(name)
        if inspect.isfunction(value) and value.__module__ == function.__module__:
            if value.__qualname__ not in found:
                _sources(value, found)
        elif isinstance(value, (int, float, str, tuple)):
            found[name] = f"{name} = {value!r}"
    return found


def _trained(run):
    results = json.loads(run.results.read_text())
    return {key: results[key] for key in ("data", "epochs", "seed", "seconds", "machine")}


def _lines_that_count(source):
    """Yields the lines of a source that are neither empty, nor a comment, nor of a docstring."""
    docstrings = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)):
            if ast.get_docstring(node) is not None:
                docstrings |= set(range(node.body[0].lineno, node.body[0].end_lineno + 1))
    for number, line in enumerate(source.splitlines(), start=1):
        if number not in docstrings and line.strip() and not line.strip().startswith("#"):
            yield line
