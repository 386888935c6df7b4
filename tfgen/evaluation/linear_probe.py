"""What a discriminator has learnt, measured by a linear classifier on top of it."""

import math
from typing import NamedTuple

import keras
import numpy as np
from keras import ops
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tfgen.data import Source
from tfgen.engine.serialization import serializable

_CELLS = 4  # the paper's grid, in height and in width
_FOLDS = 5
_STRENGTHS = tuple(10.0**power for power in range(-4, 2))


class LinearProbe(NamedTuple):
    """The accuracy on the test images, from 0 to 1, and the inverse penalty `C` that was chosen."""

    accuracy: float
    inverse_penalty: float


def discriminator_features(discriminator):
    """Makes a network's hidden activations its output (Radford et al., 2016, section 5.1).

    The activations of every hidden layer are pooled by maximum to a grid of 4x4, if they are maps;
    all are flattened and put side by side. What counts as a layer's activations is what the next
    layer with a kernel, or the one that flattens, receives: after batch normalization and the
    non-linearity. Perceptrons have no maps: theirs are put side by side as they are.

    Args:
        discriminator: a built functional or sequential model of one input. The features share its
            weights: they change if it is trained further.

    Returns:
        A Keras model from what the discriminator takes to vectors `[batch, size]`.

    Raises:
        ValueError: the network has several inputs, or no hidden layer.

    Example:
        >>> network = discriminator_features(gan.discriminator)
        >>> features = evaluation.ModelFeatures(network, name="dcgan-discriminator")
        >>> linear_probe(features, train, test, count=1000)
        LinearProbe(accuracy=..., inverse_penalty=...)
    """
    if len(discriminator.inputs) != 1:
        raise ValueError(
            "Features need a network of one input. "
            f"Received: {[list(each.shape) for each in discriminator.inputs]}."
        )
    inputs, found = _hidden_activations(discriminator)
    if not found:
        raise ValueError(
            f"The network {discriminator.name!r} has no hidden layer, and so no features. "
            "`evaluation.PixelFeatures` are those of its input."
        )
    return keras.Model(inputs, PooledActivations()(found), name="features")


@serializable
class PooledActivations(keras.layers.Layer):
    """Pools a list of activations, maps by maximum to a grid of 4x4, and puts them side by side.

    One layer with a name of its own: Keras would number single operations from the beginning, and
    so name them like layers of a network that was loaded.
    """

    def __init__(self, name="pooled_activations", dtype="float32", **kwargs):
        super().__init__(name=name, dtype=dtype, **kwargs)

    def call(self, activations):
        vectors = [
            ops.reshape(pooled, [-1, math.prod(pooled.shape[1:])])
            for pooled in map(_pool, activations)
        ]
        return ops.concatenate(vectors, axis=1)


def linear_probe(features, train, test, count, seed=0):
    """Measures how well few labelled images suffice to a linear classifier on fixed features.

    The protocol of Radford et al. (2016, section 5.2): a linear classifier, penalized by its
    weights' squares, learns from labelled training images, as many of every class. It is logistic
    regression, in the place of their support vector machine. Features are standardized and the
    penalty is chosen by cross-validation, both on these images alone.

    Args:
        features: a `tfgen.evaluation.Features`. `tfgen.evaluation.PixelFeatures()` are the baseline
            that any other has to beat.
        train: a labelled `tfgen.data.Source`, from which `count` images are drawn.
        test: a labelled `tfgen.data.Source`, all of which is classified.
        count: how many labelled images there are to learn from: a multiple of the number of
            classes, at least two of each.
        seed: an integer; decides which images.

    Returns:
        A `LinearProbe`.

    Raises:
        ValueError: there are no labels, fewer than two classes, or too few images of a class; or
            `count` is no such multiple.

    Example:
        >>> train, test = (data.source("tfds:mnist", split) for split in data.SPLITS)
        >>> linear_probe(evaluation.PixelFeatures(), train, test, count=100)
        LinearProbe(accuracy=0.7192, inverse_penalty=0.1)
    """
    if train.labels is None or test.labels is None:
        raise ValueError("A probe needs labelled data. Received: data without labels.")
    labelled = _balanced(train, count, seed)
    per_class = np.unique(labelled.labels, return_counts=True)[1][0]
    search = GridSearchCV(
        make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)),
        {"logisticregression__C": _STRENGTHS},
        cv=StratifiedKFold(min(_FOLDS, per_class), shuffle=True, random_state=seed),
    )
    search.fit(features(labelled), labelled.labels)
    accuracy = search.score(features(test), test.labels)
    return LinearProbe(float(accuracy), search.best_params_["logisticregression__C"])


def _balanced(source, count, seed):
    """Draws `count` labelled examples, as many of every class."""
    classes, available = np.unique(source.labels, return_counts=True)
    if len(classes) < 2:
        raise ValueError(f"A probe needs two classes or more. Received: {classes.tolist()}.")
    if count % len(classes) or count < 2 * len(classes):
        raise ValueError(
            f"`count` must be a multiple of the {len(classes)} classes, at least two of each. "
            f"Received: count={count}."
        )
    each = count // len(classes)
    if each > available.min():
        raise ValueError(
            f"{count} examples of {len(classes)} classes are {each} of each, but there are only "
            f"{available.min()} of class {classes[available.argmin()]}. Take a smaller `count`."
        )
    random = np.random.default_rng(seed)
    members = [np.flatnonzero(source.labels == one) for one in classes]
    chosen = np.concatenate([random.choice(found, each, replace=False) for found in members])
    return Source(source.images[chosen], source.labels[chosen])


def _hidden_activations(network):
    """Returns an input, and what comes from one layer with a kernel and goes into another."""
    fresh, found = set(), {}

    def call(operation, *args, **kwargs):
        outputs = operation(*args, **kwargs)
        inputs = keras.tree.flatten((args, kwargs))
        taken = {id(tensor): tensor for tensor in inputs if id(tensor) in fresh}
        flattens = any(map(_is_map, inputs)) and not _is_map(outputs)
        if _has_kernel(operation) or flattens:
            found.update(taken)
        if _has_kernel(operation) or (taken and not flattens):
            fresh.update(map(id, keras.tree.flatten(outputs)))
        return outputs

    # Not a copy: the same layers are called once more, so that each call can be looked at. A
    # sequential model becomes a functional one first.
    functional = keras.Model(network.inputs, network.outputs)
    again = keras.models.clone_model(
        functional, clone_function=lambda layer: layer, call_function=call
    )
    return again.inputs[0], list(found.values())


def _has_kernel(operation):
    """Tells whether a layer mixes features; biases and normalizations have vectors only."""
    return any(len(weight.shape) > 1 for weight in getattr(operation, "weights", []))


def _is_map(tensor):
    return len(getattr(tensor, "shape", ())) == 4


def _pool(activations):
    """Pools maps by maximum to a grid of at most 4x4 cells, which overlap where 4 is no divisor."""
    if not _is_map(activations):
        return activations
    for axis in (1, 2):
        size = activations.shape[axis]
        cells = min(_CELLS, size)
        borders = [(size * cell // cells, -(-size * (cell + 1) // cells)) for cell in range(cells)]
        slices = [
            ops.max(ops.take(activations, range(*border), axis=axis), axis=axis, keepdims=True)
            for border in borders
        ]
        activations = ops.concatenate(slices, axis=axis)
    return activations
