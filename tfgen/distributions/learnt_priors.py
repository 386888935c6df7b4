"""Priors with weights of their own, which a VAE learns with its networks."""

import dataclasses

import numpy as np
import tensorflow as tf

from tfgen.distributions.limits import hold
from tfgen.distributions.mixtures import mixture_of
from tfgen.distributions.normal import diagonal_normal
from tfgen.distributions.posteriors import LARGEST_SCALE, LEAST_SCALE
from tfgen.distributions.priors import Prior
from tfgen.engine.graphs import requirement
from tfgen.engine.replicas import from_all_replicas
from tfgen.engine.serialization import serializable
from tfgen.utils.arguments import check_count

# Of the limits' width, the noise that pseudo-inputs begin as. Encoders hardly see noise: what there
# is of it stays in what is learnt.
_FAINT = 0.1


@serializable
@dataclasses.dataclass(frozen=True)
class NormalMixture(Prior):
    """A mixture of diagonal normals: `p(z) = sum_k w_k N(z; m_k, diag(s_k^2))`.

    The divergence from it has no closed form, and is told by the latents that a bound draws.

    Args:
        size: the number of latent dimensions, at least 1.
        components: how many there are, at least 1.

    Example:
        >>> NormalMixture(2, components=10)
    """

    components: int = 10

    def __post_init__(self):
        super().__post_init__()
        check_count("components", self.components)

    def initial_weights(self, example_shape):
        shape = [self.components, self.size]
        return {
            "logits": np.zeros(self.components, np.float32),
            "locations": np.random.default_rng(0).normal(size=shape).astype(np.float32),
            "log_scales": np.zeros(shape, np.float32),
        }

    def distribution(self, logits, locations, log_scales):
        scales = tf.exp(hold(log_scales, np.log(LEAST_SCALE), np.log(LARGEST_SCALE)))
        return mixture_of(diagonal_normal(locations, scales), logits)


@serializable
@dataclasses.dataclass(frozen=True)
class VampPrior(Prior):
    """The mixture of the posteriors of learnt inputs, `p(z) = 1/K sum_k q(z|u_k)`.

    It comes near to the aggregate posterior, which is the best of priors (Tomczak and Welling,
    2018, equation 9). The pseudo-inputs `u_k` begin as faint noise; `vae.set_prior_weights` puts
    examples in their place.

    Args:
        size: the number of latent dimensions, at least 1.
        pseudo_inputs: `K`, how many there are, at least 1.
        limits: the least and the largest value of an example, which pseudo-inputs keep to; `None`
            for any.

    Example:
        >>> vae = tfgen.VAE(..., prior=VampPrior(40, pseudo_inputs=500))
        >>> vae.set_prior_weights(pseudo_inputs=images[:500])
    """

    pseudo_inputs: int = 500
    limits: tuple | None = (0.0, 1.0)

    needs_encoder = True
    example_weights = ("pseudo_inputs",)

    def __post_init__(self):
        super().__post_init__()
        check_count("pseudo_inputs", self.pseudo_inputs)

    def initial_weights(self, example_shape):
        low, high = self.limits or (-1.0, 1.0)
        shape = [self.pseudo_inputs, *example_shape]
        shares = np.random.default_rng(0).uniform(0, _FAINT, shape)
        return {"pseudo_inputs": (low + (high - low) * shares).astype(np.float32)}

    def distribution(self, pseudo_inputs, encode):
        if self.limits is not None:
            pseudo_inputs = hold(pseudo_inputs, *self.limits)
        return mixture_of(encode(pseudo_inputs))


@serializable
@dataclasses.dataclass(frozen=True)
class ExemplarPrior(Prior):
    """Normals around the encodings of examples, `p(z) = 1/N sum_n N(z; m(x_n), s^2 I)`.

    The prior of Norouzi et al., 2020 (equation 4), a density estimate by kernels in latent space.
    In training, the exemplars of an example are the others of its batch, and never itself: else
    each would be its own best prior (section 3.1). Outside of training they are the latest examples
    that were trained with, and before any training zeros. The deviation `s` is learnt. A training
    batch of a single example has no others, and is refused.

    Args:
        size: the number of latent dimensions, at least 1.
        exemplars: how many examples are kept, at least 1.

    Example:
        >>> vae = tfgen.VAE(..., prior=ExemplarPrior(40, exemplars=2000))
    """

    exemplars: int = 1000

    needs_encoder = True
    kept_weights = example_weights = ("exemplars",)

    def __post_init__(self):
        super().__post_init__()
        check_count("exemplars", self.exemplars)

    def initial_weights(self, example_shape):
        return {
            "log_scale": np.float32(0),
            "exemplars": np.zeros([self.exemplars, *example_shape], np.float32),
        }

    def distribution(self, log_scale, exemplars, encode):
        return mixture_of(self._around(encode(exemplars).mean(), log_scale))

    def distribution_in_training(self, posterior, log_scale, exemplars, encode):
        points, first = from_all_replicas(posterior.mean())
        count = tf.shape(points)[0]
        message = (
            "An exemplar prior takes the others of a batch: a batch must have at least 2 examples. "
            "Leave out an epoch's last, smaller batch (`drop_remainder=True`)."
        )
        with tf.control_dependencies(requirement(count >= 2, message, count)):
            points = tf.identity(points)
        own = first + tf.range(tf.shape(posterior.mean())[0])
        logits = tf.where(tf.one_hot(own, count) > 0, -np.inf, 0.0)
        return mixture_of(self._around(points, log_scale), logits)

    def kept_after(self, examples, exemplars, **learnt):
        latest, _ = from_all_replicas(examples)
        return {"exemplars": tf.concat([latest, exemplars], axis=0)[: self.exemplars]}

    def _around(self, points, log_scale):
        scale = tf.exp(hold(log_scale, np.log(LEAST_SCALE), np.log(LARGEST_SCALE)))
        return diagonal_normal(points, scale * tf.ones_like(points))
