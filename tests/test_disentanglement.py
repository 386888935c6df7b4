"""Scores of disentanglement, on codes of which is known what they should be."""

import itertools

import numpy as np
import pytest

from tfgen.data import SPRITE_FACTORS, draw_sprites, sprites
from tfgen.evaluation import (
    dci_scores,
    factor_vae_score,
    higgins_score,
    mutual_information_gap,
    separated_attribute_predictability,
)

COUNTS = (4, 5, 3)
FACTORS = np.random.default_rng(0).integers(COUNTS, size=[4000, 3])
NOISE = np.random.default_rng(1).normal(size=[4000, 3])
IDENTITY = FACTORS + 0.01 * NOISE
# Every latent has a part of every factor.
ROTATION = np.linalg.qr(np.array([[1.0, 2, 3], [3, -1, 1], [1, 1, -2]]))[0]
ROTATED = (FACTORS - FACTORS.mean(axis=0)) / FACTORS.std(axis=0) @ ROTATION
SCORES = {
    "higgins": lambda codes: higgins_score(codes, FACTORS, votes=400),
    "factor_vae": lambda codes: factor_vae_score(codes, FACTORS, votes=400),
    "mig": lambda codes: mutual_information_gap(codes, FACTORS),
    "disentanglement": lambda codes: dci_scores(codes, FACTORS)["disentanglement"],
    "completeness": lambda codes: dci_scores(codes, FACTORS)["completeness"],
    "sap": lambda codes: separated_attribute_predictability(codes, FACTORS),
}
every_score = pytest.mark.parametrize("name", SCORES)


@every_score
def test_codes_that_are_the_factors_score_high_and_turned_ones_low(name):
    score = SCORES[name]
    high, low = score(IDENTITY), score(ROTATED)
    assert high > (0.3 if name == "sap" else 0.95)
    assert low < high - 0.2 if name not in ("higgins", "factor_vae") else low < high + 1e-9


@every_score
def test_order_sign_and_size_of_latents_do_not_matter(name):
    changed = IDENTITY[:, [2, 0, 1]] * [-3.0, 0.1, 20.0] + [0, 5, -7]
    assert SCORES[name](changed) == pytest.approx(SCORES[name](IDENTITY), abs=0.03)


@every_score
def test_a_latent_that_never_varies_changes_nothing(name):
    wider = np.concatenate([IDENTITY, np.full([len(IDENTITY), 1], 0.3)], axis=1)
    assert SCORES[name](wider) == pytest.approx(SCORES[name](IDENTITY), abs=0.03)


@every_score
def test_small_latents_tell_as_much_as_large_ones(name):
    assert SCORES[name](1e-4 * IDENTITY) == pytest.approx(SCORES[name](IDENTITY), abs=0.03)


@every_score
def test_latents_that_tell_nothing_change_little(name):
    wider = np.concatenate([IDENTITY, NOISE], axis=1)
    assert SCORES[name](wider) == pytest.approx(SCORES[name](IDENTITY), abs=0.1)


@every_score
def test_codes_that_say_nothing_score_as_chance(name):
    found = SCORES[name](NOISE)
    assert found < (0.5 if name in ("higgins", "factor_vae") else 0.15)


@pytest.mark.parametrize(
    "score",
    [
        lambda codes: higgins_score(codes, FACTORS, votes=100, pairs=2),
        lambda codes: factor_vae_score(codes, FACTORS, votes=100, examples=8),
        lambda codes: dci_scores(codes[:, :4], FACTORS)["informativeness"],
    ],
)
def test_what_is_learnt_by_heart_does_not_count(score):
    """Of noise, many latents tell the examples that they are chosen by, but no others."""
    assert score(np.random.default_rng(3).normal(size=[4000, 200])) < 0.5


def test_codes_that_are_silent_score_as_chance():
    silent = np.zeros([4000, 2])
    assert factor_vae_score(silent, FACTORS) == pytest.approx(1 / 3)
    assert mutual_information_gap(silent, FACTORS) == 0


