"""The documentation's pages as tests see them: their blocks of code, and how these are run.

A page's blocks of Python are run one after the other, as a reader would. Tests take tiny settings:

    <!-- in tests: epochs=10 -> epochs=1; "folder:photos" -> "embedded" -->

before a block replaces text in it. What cannot be run here is passed over, with a reason:

    <!-- not run: needs two machines -->
"""

import dataclasses
import pathlib
import re

ROOT = pathlib.Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
_BLOCK = re.compile(
    r"(?:^[ ]*<!-- (in tests|not run): (.*?) -->\n)?"
    r"^(?P<indent>[ ]*)```(?P<language>\w+)[^\n]*\n(?P<code>.*?)^(?P=indent)```",
    re.DOTALL | re.MULTILINE,
)
SHELL = ("sh", "console")


@dataclasses.dataclass(frozen=True)
class Block:
    """A block of code of a page.

    Args:
        language: what stands behind its fence.
        code: its text.
        not_run: why it is not run, or `None`.
    """

    language: str
    code: str
    not_run: str | None = None


def blocks(path):
    """Returns the `Block`s of a page, those of Python as tests run them."""
    found = []
    for match in _BLOCK.finditer(path.read_text()):
        kind, said = match.group(1), match.group(2)
        code = re.sub(f"^{match['indent']}", "", match["code"], flags=re.MULTILINE)
        if kind == "in tests":
            code = _replaced(code, said, path)
        found.append(Block(match["language"], code, said if kind == "not run" else None))
    return found


def commands(path):
    """Returns the command lines of a page: those of blocks of the shell, continued ones joined."""
    lines = []
    for block in blocks(path):
        if block.language in SHELL:
            text = block.code.replace("\\\n", " ")
            lines += [re.sub(r"\s#.*", "", line).strip() for line in text.splitlines()]
    return [line.removeprefix("$ ") for line in lines if line]


def _replaced(code, said, path):
    for each in said.split("; "):
        old, _, new = each.partition(" -> ")
        if old not in code:
            raise ValueError(f"{path}: there is no {old!r} to be replaced in\n{code}")
        code = code.replace(old, new)
    return code
