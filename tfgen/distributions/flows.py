"""Autoregressive flows: vectors whose values are moved and scaled one by one, several times.

A network gives the shift and the scale of each value from those before it (`MaskedNetwork`). From
values to normal numbers, it runs once: there a flow is a density that is quickly told, as of a
prior. The other way it runs once for each value. An inverse autoregressive flow is turned around:
samples are quickly drawn, as a posterior's are.
"""

import dataclasses

import tensorflow as tf
import tensorflow_probability as tfp

from tfgen.distributions.masked_network import MaskedNetwork
from tfgen.distributions.normal import diagonal_normal
from tfgen.distributions.posteriors import DiagonalNormal
from tfgen.distributions.priors import Prior
from tfgen.engine.serialization import serializable
from tfgen.utils.arguments import check_count

tfb, tfd = tfp.bijectors, tfp.distributions

_LARGEST_LOG_SCALE = 3.0  # of a step: scales from 1/20 to 20
_DRAWS = 256  # of which a posterior's mean and deviation are estimated


class AutoregressiveFlow:
    """Masked networks in a row; beside each, the order of the values is turned around.

    Args:
        size: the number of values of a vector.
        steps: the number of networks.
        hidden_sizes: of each network.
        context_size: the size of what else each network hears; 0 for nothing.
    """

    def __init__(self, size, steps, hidden_sizes, context_size=0):
        self._size, self._steps = size, steps
        self._network = MaskedNetwork(size, hidden_sizes, context_size)

    def initial_weights(self):
        """Returns first weights, a dict of arrays: of a flow that turns the order at most."""
        return {
            f"step_{step}_{name}": value
            for step in range(self._steps)
            for name, value in self._network.initial_weights(seed=step).items()
        }

    def bijector(self, weights, context=None):
        """Returns the TFP bijector from normal numbers to values; its inverse is the quick one.

        A step's inverse is `u_i = (z_i - m_i) exp(-a_i)`, with `m_i` and `a_i` of the values before
        `z_i` (Papamakarios et al., 2017, equation 5).

        Args:
            weights: tensors, as `initial_weights` names them.
            context: float32 `[batch, context_size]`, where there is one.
        """
        turned = tfb.Permute(list(reversed(range(self._size))))
        steps = []
        for step in range(self._steps):
            prefix = f"step_{step}_"
            own = {
                name.removeprefix(prefix): value
                for name, value in weights.items()
                if name.startswith(prefix)
            }
            steps += [tfb.MaskedAutoregressiveFlow(self._function(own, context)), turned]
        return tfb.Chain(steps)

    def _function(self, weights, context):
        def shift_and_log_scale(values):
            shift, log_scale = self._network(weights, values, context)
            return shift, _LARGEST_LOG_SCALE * tf.tanh(log_scale / _LARGEST_LOG_SCALE)

        return shift_and_log_scale


@serializable
@dataclasses.dataclass(frozen=True)
class FlowPrior(Prior):
    """A masked autoregressive flow of normal numbers (Papamakarios et al., 2017).

    As a prior it is that of Chen et al., 2017, "Variational lossy autoencoder". Its density takes
    one pass of its networks. A sample takes as many as there are latents.

    Args:
        size: the number of latent dimensions, at least 1.
        steps: the number of networks, at least 1.
        hidden_sizes: the units of the hidden layers of each.

    Example:
        >>> FlowPrior(16, steps=4)
    """

    steps: int = 4
    hidden_sizes: tuple = (64, 64)

    def __post_init__(self):
        super().__post_init__()
        check_count("steps", self.steps)

    def initial_weights(self, example_shape):
        return self._flow.initial_weights()

    def distribution(self, **weights):
        normal = diagonal_normal(tf.zeros([self.size]), tf.ones([self.size]))
        return tfd.TransformedDistribution(normal, self._flow.bijector(weights))

    @property
    def _flow(self):
        return AutoregressiveFlow(self.size, self.steps, self.hidden_sizes)


@serializable
@dataclasses.dataclass(frozen=True)
class InverseAutoregressive(DiagonalNormal):
    """A diagonal normal, transformed by inverse autoregressive flows (Kingma et al., 2016).

    The encoder has a third output: what of the example the flows' networks hear (`h` of algorithm
    1). Each step is `z = m + s * z` with `m` and `s` of the earlier values (equation 10). The
    density of a latent of one's own draw costs nothing more; that of another, as in `impute`,
    takes a pass for each value.

    Args:
        steps: the number of flows, at least 1.
        hidden_sizes: the units of the hidden layers of each.
        context_size: the size of the third output, at least 1.

    Example:
        >>> encoder = networks.mlp_encoder((28, 28, 1), 16, heads=(16, 16, 64))
        >>> tfgen.VAE(encoder, ..., posterior=InverseAutoregressive(context_size=64))
    """

    steps: int = 2
    hidden_sizes: tuple = (128,)
    context_size: int = 64

    def __post_init__(self):
        check_count("steps", self.steps)
        check_count("context_size", self.context_size)

    def parameters(self, latent_shape):
        return super().parameters(latent_shape) | {"context": (self.context_size,)}

    def initial_weights(self, latent_shape):
        return self._flow(*latent_shape).initial_weights()

    def distribution(self, location, scale, context, **weights):
        normal = super().distribution(location, scale)
        bijector = self._flow(location.shape[-1]).bijector(weights, tf.cast(context, tf.float32))
        return TransformedNormal(normal, tfb.Invert(bijector))

    def point(self, distribution):
        """Returns what the flows make of the normal's mean."""
        return distribution.bijector.forward(distribution.distribution.mean())

    def _flow(self, size):
        return AutoregressiveFlow(size, self.steps, self.hidden_sizes, self.context_size)


class TransformedNormal(tfd.TransformedDistribution):
    """`tfd.TransformedDistribution`, with the mean and deviation of fixed draws."""

    def _log_prob(self, value):
        # Each example's flow goes through the values one by one, in a loop of fixed shapes.
        batch = tf.broadcast_dynamic_shape(tf.shape(value)[:-1], self.batch_shape_tensor())
        value = tf.broadcast_to(value, tf.concat([batch, self.event_shape], axis=0))
        return super()._log_prob(value)

    def _mean(self):
        return tf.reduce_mean(self._draws(), axis=0)

    def _stddev(self):
        return tf.math.reduce_std(self._draws(), axis=0)

    def _draws(self):
        normal, shape = self.distribution, [_DRAWS, 1, self.event_shape[-1]]
        noise = tf.random.stateless_normal(shape, (0, 0), alg="philox")  # the same of each example
        return self.bijector.forward(normal.mean() + noise * normal.stddev())