def test_the_gap_is_that_of_the_paper():
    """Two latents of one factor leave no gap; half of the factors have one."""
    twice = np.stack([FACTORS[:, 0], FACTORS[:, 0], FACTORS[:, 1], 0 * FACTORS[:, 2]], axis=1)
    gap = mutual_information_gap(twice, FACTORS[:, :2])
    assert gap == pytest.approx(0.5, abs=0.01)


def test_latents_count_by_how_important_they_are_to_disentanglement():
    """Forests use latents that tell nothing a little, and alike for all factors."""
    codes = np.concatenate([FACTORS + 0.2 * NOISE, np.roll(NOISE, 1, axis=0)], axis=1)
    assert dci_scores(codes, FACTORS)["disentanglement"] > 0.95


def test_completeness_is_not_disentanglement():
    """A factor in two latents, each of which knows one factor: disentangled, but not complete."""
    codes = np.stack([FACTORS[:, 0] > 1, FACTORS[:, 0] % 2, FACTORS[:, 1], FACTORS[:, 2]], axis=1)
    found = dci_scores(codes + 0.01 * np.random.default_rng(2).normal(size=codes.shape), FACTORS)
    assert found["disentanglement"] > 0.95 and found["completeness"] < 0.9
    assert found["informativeness"] > 0.95


@pytest.mark.parametrize(
    ("factors", "message"),
    [
        (np.zeros([4000, 0], int), "needs the factors that examples were made of"),
        (FACTORS[:, 0], "needs the factors"),
        (FACTORS + 0.5, "needs the factors"),
        (FACTORS[:-1], "as many codes as factors. Received: 4000 and 3999"),
        (FACTORS * [1, 0, 1], "Every factor must vary. Received: 4000 examples, .* number 1"),
    ],
)
def test_what_are_no_factors_is_refused(factors, message):
    for score in (
        higgins_score,
        factor_vae_score,
        mutual_information_gap,
        dci_scores,
        separated_attribute_predictability,
    ):
        with pytest.raises(ValueError, match=message):
            score(IDENTITY, factors)


@pytest.mark.parametrize(
    ("score", "options", "message"),
    [
        (higgins_score, {"votes": 1}, "`votes` must be at least 2. Received: votes=1"),
        (higgins_score, {"pairs": 0}, "`pairs` must be at least 1. Received: pairs=0"),
        (factor_vae_score, {"votes": 0}, "`votes` must be at least 2. Received: votes=0"),
        (factor_vae_score, {"votes": 9.5}, "`votes` must be an integer. Received: votes=9.5"),
        (factor_vae_score, {"examples": 1}, "`examples` must be at least 2. Received: examples=1"),
        (dci_scores, {"trees": 0}, "`trees` must be at least 1. Received: trees=0"),
        (separated_attribute_predictability, {"count": 1}, "`count` must be at least 2"),
    ],
)
def test_numbers_that_leave_nothing_to_count_are_refused(score, options, message):
    with pytest.raises(ValueError, match=message):
        score(IDENTITY, FACTORS, **options)


def test_too_little_to_score_is_refused():
    for count in (0, 1):
        with pytest.raises(ValueError, match=f"at least 2 examples. Received: {count}"):
            mutual_information_gap(IDENTITY[:count], FACTORS[:count])
    with pytest.raises(ValueError, match="must see two of them. Received: 50 votes, and 1 factors"):
        higgins_score(IDENTITY, FACTORS[:, :1], votes=50)
    with pytest.raises(ValueError, match="Every factor must vary. Received: 1 examples"):
        separated_attribute_predictability(IDENTITY[:2], np.array([[0, 0, 0], [1, 1, 1]]))


def test_turns_of_squares_and_ellipses_repeat():
    """So there are fewer images than combinations of factors."""
    for shape, period in ((0, 10), (1, 20), (2, 40)):
        drawn = draw_sprites([[shape, 3, turn, 12, 20] for turn in range(40)], 64).reshape(40, -1)
        assert len(np.unique(drawn, axis=0)) == period
        np.testing.assert_array_equal(drawn, np.roll(drawn, period, axis=0))
    assert (10 + 20 + 40) * 6 * 32 * 32 == 430_080


