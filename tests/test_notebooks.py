"""The tutorials' notebooks show what the pages say, with outputs, and without noise."""

import base64
import io
import json
import re

import pytest
from PIL import Image

from tests.documents import ROOT
from training.tools import notebooks

FOLDER = ROOT / "docs/notebooks"
LARGEST = 400_000  # bytes of a notebook


def test_every_tutorial_has_a_notebook_and_links_to_it():
    assert {path.stem for path in FOLDER.glob("*")} == set(notebooks.PAGES)
    for name, page in notebooks.PAGES.items():
        link = f"[Download this page as a notebook](../notebooks/{name}.ipynb)"
        assert f'\n{link}{{ download="{name}.ipynb" }}\n' in page.read_text(), page


@pytest.mark.parametrize("name", notebooks.PAGES)
def test_a_notebook_is_its_page_executed_in_order(name):
    path = FOLDER / f"{name}.ipynb"
    content = json.loads(path.read_text())
    shown = [(cell["cell_type"], "".join(cell["source"])) for cell in content["cells"]]
    stale = f"The page has changed: python -m training.notebooks {name}"
    assert shown == notebooks.cells(notebooks.PAGES[name].read_text()), stale
    code = [cell for cell in content["cells"] if cell["cell_type"] == "code"]
    assert [cell["execution_count"] for cell in code] == list(range(1, len(code) + 1))
    outputs = [output for cell in code for output in cell["outputs"]]
    assert {output["output_type"] for output in outputs} <= {"display_data", "stream"}
    assert {output["name"] for output in outputs if "name" in output} <= {"stdout"}
    assert any("image/png" in output.get("data", {}) for output in outputs)
    assert path.stat().st_size <= LARGEST
    assert content["metadata"]["tfgen"]["seconds"] > 0


PAGE = """\
# A title

[Download this page as a notebook](../notebooks/x.ipynb){ download="x.ipynb" }

See [a *guide*](../guides/own_data.md#folders), [Keras](https://keras.io): $[0, 1](x)$ is
<!-- fill: figure x.json a.b -->7<!-- end -->
seven.

<!-- in tests: 3 -> 1 -->
```python
epochs = 3

print(epochs)
```

```sh
python -m tfgen verify saved_models
```
```python
print("last")
```
"""


def test_a_page_becomes_cells_of_text_and_code():
    (kind, install), *cells = notebooks.cells(PAGE)
    assert kind == "markdown" and "pip install" in install
    assert cells == [
        (
            "markdown",
            "# A title\n\n\nSee a *guide*, [Keras](https://keras.io): $[0, 1](x)$ is\n7\nseven.",
        ),
        ("code", "epochs = 3\n\nprint(epochs)"),
        ("markdown", "```sh\npython -m tfgen verify saved_models\n```"),
        ("code", 'print("last")'),
    ]


FOLDED = """\
**Exercise.** Why?

??? note "Answer"

    Because of $x$:

    <!-- in tests: 3 -> 1 -->
    ```python
    for each in range(3):
        print(each)
    ```

The text goes on.
"""


def test_a_folded_answer_stays_folded_and_its_code_is_not_run():
    assert notebooks.cells(FOLDED)[1:] == [
        (
            "markdown",
            "**Exercise.** Why?\n\n<details><summary>Answer</summary>\n\nBecause of $x$:\n\n"
            "```python\nfor each in range(3):\n    print(each)\n```\n\n</details>\n\n"
            "The text goes on.",
        )
    ]


def test_outputs_lose_what_differs_from_run_to_run():
    picture = io.BytesIO()
    Image.effect_noise((64, 64), 60).save(picture, format="PNG")
    png = base64.b64encode(picture.getvalue()).decode()
    log = "INFO:tensorflow:Assets written to: x\n"
    told = "Epoch 1/2\n9/9 - 2s - 12ms/step - loss: 1.5\n"
    cell = {
        "outputs": [
            {"output_type": "stream", "name": "stdout", "text": log + told},
            {"output_type": "stream", "name": "stdout", "text": log},
            {
                "output_type": "stream",
                "name": "stderr",
                "text": "I0000 00:00 cpu.cc:1] remark\npage.py:3: UserWarning: too few\n  fit()\n",
            },
            {"output_type": "display_data", "data": {"image/png": png}},
        ],
    }
    assert notebooks.clean(cell) == ["page.py:3: UserWarning: too few"]
    text, shown = cell["outputs"]
    assert text["text"] == "Epoch 1/2\n9/9 - loss: 1.5\n"
    few = base64.b64decode(shown["data"]["image/png"])
    assert Image.open(io.BytesIO(few)).size == (64, 64) and len(few) < len(picture.getvalue())


def test_an_unknown_tutorial_is_refused(capsys):
    with pytest.raises(SystemExit):
        notebooks.main(["vea"])
    assert "no tutorial 'vea': choose of course," in capsys.readouterr().err


def test_a_page_s_code_is_executed_and_its_failure_told(tmp_path, monkeypatch, capsys):
    pytest.importorskip("nbclient", reason="needs tfgen[docs]")
    page, failing = tmp_path / "page.md", tmp_path / "failing.md"
    page.write_text(PAGE)
    failing.write_text(PAGE.replace("epochs = 3\n", "epochs = three\n"))
    monkeypatch.setattr(notebooks, "PAGES", {"page": page, "failing": failing})
    with pytest.raises(SystemExit, match="failing.md: block 1 of Python fails: NameError: name"):
        notebooks.main([f"--output={tmp_path}"])
    assert re.fullmatch(r"page: .*page.ipynb, \d+ kB, run in \d+ s\n", capsys.readouterr().out)
    assert _printed(tmp_path / "page.ipynb") == ["3\n", "last\n"]
    assert not (tmp_path / "failing.ipynb").exists()

    monkeypatch.setattr(notebooks, "execute", lambda notebook: pytest.fail("It was run again."))
    page.write_text(PAGE.replace("seven", "7"))
    notebooks.main([f"--output={tmp_path}", "page"])
    assert capsys.readouterr().out.endswith("kB, its code is as it was\n")
    assert _printed(tmp_path / "page.ipynb") == ["3\n", "last\n"]
    assert "seven" not in (tmp_path / "page.ipynb").read_text()


def _printed(path):
    cells = json.loads(path.read_text())["cells"]
    outputs = [cell["outputs"] for cell in cells if "outputs" in cell]
    return ["".join(each["text"]) for (each,) in outputs]
