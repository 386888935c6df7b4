"""Makes notebooks of the tutorials, with what their code puts out.

    $ python -m training.notebooks        # all, into docs/notebooks/
    $ python -m training.notebooks vae    # that of docs/tutorials/vae.md

The page is what is edited: a test tells when its notebook shows something else. Where only the
text has changed, outputs are kept; delete a notebook to run it again. The code runs in a temporary
folder, with a cache of its own, so that the seconds noted are those of a first reading.
"""

import argparse
import base64
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import textwrap
import time

from tfgen.utils.files import atomic_write
from training.tools.arguments import chosen
from training.tools.machine import machine
from training.tools.pictures import with_few_colours

ROOT = pathlib.Path(__file__).parents[2]
PAGES = {
    path.stem: path
    for path in sorted((ROOT / "docs/tutorials").glob("*.md"))
    if path.stem != "index"
}
INSTALL = """\
To run this notebook, clone the repository of tfgen. Then install tfgen there, with the packages
that serve and convert models, and start Jupyter in the same environment:

```sh
pip install -c constraints.txt -e '.[serve,convert]' jupyterlab
jupyter lab
```"""

_PYTHON = re.compile(r"^```python\n(.*?)^```$", re.DOTALL | re.MULTILINE)
# Settings for tests, the marks of parts that are filled, and the link to the notebook itself.
_COMMENT = r"<!-- (?:(?!-->).)* -->"
_LEFT_OUT = re.compile(rf"^ *(?:{_COMMENT}|\[Download this page.*)\n|{_COMMENT}", re.MULTILINE)
_LINK_TO_PAGE = re.compile(r"\[([^\]]+)\]\((?!\w+:)[^)\s]+\.\w+(?:#[^)\s]*)?\)")
# An answer that the site shows when it is opened, such as `??? note "Answer"` and indented lines.
_FOLDED = re.compile(r'^\?\?\? \w+ "([^"]+)"\n((?:(?: {4}.*)?\n)+)', re.MULTILINE)
# The times that Keras tells, and what TensorFlow logs.
_VOLATILE = re.compile(r" - \d+\w* - \d+\w*/(?:step|epoch)|^(?:INFO|WARNING):tensorflow:.*\n", re.M)
_LIMIT = 1200  # seconds that a cell may take


def main(arguments=None):
    """Runs the command."""
    parser = argparse.ArgumentParser(
        prog="python -m training.notebooks", description=__doc__.splitlines()[0]
    )
    add = parser.add_argument
    add("names", nargs="*", metavar="NAME", help=f"of {', '.join(PAGES)} (default: all)")
    add("--output", metavar="FOLDER", default="docs/notebooks", help="default: %(default)s")
    options = parser.parse_args(arguments)
    for name in chosen(parser, options.names, PAGES, "tutorial"):
        path = pathlib.Path(options.output, f"{name}.ipynb")
        try:
            print(f"{name}: {make(PAGES[name], path)}")
        except ModuleNotFoundError as error:
            sys.exit(f"notebooks: {error}. Install what it needs: pip install -e '.[docs]'.")
        except (RuntimeError, TimeoutError) as error:
            sys.exit(f"notebooks: {PAGES[name]}: {error}")


def cells(text):
    """Returns the cells of a page's notebook, pairs of "markdown" or "code" and what is in it.

    Links to other pages become plain text: a notebook is read where these are not.
    """
    found = [("markdown", INSTALL)]
    for index, part in enumerate(_PYTHON.split(text)):
        if index % 2:
            found.append(("code", part.strip()))
        elif prose := _LINK_TO_PAGE.sub(r"\1", _LEFT_OUT.sub("", part)).strip():
            found.append(("markdown", _FOLDED.sub(_folded, f"{prose}\n").strip()))
    return found


def _folded(match):
    """Returns a folded part as notebooks know it: HTML around Markdown, which is not indented."""
    title, lines = match.groups()
    inside = textwrap.dedent(lines).strip()
    return f"<details><summary>{title}</summary>\n\n{inside}\n\n</details>\n\n"


def make(page, path):
    """Writes a page's notebook with the outputs of its code, which is run if it has changed.

    Returns:
        What happened, in words.

    Raises:
        RuntimeError: the code fails; says where.
    """
    import nbformat

    notebook = nbformat.v4.new_notebook()
    for index, (kind, source) in enumerate(cells(page.read_text())):
        cell = getattr(nbformat.v4, f"new_{kind}_cell")(source, id=f"cell-{index}")
        notebook.cells.append(cell)
    before = nbformat.read(path, as_version=4) if path.exists() else nbformat.v4.new_notebook()
    code, old_code = _code_of(notebook), _code_of(before)
    if [each.source for each in code] == [each.source for each in old_code]:
        for cell, old in zip(code, old_code, strict=True):
            cell.update(outputs=old.outputs, execution_count=old.execution_count)
        notebook.metadata, told = before.metadata, "its code is as it was"
    else:
        notebook.metadata = execute(notebook)
        told = f"run in {notebook.metadata['tfgen']['seconds']} s"
    with atomic_write(path) as temporary:
        temporary.write_text(nbformat.writes(notebook) + "\n")
    return f"{path}, {path.stat().st_size / 1000:.0f} kB, {told}"


def execute(notebook):
    """Runs a notebook's code, and cleans its outputs; returns the notebook's metadata."""
    start = time.perf_counter()
    _execute(notebook)
    seconds = round(time.perf_counter() - start)
    for cell in _code_of(notebook):
        for warning in clean(cell):
            print(warning, file=sys.stderr)
    return {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
        "tfgen": {"seconds": seconds, "machine": machine()},
    }


def _execute(notebook):
    """Runs a notebook's cells in a new folder, with the tfgen that this file belongs to."""
    import nbclient

    with tempfile.TemporaryDirectory() as folder:
        variables = {
            "PYTHONPATH": str(ROOT),
            "TFGEN_CACHE": str(pathlib.Path(folder, "cache")),
            "TF_CPP_MIN_LOG_LEVEL": "2",
            "TF_ENABLE_ONEDNN_OPTS": "1",  # as the commands have it
        }
        client = nbclient.NotebookClient(
            notebook,
            timeout=_LIMIT,
            kernel_name="python3",
            record_timing=False,
            coalesce_streams=True,
            resources={"metadata": {"path": folder}},
            extra_arguments=["--log-level=ERROR"],
        )
        try:
            # What the kernel's libraries write themselves is no output of the code.
            client.execute(env={**os.environ, **variables}, stderr=subprocess.DEVNULL)
        except nbclient.exceptions.CellExecutionError as error:
            done = max(cell.get("execution_count") or 0 for cell in notebook.cells)
            raise RuntimeError(
                f"block {done} of Python fails: {error.ename}: {error.evalue}"
            ) from error


def clean(cell):
    """Leaves out of a cell's outputs what differs from run to run, and makes pictures small.

    Returns:
        The warnings of Python among what is left out, as lines.
    """
    errors = [each["text"] for each in cell["outputs"] if each.get("name") == "stderr"]
    for output in cell["outputs"]:
        if output["output_type"] == "stream":
            output["text"] = _VOLATILE.sub("", output["text"])
        elif png := output.get("data", {}).get("image/png"):
            few = with_few_colours(base64.b64decode(png))
            output["data"]["image/png"] = base64.b64encode(few).decode()
    cell["outputs"] = [
        each for each in cell["outputs"] if each.get("name") != "stderr" and each.get("text") != ""
    ]
    return [line for line in "".join(errors).splitlines() if "Warning: " in line]


def _code_of(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


if __name__ == "__main__":
    main()
