"""Samples of several generators in one picture."""

import keras
import numpy as np
import pytest
from matplotlib.figure import Figure

from tests import specimens
from tfgen import evaluation
from tfgen.data import Source
from training.tools import gallery


def drawn(images, count=None):
    """Returns the axes on which a collection was drawn."""
    axes = Figure().subplots()
    collection = evaluation.Collection("a collection", Source(np.asarray(images)))
    gallery.draw_samples(axes, collection, count, seed=0)
    return axes


def test_images_become_a_grid():
    images = np.arange(64, dtype=np.uint8).reshape(64, 1, 1, 1) * np.ones([1, 2, 3, 1], np.uint8)
    (picture,) = drawn(images).get_images()
    pixels = picture.get_array()
    assert pixels.shape == (8 * 3 - 1, 8 * 4 - 1)
    assert set(range(64)) <= set(pixels.ravel().tolist())


def test_points_of_the_plane_become_dots():
    points = np.random.default_rng(0).normal(size=(3000, 2)).astype("f")
    (dots,) = drawn(points).collections
    found = {tuple(point) for point in dots.get_offsets().tolist()}
    assert len(found) == 2500 and found <= {tuple(point) for point in points.tolist()}
    (dots,) = drawn(points, count=7).collections
    assert len(dots.get_offsets()) == 7


def test_other_samples_are_refused():
    with pytest.raises(ValueError, match=r"a collection, whose samples are of shape \[3\]"):
        drawn(np.zeros([5, 3], "f"), count=1)


def test_a_model_and_the_data_side_by_side(tmp_path, capsys):
    model = specimens.gan()
    model.save(tmp_path / "gan.keras")
    gallery.main(
        [
            *("embedded@test", str(tmp_path / "gan.keras"), "--samples", "4"),
            *("--output", str(tmp_path / "new/picture.png")),
        ]
    )
    assert "new/picture.png" in capsys.readouterr().out
    pixels = keras.utils.img_to_array(keras.utils.load_img(tmp_path / "new/picture.png"))
    assert pixels.shape[1] == 720  # two parts of four inches, 90 dots each


def test_an_unknown_generator_is_one_line(tmp_path):
    with pytest.raises(SystemExit, match="gallery: There is no generator 'nothing'"):
        gallery.main(["nothing", "--output", str(tmp_path / "picture.png")])
    assert not list(tmp_path.iterdir())
