"""The lectures' toy comes to the slide's figures, and its updates are those of calculus."""

import numpy as np
import pytest
from PIL import Image
from scipy.integrate import quad
from scipy.special import expit
from scipy.stats import norm

from training.figures import toy

V, W, JUDGE = np.array([0.2, 0.98]), np.array([0.98, 0.2]), np.array([0.71, -0.71])
SLIDE_V, SLIDE_JUDGE = [0.39, 0.92], [0.67, -0.74]


def mean(function):
    """Returns the expectation of an even function of `h ~ N(0, 1)`."""
    return 2 * quad(lambda h: function(h) * norm.pdf(h), 0, 12)[0]


def on_the_circle(vector):
    return vector / np.linalg.norm(vector)


def updated_generator(rate, slope=expit):
    """Descends `J_G` of samples `h v`; `slope` is `-J_G'` as a function of the logit."""
    size = mean(lambda h: slope(h * (V @ JUDGE)) * h)
    return on_the_circle(V + rate * size * JUDGE)


def updated_discriminator(rate, v):
    """Ascends the value function of data `h w` and samples `h v`."""
    real = mean(lambda h: expit(-h * (W @ JUDGE)) * h) * W
    fake = mean(lambda h: expit(h * (v @ JUDGE)) * h) * v
    return on_the_circle(JUDGE + rate * (real - fake))


def rounds_to(vector, slide):
    return np.array_equal(np.round(np.asarray(vector, float), 2), slide)


@pytest.mark.slow
def test_the_command_prints_the_slides_figures_and_draws_them(tmp_path, capsys):
    toy.main(["--output", str(tmp_path / "toy")])
    lines = capsys.readouterr().out.splitlines()
    start, generator, discriminator = "(0.20, 0.98)", "(0.39, 0.92)", "(0.67, -0.74)"
    assert start in lines[1] and "(0.71, -0.71)" in lines[1]
    assert generator in lines[2] and "(0.71, -0.71)" in lines[2]
    assert generator in lines[3] and discriminator in lines[3]
    assert [path.name for path in (tmp_path / "toy").iterdir()] == ["toy.png"]
    with Image.open(tmp_path / "toy" / "toy.png") as picture:
        assert picture.width > 1000 and len(picture.convert("RGB").getcolors(10**6)) > 100


def test_the_updates_are_those_of_calculus():
    v, judge = zip(*[toy.vectors(gan) for _, gan, _ in toy.stages()], strict=True)
    np.testing.assert_allclose([v[0], judge[0]], [V, JUDGE], rtol=1e-6)
    expected = updated_generator(toy.GENERATOR_RATE)
    np.testing.assert_allclose(v[1], expected, atol=2e-3)
    np.testing.assert_array_equal(judge[1], judge[0])
    np.testing.assert_array_equal(v[2], v[1])
    np.testing.assert_allclose(
        judge[2], updated_discriminator(toy.DISCRIMINATOR_RATE, expected), atol=2e-3
    )
    assert rounds_to(v[1], SLIDE_V) and rounds_to(judge[2], SLIDE_JUDGE)
    np.testing.assert_allclose(np.linalg.norm([v[2], judge[2]], axis=1), 1, rtol=1e-5)


def test_these_learning_rates_and_no_others_give_the_slides_figures():
    assert all(rounds_to(updated_generator(rate), SLIDE_V) for rate in (0.77, 0.80))
    assert not any(rounds_to(updated_generator(rate), SLIDE_V) for rate in (0.76, 0.82))
    v = np.array(SLIDE_V)
    assert all(rounds_to(updated_discriminator(rate, v), SLIDE_JUDGE) for rate in (0.93, 1.21))
    assert not any(rounds_to(updated_discriminator(rate, v), SLIDE_JUDGE) for rate in (0.9, 1.23))
    # The non-saturating game takes the same way at twice the pace.
    assert rounds_to(updated_generator(0.4, slope=lambda logit: expit(-logit)), SLIDE_V)
    # For samples that mirror the data, the discriminator stays.
    np.testing.assert_allclose(updated_discriminator(1.0, V), on_the_circle(JUDGE), atol=1e-9)


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(SystemExit, match=f"toy: .*{tmp_path / 'file'}"):
        toy.main(["--output", str(tmp_path / "file")])
