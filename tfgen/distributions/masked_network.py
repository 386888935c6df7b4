"""A perceptron whose outputs see earlier inputs only: MADE (Germain et al., 2015).

Its weights are plain arrays by name, so that a prior, a posterior or a density can own them.
"""

import itertools

import numpy as np
import tensorflow as tf


class MaskedNetwork:
    """Two outputs for each of `size` inputs, the `i`-th a function of the inputs before `i`.

    Every unit has a degree; a unit hears those of the layer below whose degree is no larger than
    its own, an output `i` those of a smaller one (Germain et al., 2015, equations 12 and 13).

    Args:
        size: the number of inputs.
        hidden_sizes: the units of the hidden layers.
        context_size: the size of what else the first layer hears, wholly; 0 for nothing.

    Example:
        >>> network = MaskedNetwork(3, (16, 16))
        >>> first, second = network(network.initial_weights(0), tf.zeros([8, 3]))  # [8, 3] each
    """

    def __init__(self, size, hidden_sizes, context_size=0):
        self.context_size = context_size
        # Units of degree 0 hear no input, but the context; all outputs hear them.
        degrees = [
            np.arange(1, size + 1),
            *(np.arange(units) * size // units for units in hidden_sizes),
        ]
        masks = [
            above[np.newaxis] >= below[:, np.newaxis]
            for below, above in itertools.pairwise(degrees)
        ]
        last = degrees[0][np.newaxis] > degrees[-1][:, np.newaxis]
        masks.append(np.concatenate([last, last], axis=1))
        self._masks = [mask.astype(np.float32) for mask in masks]

    def initial_weights(self, seed):
        """Returns first weights, a dict of float32 arrays; the outputs then are 0."""
        random = np.random.default_rng(seed)
        found = {}
        for index, mask in enumerate(self._masks):
            spread = np.sqrt(2 / np.maximum(1, mask.sum(axis=0))) if index < self._last else 0.0
            kernel = random.normal(size=mask.shape) * spread
            found[f"kernel_{index}"] = (kernel * mask).astype(np.float32)
            found[f"bias_{index}"] = np.zeros(mask.shape[1], np.float32)
        if self.context_size:
            kernel = random.normal(size=[self.context_size, self._masks[0].shape[1]])
            found["context"] = (kernel / np.sqrt(self.context_size)).astype(np.float32)
        return found

    def __call__(self, weights, inputs, context=None):
        """Returns the two outputs, each shaped as the inputs.

        Args:
            weights: tensors, as `initial_weights` names them.
            inputs: float32 `[..., size]`.
            context: `[..., context_size]`, where there is one.
        """
        hidden = inputs
        for index, mask in enumerate(self._masks):
            kernel = weights[f"kernel_{index}"] * mask
            hidden = tf.tensordot(hidden, kernel, 1) + weights[f"bias_{index}"]
            if index == 0 and context is not None:
                hidden += tf.tensordot(context, weights["context"], 1)
            if index < self._last:
                hidden = tf.nn.relu(hidden)
        return tf.split(hidden, 2, axis=-1)

    @property
    def _last(self):
        return len(self._masks) - 1
