"""A flow as a density of its own."""

import dataclasses

import keras
import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp

from tfgen.distributions.densities.density import Density, floats, serializable
from tfgen.distributions.flows import FlowPrior
from tfgen.distributions.likelihood_ascent import maximize_likelihood
from tfgen.utils.arguments import check_count

tfb, tfd = tfp.bijectors, tfp.distributions

_BATCH, _RATE = 256, 2e-3


@serializable
@dataclasses.dataclass(frozen=True)
class Flow(Density):
    """A masked autoregressive flow (Papamakarios et al., 2017) of standardized examples.

    Unlike the other densities it is found by steps, of Adam on the examples' likelihood, whose rate
    falls to 0. Values that never vary, such as a picture's black border, have no density, and are
    refused: take principal components, `DensityModel(..., dimensions=50)`.

    Args:
        steps: the number of masked networks, at least 1.
        hidden_sizes: the units of the hidden layers of each.
        training_steps: how many steps of Adam, each with 256 examples.

    Example:
        >>> model = tfgen.DensityModel((2,), Flow(steps=4))
        >>> model.fit(points)
    """

    steps: int = 4
    hidden_sizes: tuple = (64, 64)
    training_steps: int = 2000

    def __post_init__(self):
        check_count("steps", self.steps)
        check_count("training_steps", self.training_steps)

    def estimate(self, examples, seed):
        if len(examples) < 2:
            raise ValueError(f"A flow needs two examples at least. Received: {len(examples)}.")
        mean, deviation = examples.mean(axis=0), examples.std(axis=0)
        fixed = np.sum(deviation == 0)
        if fixed:
            raise ValueError(
                f"A flow needs values that vary. Received: {fixed} of {len(mean)} that never do. "
                "Principal components vary: `DensityModel(..., dimensions=50)`."
            )
        prior = FlowPrior(examples.shape[1], self.steps, self.hidden_sizes)
        first = prior.initial_weights(())
        weights = {name: keras.Variable(value, name=name) for name, value in first.items()}
        values = tf.constant((examples - mean) / deviation, tf.float32)
        how = self.training_steps, _BATCH, _RATE, seed
        maximize_likelihood(prior.distribution, weights, values, *how)
        found = {name: variable.numpy() for name, variable in weights.items()}
        return floats(mean=mean, deviation=deviation, **found)

    def distribution(self, mean, deviation, **weights):
        prior = FlowPrior(mean.shape[0], self.steps, self.hidden_sizes)
        units = tfb.Chain([tfb.Shift(mean), tfb.Scale(deviation)])
        return tfd.TransformedDistribution(prior.distribution(**weights), units)
