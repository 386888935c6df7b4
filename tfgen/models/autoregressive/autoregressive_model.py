"""What all models share that draw one value of a map after the other."""

import numpy as np
import tensorflow as tf

from tfgen.distributions.likelihoods import PixelLikelihood
from tfgen.distributions.pixel_orders import PixelOrder, RowByRow
from tfgen.engine import noise
from tfgen.engine.batches import check_shape, unpack
from tfgen.engine.generative_model import GenerativeModel
from tfgen.models.autoregressive.ancestral import draw
from tfgen.models.autoregressive.causality import check_causal
from tfgen.models.autoregressive.drawn_pixels import DrawnPixels
from tfgen.models.autoregressive.passes import passes_of
from tfgen.models.autoregressive.told_pixels import bits_per_value
from tfgen.models.fits import check_built, check_kinds, check_outputs


class AutoregressiveModel(DrawnPixels, GenerativeModel):
    """A network that tells how each value of a map is distributed, given those before it.

    `tfgen.Autoregressive` tells what the arguments are. A subclass may see examples as other maps
    (`rows_from`, `examples_from`), or tell its network more (`conditions_of`).
    """

    log_names = ("loss", "bits_per_dimension")

    def __init__(self, network, likelihood, order=None, **kwargs):
        super().__init__(**kwargs)
        self.network = network
        self.likelihood = likelihood
        self.order = order or RowByRow()
        check_built("network", network)
        check_kinds(self, likelihood=PixelLikelihood, order=PixelOrder)
        self.check_shapes()
        check_outputs("network", network, likelihood, self.map_shape)
        check_causal(network, not likelihood.joint)
        self._check_order()
        self.averages.add(network)
        self.finalize()

    @property
    def abilities(self):
        return self.averages.abilities | {"sample"}

    @property
    def map_shape(self):
        """The shape of what the network sees of one example, a tuple."""
        return tuple(self.network.input_shape[1:])

    @property
    def example_shape(self):
        """The shape of one example, a tuple."""
        return self.map_shape

    def check_shapes(self):
        """Raises a ValueError unless the network takes what it should."""
        taken = self.network.input_shape
        if isinstance(taken, list) or len(taken) != 4:
            raise ValueError(
                "An autoregressive model's network must take images, [batch, height, width, "
                f"channels]. Received: a network of {taken}. See `tfgen.networks.pixel_cnn`."
            )

    def _check_order(self):
        height, width = self.map_shape[:2]
        if not np.array_equal(np.sort(self.order.places(height, width)), np.arange(height * width)):
            raise ValueError(
                f"An order must have each of {height * width} pixels once. "
                f"Received: {self.order!r}, with {self.order.places(height, width)}."
            )

    def examples_of(self, data):
        """Returns a batch's examples, shaped as what the model takes."""
        what = "Images must be shaped as what the model takes"
        return check_shape(unpack(data)[0], (None, *self.example_shape), what)

    def rows_from(self, examples):
        """Returns the maps of examples, in the order in which they are drawn."""
        return self.order.to_rows(examples)

    def examples_from(self, rows):
        """Returns the examples of such maps."""
        return self.order.from_rows(rows)

    def conditions_of(self, data):
        """Returns what the network takes of a batch besides the maps, a list."""
        return []

    def inputs_of(self, rows, data):
        """Returns what the network takes of a batch."""
        inputs = [rows, *self.conditions_of(data)]
        return inputs if len(inputs) > 1 else rows

    def compute_losses(self, data, training):
        """Returns the mean of `-log p(x)`, in nats, and in bits for each value."""
        rows = self.rows_from(self.examples_of(data))
        outputs = self.network(self.inputs_of(rows, data), training=training)
        error = -tf.reduce_mean(self.likelihood.distribution(outputs).log_prob(rows))
        loss = tf.add_n([error, *self.losses])
        return {"loss": loss, "bits_per_dimension": self.bits_of(error)}

    def bits_of(self, nats):
        """Returns bits for each value of a map (of codes: for each code), of nats for all."""
        return bits_per_value(nats, self.map_shape)

    def average_inputs(self, data):
        return [self.inputs_of(self.rows_from(self.examples_of(data)), data)]

    def sample(self, count, seed=None, use_ema=True, temperature=1.0, jit_compile=False):
        """Draws new examples, one value after the other.

        Each value needs the network's outputs at one place. Where all layers are known, no more is
        computed, see `tfgen.models.autoregressive.passes`.

        Args:
            count: how many, an integer or int32 scalar tensor.
            seed: a 64-bit integer: the same seed gives the same images. `None`: new ones.
            use_ema: whether to use the average of the weights, if there is one.
            temperature: positive. Below 1, likely values become likelier, and samples differ less.
            jit_compile: whether XLA compiles all of it. That takes seconds for each `count` that is
                new, and then a fraction of the time. XLA draws other images of a seed.

        Returns:
            A float32 tensor `[count, ...]`.

        Raises:
            ValueError: the temperature is not positive.
        """
        count = noise.whole_count(count)
        if tf.executing_eagerly() and count == 0:  # which some layers cannot take
            return tf.zeros([0, *self.example_shape])
        return self.draw_seeded(count, seed, use_ema, temperature, jit_compile)

    def drawn(self, count, noise_seed, use_ema, temperature, compiled=False, conditions=()):
        """Returns new examples.

        Args:
            count: int32 scalar.
            noise_seed: int32 `[2]`.
            use_ema: whether to use the average of the weights, if there is one.
            temperature: float32 scalar.
            compiled: whether XLA compiles this.
            conditions: what the network takes besides the images.
        """
        rows = tf.zeros([count, *self.map_shape])
        with self.averages.scope(self.network, use_ema):
            passes = passes_of(self.network, list(conditions), compiled)
            how = None, noise_seed, temperature, compiled
            rows = draw(passes, self.likelihood, rows, *how)
        return self.examples_from(rows)
