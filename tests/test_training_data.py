"""The training command and the data it is given."""

import json

import numpy as np
import pytest
from PIL import Image

from tests.train_specimen import register
from tfgen import data
from training import train
from training.recipes.recipe import RECIPES, recipe


def write_images(folder, count, size=8):
    """Writes noise as images of one class, and a broken file among them."""
    folder.mkdir(parents=True)
    for index in range(count):
        pixels = np.random.default_rng(index).integers(0, 256, [size, size]).astype(np.uint8)
        Image.fromarray(pixels).save(folder / f"{index:02}.png")
    (folder / "01.png").write_bytes(b"This is no image.")


@pytest.mark.slow
def test_broken_images_are_left_out_of_training_if_asked(tmp_path, monkeypatch, capsys):
    register("conv_vae")
    monkeypatch.setitem(RECIPES, "conv_vae", RECIPES.pop("conv_vae"))
    write_images(tmp_path / "images", 20)
    args = ["conv_vae", f"--data=folder:{tmp_path / 'images'}", f"--output={tmp_path / 'run'}"]
    with pytest.raises(SystemExit, match="1 of 18 files are broken: .*01.png .*--skip-unreadable"):
        train.main([*args, "--no-export"])
    train.main([*args, "--no-export", "--steps=1", "--skip-unreadable"])
    assert "Broken files that were left out: 1." in capsys.readouterr().out
    settings = json.loads((tmp_path / "run" / "config.json").read_text())["settings"]
    assert settings["examples"] == 17 and settings["skip_unreadable"] is True


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ({}, "'cgan_mnist' learns from labels, and 'npz:.*' has none. A folder"),
        (
            {"y": np.arange(20)},
            r"one of 0 to 9 .*labels of shape \(18,\) from 0 to 18, of",
        ),
        ({"y": np.arange(20) - 1}, r"one of 0 to 9 .*labels of shape \(18,\) from -1 to 17"),
        ({"y": np.zeros([20, 5], int)}, r"one of 0 to 9 .*labels of shape \(18, 5\) from 0 to 0"),
    ],
)
def test_data_whose_labels_are_not_a_recipe_s_are_refused_at_once(tmp_path, labels, message):
    np.savez(tmp_path / "data.npz", x=np.full([20, 28, 28, 1], 9, np.uint8), **labels)
    output = tmp_path / "run"
    with pytest.raises(SystemExit, match=message):
        train.main(["cgan_mnist", f"--data=npz:{tmp_path / 'data.npz'}", f"--output={output}"])
    assert not output.exists()


def test_the_old_name_of_what_finds_a_recipe_s_data_works(monkeypatch):
    with pytest.warns(FutureWarning, match="`load=` is now called `find_data=`"):
        register = recipe(data="classes:embedded:7,9", load=data.domains)
    register(old := lambda shape, steps: None)
    assert RECIPES.pop(old.__name__).find_data is data.domains
