"""Parts of the documentation that are read from elsewhere: code, figures, tables, runs.

A page marks a part, and `python -m training.tabulate` writes what belongs there:

    <!-- fill: code tfgen.objectives.games.classifiers.NonSaturating -->
    <!-- end -->

    It agrees on <!-- fill: figure recipe_cgan_mnist.json measured.agreement .1% --><!-- end -->.

A test fails where a page no longer shows what is there.
"""

import ast
import json
import os
import pathlib
import re

from training.figures.catalogue import FIGURES
from training.runs.catalogue import catalogue
from training.tables import commands
from training.tables.cells import duration, table
from training.tables.documented import TABLES
from training.tools.picture_catalogue import PICTURES
from training.tools.picture_notes import read_notes

ROOT = pathlib.Path(__file__).parents[2]
RESULTS = ROOT / "training/results"
_MARKED = re.compile(r"(<!-- fill: (.*?) -->)(.*?)(<!-- end -->)", re.DOTALL)


def pages():
    """Returns the files that may have marked parts: the README and the pages of the site."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def fill(text, folder=ROOT):
    """Returns a page's text with its marked parts as they should be.

    Args:
        text: the page's.
        folder: the page's, for links to pictures.

    Raises:
        ValueError: a part asks for what there is not.
    """

    def replace(match):
        begin, asked, _, end = match.groups()
        kind, *words = asked.split()
        if kind not in _KINDS:
            raise ValueError(f"A part can be {', '.join(_KINDS)}. Received: {asked!r}.")
        found = _KINDS[kind](folder, *words)
        return begin + (found if kind in _INLINE else f"\n{found}\n") + end

    return _MARKED.sub(replace, text)


def _code(folder, *names):
    """Returns the source of functions, classes or methods of one module, without docstrings.

    Methods stand below the line of their class.
    """
    path, _ = _locate(names[0])
    shown, last = "", None
    for name in names:
        owner, source = _source(name)
        if owner and owner == last:
            shown += f"\n\n{source}"
        else:
            shown += f"\n\n\n{owner}\n    ...\n\n{source}" if owner else f"\n\n\n{source}"
        last = owner
    return f'```py title="{path.relative_to(ROOT)}"\n{shown.strip()}\n```'


def _source(name):
    """Returns the first line of the class that something is a method of, and its source."""
    path, inside = _locate(name)
    text = path.read_text()
    node, owner = ast.parse(text), ""
    for each in inside:
        if isinstance(node, ast.ClassDef):
            bases = ", ".join(map(ast.unparse, node.bases))
            owner = f"class {node.name}({bases}):" if bases else f"class {node.name}:"
        found = [child for child in node.body if getattr(child, "name", None) == each]
        if not found:
            raise ValueError(f"There is no {each!r} in {path.relative_to(ROOT)}, of {name!r}.")
        (node,) = found
    lines = text.splitlines()
    left_out = set()
    for each in ast.walk(node):
        if isinstance(each, (ast.ClassDef, ast.FunctionDef)) and ast.get_docstring(each):
            left_out |= set(range(each.body[0].lineno, each.body[0].end_lineno + 1))
    first = min([node.lineno, *(each.lineno for each in node.decorator_list)])
    shown = [
        lines[number - 1] for number in range(first, node.end_lineno + 1) if number not in left_out
    ]
    return owner, re.sub(r"(:\n)\n+", r"\1", "\n".join(shown)).strip("\n")


def _locate(name):
    """Returns the file that a dotted name lies in, and the names inside."""
    parts = name.split(".")
    for count in range(len(parts), 0, -1):
        path = ROOT.joinpath(*parts[:count]).with_suffix(".py")
        if path.exists():
            return path, parts[count:]
    raise ValueError(f"There is no module of {name!r}.")


def _read(file):
    return json.loads((RESULTS / file).read_text())


def _figure(folder, file, path, form="g"):
    value = _read(file)
    for key in path.split("."):
        value = value[int(key) if isinstance(value, list) else key]
    return format(value, form)


def _table(folder, name, *words):
    if name not in TABLES:
        raise ValueError(f"There is no table {name!r}, but {', '.join(TABLES)}.")
    return TABLES[name](_read, *words)


def _image(folder, name):
    path = os.path.relpath(ROOT / f"docs/pictures/{name}.png", folder)
    return f"![{PICTURES[name].shows}]({path})"


def _picture(folder, name):
    """Returns an image and, below, what it shows and how that was trained."""
    runs = [_trained(run) for run in read_notes(ROOT / "docs/pictures")[name]["runs"]]
    if not runs:
        drawn = f"Drawn by `python -m training.figures {name}`."
        return f"{_image(folder, name)}\n\n*{PICTURES[name].shows}* {drawn}"
    how = f" {runs[0]}" if len(runs) == 1 else "\n".join([":\n", *(f"* {run}" for run in runs)])
    return f"{_image(folder, name)}\n\n*{PICTURES[name].shows}* Trained by{how}"


def _trained(run):
    """Says by which command a run was trained, on which data, how long and where."""
    passes = "1 pass" if run["epochs"] == 1 else f"{run['epochs']} epochs"
    machine = run["machine"]
    where = ", ".join(machine.get("accelerators", [])) or machine["processor"]
    how = f"{passes} of `{run['data']}`, seed {run['seed']}, {duration(run['seconds'])} on {where}"
    return f"`{run['command']}` ({how})."


def _gallery(folder):
    """Returns the models' pictures, each under the model's name and with a link to its page."""
    return "\n\n".join(
        f"## {picture.title}\n\n{_picture(folder, name)}\n\n{_leads_on(folder, picture.page)}"
        for name, picture in PICTURES.items()
        if picture.page
    )


def _lecture_figures(folder):
    """Returns the lectures' figures, each under its title."""
    return "\n\n".join(
        f"## {figure.title} {{ #{name} }}\n\n{_picture(folder, name)}"
        for name, figure in FIGURES.items()
    )


def _leads_on(folder, page):
    path = os.path.relpath(ROOT / f"docs/models/{page}.md", folder)
    return f"[Idea, formula and code]({path})"


def _recipes(folder, *names):
    """Returns a table of recipes, of all unless some are named."""
    rows = [
        [f"`{name}`", f"`{each.data}`", str(each.epochs), each.description.splitlines()[0]]
        for name, each in sorted(catalogue().items())
        if not names or name in names
    ]
    return table(["recipe", "data", "epochs", "what it is"], rows)


def _command(folder, module, *words):
    """Returns what a command does and takes, see `training.tables.commands`."""
    return commands.options(module, *words)


def _commands(folder):
    """Returns a table of all commands."""
    return commands.overview()


def _notebook(folder, name):
    """Returns how long the code of a tutorial's notebook took, and on how many cores."""
    notebook = json.loads((ROOT / f"docs/notebooks/{name}.ipynb").read_text())
    noted = notebook["metadata"]["tfgen"]
    return f"{noted['seconds']} s on {noted['machine']['cores']} cores"


_KINDS = {
    "code": _code,
    "command": _command,
    "commands": _commands,
    "figure": _figure,
    "gallery": _gallery,
    "image": _image,
    "lecture_figures": _lecture_figures,
    "notebook": _notebook,
    "picture": _picture,
    "recipes": _recipes,
    "table": _table,
}
_INLINE = {"figure", "notebook"}
