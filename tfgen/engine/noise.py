"""Randomness without hidden state: every draw is a function of (seed, step, replica, name).

A draw for a batch is made for the whole *global* batch and each replica keeps its own rows. So
replicas never share noise, and two replicas together draw exactly what one alone would draw.
"""

import collections
import dataclasses
import functools
import hashlib
import itertools
import operator
import secrets

import tensorflow as tf

from tfgen.engine.keras_internals import layers_of, seed_generators

_PHILOX = 1  # TensorFlow's number for its generator on processors and GPUs


@dataclasses.dataclass(frozen=True)
class Noise:
    """The seeds of one step.

    Args:
        seed: an integer, the model's.
        step: an integer or scalar tensor, the number of steps taken so far.

    Example:
        >>> noise = Noise(seed=0, step=7)
        >>> tf.random.stateless_normal([2], seed=noise.seed_of("latents"))
    """

    seed: int
    step: tf.Tensor
    part: str = ""  # of the model: draws of one name differ from part to part

    def seed_of(self, name):
        """Returns the int32 `[2]` seed of the draw called `name`."""
        return tf.stack([_hash(self.seed, self.part + name), tf.cast(self.step, tf.int32)])


def seed_from(seed, name):
    """Returns an int32 `[2]` seed for a draw outside of training, such as sampling.

    Args:
        seed: a 64-bit integer or int64 scalar tensor. `None` takes fresh entropy from the system.
        name: the draw's name.
    """
    words = tf.bitcast(whole_seed(seed), tf.int32)
    return tf.random.fold_in(words, _hash(0, name))


def other_seed(seed, name):
    """Returns a seed for a part of a model, an int64 scalar tensor: other parts have others.

    Args:
        seed: a 64-bit integer or int64 scalar tensor. `None` takes fresh entropy from the system.
        name: the part's name.
    """
    return tf.bitcast(seed_from(seed, name), tf.int64)


def whole_seed(seed):
    """Returns a user's seed as an int64 scalar tensor; fresh entropy for `None`.

    Raises:
        ValueError: it is no integer of 64 bits.
    """
    if seed is None:
        seed = secrets.randbits(63)
    if not tf.is_tensor(seed) and not (_is_whole(seed) and -(2**63) <= seed < 2**63):
        raise ValueError(
            f"`seed` must be an integer from -2**63 to 2**63 - 1, or None. Received: seed={seed!r}."
        )
    return tf.cast(seed, tf.int64)


def whole_count(count):
    """Returns how many samples a user wants, as an int32 scalar tensor.

    Raises:
        ValueError: it is no integer, or less than 0.
    """
    if not tf.is_tensor(count) and not (_is_whole(count) and count >= 0):
        raise ValueError(f"`count` must be an integer, at least 0. Received: count={count!r}.")
    return tf.cast(count, tf.int32)


def _is_whole(number):
    try:
        operator.index(number)
    except TypeError:
        return False
    return True


def sample(distribution, count, noise_seed):
    """Draws `count` samples for each example of this replica's share of a global batch.

    The draws are made for every replica and the own rows kept: noise is cheap beside a network,
    and so the result does not depend on the number of replicas.

    Args:
        distribution: a TFP distribution with batch shape `[batch]`, whose sampler fills `[samples,
            batch, ...]` in that order, as `tfd.Normal` does; `tfd.MultivariateNormalDiag` does not.
        count: samples per example.
        noise_seed: int32 `[2]`, the same on every replica.

    Returns:
        A tensor `[count, batch, ...]`.
    """
    replicas, replica = _position()
    return distribution.sample([count, replicas], seed=noise_seed)[:, replica]


def sample_with_density(distribution, count, noise_seed):
    """Draws as `sample` does, and returns the logarithms of the samples' densities, too.

    Of some distributions, such as flows, that of an own sample is known by the way.

    Args:
        distribution: see `sample`.
        count: samples per example.
        noise_seed: int32 `[2]`, the same on every replica.

    Returns:
        Tensors `[count, batch, ...]` and `[count, batch]`.
    """
    replicas, replica = _position()
    drawn = distribution.experimental_sample_and_log_prob([count, replicas], seed=noise_seed)
    return tuple(each[:, replica] for each in drawn)


