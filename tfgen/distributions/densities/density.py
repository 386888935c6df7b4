"""What all densities are."""

import abc

import keras
import numpy as np

from tfgen.engine.serialization import Configured

# In a package of their own, because there is a `tfgen.distributions.Gaussian` too.
serializable = keras.saving.register_keras_serializable(package="tfgen.densities")


class Density(Configured, abc.ABC):
    """How a distribution over vectors is estimated from examples."""

    @abc.abstractmethod
    def estimate(self, examples, seed):
        """Estimates the distribution's parameters.

        Args:
            examples: a float array `[count, size]`.
            seed: an integer, which decides what is random in the estimation.

        Returns:
            A dict of float32 arrays: the arguments of `distribution`.

        Raises:
            ValueError: there are too few examples.
        """

    @abc.abstractmethod
    def distribution(self, **parameters):
        """Returns a TFP distribution over vectors from tensors that `estimate` named."""


def floats(**arrays):
    """Returns arrays in float32, by name."""
    return {name: np.asarray(array, np.float32) for name, array in arrays.items()}
