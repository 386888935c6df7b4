"""An autoregressive model that is told what to draw."""

import tensorflow as tf

from tfgen.engine import noise, signatures
from tfgen.engine.serialization import serializable
from tfgen.models.autoregressive.autoregressive import Autoregressive
from tfgen.models.conditions import Conditions, check_inputs, with_labels


@serializable
class ConditionalAutoregressive(Autoregressive):
    """An autoregressive model of `p(x|y)`, of labels or attributes.

        log p(x|y) = sum_i log p(x_i | x_<i, y)

    (van den Oord et al., 2016, "Conditional image generation with PixelCNN decoders", equation 3.)

    Args:
        network: a built Keras model from `[images, conditions]` to one output, see
            `tfgen.Autoregressive`. See `tfgen.networks.gated_pixel_cnn`, with `condition_size=`.
        likelihood: a `tfgen.distributions.PixelLikelihood`.
        num_classes: the number of classes of integer labels, whose conditions are one-hot; `None`
            where labels are vectors of attributes.
        **kwargs: see `tfgen.Autoregressive`.

    Raises:
        ValueError: the network and the values do not fit each other.

    Example:
        >>> model = tfgen.ConditionalAutoregressive(
        ...     tfgen.networks.gated_pixel_cnn((28, 28, 1), condition_size=10),
        ...     tfgen.distributions.Bernoulli(),
        ...     num_classes=10,
        ... )
        >>> model.compile("adam")
        >>> model.fit(binarized_images, labels, epochs=10)
        >>> model.sample(10, seed=0, labels=range(10)).shape
        TensorShape([10, 28, 28, 1])
    """

    def __init__(self, network, likelihood, num_classes=None, **kwargs):
        self.num_classes = num_classes
        super().__init__(network, likelihood, **kwargs)

    @property
    def abilities(self):
        """Labels are drawn where they are classes; of attributes nothing is known."""
        drawn = frozenset() if self.num_classes else frozenset({"sample"})
        return super().abilities - drawn | {"choose_labels"}

    @property
    def map_shape(self):
        return tuple(self.network.input_shape[0][1:])

    @property
    def conditions(self):
        """What the model knows of its labels, a `tfgen.models.conditions.Conditions`."""
        size = self.network.input_shape[1][-1]
        return Conditions("conditional autoregressive model", self.num_classes, size)

    def check_shapes(self):
        check_inputs("network", self.network, "images", "gated_pixel_cnn")
        images, conditions = self.network.input_shape
        if (
            len(images) != 4
            or len(conditions) != 2
            or self.num_classes not in (None, conditions[-1])
        ):
            raise ValueError(
                "The network must take images, [batch, height, width, channels], and conditions of "
                f"`num_classes` values. Received: a network of {self.network.input_shape} and "
                f"num_classes={self.num_classes}."
            )

    def check_batch(self, data):
        super().check_batch(data)
        self.conditions.check_range(self.conditions.labels_of(data))

    def rows_of(self, data):
        """Returns a batch's images and labels."""
        images, labels = self.examples_of(data), self.conditions.labels_of(data)
        if tf.executing_eagerly():  # a graph's step checks them
            self.conditions.check_range(labels)
        return images, labels

    def conditions_of(self, data):
        return [self.conditions.vectors(self.conditions.labels_of(data))]

    def log_likelihood(self, images, labels=None, *, use_ema=True):
        """Returns `log p(x|y)` of each image, `[batch]` in nats; see `tfgen.Autoregressive`."""
        return super().log_likelihood(with_labels(images, labels), use_ema=use_ema)

    def bits_per_dimension(self, images, labels=None, *, use_ema=True):
        """Returns `-log2 p(x|y)` of each image over the number of its values, `[batch]`."""
        return super().bits_per_dimension(with_labels(images, labels), use_ema=use_ema)

    def score(self, images, labels=None):
        """Returns how likely images are given their labels, see `tfgen.Autoregressive.score`."""
        return super().score(with_labels(images, labels))

    def impute(self, images, mask, seed=None, labels=None, **options):
        """Draws what is missing, told the labels, see `tfgen.Autoregressive.impute`."""
        return super().impute(with_labels(images, labels), mask, seed, **options)

    def sample(
        self, count, seed=None, use_ema=True, labels=None, temperature=1.0, jit_compile=False
    ):
        """Draws new images, see `tfgen.Autoregressive.sample`.

        Args:
            count: how many, an integer or int32 scalar tensor.
            seed: a 64-bit integer: the same seed gives the same images. `None`: new ones.
            use_ema: whether to use the average of the weights, if there is one.
            labels: `count` classes, or vectors of attributes; `None` draws classes, all equally
                likely.
            temperature: positive; see `tfgen.Autoregressive.sample`.
            jit_compile: whether XLA compiles all of it; see there.

        Returns:
            A float32 tensor `[count, ...]`.

        Raises:
            ValueError: the temperature is not positive, a label is no class, there are not `count`
                labels, or none for attributes.
        """
        labels = self.conditions.for_samples(noise.whole_count(count), seed, labels)
        return self.sample_labels(labels, seed, use_ema, temperature, jit_compile)

    def sample_labels(self, labels, seed=None, use_ema=True, temperature=1.0, jit_compile=False):
        """Draws an image of each label, as `sample` does; labels are a tensor, not checked."""
        if labels.shape[0] == 0:  # which some layers cannot take
            return tf.zeros([0, *self.example_shape])
        return self.draw_seeded(labels, seed, use_ema, temperature, jit_compile)

    def drawn(self, labels, noise_seed, use_ema, temperature, compiled=False):
        """Returns an image of each label, see `tfgen.Autoregressive`."""
        count = tf.shape(labels)[0] if labels.shape[0] is None else labels.shape[0]
        conditions = [self.conditions.vectors(labels)]
        return super().drawn(count, noise_seed, use_ema, temperature, compiled, conditions)

    def signatures(self):
        labels, found = self.conditions.spec, super().signatures()
        images, mask = signatures.images(self.example_shape), signatures.mask(self.example_shape)

        def sample_labels(labels, seed):
            return {"images": self.sample_labels(labels, seed)}

        def impute(images, labels, mask, seed):
            return {
                "images": self.impute(images, mask, seed, labels),
                "exact": self.imputes_exactly(images, mask),
            }

        of_labels = sample_labels, [labels, signatures.SEED]
        answers = {
            "serving_default": of_labels,
            "sample_labels": of_labels,
            "score": (self.score, [images, labels]),
            "impute": (impute, [images, labels, mask, signatures.SEED]),
        }
        if self.num_classes is not None:
            answers["sample"] = found["sample"]
        return answers
