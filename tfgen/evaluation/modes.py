"""Mode coverage: how many of the modes that the data are known to have are in the samples."""

from typing import NamedTuple

import numpy as np
from scipy.spatial.distance import cdist
from scipy.special import rel_entr

from tfgen.evaluation.checks import check_vectors


class MixtureCoverage(NamedTuple):
    """The number of modes with a sample near, and the share of samples near some mode."""

    modes: int
    high_quality: float


class ClassCoverage(NamedTuple):
    """The number of classes seen, and the divergence of their frequencies from the data's."""

    classes: int
    divergence: float


def mixture_coverage(samples, centres, deviation):
    """Counts the modes of a mixture of round normals that the samples reach.

    The protocol of Srivastava et al., 2017 (VEEGAN), section 4.1: a sample is of high quality
    within three standard deviations of some centre; a mode is covered with one such sample at its
    centre.

    Args:
        samples: `[count, size]`; the paper draws 2,500.
        centres: `[modes, size]`.
        deviation: the modes' standard deviation.

    Returns:
        A `MixtureCoverage`: an integer up to `modes`, and a share from 0 to 1.

    Raises:
        ValueError: samples or centres are no vectors, none, not finite or of different sizes, or
            the deviation is not positive.

    Example:
        >>> evaluation.mixture_coverage(model.sample(2500), corners, deviation=0.05)
        MixtureCoverage(modes=4, high_quality=0.93)
    """
    samples, centres = check_vectors("samples", samples), check_vectors("centres", centres)
    if samples.shape[1] != centres.shape[1]:
        raise ValueError(
            "Samples and centres must have as many features. "
            f"Received: {samples.shape[1]} and {centres.shape[1]}."
        )
    if not (len(samples) and len(centres)):
        raise ValueError(
            "There must be at least one sample and one centre. "
            f"Received: {len(samples)} samples and {len(centres)} centres."
        )
    if not deviation > 0:
        raise ValueError(f"`deviation` must be positive. Received: deviation={deviation}.")
    distances = cdist(samples, centres)
    good = distances.min(axis=1) <= 3 * deviation
    return MixtureCoverage(len(np.unique(distances.argmin(axis=1)[good])), float(good.mean()))


def class_coverage(predicted, real, classes):
    """Counts the classes that the samples reach, by a classifier's word.

    On stacked digits (see `stacked_classes`), with 26,000 samples and 1,000 classes, these are the
    two figures of Metz et al., 2017 (unrolled GANs), and of VEEGAN.

    Args:
        predicted: the classes of the samples, integers `[count]` from 0 to `classes - 1`.
        real: the classes of real examples, as `predicted`.
        classes: the number of classes.

    Returns:
        A `ClassCoverage`: the number of classes with at least one sample, and the divergence
        `KL(samples || data)` of the classes' frequencies in nats: infinite where samples are of a
        class that no real example is of.

    Raises:
        ValueError: there is no sample, or a class is out of range.

    Example:
        >>> evaluation.class_coverage([0, 0, 1], [0, 1, 2], classes=3)
        ClassCoverage(classes=2, divergence=0.46...)
    """
    found = _frequencies("predicted", predicted, classes)
    expected = _frequencies("real", real, classes)
    return ClassCoverage(int(np.sum(found > 0)), float(rel_entr(found, expected).sum()))


def stacked_classes(images, probabilities):
    """Classifies images of which each channel is an image of its own, such as stacked MNIST.

    Args:
        images: `[count, height, width, channels]` in [0, 1].
        probabilities: a function from grey images to class probabilities, `[count, classes]`, such
            as that of `ClassifierFeatures`.

    Returns:
        Integers `[count]`: the channels' classes as the digits of one number, the first channel's
        as the last digit.
    """
    digits = [probabilities(images[..., index : index + 1]) for index in range(images.shape[-1])]
    classes = np.shape(digits[0])[1]
    return sum(
        np.argmax(digit, axis=1) * classes**position for position, digit in enumerate(digits)
    )


def _frequencies(name, labels, classes):
    labels = np.asarray(labels)
    if labels.size == 0:
        raise ValueError(f"There must be at least one class in `{name}`. Received: none.")
    if labels.min() < 0 or labels.max() >= classes:
        raise ValueError(
            f"Classes must be from 0 to {classes - 1}. Received: {labels.min()} to {labels.max()} "
            f"in `{name}`."
        )
    return np.bincount(labels, minlength=classes) / len(labels)
