"""SimCLR: an encoder that learns from images alone, by views of them."""

import tensorflow as tf
import tensorflow_probability as tfp

from tfgen.engine import signatures
from tfgen.engine.batches import check_shape, unpack
from tfgen.engine.generative_model import GenerativeModel
from tfgen.engine.serialization import serializable
from tfgen.models.fits import check_corruption, check_kinds, check_one_output, check_players
from tfgen.objectives.contrasts import Contrast, NTXent, check_several

tfd = tfp.distributions


@serializable
class SimCLR(GenerativeModel):
    """An encoder that finds the other view of an image among those of others (Chen et al., 2020).

    Each image is disturbed twice. A projector behind the encoder maps both views to embeddings,
    which a contrastive loss compares with those of all other images. What the encoder gives before
    the projector is for other tasks, such as a classifier of few labels: see
    `tfgen.evaluation.linear_probe`.

    With `disturb_both=False` and `contrast=InfoNCE(1.0, symmetric=False, normalize=False)` it is
    the lecture's: `-log exp(h_i z) / sum_j exp(h_j z)`, where `z` is the embedding of image `i`
    and `h_i` that of its disturbed version.

    Args:
        encoder: a built Keras model from images to features, one output `[batch, size]`.
        projector: a built Keras model from features to embeddings `[batch, size]`.
        augmentation: a function of images and the seed of its noise, which leaves what images
            show, such as `tfgen.augmentations.Chain((RandomCrop(0.3), RandomFlip()))`.
        contrast: a loss of `tfgen.contrasts`.
        disturb_both: whether both views are disturbed, or the second one alone.
        **kwargs: `ema_momentum`, `seed`, `name`, `dtype`: see `tfgen.GenerativeModel`.

    Raises:
        ValueError: the networks do not fit each other.
        TypeError: a value is of another kind.

    Example:
        >>> simclr = tfgen.SimCLR(
        ...     networks.conv_encoder((28, 28, 1), latent_dim=64, heads=1),
        ...     networks.mlp_encoder((64,), latent_dim=32, hidden_sizes=(64,), heads=1),
        ...     augmentation=tfgen.augmentations.RandomCrop(0.3),
        ... )
        >>> simclr.compile("adam")
        >>> simclr.fit(images, batch_size=256, epochs=10)
        >>> simclr.encode(images).mean()
    """

    def __init__(
        self,
        encoder,
        projector,
        augmentation,
        contrast=NTXent(0.5),  # noqa: B008 (a frozen value)
        disturb_both=True,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.encoder = encoder
        self.projector = projector
        self.augmentation = augmentation
        self.contrast = contrast
        self.disturb_both = disturb_both
        check_kinds(self, contrast=Contrast)
        check_corruption(augmentation, "augmentation", optional=False)
        check_one_output("encoder", encoder)
        check_one_output("projector", projector)
        check_players(encoder.output_shape, projector.input_shape, "projector", "encoder")
        self.averages.add(encoder)
        self.finalize()

    @property
    def abilities(self):
        return frozenset({"encode"})

    def check_batch(self, data):
        super().check_batch(data)
        check_several(unpack(data)[0].shape[0])

    def examples_of(self, data):
        """Returns a batch's images, shaped as what the encoder takes."""
        what = "Images must be shaped as what the encoder takes"
        return check_shape(unpack(data)[0], self.encoder.input_shape, what)

    def encode(self, images, *, use_ema=True):
        """Returns the encoder's features as a TFP distribution that is certain of them.

        Its `mean()` is float32 `[batch, size]`.

        Args:
            images: float `[batch, ...]`; or a batch that begins with them.
            use_ema: whether to use the average of the weights, if there is one.
        """
        features = self.averages.run(self.encoder, self.examples_of(images), use_ema)
        return tfd.Independent(tfd.Deterministic(tf.cast(features, tf.float32)), 1)

    def views_of(self, images):
        """Returns two views of each of a step's images: all first ones, then all second ones."""
        first, second = (
            self.augmentation(images, self.noise.seed_of(f"{name} view"))
            for name in ("first", "second")
        )
        return tf.concat([first if self.disturb_both else images, second], axis=0)

    def compute_losses(self, data, training):
        views = self.views_of(self.examples_of(data))
        # In one pass: batch normalization then sees both kinds alike.
        embeddings = self.projector(self.encoder(views, training=training), training=training)
        return {"loss": tf.add_n([self.contrast(*tf.split(embeddings, 2)), *self.losses])}

    def average_inputs(self, data):
        return [self.views_of(self.examples_of(data))]

    def signatures(self):
        images = [signatures.images(self.encoder.input_shape[1:])]
        encode = (lambda images: {"mean": self.encode(images).mean()}, images)
        return {"serving_default": encode, "encode": encode}
