"""The documentation does not go stale: code runs, commands are taken, figures are read."""

import argparse
import importlib
import inspect
import pathlib
import re
import runpy
import shlex

import pytest
from matplotlib import pyplot

from tests.documents import PAGES, ROOT, SHELL, blocks, commands
from training.tables import fills
from training.tools import drawings, pictures
from training.tools.picture_notes import digest, read_notes

IDS = [str(path.relative_to(ROOT)) for path in PAGES]


class Parsed(Exception):
    """A command line was taken."""


@pytest.mark.parametrize("path", PAGES, ids=IDS)
def test_command_lines_are_taken(path, monkeypatch, capsys):
    parse_args = argparse.ArgumentParser.parse_args

    def parse_only(parser, *arguments, **options):
        parse_args(parser, *arguments, **options)
        raise Parsed

    monkeypatch.setattr(argparse.ArgumentParser, "parse_args", parse_only)
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for line in commands(path):
        words = shlex.split(line)
        while words and re.fullmatch(r"\w+=\S*", words[0]):
            words.pop(0)  # variables of the environment
        if words[0] == "make":
            assert {each for each in words[1:] if "=" not in each} <= targets, line
        elif words[:2] == ["python", "-m"] and words[2].split(".")[0] in ("tfgen", "training"):
            with pytest.raises(Parsed):
                _run(words[2], words[3:])


def _run(module, arguments):
    name = f"{module}.__main__" if _is_package(module) else module
    importlib.import_module(name).main(arguments)


def _is_package(module):
    return hasattr(importlib.import_module(module), "__path__")


@pytest.mark.parametrize("path", PAGES, ids=IDS)
def test_blocks_are_python_that_is_run_or_said_not_to_be(path):
    for block in blocks(path):
        assert block.language in ("python", "py", "text", "json", "html", "yaml", *SHELL)
        if block.language == "python":
            compile(block.code, str(path), "exec")
            assert block.not_run != ""


def _with_python(path):
    return any(each.language == "python" and each.not_run is None for each in blocks(path))


def test_the_readme_s_python_works(tmp_path, monkeypatch):
    run_blocks(ROOT / "README.md", tmp_path, monkeypatch)
    assert (tmp_path / "saved_models/by_hand/1/saved_model.pb").exists()


def test_the_readme_is_short():
    assert len((ROOT / "README.md").read_text().splitlines()) <= 200


@pytest.mark.slow
@pytest.mark.parametrize(
    "path",
    [path for path in PAGES if _with_python(path)],
    ids=[str(path.relative_to(ROOT)) for path in PAGES if _with_python(path)],
)
def test_a_page_s_python_works(path, tmp_path, monkeypatch):
    run_blocks(path, tmp_path, monkeypatch)


def run_blocks(path, folder, monkeypatch):
    """Runs a page's blocks of Python in a folder, as one program of the page's name.

    What they start finds the same tfgen. Pictures are drawn, and not shown.
    """
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setattr("matplotlib.pyplot.show", lambda: pyplot.close("all"))
    code = "\n".join(
        each.code for each in blocks(path) if each.language == "python" and each.not_run is None
    )
    program = pathlib.Path(folder, f"{path.stem}_page.py")
    program.write_text(code)
    monkeypatch.chdir(folder)
    runpy.run_path(str(program), run_name=program.stem)


@pytest.mark.parametrize("path", PAGES, ids=IDS)
def test_marked_parts_are_what_is_there(path):
    text = path.read_text()
    assert fills.fill(text, path.parent) == text, "python -m training.tabulate fills it"
    assert text.count("<!-- fill: ") == text.count("<!-- end -->")


def test_a_picture_s_digest_is_of_all_that_draws_it(monkeypatch):
    picture = pictures.PICTURES["cgan_mnist"]
    before = digest(picture)
    with monkeypatch.context() as patched:
        patched.setattr(drawings, "_COLUMNS", 12)
        assert digest(picture) != before
    source = inspect.getsource(drawings._of_each_class)
    with monkeypatch.context() as patched:
        getsource = inspect.getsource
        patched.setattr(
            inspect,
            "getsource",
            lambda value: (
                source.replace("seed=0", "seed=1")
                if value is drawings._of_each_class
                else getsource(value)
            ),
        )
        assert digest(picture) != before
    assert digest(picture) == before


@pytest.mark.parametrize("name", pictures.PICTURES)
def test_pictures_are_drawn_by_the_code_that_is_there(name):
    noted = read_notes(ROOT / "docs/pictures")[name]
    assert noted["drawn_by"] == digest(pictures.PICTURES[name]), (
        f"The code that draws it has changed: python -m training.pictures {name}"
    )
    shown = [run["command"] for run in noted["runs"]]
    assert shown == [f"python -m training.train {each}" for each in pictures.PICTURES[name].runs]