def sample_batch(distribution, count, noise_seed):
    """Draws as many samples as a replica's share of a global batch has examples.

    As with `sample`, the draws are made for every replica and the own rows kept.

    Args:
        distribution: a TFP distribution without batch shape, whose sampler fills `[samples, ...]`
            in that order.
        count: the number of examples of this replica, the same on all.
        noise_seed: int32 `[2]`, the same on every replica.

    Returns:
        A tensor `[count, ...]`.
    """
    replicas, replica = _position()
    return distribution.sample([replicas, count], seed=noise_seed)[replica]


def bytes_from(first, shape, noise_seed):
    """Draws a part of one long row of random bytes, which the seed decides.

    The generator (Philox) counts, in groups of sixteen bytes, and so can begin anywhere. A quarter
    of a float's bits are a quarter of its price.

    Args:
        first: the number of bytes before the part, an integer or scalar tensor.
        shape: an int32 tensor, of the part.
        noise_seed: int32 `[2]`.

    Returns:
        A uint8 tensor of that shape, each number from 0 to 255 equally likely.
    """
    first = tf.cast(first, tf.int64)
    count = tf.reduce_prod(tf.cast(shape, tf.int64))
    key, counter = tf.raw_ops.StatelessRandomGetKeyCounter(seed=noise_seed)
    groups = tf.stack([tf.cast(first // 16, tf.uint64), tf.zeros([], tf.uint64)])
    words = tf.raw_ops.StatelessRandomUniformFullIntV2(
        shape=[count // 4 + 5], key=key, counter=counter + groups, alg=_PHILOX, dtype=tf.uint32
    )
    drawn = tf.reshape(tf.bitcast(words, tf.uint8), [-1])
    return tf.reshape(drawn[first % 16 :][:count], shape)


def seed_layers(model):
    """Makes the random layers in a model's networks draw from the model's seed and step.

    Keras' Dropout and its kin keep a counter that is in no saved file and is the same on every
    replica. Here each asks `model.noise` instead, so that a resumed run draws the masks that the
    undisturbed run would have drawn; and, as `sample` does, draws for all replicas and keeps the
    own rows, so that many replicas draw what one alone would. Layers that draw and have weights
    too, such as recurrent ones with dropout inside, draw for their own rows only.

    Args:
        model: a Keras model with a property `noise`. Networks that several models share follow the
            model that was made last.
    """
    index = itertools.count()
    for layer in layers_of(model):
        names = [f"layer {next(index)}" for _ in seed_generators(layer)]
        if names:
            _LayerSeeds(model, layer, names)


class _LayerSeeds:
    """The seeds of a layer's draws: each draw in a call has its own, and every call the same ones.

    Args:
        model: see `seed_layers`.
        layer: a random layer, which draws from them from now on.
        names: a name for each of the layer's seed generators.
    """

    def __init__(self, model, layer, names):
        self._model, self._layer = model, layer
        self._drawn = collections.Counter()
        for generator, name in zip(seed_generators(layer), names, strict=True):
            generator.next = functools.partial(self._next, name)
        layer.call = self._call

    def _next(self, name, ordered=True):
        del ordered  # Keras' choice between two ways to advance a counter that is not there
        number = self._drawn[name]
        self._drawn[name] += 1
        seed = self._model.noise.seed_of(f"{name}, draw {number}" if number else name)
        if not self._layer.weights:
            return seed
        _, replica = _position()
        return tf.random.fold_in(seed, replica)

    def _call(self, inputs, *args, **kwargs):
        """Calls the layer with as many rows as all replicas have, and keeps this one's."""
        self._drawn.clear()
        call = functools.partial(type(self._layer).call, self._layer)
        replicas, replica = _position()
        if replicas == 1 or self._layer.weights:
            return call(inputs, *args, **kwargs)
        rows = tf.shape(inputs)[0]
        tiled = tf.tile(inputs, [replicas, *[1] * (len(inputs.shape) - 1)])
        outputs = call(tiled, *args, **kwargs)[replica * rows : (replica + 1) * rows]
        return tf.ensure_shape(outputs, inputs.shape)


def _position():
    """Returns the number of replicas and which one this is: of one, outside of a step."""
    context = tf.distribute.get_replica_context()
    if context is None:
        return 1, 0
    return context.num_replicas_in_sync, context.replica_id_in_sync_group


def _hash(seed, name):
    digest = hashlib.blake2b(f"{seed}/{name}".encode(), digest_size=4).digest()
    return int.from_bytes(digest, "little", signed=True)
