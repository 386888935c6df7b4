"""Games that minimize an f-divergence of data and samples (Nowozin et al., 2016)."""

import dataclasses
import math
from collections.abc import Callable

import tensorflow as tf

from tfgen.engine.serialization import serializable
from tfgen.objectives.games.game import Game
from tfgen.utils.arguments import check_choice

_STRAIGHT = 20.0


@dataclasses.dataclass(frozen=True)
class _Divergence:
    """A divergence `D_f(P, Q) = E_Q[f(p / q)]`, and its variational form.

    Args:
        generator: the convex `f` of a ratio; `f(1) = 0`, but for "gan".
        activation: `g` from the discriminator's output to where `f*` is defined; it increases.
        conjugate: `f*(g(v))` of the output `v`, in one: apart, the exponential of one would
            overflow or the logarithm of the other be that of 0.
    """

    generator: Callable
    activation: Callable
    conjugate: Callable


def _entropy(values):
    return tf.math.xlogy(values, values)


def _exp(values):
    """Returns the exponential, which goes on straight above 20: it would overflow."""
    bent = tf.exp(tf.minimum(values, _STRAIGHT))
    return tf.where(values < _STRAIGHT, bent, bent * (1.0 + values - _STRAIGHT))


def _jeffreys_conjugate(outputs):
    # f*(t) = w + 1 / w + t - 2 with w e^w = e^(1 - t), and so w = 1 - t - log w.
    logarithm = _log_wright_omega(1.0 - outputs)
    return _exp(-logarithm) - 1.0 - logarithm


@tf.custom_gradient
def _log_wright_omega(values):
    """Returns `y` with `y + e^y = values`, the logarithm of Wright's omega."""
    # Newton's steps begin near the answer at both ends.
    found = tf.where(
        values < 1.0, values - tf.exp(tf.minimum(values, 1.0)), tf.math.log(tf.maximum(values, 1.0))
    )
    for _ in range(8):
        power = tf.exp(found)
        found -= (found + power - values) / (1.0 + power)
    return found, lambda upstream: upstream / (1.0 + tf.exp(found))


_DIVERGENCES = {
    "total_variation": _Divergence(
        lambda ratio: 0.5 * tf.abs(ratio - 1.0),
        lambda outputs: 0.5 * tf.tanh(outputs),
        lambda outputs: 0.5 * tf.tanh(outputs),
    ),
    "kullback_leibler": _Divergence(
        _entropy,
        lambda outputs: outputs,
        lambda outputs: _exp(outputs - 1.0),
    ),
    "reverse_kullback_leibler": _Divergence(
        lambda ratio: -tf.math.log(ratio),
        lambda outputs: -_exp(-outputs),
        lambda outputs: outputs - 1.0,
    ),
    "pearson": _Divergence(
        lambda ratio: tf.square(ratio - 1.0),
        lambda outputs: outputs,
        lambda outputs: 0.25 * tf.square(outputs) + outputs,
    ),
    "neyman": _Divergence(
        lambda ratio: tf.square(1.0 - ratio) / ratio,
        lambda outputs: 1.0 - _exp(-outputs),
        lambda outputs: 2.0 - 2.0 * _exp(-0.5 * outputs),
    ),
    "squared_hellinger": _Divergence(
        lambda ratio: tf.square(tf.sqrt(ratio) - 1.0),
        lambda outputs: 1.0 - _exp(-outputs),
        lambda outputs: _exp(outputs) - 1.0,
    ),
    "jeffreys": _Divergence(
        lambda ratio: (ratio - 1.0) * tf.math.log(ratio),
        lambda outputs: outputs,
        _jeffreys_conjugate,
    ),
    "jensen_shannon": _Divergence(
        lambda ratio: _entropy(ratio) - (ratio + 1.0) * tf.math.log(0.5 * (ratio + 1.0)),
        lambda outputs: math.log(2.0) - tf.nn.softplus(-outputs),
        lambda outputs: tf.nn.softplus(outputs) - math.log(2.0),
    ),
    "gan": _Divergence(
        lambda ratio: _entropy(ratio) - (ratio + 1.0) * tf.math.log(ratio + 1.0),
        lambda outputs: -tf.nn.softplus(-outputs),
        tf.nn.softplus,
    ),
}


@serializable
@dataclasses.dataclass(frozen=True)
class FDivergence(Game):
    """The variational estimate of an f-divergence (Nowozin et al., 2016, equation 6).

        F = E_x[g(v(x))] - E_z[f*(g(v(G(z))))]

    `v` is the discriminator's output, `g` brings it to where `f*` is defined (table 2 and the
    appendix). The discriminator ascends `F`, which is at most the divergence; the generator
    descends it.

    Args:
        divergence: "total_variation", "kullback_leibler", "reverse_kullback_leibler", "pearson",
            "neyman", "squared_hellinger", "jeffreys", "jensen_shannon", or "gan", the value of the
            game of Goodfellow et al., 2014.
        saturating: whether the generator descends `F` itself. If not, it ascends `E_z[g(v(G(z)))]`
            (section 3.2), whose gradient does not vanish at the beginning.

    Raises:
        ValueError: there is no such divergence; the message names near ones.

    Example:
        >>> FDivergence("pearson").discriminator_loss(tf.zeros([1, 1]), tf.zeros([1, 1]))  # 0
    """

    divergence: str = "jensen_shannon"
    saturating: bool = False

    def __post_init__(self):
        check_choice("divergence", self.divergence, _DIVERGENCES)

    def discriminator_loss(self, real_logits, fake_logits):
        return tf.reduce_mean(self._conjugate(fake_logits)) - tf.reduce_mean(
            self.activation(real_logits)
        )

    def generator_loss(self, fake_logits):
        if self.saturating:
            return -tf.reduce_mean(self._conjugate(fake_logits))
        return -tf.reduce_mean(self.activation(fake_logits))

    def activation(self, outputs):
        """Returns `g(v)` of the discriminator's outputs, shaped as they are."""
        return _DIVERGENCES[self.divergence].activation(outputs)

    def between(self, ratios):
        """Returns `f(p / q)`, whose mean over samples of `q` is the divergence.

        Args:
            ratios: positive floats `[...]`.
        """
        return _DIVERGENCES[self.divergence].generator(ratios)

    def _conjugate(self, outputs):
        return _DIVERGENCES[self.divergence].conjugate(outputs)
