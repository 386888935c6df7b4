"""The recipes' names and first words, read from their source: nothing is imported for that.

To import a recipe is to import TensorFlow, which takes seconds. The list of recipes, the help and
the answer to a mistyped name need not wait for it.
"""

import ast
import dataclasses
import pathlib
import sys

from tfgen.utils.suggestions import suggest

_FOLDER = pathlib.Path(__file__).parents[1] / "recipes"


@dataclasses.dataclass(frozen=True)
class Entry:
    """What the source says of a recipe: see `training.recipes.recipe.Recipe`."""

    data: str
    description: str
    epochs: int = 1


def catalogue():
    """Returns an `Entry` for each recipe's name.

    Recipes that this process has registered besides, such as those of a test, are `Recipe`s.
    """
    found = {}
    for path in sorted(_FOLDER.glob("*.py")):
        found.update(_entries(ast.parse(path.read_text())))
    registered = sys.modules.get("training.recipes.recipe")
    return {**found, **(registered.RECIPES if registered else {})}


def describe_recipes():
    """Returns a line for each recipe: the data it takes, its epochs, how its description begins."""
    known = catalogue()
    width = max(map(len, known)) + 1
    return "".join(
        f"{name:{width}}{each.data:22}{each.epochs:4} epochs  {each.description.splitlines()[0]}\n"
        for name, each in sorted(known.items())
    )


def check_recipe(name):
    """Raises a ValueError that names the recipes like `name` unless there is one called so."""
    known = catalogue()
    if name not in known:
        raise ValueError(f"There is no recipe {name!r}. {suggest(name, known)}")


def _entries(tree):
    """Yields the name and the entry of each function under `@recipe(...)`."""
    constants = {
        node.targets[0].id: node.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }
    for node in tree.body:
        if not isinstance(node, ast.FunctionDef):
            continue
        for decorator in node.decorator_list:
            if isinstance(decorator, ast.Call) and decorator.func.id == "recipe":
                settings = _settings(decorator, constants)
                wanted = {key: settings[key] for key in ("data", "epochs") if key in settings}
                yield node.name, Entry(description=ast.get_docstring(node), **wanted)


def _settings(call, constants):
    """Returns the keywords of a decorator that are literals, those of `**CONSTANT` among them."""
    found = {}
    for keyword in call.keywords:
        if keyword.arg is None:
            found.update(ast.literal_eval(constants[keyword.value.id]))
        elif isinstance(keyword.value, ast.Constant):
            found[keyword.arg] = keyword.value.value
    return found
