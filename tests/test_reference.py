"""The reference of the documentation: what is public stands in it, in the form that is meant."""

import re
import sys
import types

import pytest

import tfgen
from tests.documents import ROOT
from training.tables import commands

PAGES = {path.stem: path.read_text() for path in (ROOT / "docs/reference").glob("*.md")}
TEXT = "\n".join(PAGES.values())


@pytest.mark.parametrize("name", tfgen.__all__)
def test_every_public_name_of_the_library_is_there(name):
    assert re.search(rf"tfgen\.{name}\b", TEXT)


@pytest.mark.parametrize("module", ["data", "evaluation"])
def test_what_is_listed_one_by_one_is_complete(module):
    public = {name for name in getattr(tfgen, module).__all__ if not name.isupper()}
    listed = set(re.findall(rf"^::: tfgen\.{module}\.(?:\w+\.)?(\w+)$", PAGES[module], re.M))
    # Checks that `evaluate` makes itself.
    assert public - {"check_scores", "check_shapes"} == listed


def test_every_command_is_there():
    asked = set(re.findall(r"<!-- fill: command (.*?) -->", PAGES["commands"]))
    assert asked == {
        *(f"training.{name}" for name in commands.NAMES),
        *(f"tfgen {each.dest}" for each in commands.subcommands(commands.parser_of("tfgen"))),
    }


def test_arguments_are_written_as_the_command_line_takes_them():
    lines = commands.options("training.train").splitlines()
    assert "| `[RECIPE]` | its name (default: vae_fashion) |" in lines
    assert "| `--channels {1,3}` | make images grey (1) or coloured (3) |" in lines
    assert any(
        line.startswith("| `--xla, --no-xla` | compile with XLA, or do not (") for line in lines
    )
    served = commands.options("tfgen", "serve")
    assert served.startswith("Answer requests as TensorFlow Serving does, for trying things out.\n")
    assert "--max-batch-size N" in served
    assert "`--batch" not in served  # an old name
    assert "GENERATOR ..." in commands.options("training.evaluate")


def test_a_command_that_parses_nothing_is_refused(monkeypatch):
    monkeypatch.setitem(sys.modules, "silent", types.SimpleNamespace(main=lambda arguments: None))
    with pytest.raises(ValueError, match="python -m silent parses no arguments"):
        commands.parser_of("silent")


def test_docstrings_are_shown_with_code_sentences_and_links():
    pytest.importorskip("griffe", reason="of the documentation's tools")
    from training.tools.docstrings import shown

    docstring = """Makes `tfgen.GAN(...)` of `tf`.

Args:
    count: how many.

Returns:
    A tensor,
    float32.

Example:
    >>> make(1)
"""
    link = '<autoref identifier="tfgen.GAN" optional><code>tfgen.GAN(...)</code></autoref>'
    assert shown(docstring) == docstring.replace("`tfgen.GAN(...)`", link).replace(
        "Returns:\n    A tensor,\n    float32.\n", "**Returns:** A tensor,\nfloat32.\n"
    ).replace("Example:", "Examples:")


@pytest.mark.parametrize("room", ["callbacks", "distributions", "layers", "networks"])
def test_no_module_has_the_name_of_what_its_room_offers(room):
    """Else a link to `tfgen.networks.made` would mean the module, which the page does not show."""
    offered = getattr(tfgen, room)
    modules = {path.stem for path in (ROOT / "tfgen" / room).iterdir()}
    assert not {name for name in modules & set(vars(offered)) if callable(vars(offered)[name])}
