"""What adversarial models share whose generator maps latents to examples."""

import abc
import typing

import tensorflow as tf

from tfgen.engine import noise, signatures
from tfgen.engine.batches import check_shape, unpack
from tfgen.engine.graphs import as_graph
from tfgen.engine.two_player_model import TwoPlayerModel
from tfgen.models.fits import refuse_labels
from tfgen.utils.deprecation import renamed_arguments, warn_renamed


class Fakes(typing.NamedTuple):
    """What a generator made of latents, a row each."""

    latents: tf.Tensor
    images: tf.Tensor


class LatentGenerator(TwoPlayerModel):
    """An adversarial model with one generator, from latents to examples, and one discriminator.

    Args:
        generator: a built Keras model from latents to examples; images in [0, 1].
        discriminator: a built Keras model of examples.
        prior: a `tfgen.distributions.Prior` of the latents.
        fresh_fakes: whether the generator's step draws latents of its own. If not, it learns from
            the fakes that the discriminator has just learnt from, and the generator runs once a
            step instead of twice.
        **kwargs: `ema_momentum`, the momentum, such as 0.999, of an exponential moving average of
            the generator's weights, with which samples are then made; `critic_steps`,
            `constraint`, `seed`, `name`, `dtype`: see `tfgen.TwoPlayerModel`.

    Raises:
        ValueError: the networks and the prior do not fit each other, or a number is out of range.
    """

    @property
    def abilities(self):
        return frozenset({"sample", "generate", "discriminate"}) | self.averages.abilities

    def __init__(self, generator, discriminator, prior, fresh_fakes=True, **kwargs):
        super().__init__(**kwargs)
        self.fresh_fakes = fresh_fakes
        self.generator = generator
        self.discriminator = discriminator
        self.prior = prior
        if prior.needs_encoder or prior.initial_weights(()):
            raise ValueError(
                "The generator's latents come from a prior that learns nothing. Received: "
                f"prior={prior!r}, which does. `tfgen.VAE` learns it."
            )
        self.check_shapes()
        self.averages.add(generator)

    @abc.abstractmethod
    def check_shapes(self):
        """Raises a ValueError if the networks and the prior do not fit each other."""

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

    @renamed_arguments(averaged="use_ema")
    def generate(self, latents, labels=None, *, use_ema=True):
        """Returns examples for latents.

        Args:
            latents: float32 `[batch, latent_dim]`.
            labels: what the examples are to be, for a model that knows labels; else `None`.
            use_ema: whether to use the average of the weights, if there is one.
        """
        refuse_labels(self, labels)
        return self.call_generator(tf.convert_to_tensor(latents), use_ema)

    @as_graph
    def call_generator(self, inputs, use_ema=True):
        """Calls the generator, or its average, in inference mode."""
        return tf.cast(self.averages.run(self.generator, inputs, use_ema), tf.float32)

    def generate_paths(self, paths, seed=None):
        """Returns examples on paths through the prior's latents.

        Args:
            paths: float32 `[count, steps, prior.size]`: see `tfgen.latent_space.interpolate`.
            seed: a 64-bit integer. What else a generator takes, such as codes or labels, is drawn
                with it once for each path. `None`: new draws.

        Returns:
            A float32 tensor `[count * steps, ...]`, path after path.
        """
        return self.generate(tf.reshape(paths, [-1, self.prior.size]))

    def generate_ways(self, ways, **options):
        """The old name of `generate_paths`."""
        warn_renamed("generate_ways", "generate_paths")
        return self.generate_paths(ways, **options)

    @renamed_arguments(averaged="use_ema")
    def sample(self, count, seed=None, use_ema=True):
        """Draws new examples.

        Args:
            count: how many, an integer or int32 scalar tensor.
            seed: a 64-bit integer: the same seed gives the same examples. `None`: new ones.
            use_ema: whether to use the average of the generator's weights, if there is one.

        Returns:
            A float32 tensor `[count, ...]`.
        """
        return self.generate(self.sample_latents(count, seed), use_ema=use_ema)

    def sample_latents(self, count, seed=None, noise_seed=None):
        """Draws latents, those of `sample(count, seed)`.

        Args:
            count: how many; in a step of training, this replica's share of a batch.
            seed: a 64-bit integer, or `None` for new ones.
            noise_seed: int32 `[2]`, in a step of training, in the place of `seed`.

        Returns:
            A float32 tensor `[count, latent_dim]`.
        """
        if noise_seed is None:
            return self._sample_latents(noise.whole_count(count), noise.whole_seed(seed))
        return self.latents_by(
            lambda distribution, noise_seed: noise.sample_batch(distribution, count, noise_seed),
            {"sample": noise_seed, "codes": tf.random.fold_in(noise_seed, 1)}.get,
        )

    def draw_latents(self, count, seed=None):
        """The old name of `sample_latents`."""
        warn_renamed("draw_latents", "sample_latents")
        return self.sample_latents(count, seed)

    @as_graph
    def _sample_latents(self, count, seed):
        return self.latents_by(
            lambda distribution, noise_seed: distribution.sample(count, seed=noise_seed),
            lambda name: noise.seed_from(seed, name),
        )

    def latents_by(self, draw, noise_seed_of):
        """Returns what the generator takes of latents, `[count, latent_dim]`.

        Args:
            draw: a function of a TFP distribution and a noise seed to samples `[count, ...]`.
            noise_seed_of: a function from a draw's name, "sample" for the prior's, to its seed.
        """
        return draw(self.prior.distribution(), noise_seed_of("sample"))

    def examples_of(self, data):
        """Returns a batch's examples, shaped as what the generator makes."""
        shape = self.generator.output_shape
        what = "Examples must be shaped as what the generator makes"
        return check_shape(unpack(data)[0], shape, what)

    def make_fakes(self, data, player, training):
        images = self.examples_of(data)
        noise_seed = self.noise.seed_of(f"{player} latents")
        latents = self.sample_latents(tf.shape(images)[0], noise_seed=noise_seed)
        made = self.generator(self.generator_inputs(latents, data), training=training)
        return Fakes(latents, tf.cast(made, tf.float32))

    def generator_inputs(self, latents, data):
        """Returns what the generator takes; a subclass may make use of the batch's labels."""
        return latents

    def average_inputs(self, data, fakes):
        return [self.generator_inputs(fakes.latents, data)]

    @abc.abstractmethod
    def score(self, images):
        """Returns what the discriminator says of examples: a dict of tensors `[batch, ...]`."""

    def signatures(self):
        latents = [signatures.latents([self.latent_dim])]
        return {
            "serving_default": (lambda latents: {"images": self.generate(latents)}, latents),
            "sample": signatures.sample(self),
            "score": (self.score, [signatures.images(self.generator.output_shape[1:])]),
        }