def test_sprites_are_drawn_from_their_factors():
    source = sprites(20, size=32, seed=3)
    assert source.images.shape == (20, 32, 32, 1) and source.images.dtype == np.uint8
    assert source.labels.shape == (20, len(SPRITE_FACTORS))
    np.testing.assert_array_equal(draw_sprites(source.labels, 32), source.images)
    np.testing.assert_array_equal(sprites(20, 32, seed=3).images, source.images)
    assert (sprites(20, 32, seed=4).images != source.images).any()


@pytest.mark.parametrize("shape", range(3))
def test_each_factor_does_what_its_name_says(shape):
    def place_and_area(scale=3, turn=0, x=16, y=16):
        pixels = draw_sprites([[shape, scale, turn, x, y]], 64)[0, ..., 0] / 255
        down, right = (np.arange(64) @ pixels.sum(axis=axis) / pixels.sum() for axis in (1, 0))
        return right, down, pixels.sum(), pixels

    right, down, area, pixels = place_and_area()
    assert place_and_area(x=31)[0] > right + 15 and place_and_area(x=31)[1] == pytest.approx(
        down, abs=0.05
    )
    assert place_and_area(y=0)[1] < down - 15 and place_and_area(y=0)[0] == pytest.approx(
        right, abs=0.05
    )
    assert place_and_area(scale=5)[2] > 1.2 * area > 1.2 * 1.2 * place_and_area(scale=0)[2]
    turned = place_and_area(turn=7)
    assert turned[2] == pytest.approx(area, rel=0.02) and (turned[3] != pixels).any()
    whole = place_and_area(scale=5, turn=5)[2]
    for x, y in itertools.product((0, 31), repeat=2):  # nothing is cut off
        assert place_and_area(scale=5, turn=5, x=x, y=y)[2] == pytest.approx(whole, rel=0.01)


def test_shapes_are_what_they_are_called():
    seen = draw_sprites([[shape, 5, 0, 16, 16] for shape in range(3)], 64)[..., 0] > 127
    square, ellipse, heart = (
        each[np.ix_(each.any(axis=1), each.any(axis=0))].astype(float) for each in seen
    )
    assert square.all() and square.shape[0] == square.shape[1]
    assert ellipse.shape[1] == pytest.approx(2 * ellipse.shape[0], abs=2)
    assert ellipse.mean() == pytest.approx(np.pi / 4, abs=0.05)
    assert heart[: len(heart) // 2].sum() > 1.1 * heart[len(heart) // 2 :].sum()  # its tip is below


def test_forty_turns_go_round_once():
    """Twenty make a heart stand on its head; ten turn a square into itself."""
    heart, turned = draw_sprites([[2, 5, 0, 16, 16], [2, 5, 20, 15, 15]], 64) / 255
    assert np.abs(heart - turned[::-1, ::-1]).mean() < 0.01 < np.abs(heart - turned).mean()
    square, turned, between = draw_sprites([[0, 5, turn, 16, 16] for turn in (0, 10, 5)], 64) / 255
    assert np.abs(square - turned).mean() < 0.005 < np.abs(square - between).mean()


@pytest.mark.parametrize(
    ("factors", "message"),
    [
        ([[0, 0, 0, 0]], "Factors must be integers"),
        ([[0.0, 0, 0, 0, 0]], "Factors must be integers"),
        ([[3, 0, 0, 0, 0]], r"less than \[3, 6, 40, 32, 32\]"),
        ([[0, 0, 0, 0, -1]], "at least 0"),
    ],
)
def test_factors_that_there_are_not_are_refused(factors, message):
    with pytest.raises(ValueError, match=message):
        draw_sprites(factors)


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (lambda: draw_sprites(np.zeros([0, 5], int)), "at least 1 image. Received: none"),
        (lambda: draw_sprites([[0] * 5], size=0), "`size` must be at least 1. Received: size=0"),
        (
            lambda: draw_sprites([[0] * 5], size=8.5),
            "`size` must be an integer. Received: size=8.5",
        ),
        (lambda: sprites(0), "`count` must be at least 1. Received: count=0"),
        (lambda: sprites(2, size="8"), "`size` must be an integer. Received: size='8'"),
    ],
)
def test_images_that_there_are_not_are_refused(draw, message):
    with pytest.raises(ValueError, match=message):
        draw()
