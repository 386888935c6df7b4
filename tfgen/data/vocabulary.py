"""The words of captions, and the tokens that stand for them."""

import dataclasses
import functools

import tensorflow as tf

from tfgen.engine.serialization import Configured, serializable
from tfgen.utils.arguments import check_count

PADDING, BEGINNING = 0, 1  # tokens; those of words follow
_BETWEEN = "[.,;:!?]"  # what stands between words beside spaces


@serializable
@dataclasses.dataclass(frozen=True)
class Vocabulary(Configured):
    """Words, in an order that gives each its token, and how many a caption may have.

    A caption is read in small letters and cut at spaces and `.,;:!?`. Its tokens are 1 for its
    beginning, one for each word, then 0 to the end of the row. Strings become tokens within
    TensorFlow's graph, so that an export takes strings, too.

    Args:
        words: strings, each once, in small letters.
        longest: the most words that a caption may have.

    Raises:
        ValueError: there is no word, one is there twice or is not one word, or `longest` is not
            positive.

    Example:
        >>> Vocabulary(("a", "dark", "coat"), longest=4).tokens(["A dark coat"]).numpy()
        array([[1, 2, 3, 4, 0]], dtype=int32)
    """

    words: tuple = ()
    longest: int = 16

    def __post_init__(self):
        object.__setattr__(self, "words", tuple(self.words))
        check_count("longest", self.longest)
        if not self.words:
            raise ValueError("`words` must hold a word. Received: none.")
        if twice := sorted({word for word in self.words if self.words.count(word) > 1}):
            raise ValueError(f"`words` must be different. Received twice: {', '.join(twice)}.")
        odd = [word for word in self.words if _split([word])[0] != [word]]
        if odd:
            raise ValueError(
                "Each of `words` must be a word in small letters, without spaces and any of "
                f"`.,;:!?`. Received: {', '.join(map(repr, odd))}."
            )

    @classmethod
    def of(cls, captions):
        """Returns the vocabulary of some captions: their words in alphabetical order.

        Args:
            captions: strings, a sequence.
        """
        found = _split(captions)
        words = sorted({word for caption in found for word in caption})
        return cls(words, longest=max(map(len, found), default=1))

    @property
    def size(self):
        """How many different tokens there are: those of words, of the beginning, of padding."""
        return len(self.words) + 2

    @property
    def length(self):
        """How many tokens each caption has, padding included."""
        return self.longest + 1

    @functools.cached_property
    def table(self):
        """The lookup table from words to tokens, which a model keeps that exports this."""
        with tf.init_scope():
            tokens = tf.range(BEGINNING + 1, self.size)
            entries = tf.lookup.KeyValueTensorInitializer(tf.constant(self.words), tokens)
            return tf.lookup.StaticHashTable(entries, default_value=-1)

    def tokens(self, captions):
        """Returns the tokens of captions.

        Args:
            captions: strings `[batch]`.

        Returns:
            An int32 tensor `[batch, length]`.

        Raises:
            ValueError: words are unknown, which it names, or a caption has too many; within a
                graph it is `tf.errors.InvalidArgumentError`, when the graph runs.
        """
        captions = tf.convert_to_tensor(captions)
        if captions.dtype != tf.string or captions.shape.rank not in (1, None):
            raise ValueError(
                "Captions must be strings [batch]. "
                f"Received: {captions.dtype.name} of shape {captions.shape}."
            )
        words = _words_of(captions)
        found = tf.ragged.map_flat_values(self.table.lookup, words)
        too_long = tf.boolean_mask(captions, words.row_lengths() > self.longest)
        unknown, _ = tf.unique(tf.boolean_mask(words.flat_values, found.flat_values < 0))
        checks = [
            *_require_none(unknown, "The vocabulary does not have these words"),
            *_require_none(too_long, f"A caption may have at most {self.longest} words"),
        ]
        with tf.control_dependencies(checks):
            tokens = found.to_tensor(PADDING, shape=[None, self.longest])
        return tf.pad(tokens, [[0, 0], [1, 0]], constant_values=BEGINNING)


def _words_of(captions):
    """Returns the words of captions, ragged `[batch, (words)]`."""
    spaced = tf.strings.regex_replace(tf.strings.lower(captions, "utf-8"), _BETWEEN, " ")
    return tf.strings.split(spaced)


def _split(captions):
    """Returns the words of captions, a list of lists of strings."""
    found = _words_of(tf.constant(list(captions), tf.string)).to_list()
    return [[word.decode() for word in caption] for caption in found]


def _require_none(strings, message):
    """Raises a ValueError with strings that may not be; within a graph returns its check."""
    if not tf.executing_eagerly():
        return [tf.debugging.Assert(tf.equal(tf.size(strings), 0), [f"{message}.", strings])]
    if found := [each.decode(errors="replace") for each in strings.numpy()]:
        raise ValueError(f"{message}. Received: {', '.join(found)}.")
    return []
