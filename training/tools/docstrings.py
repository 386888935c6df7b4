"""What the reference is told of the library, whose source mkdocstrings reads and does not import.

An extension of Griffe, the reader, named in `mkdocs.yml`:

* The names that users type, such as `tfgen.games.Minimax`, are found by `tfgen/__init__.py` when
  they are first used. Here they become aliases of where the code lies.
* `Example:` is shown as code, and what a function returns, which has no name here, as a sentence.
* A name such as `tfgen.GAN` in a docstring leads to its place in the reference, if it has one.
* Old names are left out: what has no docstring is not shown.
"""

import ast
import re
import textwrap

import griffe

_RETURNS = re.compile(r"^Returns:\n((?:(?: .*)?\n)*(?: .*)?)", re.MULTILINE)
_NAME = re.compile(r"`(tfgen(?:\.\w+)+)(\(.*?\))?`")
_LINK = r'<autoref identifier="\1" optional><code>\1\2</code></autoref>'


class Docstrings(griffe.Extension):
    """Tells the names that users type, and brings docstrings into the form that is shown."""

    def on_package(self, *, pkg, **kwargs):
        """Adds the public names of a package to its members."""
        for name, target in public_names(pkg).items():
            if name not in pkg.members:
                pkg.set_member(name, griffe.Alias(name, target))

    def on_object(self, *, obj, **kwargs):
        """Changes an object's docstring."""
        if obj.docstring and obj.docstring.value.startswith("The old name of "):
            obj.docstring = None
        if obj.docstring:
            obj.docstring.value = shown(obj.docstring.value)


def public_names(package):
    """Returns where the code of each public name of a package lies, a dict of dotted names."""
    modules, homes = (
        ast.literal_eval(str(package[table].value)) if table in package.members else {}
        for table in ("_MODULES", "_NAMES")
    )
    return {**modules, **{name: _inside(package, home, name) for name, home in homes.items()}}


def _inside(package, home, name):
    """Returns the dotted name of what a module has by a name: it may be in a file of that name."""
    path = f"{home}.{name}"
    found = package[path.removeprefix(f"{package.name}.")]
    return f"{path}.{name}" if found.is_module else path


def shown(docstring):
    """Returns a docstring as it is shown."""
    docstring = re.sub(r"^Example:$", "Examples:", docstring, flags=re.MULTILINE)
    docstring = _RETURNS.sub(_as_sentence, docstring)
    return _NAME.sub(_LINK, docstring)


def _as_sentence(match):
    return f"**Returns:** {textwrap.dedent(match[1]).strip()}\n\n"
