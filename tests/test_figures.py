"""The lectures' figures: the command, and what each figure claims."""

import numpy as np
import pytest
import tensorflow as tf

from tests.documents import ROOT
from training.figures import __main__ as command
from training.figures import generator_losses
from training.figures.catalogue import FIGURES


@pytest.mark.slow
def test_the_command_draws_by_name_and_prints_what_was_measured(tmp_path, capsys):
    command.main(["generator_losses", f"--output={tmp_path}/new"])
    printed = capsys.readouterr().out.splitlines()
    assert printed[1].split()[-3:] == ["-0.01", "-0.50", "-0.99"]
    assert printed[-1] == f"Drawn in {tmp_path}/new/generator_losses.png."
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["generator_losses.png"]
    picture = tf.io.decode_png((tmp_path / "new/generator_losses.png").read_bytes())
    assert picture.shape[1] == 1000


def test_the_list_says_what_each_shows(capsys):
    command.main(["--list"])
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition(":")[0] for line in lines] == list(FIGURES)


def test_a_mistyped_figure_and_a_folder_that_is_none_are_refused(tmp_path, capsys):
    with pytest.raises(SystemExit):
        command.main(["generator_loss"])
    assert "no figure 'generator_loss': choose of samplers," in capsys.readouterr().err
    (tmp_path / "file").touch()
    with pytest.raises(SystemExit, match="figures: .*file"):
        command.main(["generator_losses", f"--output={tmp_path}/file"])


@pytest.mark.parametrize("name", FIGURES)
def test_each_is_in_the_documentation_and_no_longer_than_a_page(name):
    picture = tf.io.decode_png((ROOT / f"docs/pictures/{name}.png").read_bytes())
    height, width, _ = picture.shape
    assert 400 < width < 1800 and 200 < height < 1800


def test_minimax_saturates_where_the_discriminator_is_sure_and_the_trick_does_not():
    chances = np.array([1e-3, 0.2, 0.5, 0.9])
    expected = {
        "Minimax": (np.log(1 - chances), -chances),
        "NonSaturating": (-np.log(chances), chances - 1),
        "MaximumLikelihood": (-chances / (1 - chances), -chances / (1 - chances)),
    }
    for game in generator_losses.GAMES.values():
        losses, slopes = generator_losses.losses_and_slopes(game, chances)
        np.testing.assert_allclose(losses, expected[type(game).__name__][0], rtol=1e-4)
        np.testing.assert_allclose(slopes, expected[type(game).__name__][1], rtol=1e-4)
