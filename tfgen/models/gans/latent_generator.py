"""What adversarial models share whose generator maps latents to examples."""

import abc
import typing

import tensorflow as tf

from tfgen.engine import noise
from tfgen.engine.adversarial_model import AdversarialModel
from tfgen.engine.generative_model import check_shape, unpack
from tfgen.engine.graphs import as_graph
from tfgen.engine.weight_average import add_average, call_averaged, check_momentum, follow


class Fakes(typing.NamedTuple):
    """What a generator made of latents, a row each."""

    latents: tf.Tensor
    images: tf.Tensor


class LatentGenerator(AdversarialModel):
    """An adversarial model with one generator, from latents to examples, and one discriminator.

    Args:
        generator: a built Keras model from latents to examples; images in [0, 1].
        discriminator: a built Keras model of examples.
        prior: a `tfgen.distributions.Prior` of the latents.
        generator_ema: the momentum, such as 0.999, of an exponential moving average of the
            generator's weights, with which samples are then made; `None` for none.
        fresh_fakes: whether the generator's step draws latents of its own. If not, it learns from
            the fakes that the discriminator has just learnt from, and the generator runs once a
            step instead of twice.
        **kwargs: see `tfgen.AdversarialModel`.

    Raises:
        ValueError: the networks and the prior do not fit each other, or a number is out of range.
    """

    @property
    def abilities(self):
        own = frozenset({"sample", "generate", "discriminate"})
        return own if self.generator_ema is None else own | {"average"}

    def __init__(
        self, generator, discriminator, prior, generator_ema=None, fresh_fakes=True, **kwargs
    ):
        super().__init__(**kwargs)
        self.fresh_fakes = fresh_fakes
        self.generator = generator
        self.discriminator = discriminator
        self.prior = prior
        self.generator_ema = generator_ema
        check_momentum(generator_ema)
        if generator_ema is not None:
            self._average = add_average(self, generator)

    @property
    def latent_dim(self):
        """The number of latents that the generator takes."""
        return self.prior.size

    @property
    def discriminator_variables(self):
        return self.discriminator.trainable_variables

    @property
    def generator_variables(self):
        return self.generator.trainable_variables

    def call(self, inputs, training=False):
        return self.generate(inputs)

    def generate(self, latents, averaged=True):
        """Returns examples for latents.

        Args:
            latents: float32 `[batch, latent_dim]`.
            averaged: whether to use the average of the weights, if there is one.
        """
        return self.call_generator(tf.convert_to_tensor(latents), averaged)

    @as_graph
    def call_generator(self, inputs, averaged=True):
        """Calls the generator, or its average, in inference mode."""
        if averaged and self.generator_ema is not None:
            return tf.cast(call_averaged(self._average, self.generator, inputs), tf.float32)
        return tf.cast(self.generator(inputs), tf.float32)

    def generate_ways(self, ways, seed=None):
        """Returns examples on ways through the prior's latents.

        Args:
            ways: float32 `[count, steps, prior.size]`: see `tfgen.latent_space.interpolate`.
            seed: a 64-bit integer. What else a generator takes, such as codes or labels, is drawn
                with it once for each way. `None`: new draws.

        Returns:
            A float32 tensor `[count * steps, ...]`, way after way.
        """
        return self.generate(tf.reshape(ways, [-1, self.prior.size]))

    def sample(self, count, seed=None, averaged=True):
        """Draws new examples.

        Args:
            count: how many, an integer or int32 scalar tensor.
            seed: a 64-bit integer: the same seed gives the same examples. `None`: new ones.
            averaged: whether to use the average of the generator's weights, if there is one.

        Returns:
            A float32 tensor `[count, ...]`.
        """
        return self.generate(self.draw_latents(count, seed), averaged)

    def draw_latents(self, count, seed=None):
        """Returns the latents `[count, latent_dim]` of `sample(count, seed)`."""
        return self.latents_of(tf.convert_to_tensor(count, tf.int32), noise.whole_seed(seed))

    @as_graph
    def latents_of(self, count, seed):
        """Returns the latents of `draw_latents`, for an int32 and an int64 scalar tensor."""
        return self.prior.distribution().sample(count, seed=noise.seed_from(seed, "sample"))

    def make_fakes(self, data, player, training):
        images, _ = unpack(data)
        shape = self.generator.output_shape
        check_shape(images, shape, "Examples must be shaped as what the generator makes")
        latents = self.batch_latents(images, self.noise.seed_of(f"{player} latents"))
        made = self.generator(self.generator_inputs(latents, data), training=training)
        return Fakes(latents, tf.cast(made, tf.float32))

    def generator_inputs(self, latents, data):
        """Returns what the generator takes; a subclass may make use of the batch's labels."""
        return latents

    def batch_latents(self, images, seed):
        """Draws as many latents as there are examples in this replica's share of a batch."""
        return noise.draw(self.prior.distribution(), tf.shape(images)[0], seed)

    def after_generator_step(self, data, fakes):
        if self.generator_ema is not None:
            step = self.step.value // self.critic_steps
            inputs = self.generator_inputs(fakes.latents, data)
            follow(self._average, self.generator, self.generator_ema, step, inputs)

    @abc.abstractmethod
    def score(self, images):
        """Returns what the discriminator says of examples: a dict of tensors `[batch, ...]`."""

    def signatures(self):
        latents = tf.TensorSpec([None, self.latent_dim], tf.float32, "latents")
        images = tf.TensorSpec([None, *self.generator.output_shape[1:]], tf.float32, "images")
        count = tf.TensorSpec([], tf.int32, "count")
        seed = tf.TensorSpec([], tf.int64, "seed")
        return {
            "serving_default": (lambda latents: {"images": self.generate(latents)}, [latents]),
            "sample": (lambda count, seed: {"images": self.sample(count, seed)}, [count, seed]),
            "score": (self.score, [images]),
        }


def check_latents(network_input, latent_dim):
    """Raises a ValueError unless a generator takes vectors of `latent_dim`."""
    if tuple(network_input) != (None, latent_dim):
        raise ValueError(
            f"The generator must take latents of the prior's size, [batch, {latent_dim}]. "
            f"Received: a generator of {list(network_input)}. "
            "Build the generator with that `latent_dim`, or the prior with the generator's."
        )


def check_players(made, judged, judge="discriminator"):
    """Raises a ValueError unless a generator's output shape is the input shape of its judge."""
    if made[1:] != judged[1:]:
        raise ValueError(
            f"The generator must output what the {judge} takes. Received: a generator to "
            f"{list(made)} and a {judge} of {list(judged)}."
        )
