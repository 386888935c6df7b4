"""The generative adversarial network."""

import tensorflow as tf

from tfgen import games, noise
from tfgen.adversarial import AdversarialModel
from tfgen.averages import add_average, call_averaged, follow
from tfgen.base import unpack
from tfgen.config import serializable


@serializable
class GAN(AdversarialModel):
    """A generative adversarial network (Goodfellow et al., 2014), in any game.

    The generator maps latents to examples; the discriminator maps examples to logits and learns to
    tell data from samples, which the generator learns to prevent: in the minimax game, equation 1
    of the paper,

        min_G max_D V(D, G) = E_x[log D(x)] + E_z[log(1 - D(G(z)))].

    Each step draws latents, moves D, draws others, and moves G with D constant (algorithm 1); with
    `critic_steps` above 1, G moves at every `critic_steps`-th step only, see
    `tfgen.adversarial.AdversarialModel`.

    Args:
        generator: a built Keras model from latents `[batch, prior.size]` to examples; images in
            [0, 1].
        discriminator: a built Keras model from examples to logits `[batch, 1]`, or `[batch, ...]`
            where it judges parts.
        prior: a `tfgen.distributions.Prior` of the latents.
        game: a `tfgen.games.Game`; the default is `NonSaturating()`.
        penalties: a list of `tfgen.penalties.Penalty`s of the discriminator.
        critic_steps: steps of the discriminator to one of the generator.
        constraint: a `tfgen.penalties.WeightClipping`, or `None`.
        generator_ema: the momentum, such as 0.999, of an exponential moving average of the
            generator's weights, with which samples are then made; `None` for none.
        **kwargs: `seed`, `name`, `dtype`: see `tfgen.GenerativeModel`.

    Raises:
        ValueError: the networks and the prior do not fit each other, or a number is out of range.

    Example:
        >>> gan = tfgen.GAN(
        ...     generator=networks.info_gan_generator((28, 28, 1), latent_dim=64),
        ...     discriminator=networks.info_gan_discriminator((28, 28, 1)),
        ...     prior=tfgen.distributions.Uniform(64),
        ...     game=tfgen.games.NonSaturating(),
        ... )
        >>> gan.compile(keras.optimizers.Adam(2e-4, 0.5), keras.optimizers.Adam(2e-4, 0.5))
        >>> gan.fit(images, epochs=20)
        >>> gan.sample(16, seed=0).shape
        TensorShape([16, 28, 28, 1])
    """

    def __init__(
        self,
        generator,
        discriminator,
        prior,
        game=None,
        penalties=(),
        critic_steps=1,
        constraint=None,
        generator_ema=None,
        seed=0,
        **kwargs,
    ):
        super().__init__(critic_steps=critic_steps, constraint=constraint, seed=seed, **kwargs)
        self.generator = generator
        self.discriminator = discriminator
        self.prior = prior
        self.game = game or games.NonSaturating()
        self.penalties = list(penalties)
        self.generator_ema = generator_ema
        self.check_fit()
        if generator_ema is not None:
            _check_momentum(generator_ema)
            self._average = add_average(self, generator)
        self.finish()

    @property
    def log_names(self):
        penalty = ("penalty",) if self.penalties else ()
        return ("generator_loss", "discriminator_loss", *penalty)

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
            latents: float32 `[batch, prior.size]`.
            averaged: whether to use the average of the weights, if there is one.
        """
        return self._generate(latents, averaged)

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
        """Returns the latents `[count, prior.size]` of `sample(count, seed)`."""
        return self.prior.distribution().sample(count, seed=noise.seed_from(seed, "sample"))

    def discriminate(self, images):
        """Returns the logits that the discriminator gives examples, `[batch, ...]`."""
        images, _ = unpack(images)
        return tf.cast(self.discriminator(images), tf.float32)

    def discriminator_losses(self, data, training):
        images, _ = unpack(data)
        seed = self.noise.seed_of("discriminator latents")
        fakes = self.fakes(self.batch_latents(images, seed), data, training)
        real_logits = self.judge(images, data, training)
        fake_logits = self.judge(fakes, data, training)
        loss = self.game.discriminator_loss(real_logits, fake_logits)
        if not self.penalties:
            return {"discriminator_loss": tf.add_n([loss, *self.discriminator.losses])}
        penalty = self._penalty(images, fakes, data, training)
        return {
            "discriminator_loss": tf.add_n([loss, penalty, *self.discriminator.losses]),
            "penalty": penalty,
        }

    def generator_losses(self, data, training):
        images, _ = unpack(data)
        latents = self.batch_latents(images, self.noise.seed_of("generator latents"))
        fakes = self.fakes(latents, data, training)
        loss = self.game.generator_loss(self.judge(fakes, data, training))
        return {"generator_loss": tf.add_n([loss, *self.generator.losses])}

    def batch_latents(self, images, seed):
        """Draws as many latents as there are examples in this replica's share of a batch."""
        return noise.draw(self.prior.distribution(), tf.shape(images)[0], seed)

    def fakes(self, latents, data, training):
        """Returns samples for latents; a subclass may make use of the batch's labels."""
        return tf.cast(self.generator(latents, training=training), tf.float32)

    def judge(self, images, data, training):
        """Returns the logits of examples; a subclass may make use of the batch's labels."""
        return tf.cast(self.discriminator(images, training=training), tf.float32)

    def after_generator_step(self):
        if self.generator_ema is not None:
            step = self.step.value // self.critic_steps
            follow(self._average, self.generator, self.generator_ema, step)

    def check_fit(self):
        """Raises a ValueError if the networks and the prior do not fit each other."""
        if self.generator.input_shape[1:] != (self.latent_dim,):
            raise ValueError(
                f"The generator must take latents of the prior's size, [batch, {self.latent_dim}]. "
                f"Received: a generator of {list(self.generator.input_shape)}. "
                "Build the generator with that `latent_dim`, or the prior with the generator's."
            )
        check_players(self.generator.output_shape, self.discriminator.input_shape)

    def signatures(self):
        latents = tf.TensorSpec([None, self.latent_dim], tf.float32, "latents")
        images = tf.TensorSpec([None, *self.discriminator.input_shape[1:]], tf.float32, "images")
        count = tf.TensorSpec([], tf.int32, "count")
        seed = tf.TensorSpec([], tf.int64, "seed")
        return {
            "serving_default": (lambda latents: {"images": self.generate(latents)}, [latents]),
            "sample": (lambda count, seed: {"images": self.sample(count, seed)}, [count, seed]),
            "score": (lambda images: {"logits": self.discriminate(images)}, [images]),
        }

    def _generate(self, inputs, averaged):
        if averaged and self.generator_ema is not None:
            return tf.cast(call_averaged(self._average, self.generator, inputs), tf.float32)
        return tf.cast(self.generator(inputs), tf.float32)

    def _penalty(self, images, fakes, data, training):
        seed = self.noise.seed_of("penalty")
        return tf.add_n(
            [
                penalty(
                    lambda examples: self.judge(examples, data, training),
                    images,
                    fakes,
                    tf.random.fold_in(seed, index),
                )
                for index, penalty in enumerate(self.penalties)
            ]
        )


def check_players(made, judged):
    """Raises a ValueError unless a generator's output shape is a discriminator's input shape."""
    if made[1:] != judged[1:]:
        raise ValueError(
            "The generator must output what the discriminator takes. Received: a generator to "
            f"{list(made)} and a discriminator of {list(judged)}."
        )


def _check_momentum(momentum):
    if not 0 < momentum < 1:
        raise ValueError(
            "`generator_ema` must be between 0 and 1, or None for no average. "
            f"Received: generator_ema={momentum}."
        )
