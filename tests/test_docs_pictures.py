"""The command that makes the documentation's pictures."""

import pathlib
import re
import shlex

import pytest
import tensorflow as tf

from training import train
from training.recipes.recipe import RECIPES
from training.tools import drawings, pictures
from training.tools.picture_catalogue import Picture
from training.tools.picture_notes import read_notes

ROOT = pathlib.Path(__file__).parent.parent


def test_every_picture_of_the_documentation_is_made_by_it():
    there = {path.stem for path in (ROOT / "docs/pictures").glob("*.png")}
    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    shown = {
        each for page in pages for each in re.findall(r"pictures/(\w+)\.png\)", page.read_text())
    }
    assert there == shown == set(pictures.PICTURES)
    for picture in pictures.PICTURES.values():
        for run in picture.runs:
            assert train.parse(shlex.split(run)).recipe in RECIPES


def test_the_list_shows_what_each_is_made_of(capsys):
    pictures.main(["--list", "grid"])
    assert capsys.readouterr().out.splitlines() == [
        "grid",
        "  python -m training.train ns_gan_grid",
        "  python -m training.train r1_gan_grid",
    ]


@pytest.mark.slow
def test_pictures_are_drawn_of_runs_and_what_is_missing_is_told(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    line = "infogan_demo --epochs 2"
    made = {
        "points": Picture("Points", "vae", "Points.", drawings.summary, (line,)),
        "missing": Picture(
            "None", "vae", "None.", drawings.summary, (f"{line} --seed 1", "vae_demo")
        ),
    }
    monkeypatch.setattr(pictures, "PICTURES", made)
    train.main([*line.split(), "--no-export", "--no-xla"])
    capsys.readouterr()
    with pytest.raises(SystemExit, match="not made: missing"):
        pictures.main(["--output=shown"])
    printed = capsys.readouterr().out.splitlines()
    assert printed == [
        "points: shown/points.png",
        "missing shows runs that are not there. Train them:",
        "  python -m training.train infogan_demo --epochs 2 --seed 1",
        "  python -m training.train vae_demo",
    ]
    assert tf.io.decode_png(pathlib.Path("shown/points.png").read_bytes()).shape[0] > 100
    (run,) = read_notes(pathlib.Path("shown"))["points"]["runs"]
    assert run["command"] == f"python -m training.train {line}"
    assert (run["epochs"], run["seed"]) == (2, 0)


def test_a_mistyped_picture_is_refused(capsys):
    with pytest.raises(SystemExit):
        pictures.main(["vae"])
    assert "no picture 'vae': choose of mosaic," in capsys.readouterr().err
