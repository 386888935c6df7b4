"""Contrastive losses, as values: embeddings of one thing attract, those of others repel."""

import abc
import dataclasses

import tensorflow as tf

from tfgen.engine.replicas import from_all_replicas
from tfgen.engine.serialization import Configured, serializable
from tfgen.utils.arguments import check_number

_NEVER = -1e9  # a logit of what is no candidate


@dataclasses.dataclass(frozen=True)
class Contrast(Configured, abc.ABC):
    """A contrastive loss of pairs of embeddings; one of your own has these methods, too.

    Args:
        temperature: what inner products are divided by, above 0.
        normalize: whether embeddings are brought to length 1, so that products are cosines.

    Raises:
        ValueError: the temperature is not above 0.
    """

    temperature: float = 0.1
    normalize: bool = True

    def __post_init__(self):
        check_number("temperature", self.temperature)
        if self.temperature <= 0:
            raise ValueError(
                f"`temperature` must be above 0. Received: temperature={self.temperature}."
            )

    @abc.abstractmethod
    def __call__(self, first, second, temperature=None):
        """Returns the loss of a batch of pairs: row `i` of both sides belongs together.

        Where several replicas train, all embeddings of the global batch are candidates, and
        gradients flow to those of other replicas, too.

        Args:
            first: `[batch, size]`.
            second: `[batch, size]`.
            temperature: a float32 scalar in the place of the value's own, of a model that learns
                it.

        Returns:
            A float32 scalar, the mean over this replica's pairs.

        Raises:
            ValueError: there is one pair alone, or there are not as many of both sides.
        """

    def embed(self, outputs):
        """Returns a network's outputs `[batch, size]` as float32 embeddings, of length 1 if asked.

        A row of zeros stays one.
        """
        outputs = tf.cast(outputs, tf.float32)
        return tf.math.l2_normalize(outputs, axis=1) if self.normalize else outputs

    def _embedded(self, first, second):
        """Returns both sides' embeddings, those of all replicas, and where this one's begin."""
        if _is_alone():
            check_several(first.shape[0])
        first, second = self.embed(first), self.embed(second)
        if not first.shape.is_compatible_with(second.shape):
            raise ValueError(
                "Both sides of a contrastive loss must be of one shape. "
                f"Received: {list(first.shape)} and {list(second.shape)}."
            )
        # In one message.
        everyone, start = from_all_replicas(tf.concat([first, second], axis=1))
        return first, second, tf.split(everyone, 2, axis=1), start


@serializable
@dataclasses.dataclass(frozen=True)
class InfoNCE(Contrast):
    """Tells which second embedding belongs to a first one (van den Oord et al., 2018, equation 4).

        -log exp(a_i b_i / t) / sum_j exp(a_i b_j / t)

    With `symmetric` it is the mean of this and of the same with the sides exchanged, CLIP's loss
    (Radford et al., 2021, figure 3). With `InfoNCE(1.0, symmetric=False, normalize=False)` it is
    the lecture's: `a_i` is the embedding of an image, `b_i` that of its disturbed version. Where
    the scores are free, the loss is least at the pointwise mutual information,
    `a_x b_y / t = log p(x, y) / p(x) p(y)`; one-sided, up to any function of `x`.

    Args:
        temperature: `t`, above 0; of CLIP, where the learnt one begins.
        normalize: whether embeddings are brought to length 1, so that products are cosines.
        symmetric: whether the second side looks for its firsts, too.

    Raises:
        ValueError: the temperature is not above 0.

    Example:
        >>> loss = InfoNCE(0.07)(image_embeddings, caption_embeddings)
    """

    symmetric: bool = True

    def __call__(self, first, second, temperature=None):
        temperature = self.temperature if temperature is None else temperature
        first, second, (firsts, seconds), start = self._embedded(first, second)
        own = start + tf.range(tf.shape(first)[0])
        losses = [_cross_entropy(own, tf.matmul(first, seconds, transpose_b=True) / temperature)]
        if self.symmetric:
            logits = tf.matmul(second, firsts, transpose_b=True) / temperature
            losses.append(_cross_entropy(own, logits))
        return tf.add_n(losses) / len(losses)


@serializable
@dataclasses.dataclass(frozen=True)
class NTXent(Contrast):
    """Tells which other view is of the same image: SimCLR's loss (Chen et al., 2020, equation 1).

        -log exp(z_i z_j / t) / sum_{k != i} exp(z_i z_k / t)

    The `2 n` views of `n` images are all candidates but the view itself: other than with `InfoNCE`,
    views of one side repel each other, too. View `i` belongs to view `i + n`, and the loss is the
    mean over all `2 n`.

    Args:
        temperature: `t`, above 0.
        normalize: whether embeddings are brought to length 1, so that products are cosines.

    Raises:
        ValueError: the temperature is not above 0.

    Example:
        >>> loss = NTXent(0.5)(embeddings_of_views, embeddings_of_other_views)
    """

    def __call__(self, first, second, temperature=None):
        temperature = self.temperature if temperature is None else temperature
        first, second, everyone, start = self._embedded(first, second)
        views, candidates = tf.concat([first, second], axis=0), tf.concat(everyone, axis=0)
        rows, count = tf.shape(first)[0], tf.shape(everyone[0])[0]
        own = start + tf.range(rows)
        itself = tf.concat([own, own + count], axis=0)
        partner = tf.concat([own + count, own], axis=0)
        logits = tf.matmul(views, candidates, transpose_b=True) / temperature
        return _cross_entropy(partner, logits + _NEVER * tf.one_hot(itself, 2 * count))


def _cross_entropy(own, logits):
    """Returns the mean of `-log softmax(logits)` at the places `own`, one for each row."""
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=own, logits=logits)
    return tf.reduce_mean(losses)


def check_several(count):
    """Raises a ValueError if a batch is known to be of one pair, which has no others."""
    if count == 1:
        raise ValueError(
            "A contrastive loss compares each pair with the other ones. Received: a batch of one "
            "pair. Take larger batches, and leave out an epoch's last one if it is of one."
        )


def _is_alone():
    """Tells whether no other replica has pairs of the same batch."""
    context = tf.distribute.get_replica_context()
    return context is None or context.num_replicas_in_sync == 1
