"""What a model does with captions before its steps see them: strings become tokens."""

import numpy as np
import tensorflow as tf

from tfgen.engine.batches import unpack


class CaptionTokens:
    """The part of a model of a `vocabulary` that takes captions as strings or as tokens.

    XLA and GPUs know no strings, so `fit` and `evaluate` make tokens of them first, where they get
    arrays or a `tf.data.Dataset`. What other iterables give reaches the step as it is: strings then
    need `compile(jit_compile=False)`.
    """

    def fit(self, x=None, y=None, batch_size=None, *args, validation_data=None, **kwargs):
        if isinstance(validation_data, (tuple, list)):
            validation_data = self._with_tokens(*validation_data)
        elif validation_data is not None:
            validation_data, _ = self._with_tokens(validation_data)
        x, y = self._with_tokens(x, y)
        kwargs["validation_data"] = validation_data
        return super().fit(x, y, batch_size, *args, **kwargs)

    def evaluate(self, x=None, y=None, *args, **kwargs):
        return super().evaluate(*self._with_tokens(x, y), *args, **kwargs)

    def tokens_of(self, captions):
        """Returns captions as int32 tokens `[batch, length]`.

        Args:
            captions: strings `[batch]`; or such tokens.

        Raises:
            ValueError: there are none, they are of another shape, words are unknown, which it
                names, or a caption has too many.
        """
        if captions is None:
            raise ValueError(
                f"A {type(self).__name__} learns from images and captions. Received: images alone. "
                "Call fit(images, captions), or fit a dataset of batches (images, captions)."
            )
        captions = tf.convert_to_tensor(captions)
        if captions.dtype == tf.string:
            return self.vocabulary.tokens(captions)
        length = self.vocabulary.length
        if not captions.dtype.is_integer or not captions.shape.is_compatible_with([None, length]):
            raise ValueError(
                f"Captions must be strings [batch], or tokens, integers [batch, {length}], which "
                f"`vocabulary.tokens` gives. Received: {captions.dtype.name} of shape "
                f"{captions.shape}."
            )
        return tf.cast(captions, tf.int32)

    def check_tokens(self, tokens):
        """Raises a ValueError unless the vocabulary has these tokens, of a first batch."""
        size = self.vocabulary.size
        least, most = np.min(tokens), np.max(tokens)
        if least < 0 or most >= size:
            raise ValueError(
                f"Tokens must be from 0 to {size - 1}, which are the vocabulary's. Received: "
                f"tokens from {least} to {most}. Were they made by another vocabulary?"
            )

    def _with_tokens(self, x, y=None):
        """Returns data for `fit` with tokens where captions are strings."""
        if isinstance(x, tf.data.Dataset):
            kinds = [spec.dtype for spec in tf.nest.flatten(x.element_spec)]
            return (x.map(self._tokenized) if tf.string in kinds else x), y
        if y is not None and tf.convert_to_tensor(y[:1]).dtype == tf.string:
            y = self.tokens_of(y).numpy()
        return x, y

    @tf.autograph.experimental.do_not_convert
    def _tokenized(self, *batch):
        images, captions = unpack(batch if len(batch) > 1 else batch[0])
        return images, self.tokens_of(captions)
