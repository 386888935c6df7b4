"""An autoregressive model that draws a coarse image first, and then finer ones."""

import tensorflow as tf

from tfgen.distributions.likelihoods import PixelLikelihood
from tfgen.engine import noise, signatures
from tfgen.engine.batches import check_shape, unpack
from tfgen.engine.generative_model import GenerativeModel
from tfgen.engine.graphs import as_graph
from tfgen.engine.serialization import serializable
from tfgen.models.autoregressive.ancestral import draw
from tfgen.models.autoregressive.causality import check_causal
from tfgen.models.autoregressive.completion import log_probs
from tfgen.models.autoregressive.drawn_pixels import DrawnPixels
from tfgen.models.autoregressive.passes import passes_of
from tfgen.models.autoregressive.told_pixels import ToldPixels, bits_per_value
from tfgen.models.fits import check_built, check_kinds, check_outputs


@serializable
class MultiScaleAutoregressive(ToldPixels, DrawnPixels, GenerativeModel):
    """Autoregressive models of an image's every fourth pixel, every second one, and all.

        log p(x) = log p(x^1) + sum_k log p(x^(k+1) | x^k)

    Here `x^k` has every second row and column of `x^(k+1)` (van den Oord et al., 2016, "Pixel
    recurrent neural networks", section 3.6). Unlike there, the pixels of the coarser image are
    given in the finer one. Only the others are drawn, and the sum is the whole image's likelihood.

    Args:
        networks: a list of built Keras models to one output, see `tfgen.Autoregressive`, the
            coarsest first. It takes images of its scale. Each other takes images and coarser images
            of its own scale, the coarser ones enlarged: each pixel is a square of four. See
            `tfgen.networks.gated_pixel_cnn` with `condition_size=` an image's shape.
        likelihood: a `tfgen.distributions.PixelLikelihood`, of all scales.
        **kwargs: `ema_momentum`, `seed`, `name`, `dtype`: see `tfgen.GenerativeModel`.

    Raises:
        ValueError: a network outputs something else, sees later pixels, or is not of half the next
            one's size.
        TypeError: the likelihood is none of pixels.

    Example:
        >>> build = functools.partial(tfgen.networks.gated_pixel_cnn, outputs=4)
        >>> coarse = build((14, 14, 1))
        >>> fine = build((28, 28, 1), condition_size=(28, 28, 1))
        >>> model = tfgen.MultiScaleAutoregressive(
        ...     [coarse, fine], tfgen.distributions.Categorical(4)
        ... )
        >>> model.compile("adam")
        >>> model.fit(images, epochs=10)
        >>> coarse_images, fine_images = model.sample_scales(16, seed=0)
    """

    log_names = ("loss", "bits_per_dimension", "coarsest")

    def __init__(self, networks, likelihood, **kwargs):
        super().__init__(**kwargs)
        if not isinstance(networks, (list, tuple)) or not networks:
            raise TypeError(f"`networks` must be a list of networks. Received: {networks!r}.")
        self.networks = list(networks)
        self.likelihood = likelihood
        check_kinds(self, likelihood=PixelLikelihood)
        self._check_networks()
        self.averages.add(*self.networks)
        self.finalize()

    @property
    def abilities(self):
        return super().abilities | self.averages.abilities | {"sample"}

    @property
    def shapes(self):
        """The shapes of an image of each scale, the coarsest first."""
        return [_image_shape(network) for network in self.networks]

    @property
    def example_shape(self):
        """The shape of one image, a tuple."""
        return self.shapes[-1]

    def _check_networks(self):
        coarser = None
        for network in self.networks:
            check_built("network", network)
            shape = _image_shape(network)
            if len(shape) != 3:
                raise ValueError(
                    f"Networks must take images. Received: a network of {[None, *shape]}."
                )
            wanted = [(None, *shape)] * (1 if coarser is None else 2)
            halved = None if coarser is None else (2 * coarser[0], 2 * coarser[1], coarser[2])
            if [tuple(each.shape) for each in network.inputs] != wanted or halved not in (
                None,
                shape,
            ):
                raise ValueError(
                    "The coarsest network must take images, each other one images of twice the "
                    "height and width, and as large coarser ones. Received: networks of "
                    f"{[each.input_shape for each in self.networks]}."
                )
            check_outputs("network", network, self.likelihood, shape)
            check_causal(network, not self.likelihood.joint)
            coarser = shape

    def examples_of(self, data):
        """Returns a batch's images, shaped as what the finest network takes."""
        what = "Images must be shaped as what the finest network takes"
        return check_shape(unpack(data)[0], (None, *self.example_shape), what)

    def scales_of(self, images):
        """Returns images at each scale, the coarsest first, a list."""
        scales = [images]
        for _ in self.networks[1:]:
            scales.insert(0, scales[0][:, ::2, ::2])
        return scales

    def compute_losses(self, data, training):
        """Returns the mean of `-log p(x)`, in nats, in bits for each value, and the coarsest's."""

        def run(network, inputs):
            return network(inputs, training=training)

        terms = self._terms(self.examples_of(data), run)
        errors = [-tf.reduce_mean(each) for each in terms]
        error = tf.add_n(errors)
        return {
            "loss": tf.add_n([error, *self.losses]),
            "bits_per_dimension": self.bits_of(error),
            "coarsest": errors[0],
        }

    def _terms(self, images, run):
        """Returns each scale's part of `log p(x)`, a list of `[batch]`."""
        terms, coarser = [], None
        for network, rows in zip(self.networks, self.scales_of(images), strict=True):
            inputs = rows if coarser is None else [rows, _enlarged(coarser)]
            found = log_probs(self.likelihood, tf.cast(run(network, inputs), tf.float32), rows)
            if coarser is not None:
                found = tf.where(self._given(rows), 0.0, found)
            terms.append(tf.reduce_sum(found, axis=1))
            coarser = rows
        return terms

    def _given(self, rows):
        """Returns which values of a finer image the coarser one gives, `[1, values]`."""
        given = _given_pixels(rows)[..., : 1 if self.likelihood.joint else None]
        return tf.reshape(given, [1, -1])

    def average_inputs(self, data):
        scales = self.scales_of(self.examples_of(data))
        finer = zip(scales[1:], scales, strict=False)
        return [scales[0], *([rows, _enlarged(coarser)] for rows, coarser in finer)]

    @as_graph
    def _log_likelihood(self, images, use_ema):
        def run(network, inputs):
            return self.averages.run(network, inputs, use_ema)

        return tf.add_n(self._terms(images, run))

    def bits_of(self, nats):
        """Returns bits for each value of an image, of nats for all of it."""
        return bits_per_value(nats, self.example_shape)

    def sample(self, count, seed=None, use_ema=True, temperature=1.0, jit_compile=False):
        """Draws new images, see `tfgen.Autoregressive.sample`.

        Args:
            count: how many, an integer or int32 scalar tensor.
            seed: a 64-bit integer: the same seed gives the same images. `None`: new ones.
            use_ema: whether to use the average of the weights, if there is one.
            temperature: positive, of all scales; see `tfgen.Autoregressive.sample`.
            jit_compile: whether XLA compiles all of it; see there.

        Returns:
            A float32 tensor `[count, ...]`.

        Raises:
            ValueError: the temperature is not positive.
        """
        return self.sample_scales(count, seed, use_ema, temperature, jit_compile)[-1]

    def sample_scales(self, count, seed=None, use_ema=True, temperature=1.0, jit_compile=False):
        """Draws new images, and returns them at each scale, the coarsest first; see `sample`."""
        count = noise.whole_count(count)
        if tf.executing_eagerly() and count == 0:  # which some layers cannot take
            return [tf.zeros([0, *shape]) for shape in self.shapes]
        return self.draw_seeded(count, seed, use_ema, temperature, jit_compile)

    def drawn(self, count, noise_seed, use_ema, temperature, compiled=False):
        """Returns new images at each scale, a list; see `tfgen.Autoregressive`."""
        scales = []
        for index, (network, shape) in enumerate(zip(self.networks, self.shapes, strict=True)):
            rows, seen, conditions = tf.zeros([count, *shape]), None, []
            if scales:
                conditions = [_enlarged(scales[-1])]
                rows = conditions[0]  # right where the coarser image gives a pixel
                seen = tf.broadcast_to(_given_pixels(rows), tf.shape(rows))
            how = tf.random.fold_in(noise_seed, index), temperature, compiled
            with self.averages.scope(network, use_ema):
                passes = passes_of(network, conditions, compiled)
                scales.append(draw(passes, self.likelihood, rows, seen, *how))
        return scales

    def signatures(self):
        score = self.score, [signatures.images(self.example_shape)]
        return super().signatures() | {"score": score}


def _image_shape(network):
    return tuple(network.inputs[0].shape[1:])


def _enlarged(images):
    """Returns images of which each pixel is a square of four."""
    return tf.repeat(tf.repeat(images, 2, axis=1), 2, axis=2)


def _given_pixels(rows):
    """Returns where a finer image has pixels of the coarser one, `[1, height, width, channels]`."""
    height, width, channels = rows.shape[1:]
    even = (tf.range(height) % 2 == 0)[:, tf.newaxis] & (tf.range(width) % 2 == 0)[tf.newaxis]
    return tf.broadcast_to(even[tf.newaxis, ..., tf.newaxis], [1, height, width, channels])
