"""DALL-E 2: captions become images, by CLIP, a prior and a decoder."""

import math

import tensorflow as tf

from tfgen.engine import noise, signatures
from tfgen.engine.batches import unpack
from tfgen.engine.generative_model import GenerativeModel
from tfgen.engine.graphs import as_graph
from tfgen.engine.serialization import serializable
from tfgen.models.contrastive.caption_tokens import CaptionTokens
from tfgen.models.contrastive.clip import CLIP
from tfgen.models.diffusion.conditional_diffusion import ConditionalDiffusion
from tfgen.models.fits import check_kinds, freeze


@serializable
class DALLE2(CaptionTokens, GenerativeModel):
    """Draws images of captions (Ramesh et al., 2022, section 2).

        p(x | caption) = int p(x | m) p(m | caption) dm

    `m` is CLIP's embedding of an image. The prior `p(m | caption)` is a diffusion of embeddings
    that is told CLIP's embedding of the caption; the decoder `p(x | m)` is a diffusion of images
    that is told `m`. Both learn at once; CLIP was trained before, and stays as it is. Embeddings
    are of length `sqrt(size)`, so that each of their values has about variance 1.

    Batches are `(images, captions)`.

    Args:
        clip: a trained `tfgen.CLIP`.
        prior: a `tfgen.ConditionalDiffusion` of embeddings, `[batch, size]`, whose conditions are
            embeddings, too. The paper's predicts the example itself: `predictions.Example()`.
        decoder: a `tfgen.ConditionalDiffusion` of images whose conditions are embeddings.
        **kwargs: `seed`, `name`, `dtype`: see `tfgen.GenerativeModel`. Averages of weights are
            those of the prior and the decoder.

    Raises:
        ValueError: the parts do not fit each other.
        TypeError: a part is of another kind.

    Example:
        >>> size = 32  # of CLIP's embeddings
        >>> mlp = networks.diffusion_mlp(size, condition_size=size)
        >>> unet = networks.diffusion_unet((28, 28, 1), condition_size=size)
        >>> model = tfgen.DALLE2(
        ...     clip,
        ...     tfgen.ConditionalDiffusion(mlp, prediction=predictions.Example()),
        ...     tfgen.ConditionalDiffusion(unet, guidance=2.0),
        ... )
        >>> model.compile("adam")
        >>> model.fit(images, captions, epochs=10)
        >>> model.draw(["a dark coat", "a light ankle boot"], seed=0)
    """

    log_names = ("loss", "prior", "decoder")
    abilities = frozenset({"draw"})

    def __init__(self, clip, prior, decoder, ema_momentum=None, **kwargs):
        if ema_momentum is not None:
            raise ValueError(
                "Averages of weights are those of the parts. "
                f"Received: ema_momentum={ema_momentum}. Give it to the prior and the decoder."
            )
        super().__init__(**kwargs)
        self.clip = clip
        self.prior = prior
        self.decoder = decoder
        check_kinds(self, clip=CLIP, prior=ConditionalDiffusion, decoder=ConditionalDiffusion)
        self._check()
        freeze(clip)
        self.table = clip.table  # which exports find here
        prior.take_noise_of(self, "prior")
        decoder.take_noise_of(self, "decoder")
        self.finalize()

    def _check(self):
        size, images = self.clip.size, tuple(self.clip.image_encoder.input_shape[1:])
        fits = {
            "prior must be of embeddings": (self.prior.example_shape, (size,)),
            "prior must be told embeddings": (self.prior.conditions.spec.shape, (None, size)),
            "decoder must be of CLIP's images": (self.decoder.example_shape, images),
            "decoder must be told embeddings": (self.decoder.conditions.spec.shape, (None, size)),
        }
        for what, (received, expected) in fits.items():
            if tuple(received) != expected:
                raise ValueError(
                    f"The {what}, {list(expected)}. Received: {list(received)}. Leave out "
                    "`num_classes`, and build the networks for CLIP's sizes."
                )

    def begun_part(self):
        return self.clip

    @property
    def vocabulary(self):
        """CLIP's `tfgen.data.Vocabulary`."""
        return self.clip.vocabulary

    def compute_losses(self, data, training):
        of_prior, of_decoder = self._batches(data)
        prior = self.prior.compute_losses(of_prior, training)["loss"]
        decoder = self.decoder.compute_losses(of_decoder, training)["loss"]
        return {"loss": prior + decoder, "prior": prior, "decoder": decoder}

    def _batches(self, data):
        """Returns what the prior and the decoder learn from: embeddings, and images with them."""
        images, captions = unpack(data)
        embeddings = self._long(self.clip.encode_images(images))
        told = self._long(self.clip.encode_captions(captions))
        return (embeddings, told), (self.clip.examples_of(data), embeddings)

    def _long(self, embeddings):
        """Returns embeddings of the length that the diffusions see."""
        return math.sqrt(self.clip.size) * tf.math.l2_normalize(embeddings, axis=-1)

    def move_averages(self, step, data):
        for part, batch in zip((self.prior, self.decoder), self._batches(data), strict=True):
            part.move_averages(step, batch)

    def check_batch(self, data):
        super().check_batch(data)
        self.check_tokens(self.tokens_of(unpack(data)[1]))

    def draw(self, captions, seed=None, steps=None, guidance=None, use_prior=True, use_ema=True):
        """Draws an image of each caption.

        Args:
            captions: strings `[count]`.
            seed: a 64-bit integer: the same seed gives the same images. `None`: new ones.
            steps: how many steps the decoder takes; `None` for its own.
            guidance: of the decoder, at least 0; `None` for its own. Above 1 images obey more, and
                differ less.
            use_prior: whether the prior makes an image's embedding. Without it the decoder is told
                the caption's embedding as if it were an image's.
            use_ema: whether to use the averages of the weights, if there are some.

        Returns:
            A float32 tensor `[count, height, width, channels]`.

        Raises:
            ValueError: words are unknown, which it names; or `steps` or `guidance` is too small.
        """
        tokens, seed = self.tokens_of(captions), noise.whole_seed(seed)
        steps, guidance = self.decoder.whole_steps(steps), self.decoder.whole_guidance(guidance)
        return self._draw(tokens, seed, steps, guidance, use_prior, use_ema)

    def embed(self, captions, seed=None, use_ema=True):
        """Draws an embedding of an image of each caption, `p(m | caption)`.

        Args:
            captions: strings `[count]`, or their tokens.
            seed: a 64-bit integer: the same seed gives the same embeddings. `None`: new ones.
            use_ema: whether to use the average of the prior's weights, if there is one.

        Returns:
            A float32 tensor `[count, size]`, of rows of length 1, as those of `clip`.
        """
        told = self._long(self.clip.encode_captions(captions))
        drawn = self.prior.sample_labels(told, noise.other_seed(seed, "prior"), use_ema)
        # What the prior makes is near the sphere that all embeddings are on.
        return tf.math.l2_normalize(drawn, axis=-1)

    @as_graph
    def _draw(self, tokens, seed, steps, guidance, use_prior, use_ema):
        if use_prior:
            embeddings = self.embed(tokens, seed, use_ema)
        else:
            embeddings = self.clip.encode_captions(tokens)
        told = self._long(embeddings)
        return self.decoder.sample_labels(told, seed, use_ema, steps, guidance=guidance)

    def signatures(self):
        captions = tf.TensorSpec([None], tf.string, "captions")
        steps = tf.TensorSpec([], tf.int32, "steps")
        guidance = tf.TensorSpec([], tf.float32, "guidance")

        def draw(captions, seed, steps, guidance):
            return {"images": self.draw(captions, seed, steps, guidance)}

        def encode_captions(captions):
            return {"mean": self.clip.encode_captions(captions)}

        return {
            "serving_default": (encode_captions, [captions]),
            "draw": (draw, [captions, signatures.SEED, steps, guidance]),
        }
