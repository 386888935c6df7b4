"""Captions by images whose tone, slant and width are known."""

import numpy as np
import pytest

from tfgen import data
from tfgen.data import DIGITS, GARMENTS, Source


def garment(grey, label):
    """A garment of one grey in the middle of black."""
    image = np.zeros([28, 28, 1], np.float32)
    image[8:20, 8:20] = grey
    return image, label


def line(width, slant, label, side=28):
    """A line of some width, whose top leans to the right by `slant` pixels for each of height."""
    down, right = np.meshgrid(np.arange(side), np.arange(side), indexing="ij")
    middle = side / 2 - slant * (down - side / 2)
    inside = np.clip(width / 2 + 0.5 - np.abs(right - middle), 0, 1)
    inside[:3], inside[-3:] = 0, 0
    return inside[..., None].astype(np.float32), label


def source(*examples):
    images, labels = zip(*examples, strict=True)
    return Source(np.stack(images), np.array(labels))


def test_garments_have_a_tone_and_a_name():
    found = GARMENTS.of(source(garment(0.2, 9), garment(0.9, 9), garment(0.5, 1), garment(0.7, 0)))
    assert found.tolist() == [
        "a dark ankle boot",
        "a light ankle boot",
        "a dark pair of trousers",
        "a light t-shirt",
    ]


def test_digits_have_a_pen_a_slant_and_a_name():
    found = DIGITS.of(
        source(line(1.5, 0.5, 1), line(4, 0.05, 1), line(4, -0.4, 7), line(1.5, 0.1, 0))
    )
    assert found.tolist() == [
        "a thin right-leaning one",
        "a thick upright one",
        "a thick left-leaning seven",
        "a thin upright zero",
    ]


@pytest.mark.parametrize("captions", [GARMENTS, DIGITS])
def test_captions_tell_what_they_were_made_of(captions):
    sizes = [len(each) for each in captions.choices.values()]
    kinds = np.stack(np.unravel_index(np.arange(np.prod(sizes)), sizes), axis=1)
    np.testing.assert_array_equal(captions.kinds_in(captions.all), kinds)
    assert len(set(captions.all)) == np.prod(sizes)
    tokens = captions.vocabulary.tokens(captions.all).numpy()
    assert len(np.unique(tokens, axis=0)) == len(captions.all)
    np.testing.assert_array_equal(captions.read(tokens), captions.all)
    assert captions.are_kept_out(captions.all).sum() == len(captions.kept_out) == 4


@pytest.mark.parametrize("captions", [GARMENTS, DIGITS])
def test_each_word_that_is_kept_out_is_seen_in_other_combinations(captions):
    seen = captions.kinds_in(captions.all[~captions.are_kept_out(captions.all)])
    for kind, words in enumerate(captions.choices.values()):
        assert set(seen[:, kind]) == set(range(len(words)))


def test_data_by_name_leave_out_of_training_what_is_kept_out():
    whole, test = data.source("embedded", "train"), GARMENTS.source("embedded", "test")
    train = GARMENTS.source("embedded", "train")
    kept_out = GARMENTS.are_kept_out(GARMENTS.of(whole))
    assert len(train) == (~kept_out).sum() and kept_out.sum() > 500
    captions = GARMENTS.read(train.labels)
    assert not GARMENTS.are_kept_out(captions).any()
    np.testing.assert_array_equal(captions, GARMENTS.of(whole)[~kept_out])
    assert GARMENTS.are_kept_out(GARMENTS.read(test.labels)).mean() > 0.05
    assert set(GARMENTS.read(test.labels)) == set(GARMENTS.all)


@pytest.mark.parametrize(
    "wrong",
    [
        Source(np.zeros([2, 28, 28, 1], np.uint8)),
        Source(np.zeros([2, 28, 28, 1], np.uint8), np.array([0, 10])),
        Source(np.zeros([2, 28, 28, 3], np.uint8), np.array([0, 1])),
        Source(np.zeros([2, 5], np.float32), np.array([0, 1])),
    ],
    ids=str,
)
@pytest.mark.parametrize("captions", [GARMENTS, DIGITS])
def test_other_data_have_no_such_captions(captions, wrong):
    with pytest.raises(
        ValueError, match="grey images, labelled by one of 0 to 9. Received: Source"
    ):
        captions.of(wrong)
