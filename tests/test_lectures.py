"""The lectures' pages: each name, test, recipe and figure in their tables is there."""

import ast
import dataclasses
import functools
import importlib
import re

import pytest

from tests.documents import ROOT
from training.figures.catalogue import FIGURES
from training.runs.catalogue import catalogue

PAGES = sorted(path for path in (ROOT / "docs/lectures").glob("*.md") if path.stem != "figures")
IDS = [path.stem for path in PAGES]
COLUMNS = ["slide", "what it says, with the formula", "code", "test", "figure"]
every_page = pytest.mark.parametrize("path", PAGES, ids=IDS)


@dataclasses.dataclass(frozen=True)
class Row:
    """A row of a table, with the header of its table."""

    header: list
    cells: list

    def __getitem__(self, column):
        return self.cells[self.header.index(column)]


def rows(path):
    """Returns the `Row`s of a page's tables, without those of dashes."""
    found, header = [], None
    for line in path.read_text().splitlines():
        if not line.startswith("|"):
            header = None
            continue
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if header is None:
            header = cells
        elif set(line) - set("|-: "):
            found.append(Row(header, cells))
    return found


def slides(path):
    return [row for row in rows(path) if row.header == COLUMNS]


def check_names(text, pattern, is_there):
    """Checks that what a pattern finds in a text is there, and names what is not."""
    absent = sorted(name for name in set(re.findall(pattern, text)) if not is_there(name))
    assert not absent, f"not there: {', '.join(absent)}"


@functools.cache
def functions_of(file):
    if not (ROOT / file).exists():
        return set()
    tree = ast.parse((ROOT / file).read_text())
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def is_a_test(name):
    file, _, function = name.partition("::")
    return function.startswith("test_") and function in functions_of(file)


def resolves(name):
    """Tells whether a dotted name is a module, or an attribute in one."""
    parts = name.split(".")
    for count in range(len(parts), 0, -1):
        try:
            value = importlib.import_module(".".join(parts[:count]))
        except ModuleNotFoundError:
            continue
        try:
            functools.reduce(getattr, parts[count:], value)
        except AttributeError:
            return False
        return True
    return False


@every_page
def test_every_row_has_a_cell_for_each_column(path):
    assert rows(path)
    uneven = [row.cells for row in rows(path) if len(row.cells) != len(row.header)]
    assert not uneven, "A bar in a formula is \\mid, \\lvert, \\rvert, \\Vert."


@every_page
def test_every_test_is_there(path):
    check_names(path.read_text(), r"tests/\w+\.py::\w+", is_a_test)
    check_names(path.read_text(), r"tests/\w+\.py", lambda file: (ROOT / file).exists())


@every_page
def test_every_name_in_code_is_there(path):
    code = "\n".join(row["code"] for row in slides(path))
    check_names(code, r"\b(?:tfgen|training)(?:\.\w+)+", resolves)


@every_page
def test_every_recipe_is_there(path):
    commands = r"training\.(?:train|evaluate|probe) (\w+)"
    check_names(path.read_text(), commands, catalogue().__contains__)


@every_page
def test_every_figure_is_there(path):
    check_names(path.read_text(), r"figures\.md#(\w+)", FIGURES.__contains__)


def test_every_figure_is_of_a_slide():
    shown = " ".join(row["figure"] for path in PAGES for row in slides(path))
    assert [name for name in FIGURES if f"(figures.md#{name})" not in shown] == []


@every_page
def test_a_formula_that_is_computed_is_tested(path):
    formulas = [row for row in slides(path) if "$" in row[COLUMNS[1]]]
    assert [row["slide"] for row in formulas if not row["code"]] == []
    untested = [
        row["slide"]
        for row in formulas
        if "::" not in row["test"] and not re.search("to come|none", row["code"])
    ]
    assert untested == []


def test_each_lecture_has_its_slides():
    assert [path.stem for path in PAGES if len(slides(path)) < 20] == ["index"]
