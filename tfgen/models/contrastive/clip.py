"""CLIP: images and captions in one space."""

import math

import tensorflow as tf
import tensorflow_probability as tfp

from tfgen.data.vocabulary import Vocabulary
from tfgen.distributions.limits import hold
from tfgen.engine import signatures
from tfgen.engine.batches import check_shape, unpack
from tfgen.engine.generative_model import GenerativeModel
from tfgen.engine.named_weights import add_named_weights
from tfgen.engine.serialization import serializable
from tfgen.models.contrastive.caption_tokens import CaptionTokens
from tfgen.models.fits import check_corruption, check_kinds
from tfgen.objectives.contrasts import Contrast, InfoNCE, check_several
from tfgen.utils.arguments import check_count

tfd = tfp.distributions

LARGEST_SCALE = 100.0


@serializable
class CLIP(CaptionTokens, GenerativeModel):
    """Encoders of images and of captions that find each other's (Radford et al., 2021, figure 3).

    Batches are `(images, captions)`. The embedding of an image is to be near that of its caption,
    and far from those of the batch's other captions. The temperature of that is learnt; products
    are scaled by at most 100 (section 2.5). Captions then choose: which of several fits an image
    best (`zero_shot`), which image of many fits a caption (`find_images`), and back.

    Args:
        image_encoder: a built Keras model from images to one output `[batch, size]`.
        text_encoder: a built Keras model from tokens, integers `[batch, length]`, to one output
            `[batch, size]`, such as `tfgen.networks.text_transformer`.
        vocabulary: a `tfgen.data.Vocabulary`: the words that captions may have. It is kept with the
            model, and in its exports, which take strings.
        contrast: a loss of `tfgen.contrasts`; its temperature is where the learnt one begins.
        augmentation: a function of images and the seed of its noise; `None` for none.
        **kwargs: `ema_momentum`, `seed`, `name`, `dtype`: see `tfgen.GenerativeModel`.

    Raises:
        ValueError: the networks and the vocabulary do not fit each other.
        TypeError: a value is of another kind.

    Example:
        >>> words = tfgen.data.Vocabulary.of(captions)
        >>> clip = tfgen.CLIP(
        ...     networks.conv_encoder((28, 28, 1), latent_dim=32, heads=1),
        ...     networks.text_transformer(words.length, words.size, latent_dim=32),
        ...     words,
        ... )
        >>> clip.compile("adam")
        >>> clip.fit(images, captions, batch_size=256, epochs=10)
        >>> clip.zero_shot(images[:5], ["a dark coat", "a light coat"])  # [5, 2]
    """

    log_names = ("loss", "temperature")

    def __init__(
        self,
        image_encoder,
        text_encoder,
        vocabulary,
        contrast=InfoNCE(0.07),  # noqa: B008 (a frozen value)
        augmentation=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.image_encoder = image_encoder
        self.text_encoder = text_encoder
        self.vocabulary = vocabulary
        self.contrast = contrast
        self.augmentation = augmentation
        self._check()
        self.table = vocabulary.table  # which exports find here
        scale = {"log_scale": -math.log(contrast.temperature)}
        self._learnt = add_named_weights(self, "contrast", scale, trainable=True)
        self.averages.add(image_encoder, text_encoder)
        self.finalize()

    def _check(self):
        check_kinds(self, contrast=Contrast, vocabulary=Vocabulary)
        check_corruption(self.augmentation, "augmentation")
        if self.contrast.temperature * LARGEST_SCALE < 1:
            raise ValueError(
                f"The temperature must begin at {1 / LARGEST_SCALE:g} or above: it is held there. "
                f"Received: {self.contrast!r}."
            )
        shapes = [tuple(each.output_shape) for each in (self.image_encoder, self.text_encoder)]
        if shapes[0] != shapes[1] or len(shapes[0]) != 2:
            raise ValueError(
                "Both encoders must have one output of the same size, [batch, size]. "
                f"Received: {shapes[0]} of images and {shapes[1]} of captions."
            )
        length, words = self.text_encoder.input_shape[-1], self.vocabulary
        if length != words.length:
            raise ValueError(
                f"The text encoder must take {words.length} tokens, which are the vocabulary's "
                f"`length`. Received: a text encoder of {length}."
            )

    @property
    def abilities(self):
        return frozenset({"encode", "match"})

    @property
    def size(self):
        """The length of an embedding, an integer."""
        return self.image_encoder.output_shape[-1]

    @property
    def temperature(self):
        """The temperature that was learnt so far, a float32 scalar, at least 0.01."""
        log_scale = tf.convert_to_tensor(self._learnt["log_scale"].value)
        return tf.exp(-hold(log_scale, tf.float32.min, math.log(LARGEST_SCALE)))

    def check_batch(self, data):
        super().check_batch(data)
        images, captions = unpack(data)
        check_several(images.shape[0])
        self.check_tokens(self.tokens_of(captions))

    def examples_of(self, data):
        """Returns a batch's images, shaped as what the image encoder takes."""
        what = "Images must be shaped as what the image encoder takes"
        return check_shape(unpack(data)[0], self.image_encoder.input_shape, what)

    def encode(self, images, *, use_ema=True):
        """Returns the embeddings of images as a TFP distribution that is certain of them."""
        return tfd.Independent(tfd.Deterministic(self.encode_images(images, use_ema=use_ema)), 1)

    def encode_images(self, images, *, use_ema=True):
        """Returns the embeddings of images, float32 `[batch, size]`.

        Args:
            images: float `[batch, ...]`; or a batch that begins with them.
            use_ema: whether to use the average of the weights, if there is one.
        """
        images = self.examples_of(images)
        return self.contrast.embed(self.averages.run(self.image_encoder, images, use_ema))

    def encode_captions(self, captions, *, use_ema=True):
        """Returns the embeddings of captions, float32 `[batch, size]`.

        Args:
            captions: strings `[batch]`, or their tokens.
            use_ema: whether to use the average of the weights, if there is one.

        Raises:
            ValueError: words are unknown, which it names, or a caption has too many.
        """
        tokens = self.tokens_of(captions)
        return self.contrast.embed(self.averages.run(self.text_encoder, tokens, use_ema))

    def zero_shot(self, images, captions):
        """Returns how probable each of some captions is for each image (section 3.1).

        Args:
            images: float `[images, ...]`.
            captions: strings `[captions]`, among which to choose.

        Returns:
            A float32 tensor `[images, captions]`; each row sums to 1.

        Raises:
            ValueError: words are unknown, which it names, or a caption has too many.
        """
        return tf.nn.softmax(self._products(images, captions) / self.temperature)

    def find_images(self, captions, images, count=1):
        """Finds the images of a gallery that fit each caption best.

        Args:
            captions: strings `[captions]`.
            images: the gallery, float `[images, ...]`.
            count: how many to find.

        Returns:
            A pair of tensors `[captions, count]`, the best first: the images' places, int32, and
            the products of embeddings, float32.

        Raises:
            ValueError: words are unknown, or there are not so many images.
        """
        return _best(tf.transpose(self._products(images, captions)), count)

    def find_captions(self, images, captions, count=1):
        """Finds the captions of a list that fit each image best.

        Args:
            images: float `[images, ...]`.
            captions: strings `[captions]`.
            count: how many to find.

        Returns:
            A pair of tensors `[images, count]`, the best first: the captions' places, int32, and
            the products of embeddings, float32.

        Raises:
            ValueError: words are unknown, or there are not so many captions.
        """
        return _best(self._products(images, captions), count)

    def compute_losses(self, data, training):
        images, tokens = self.examples_of(data), self.tokens_of(unpack(data)[1])
        if self.augmentation is not None:
            images = self.augmentation(images, self.noise.seed_of("augmentation"))
        temperature = self.temperature
        contrast = self.contrast(
            self.image_encoder(images, training=training),
            self.text_encoder(tokens, training=training),
            temperature,
        )
        return {"loss": tf.add_n([contrast, *self.losses]), "temperature": temperature}

    def average_inputs(self, data):
        return [self.examples_of(data), self.tokens_of(unpack(data)[1])]

    def signatures(self):
        images = [signatures.images(self.image_encoder.input_shape[1:])]
        encode = (lambda images: {"mean": self.encode_images(images)}, images)
        captions = [tf.TensorSpec([None], tf.string, "captions")]
        choices = [tf.TensorSpec([None, None], tf.string, "choices")]
        return {
            "serving_default": encode,
            "encode": encode,
            "encode_captions": (
                lambda captions: {"mean": self.encode_captions(captions)},
                captions,
            ),
            "zero_shot": (self._choose, [*images, *choices]),
        }

    def _choose(self, images, choices):
        """Answers `zero_shot` of captions `[images, captions]`: each image has its own choices."""
        found = self.encode_captions(tf.reshape(choices, [-1]))
        found = tf.reshape(found, [*tf.unstack(tf.shape(choices)), found.shape[-1]])
        products = tf.einsum("bd,bcd->bc", self.encode_images(images), found)
        return {"probabilities": tf.nn.softmax(products / self.temperature)}

    def _products(self, images, captions):
        return tf.matmul(
            self.encode_images(images), self.encode_captions(captions), transpose_b=True
        )


def _best(products, count):
    check_count("count", count)
    if count > products.shape[1]:
        raise ValueError(f"`count` must be at most {products.shape[1]}. Received: count={count}.")
    values, places = tf.math.top_k(products, count)
    return places, values
