"""Contrastive losses by closed forms and by an independent one in NumPy."""

import itertools
import math

import numpy as np
import pytest
import tensorflow as tf

from tfgen import contrasts

LECTURE = contrasts.InfoNCE(1.0, symmetric=False, normalize=False)


def draws(count=6, size=4):
    return np.random.default_rng(0).normal(size=(2, count, size)).astype(np.float32)


@pytest.mark.parametrize("count", [2, 7])
@pytest.mark.parametrize("temperature", [0.1, 0.5])
def test_orthonormal_pairs(count, temperature):
    pairs = 3.0 * np.eye(count, dtype=np.float32)  # the length does not matter
    others = (2 * count - 2) * math.exp(-1 / temperature)
    found = contrasts.NTXent(temperature)(pairs, pairs)
    np.testing.assert_allclose(found, math.log(1 + others), rtol=1e-4, atol=1e-7)
    found = contrasts.InfoNCE(temperature)(pairs, pairs)
    np.testing.assert_allclose(found, math.log(1 + others / 2), rtol=1e-4, atol=1e-7)


def test_collapse_tells_nothing():
    views = np.tile(np.float32([[1, 2, 3]]), [5, 1])
    np.testing.assert_allclose(contrasts.NTXent()(views, views), math.log(9), rtol=1e-5)
    np.testing.assert_allclose(contrasts.InfoNCE()(views, views), math.log(5), rtol=1e-5)


@pytest.mark.parametrize("temperature", [0.2, 1.0])
def test_simclr_as_its_algorithm_writes_it(temperature):
    """Chen et al., 2020, algorithm 1, where views 2k - 1 and 2k are of one image."""
    first, second = draws()
    views = np.stack([first, second], axis=1).reshape(12, 4).astype(np.float64)
    views /= np.linalg.norm(views, axis=1, keepdims=True)
    likeness = np.exp(views @ views.T / temperature)

    def loss(i, j):
        return -math.log(likeness[i, j] / sum(likeness[i, k] for k in range(12) if k != i))

    expected = np.mean([loss(i, i + 1) + loss(i + 1, i) for i in range(0, 12, 2)]) / 2
    found = contrasts.NTXent(temperature)(first, second)
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_clip_as_its_figure_writes_it():
    first, second = draws()
    units = [each / np.linalg.norm(each, axis=1, keepdims=True) for each in (first, second)]
    logits = np.exp(units[0] @ units[1].T / 0.3)
    rows = -np.log(np.diag(logits) / logits.sum(axis=1)).mean()
    columns = -np.log(np.diag(logits) / logits.sum(axis=0)).mean()
    assert abs(rows - columns) > 0.01
    found = contrasts.InfoNCE(0.3)(first, second)
    np.testing.assert_allclose(found, (rows + columns) / 2, rtol=1e-5)
    one_sided = contrasts.InfoNCE(0.3, symmetric=False)(first, second)
    np.testing.assert_allclose(one_sided, rows, rtol=1e-5)
    np.testing.assert_allclose(contrasts.InfoNCE(9.0)(first, second, 0.3), found, rtol=1e-6)


def test_the_lecture_s_loss():
    images, disturbed = draws()
    expected = []
    for i in range(6):
        scores = [math.exp(disturbed[j] @ images[i]) for j in range(6)]
        expected.append(-math.log(scores[i] / sum(scores)))
    np.testing.assert_allclose(LECTURE(images, disturbed), np.mean(expected), rtol=1e-5)


JOINT = np.array([[0.3, 0.05, 0.1], [0.05, 0.2, 0.3]])  # of two values and of three
INFORMATION = np.log(JOINT / JOINT.sum(axis=1, keepdims=True) / JOINT.sum(axis=0))


def expected_loss(loss, scores):
    """Returns the mean loss of two draws from a joint distribution, whatever they are."""
    total = 0.0
    for first, second in itertools.product(itertools.product(range(2), range(3)), repeat=2):
        x, y = zip(first, second, strict=True)
        # Inner products of these are the scores.
        value = loss(tf.one_hot(x, 2), tf.gather(tf.transpose(scores), y))
        total += JOINT[first] * JOINT[second] * value
    return total


@pytest.mark.parametrize("symmetric", [True, False])
def test_the_optimum_is_the_pointwise_mutual_information(symmetric):
    loss = contrasts.InfoNCE(1.0, symmetric=symmetric, normalize=False)
    scores = tf.constant(INFORMATION, tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(scores)
        least = expected_loss(loss, scores)
    np.testing.assert_allclose(tape.gradient(least, scores), np.zeros([2, 3]), atol=1e-6)
    for change in (np.log(JOINT), 0.5 * INFORMATION, INFORMATION + np.eye(2, 3)):
        assert expected_loss(loss, tf.constant(change, tf.float32)) > least + 1e-4
    of_x = scores + [[1.0], [-2.0]]
    assert (expected_loss(loss, of_x) > least + 1e-4) == symmetric


def test_far_logits_have_finite_gradients():
    first, second = map(tf.constant, 100 * draws())
    for loss in (contrasts.NTXent(0.01), LECTURE):
        with tf.GradientTape() as tape:
            tape.watch([first, second])
            value = loss(first, second)
        assert np.isfinite(value)
        for gradient in tape.gradient(value, [first, second]):
            assert np.isfinite(gradient).all()


def test_it_is_computed_in_float32():
    first, second = (tf.cast(each, tf.bfloat16) for each in draws())
    for loss in (contrasts.NTXent(), contrasts.InfoNCE()):
        assert loss(first, second).dtype == tf.float32
        assert loss.embed(first).dtype == tf.float32


@pytest.mark.parametrize("loss", [contrasts.NTXent(), contrasts.InfoNCE(), LECTURE])
def test_one_pair_and_odd_pairs_are_refused(loss):
    first, second = draws(1)
    with pytest.raises(ValueError, match="a batch of one pair. Take larger batches"):
        loss(first, second)
    first, second = draws(4)
    with pytest.raises(ValueError, match=r"must be of one shape. Received: \[4, 4\] and \[3, 4\]"):
        loss(first, second[:3])


def test_temperatures_are_above_zero():
    for wrong in (0.0, -1.0, math.inf, "cold"):
        with pytest.raises(ValueError, match="`temperature` must be"):
            contrasts.NTXent(wrong)
