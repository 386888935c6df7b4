"""The commands and their options, read from their parsers, as tables of the documentation."""

import argparse
import importlib
import unittest.mock

from training import COMMANDS
from training.tables.cells import table

# All but `clients`, whose import replaces Python's sockets by Locust's.
NAMES = (
    "train",
    "evaluate",
    "launch",
    *(each for each in COMMANDS if each != "clients"),
    "faults",
    "figures",
)


def overview():
    """Returns a table of all commands, each a link to its part of the page."""
    served = [
        [f"[`tfgen {each.dest}`](#{each.dest})", each.help]
        for each in subcommands(parser_of("tfgen"))
    ]
    trained = [
        [f"[`training.{name}`](#{name})", parser_of(f"training.{name}").description]
        for name in NAMES
    ]
    rows = [[command, _sentence(text)] for command, text in (*trained, *served)]
    return _table("python -m ...", rows)


def options(module, *words):
    """Returns what a command does and a table of what it takes.

    Args:
        module: what stands behind `python -m`.
        *words: of a command with commands of its own, the name of one.
    """
    parser = parser_of(module)
    description = parser.description
    for word in words:
        (description,) = [each.help for each in subcommands(parser) if each.dest == word]
        parser = _choices(parser)[word]
    rows = [
        [f"`{_written(action)}`", _expanded(action, parser)]
        for action in parser._actions
        if action.help is not argparse.SUPPRESS and action.dest not in ("help", argparse.SUPPRESS)
    ]
    rows += [[f"`{each.dest} ...`", each.help] for each in subcommands(parser)]
    sentence = _sentence(description)
    return f"{sentence}\n\n{_table('argument', rows)}" if rows else sentence


def parser_of(module):
    """Returns the parser that a command makes: the command is stopped when it is about to parse."""
    found = importlib.import_module(module)
    if hasattr(found, "__path__"):  # a package's command is in a file of its own
        found = importlib.import_module(f"{module}.__main__")

    def stop(parser, *args, **kwargs):
        raise _Stopped(parser)

    with unittest.mock.patch.object(argparse.ArgumentParser, "parse_known_args", stop):
        try:
            found.main([])
        except _Stopped as stopped:
            return stopped.parser
    raise ValueError(f"python -m {module} parses no arguments.")


class _Stopped(Exception):
    def __init__(self, parser):
        super().__init__()
        self.parser = parser


def subcommands(parser):
    """Returns the commands of a command, each an action with its name and its help."""
    return [each for action in _parsers(parser) for each in action._get_subactions()]


def _choices(parser):
    """Returns the parsers of a command's commands by their names."""
    return {name: each for action in _parsers(parser) for name, each in action.choices.items()}


def _parsers(parser):
    return [each for each in parser._actions if isinstance(each, argparse._SubParsersAction)]


def _written(action):
    """Returns how an argument is written on the command line."""
    value = action.metavar or action.dest.upper()
    if action.choices and not action.metavar:
        value = f"{{{','.join(map(str, action.choices))}}}"
    if action.nargs in ("+", "*"):
        value = f"{value} ..."
    if not action.option_strings:
        return f"[{value}]" if action.nargs in ("?", "*") else value
    names = ", ".join(action.option_strings)
    return names if action.nargs == 0 else f"{names} {value}"


def _expanded(action, parser):
    """Returns what `--help` says of an argument."""
    return (action.help or "") % {**vars(action), "prog": parser.prog}


def _sentence(text):
    """Returns what a parser says of a command, with a capital and a full stop."""
    text = " ".join(text.split()).rstrip(".")
    return f"{text[0].upper()}{text[1:]}."


def _table(head, rows):
    return table(
        [head, "what it does"], [[cell.replace("|", "\\|") for cell in row] for row in rows]
    )
